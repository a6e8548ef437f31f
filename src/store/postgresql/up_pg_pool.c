/* up_pg_pool.c -- the connections of a process to a store: as many as are
 * needed at once, up to a bound, opened when they are.
 *
 * While the database is away, one call a moment finds out and the others fail
 * at once, or they would all wait until their deadlines. */
#include "store/postgresql/up_pg.h"
#include "core/up_clock.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <time.h>

/* How long after a failure no connection is tried. */
#define PAUSE (APR_USEC_PER_SEC / 10)

/* How long a call waits, at most, after the server has refused it. */
#define MOST_WAIT (APR_USEC_PER_SEC / 20)

void
up_pg_pool_init(pg_store_t *store, int size, apr_pool_t *pool)
{
    pg_connection_t *slots =
        apr_pcalloc(pool, sizeof(*slots) * (apr_size_t)size);
    pthread_condattr_t attributes;

    for (int i = 0; i < size; i++) {
        slots[i].store = store;
        slots[i].next = store->pool.unused;
        store->pool.unused = &slots[i];
    }
    pthread_mutex_init(&store->pool.mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&store->pool.changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Move CONNECTION, which is open or was, to POOL's unused ones; the mutex is
 * held. */
static void
retire(pg_pool_t *pool, pg_connection_t *connection)
{
    up_pg_disconnect(connection);
    connection->next = pool->unused;
    pool->unused = connection;
    pool->open--;
}

void
up_pg_pool_destroy(pg_store_t *store)
{
    pg_pool_t *pool = &store->pool;

    while (pool->idle) {
        pg_connection_t *connection = pool->idle;
        pool->idle = connection->next;
        retire(pool, connection);
    }
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
}

apr_time_t
up_pg_deadline(const pg_store_t *store)
{
    return up_clock() + store->timeout;
}

/* Wait until POOL changes or DEADLINE; returns 0 then. */
static int
wait_for_change(pg_pool_t *pool, apr_time_t deadline)
{
    struct timespec end = {.tv_sec = apr_time_sec(deadline),
                           .tv_nsec = apr_time_usec(deadline) * 1000};

    return !pthread_cond_timedwait(&pool->changed, &pool->mutex, &end);
}

/* Check that SCHEMA is STORE's, or of STORE's first connection, one that it can
 * use; a tool can upgrade an old one. */
static up_error_t *
recognise(pg_store_t *store, const pg_schema_t *schema, apr_pool_t *pool)
{
    up_error_t *err = up_pg_check_schema(schema, store, pool);

    if (err && !store->is_known && store->is_for_tool && schema->exists &&
        schema->version < UP_PG_VERSION) {
        store->is_old = 1;
        err = NULL;
    }
    if (!err && !store->is_known) {
        store->id = schema->id;
        store->is_known = 1;
    }
    if (err || schema->id == store->id)
        return err;
    return up_error(pool, UP_STORE_REPLACED, APR_SUCCESS,
                    "the store '%s' is not the one that was opened: a "
                    "graceful restart opens what is there now",
                    store->name);
}

/* Open CONNECTION, and check that it leads to its store. */
static up_error_t *
open_connection(pg_connection_t *connection, apr_pool_t *pool)
{
    pg_schema_t schema;

    UP_ERR(up_pg_connect(&schema, connection, pool));
    up_error_t *err = recognise(connection->store, &schema, pool);
    if (err)
        up_pg_disconnect(connection);
    return err;
}

/* Open an unused connection of STORE's pool as *TAKEN. The mutex is held, but
 * not meanwhile. */
static up_error_t *
open_another(pg_connection_t **taken,
             pg_store_t *store,
             apr_time_t deadline,
             apr_pool_t *memory)
{
    pg_pool_t *pool = &store->pool;
    pg_connection_t *connection = pool->unused;

    pool->unused = connection->next;
    pool->open++;
    pool->connecting++;
    pthread_mutex_unlock(&pool->mutex);
    connection->deadline = deadline;
    up_error_t *err = open_connection(connection, memory);
    pthread_mutex_lock(&pool->mutex);
    pool->connecting--;
    if (err) {
        retire(pool, connection);
        pool->next_try = up_clock() + PAUSE;
        apr_cpystrn(pool->why, up_error_story(err, memory), sizeof(pool->why));
        if (!*pool->why)
            apr_cpystrn(pool->why, "no reason is known", sizeof(pool->why));
    } else {
        pool->why[0] = '\0';
        *taken = connection;
    }
    pthread_cond_broadcast(&pool->changed);
    return err;
}

/* Whether no connection should be tried now: another thread does so, or did a
 * moment ago, and there was none to be had. */
static int
must_not_try(const pg_pool_t *pool)
{
    return *pool->why && (pool->connecting || up_clock() < pool->next_try);
}

/* Set *TAKEN to a connection of STORE's pool, whose mutex is held; to NULL
 * after a change that is to be looked at. */
static up_error_t *
try_take(pg_connection_t **taken,
         pg_store_t *store,
         apr_time_t deadline,
         apr_pool_t *memory)
{
    pg_pool_t *pool = &store->pool;

    *taken = pool->idle;
    if (*taken) {
        pool->idle = (*taken)->next;
        if (!up_pg_is_alive(*taken)) {
            retire(pool, *taken);
            *taken = NULL;
        }
        return NULL;
    }
    if (pool->unused && !must_not_try(pool)) {
        up_error_t *err = open_another(taken, store, deadline, memory);
        /* If the server takes no more than it has, wait for one of those. */
        return err && pool->open > pool->connecting && deadline > up_clock()
                   ? NULL
                   : err;
    }
    if (*pool->why && pool->open == pool->connecting)
        return up_error(memory, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "a moment ago: %s", pool->why);
    if (!wait_for_change(pool, deadline))
        return up_error(memory, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "none of the %d connections of this process to the "
                        "store '%s' became free in time",
                        pool->open, store->name);
    return NULL;
}

up_error_t *
up_pg_take(pg_connection_t **connection,
           pg_store_t *store,
           apr_time_t deadline,
           apr_pool_t *pool)
{
    up_error_t *err = store->is_old ? up_pg_refuse_old(store, pool) : NULL;

    *connection = NULL;
    pthread_mutex_lock(&store->pool.mutex);
    while (!*connection && !err)
        err = try_take(connection, store, deadline, pool);
    pthread_mutex_unlock(&store->pool.mutex);
    if (!err)
        (*connection)->deadline = deadline;
    return err;
}

void
up_pg_give_back(pg_connection_t *connection)
{
    pg_pool_t *pool = &connection->store->pool;
    int is_good = !connection->is_lost &&
                  PQtransactionStatus(connection->handle) == PQTRANS_IDLE;

    pthread_mutex_lock(&pool->mutex);
    if (is_good) {
        connection->next = pool->idle;
        pool->idle = connection;
    } else {
        retire(pool, connection);
    }
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
}

int
up_pg_may_try_again(int *tries, const pg_connection_t *connection)
{
    unsigned char byte = 0;

    ++*tries;
    if (!connection->may_run_again || up_clock() >= connection->deadline)
        return 0;
    if (connection->is_lost)
        return *tries <= connection->may_run_again;
    if (*tries > 1 && !apr_generate_random_bytes(&byte, 1))
        apr_sleep(MOST_WAIT * byte / 256);
    return 1;
}

up_error_t *
up_pg_read_with(pg_store_t *store,
                pg_step_t *step,
                void *baton,
                apr_pool_t *pool)
{
    apr_time_t deadline = up_pg_deadline(store);
    up_error_t *err = NULL;
    int again, tries = 0;

    do {
        pg_connection_t *connection;
        UP_ERR(up_pg_take(&connection, store, deadline, pool));
        err = step(connection, baton, pool);
        again = err && up_pg_may_try_again(&tries, connection);
        up_pg_give_back(connection);
    } while (again);
    return err;
}
