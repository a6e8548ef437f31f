/* up_pg.c -- the PostgreSQL driver, whose stores are each opened once in a
 * process. */
#include "store/postgresql/up_pg.h"
#include "core/up_clock.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

/* The stores that this process has open. The mutex is held while one is added
 * or removed. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static pg_store_t *open_stores;

pg_store_t *
up_pg_downcast(up_store_t *store)
{
    assert(store->driver == &up_store_postgresql);
    return (pg_store_t *)store;
}

/* Set *NUMBER to that of VALUE, from 1 to MOST; returns 0 if it is none. */
static int
parse_number(apr_int64_t *number, const char *value, apr_int64_t most)
{
    char *end;

    errno = 0;
    *number = apr_strtoi64(value, &end, 10);
    return apr_isdigit(*value) && !*end && !errno && *number >= 1 &&
           *number <= most;
}

static int
parse_pool(apr_int64_t *connections, const char *value)
{
    return parse_number(connections, value, 1000);
}

static int
parse_timeout(apr_int64_t *seconds, const char *value)
{
    return parse_number(seconds, value, 3600);
}

static int
parse_reads(apr_int64_t *may_lag, const char *value)
{
    *may_lag = !apr_cstr_casecmp(value, "any");
    return *may_lag || !apr_cstr_casecmp(value, "primary");
}

static const up_driver_option_t options[] = {
    {"pool", "8", "a number of connections from 1 to 1000", parse_pool},
    {"timeout", "10", "a number of seconds from 1 to 3600", parse_timeout},
    {"reads", "primary", "'primary' or 'any'", parse_reads},
    {NULL, NULL, NULL, NULL},
};

/* A thread that finds no connection free waits for one. */
static const char *
pg_shortage(int processes, int threads, apr_pool_t *pool)
{
    (void)processes;
    (void)threads;
    (void)pool;
    return NULL;
}

/* What a server's parent could see by its own rights on the database says
 * nothing of a child's. */
static up_error_t *
pg_inspect(const char **identity,
           const char *location,
           uid_t uid,
           apr_pool_t *pool)
{
    pg_store_t store = {0};

    (void)uid;
    UP_ERR(up_pg_uri_parse(&store, location, pool));
    *identity = up_pg_identity(&store, pool);
    return NULL;
}

/* Open a connection of STORE's, which sets its id; to a standby, if it may lag
 * and the primary is away. Errors are in STORE's memory. */
static up_error_t *
identify(pg_store_t *store)
{
    pg_connection_t *connection;

    up_error_t *err =
        up_pg_take(&connection, store, up_pg_deadline(store), store->memory);
    if (err && (!store->base.may_lag ||
                up_pg_take_standby(&connection, store, up_pg_deadline(store),
                                   store->memory)))
        return err;
    up_pg_give_back(connection);
    return NULL;
}

/* The store that is open already and has the id of PG, or else PG. */
static pg_store_t *
share(pg_store_t *pg)
{
    pthread_mutex_lock(&list_mutex);
    pg_store_t *store = open_stores;
    while (store && store->id != pg->id)
        store = store->next_open;
    if (!store) {
        pg->next_open = open_stores;
        open_stores = store = pg;
    }
    store->opened++;
    pthread_mutex_unlock(&list_mutex);
    return store;
}

