/* up_pg_pool.c -- the connections of a process to a store: as many as are
 * needed at once, up to a bound, opened when they are.
 *
 * While the database is away, one call a moment finds out and the others fail
 * at once, or they would all wait until their deadlines. */
#include "store/postgresql/up_pg.h"
#include "core/up_clock.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <string.h>
#include <time.h>

/* How long after a failure no connection is tried; to a standby, without which
 * reads are served all the same. */
#define PAUSE (APR_USEC_PER_SEC / 10)
#define STANDBY_PAUSE (3 * APR_USEC_PER_SEC)

/* Which part of a read's time is for the standby. */
#define STANDBY_PART 4

/* How long a call waits, at most, after the server has refused it. */
#define MOST_WAIT (APR_USEC_PER_SEC / 20)

/* Make POOL, STORE's, of at most SIZE connections. */
static void
init(pg_pool_t *pool, pg_store_t *store, int size, apr_pool_t *memory)
{
    pg_connection_t *slots =
        apr_pcalloc(memory, sizeof(*slots) * (apr_size_t)size);
    pthread_condattr_t attributes;

    pool->store = store;
    for (int i = 0; i < size; i++) {
        slots[i].store = store;
        slots[i].pool = pool;
        slots[i].next = pool->unused;
        pool->unused = &slots[i];
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void
up_pg_pool_init(pg_store_t *store, int size, apr_pool_t *pool)
{
    init(&store->pool, store, size, pool);
    init(&store->standbys, store, size, pool);
    store->standbys.is_of_standbys = 1;
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

/* Retire all of POOL's idle connections; the mutex is held, or nobody else uses
 * POOL. */
static void
retire_idle(pg_pool_t *pool)
{
    while (pool->idle) {
        pg_connection_t *connection = pool->idle;
        pool->idle = connection->next;
        retire(pool, connection);
    }
}

static void
destroy(pg_pool_t *pool)
{
    retire_idle(pool);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
}

void
up_pg_pool_destroy(pg_store_t *store)
{
    destroy(&store->pool);
    destroy(&store->standbys);
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

/* Open an unused connection of POOL as *TAKEN. The mutex is held, but not
 * meanwhile. */
static up_error_t *
open_another(pg_connection_t **taken,
             pg_pool_t *pool,
             apr_time_t deadline,
             apr_pool_t *memory)
{
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
        pool->next_try =
            up_clock() + (pool->is_of_standbys ? STANDBY_PAUSE : PAUSE);
        pool->reason = err->reason;
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

/* Set *TAKEN to a connection of POOL, whose mutex is held; to NULL after a
 * change that is to be looked at. */
static up_error_t *
try_take(pg_connection_t **taken,
         pg_pool_t *pool,
         apr_time_t deadline,
         apr_pool_t *memory)
{
    *taken = pool->idle;
    if (*taken) {
        pool->idle = (*taken)->next;
        return NULL;
    }
    if (pool->unused && !must_not_try(pool)) {
        up_error_t *err = open_another(taken, pool, deadline, memory);
        /* If the server takes no more than it has, wait for one of those. */
        return err && pool->open > pool->connecting && deadline > up_clock()
                   ? NULL
                   : err;
    }
    if (*pool->why && pool->open == pool->connecting)
        return up_error(memory, pool->reason, APR_SUCCESS, "a moment ago: %s",
                        pool->why);
    if (!wait_for_change(pool, deadline))
        return up_error(memory, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "none of the %d connections of this process to the "
                        "store '%s' became free in time",
                        pool->open, pool->store->name);
    return NULL;
}

/* Whether CONNECTION, which was taken, is alive; otherwise it is no longer
 * taken. The mutex is not held: this asks the kernel. */
static int
is_usable(pg_connection_t *connection)
{
    pg_pool_t *pool = connection->pool;

    if (up_pg_is_alive(connection))
        return 1;
    pthread_mutex_lock(&pool->mutex);
    retire(pool, connection);
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    return 0;
}

/* Take an open connection of POOL until DEADLINE. */
static up_error_t *
take(pg_connection_t **connection,
     pg_pool_t *pool,
     apr_time_t deadline,
     apr_pool_t *memory)
{
    up_error_t *err =
        pool->store->is_old ? up_pg_refuse_old(pool->store, memory) : NULL;

    *connection = NULL;
    while (!*connection && !err) {
        pthread_mutex_lock(&pool->mutex);
        while (!*connection && !err)
            err = try_take(connection, pool, deadline, memory);
        pthread_mutex_unlock(&pool->mutex);
        if (*connection && !is_usable(*connection))
            *connection = NULL;
    }
    if (!err)
        (*connection)->deadline = deadline;
    return err;
}

up_error_t *
up_pg_take(pg_connection_t **connection,
           pg_store_t *store,
           apr_time_t deadline,
           apr_pool_t *pool)
{
    return take(connection, &store->pool, deadline, pool);
}

up_error_t *
up_pg_take_standby(pg_connection_t **connection,
                   pg_store_t *store,
                   apr_time_t deadline,
                   apr_pool_t *pool)
{
    return take(connection, &store->standbys, deadline, pool);
}

/* Whether CONNECTION's server was a standby and has said that it is none any
 * longer, as PostgreSQL 14 does: another one is to be looked for. */
static int
was_promoted(const pg_connection_t *connection)
{
    const char *is_standby =
        PQparameterStatus(connection->handle, "in_hot_standby");

    return connection->pool->is_of_standbys && is_standby &&
           !strcmp(is_standby, "off");
}

void
up_pg_give_back(pg_connection_t *connection)
{
    pg_pool_t *pool = connection->pool;
    int is_good = !connection->is_lost && !was_promoted(connection) &&
                  PQtransactionStatus(connection->handle) == PQTRANS_IDLE;

    pthread_mutex_lock(&pool->mutex);
    /* Their tables are no longer there either; and where a read had to wait for
     * a standby, no other one should. */
    if (connection->has_other_tables ||
        (connection->is_lost && pool->is_of_standbys))
        retire_idle(pool);
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

/* Have STEP use a connection of POOL; again, if it was lost. */
static up_error_t *
read_from(pg_pool_t *pool,
          apr_time_t deadline,
          pg_step_t *step,
          void *baton,
          apr_pool_t *memory)
{
    up_error_t *err = NULL;
    int again, tries = 0;

    do {
        pg_connection_t *connection;
        UP_ERR(take(&connection, pool, deadline, memory));
        err = step(connection, baton, memory);
        again = err && up_pg_may_try_again(&tries, connection);
        up_pg_give_back(connection);
    } while (again);
    return err;
}

up_error_t *
up_pg_read_with(pg_store_t *store,
                int may_lag,
                pg_step_t *step,
                void *baton,
                apr_pool_t *pool)
{
    apr_time_t deadline = up_pg_deadline(store);
    apr_time_t part = up_clock() + store->timeout / STANDBY_PART;

    if (may_lag && store->base.may_lag &&
        !read_from(&store->standbys, part, step, baton, pool))
        return NULL;
    return read_from(&store->pool, deadline, step, baton, pool);
}