static up_error_t *
pg_open(up_store_t **store,
        const char *location,
        const apr_table_t *table,
        apr_pool_t *result_pool)
{
    pg_store_t *found = NULL;
    apr_pool_t *memory;

    apr_status_t rv = apr_pool_create_unmanaged_ex(
        &memory, apr_pool_abort_get(result_pool), NULL);
    if (rv)
        return up_error(result_pool, UP_STORE_UNAVAILABLE, rv,
                        "cannot make a pool for a PostgreSQL store");
    pg_store_t *pg = apr_pcalloc(memory, sizeof(*pg));
    pg->base.driver = &up_store_postgresql;
    pg->memory = memory;
    pg->is_for_tool = !table;
    pg->base.may_lag =
        (int)up_driver_option(&up_store_postgresql, "reads", table);
    pg->timeout = apr_time_from_sec(
        up_driver_option(&up_store_postgresql, "timeout", table));
    up_pg_name_statements(pg);
    up_pg_pool_init(
        pg, (int)up_driver_option(&up_store_postgresql, "pool", table), memory);
    up_error_t *err = up_pg_uri_parse(pg, location, memory);
    if (!err)
        err = identify(pg);
    if (!err)
        found = share(pg);
    else
        err = up_error_copy(err, result_pool);
    if (found != pg) {
        up_pg_pool_destroy(pg);
        apr_pool_destroy(memory);
    }
    if (!err)
        *store = &found->base;
    return err;
}

static apr_uint64_t
pg_stamp(const up_store_t *store)
{
    const pg_store_t *pg = (const pg_store_t *)store;

    return pg->id ? (apr_uint64_t)pg->id : 1;
}

static void
pg_close(up_store_t *store)
{
    pg_store_t *pg = up_pg_downcast(store), **link = &open_stores;

    pthread_mutex_lock(&list_mutex);
    if (!--pg->opened) {
        while (*link != pg)
            link = &(*link)->next_open;
        *link = pg->next_open;
        up_pg_pool_destroy(pg);
        apr_pool_destroy(pg->memory);
    }
    pthread_mutex_unlock(&list_mutex);
}

static void
pg_set_wait(up_store_t *store,
            apr_interval_time_t timeout,
            up_store_tell_t *tell,
            void *baton)
{
    pg_store_t *pg = up_pg_downcast(store);

    pg->timeout = timeout;
    pg->tell = tell;
    pg->tell_baton = baton;
}

/* No lock of another process stops all changes. */
static up_error_t *
pg_probe(apr_uint32_t *episode, up_store_t *store, apr_pool_t *pool)
{
    (void)store;
    (void)pool;
    *episode = 0;
    return NULL;
}

/* How much room there is, the database does not say. */
static up_error_t *
pg_filling(const char **warning, up_store_t *store, apr_pool_t *pool)
{
    (void)store;
    (void)pool;
    *warning = NULL;
    return NULL;
}

static up_error_t *
pg_copy_begin(up_copy_t **copy,
              const char **source,
              up_copy_kind_t kind,
              const char *location,
              const char *folder,
              apr_pool_t *pool)
{
    (void)copy;
    (void)source;
    (void)location;
    (void)folder;
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "a store in PostgreSQL is %s by PostgreSQL's own tools: %s",
                    kind == UP_BACKUP ? "backed up" : "restored",
                    kind == UP_BACKUP ? "'pg_dump --format=custom "
                                        "--schema=userprofile'"
                                      : "'pg_restore --single-transaction', "
                                        "into a database without a store");
}

const up_store_driver_t up_store_postgresql = {
    .scheme = "postgresql",
    .options = options,
    .check = up_pg_check,
    .shortage = pg_shortage,
    .prepare = up_pg_prepare,
    .inspect = pg_inspect,
    .hold = up_pg_hold,
    .open = pg_open,
    .stamp = pg_stamp,
    .close = pg_close,
    .set_wait = pg_set_wait,
    .probe = pg_probe,
    .read = up_pg_read,
    .update = up_pg_update,
    .token = up_pg_token,
    .begin = up_pg_batch_begin,
    .expect = up_pg_batch_expect,
    .put = up_pg_batch_put,
    .get = up_pg_batch_get,
    .last_event = up_pg_batch_last_event,
    .remove = up_pg_batch_remove,
    .remove_rights = up_pg_batch_remove_rights,
    .erase_events = up_pg_batch_erase_events,
    .commit = up_pg_batch_commit,
    .each = up_pg_each,
    .stat = up_pg_stat,
    .upgrade = up_pg_upgrade,
    .filling = pg_filling,
    .check_store = up_pg_check_store,
    .copy_begin = pg_copy_begin,
};
