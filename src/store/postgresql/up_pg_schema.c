/* up_pg_schema.c -- the tables: making them, and whether they are those that
 * this version uses. */
#include "store/postgresql/up_pg.h"
#include "core/up_clock.h"

#include <apr_strings.h>
#include <string.h>

/* conf/schema.sql, as one text. */
static const char schema_text[] =
#include "store/postgresql/schema.sql.h"
    ;

#define OLDEST_SERVER 130000

up_error_t *
up_pg_refuse_old(const pg_store_t *store, apr_pool_t *pool)
{
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the tables of the store '%s' are older than version %d, "
                    "which is this program's: 'userprofilectl upgrade' brings "
                    "them up",
                    store->name, UP_PG_VERSION);
}

up_error_t *
up_pg_check_schema(const pg_schema_t *schema,
                   const pg_store_t *store,
                   apr_pool_t *pool)
{
    if (!schema->exists)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "there is no store in the database of '%s': "
                        "'userprofilectl init' makes one",
                        store->name);
    if (schema->version > UP_PG_VERSION)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the tables of the store '%s' are of version %d, which "
                        "is newer than %d, this program's: use a newer one",
                        store->name, schema->version, UP_PG_VERSION);
    return schema->version < UP_PG_VERSION ? up_pg_refuse_old(store, pool)
                                           : NULL;
}

/* Whether CONNECTION's server and database can have a store. */
static up_error_t *
check_server(const pg_connection_t *connection, apr_pool_t *pool)
{
    const char *encoding =
        PQparameterStatus(connection->handle, "server_encoding");

    if (PQserverVersion(connection->handle) < OLDEST_SERVER)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "the server of '%s' must be PostgreSQL %d or later",
                        connection->store->name, OLDEST_SERVER / 10000);
    if (!encoding || strcmp(encoding, "UTF8") != 0)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "the encoding of the database of '%s' must be UTF8",
                        connection->store->name);
    return NULL;
}

/* Make the tables by CONNECTION, unless others do so at the same time. */
static up_error_t *
make_tables(int *made, pg_connection_t *connection, apr_pool_t *pool)
{
    pg_schema_t schema;
    PGresult *result;

    UP_ERR(check_server(connection, pool));
    up_error_t *err = up_pg_run_text(&result, connection, schema_text,
                                     "make the tables", pool);
    *made = !err;
    if (!err || connection->is_lost)
        return err;
    up_pg_disconnect(connection);
    connection->deadline = up_pg_deadline(connection->store);
    UP_ERR(up_pg_connect(&schema, connection, pool));
    return schema.exists ? NULL : err;
}

/* A server makes nothing, since its role may not; the tool does, whose OPTIONS
 * are NULL. */
up_error_t *
up_pg_prepare(const char **identity,
              int *made,
              const char *location,
              const apr_table_t *options,
              uid_t uid,
              gid_t gid,
              apr_pool_t *result_pool,
              apr_pool_t *scratch_pool)
{
    pg_store_t store = {.is_for_tool = !options,
                        .timeout = apr_time_from_sec(up_driver_option(
                            &up_store_postgresql, "timeout", options))};
    pg_connection_t connection = {.store = &store, .pool = &store.pool};
    pg_schema_t schema;

    (void)uid;
    (void)gid;
    *made = 0;
    store.pool.store = &store;
    UP_ERR(up_pg_uri_parse(&store, location, result_pool));
    *identity = up_pg_identity(&store, result_pool);
    if (options)
        return NULL;
    connection.deadline = up_pg_deadline(&store);
    UP_ERR(up_pg_connect(&schema, &connection, result_pool));
    up_error_t *err =
        schema.exists ? NULL : make_tables(made, &connection, scratch_pool);
    if (err)
        err = up_error_copy(err, result_pool);
    up_pg_disconnect(&connection);
    return err;
}

/* How long a step may take: it may have to write all rows anew. */
#define STEP_TIME (24 * 3600 * APR_USEC_PER_SEC)

/* steps[N] is what brings the tables from version N to N + 1. There was no
 * version 0. */
static const char *const steps[UP_PG_VERSION] = {NULL};

/* Have CONNECTION execute STEP, which brings the tables from VERSION to the
 * next one, in a transaction, unless another program has done so; *CHANGED
 * counts. */
static up_error_t *
take_step(apr_uint64_t *changed,
          pg_connection_t *connection,
          const char *step,
          int version,
          apr_pool_t *pool)
{
    const char *what =
        apr_psprintf(pool, "bring the tables to version %d", version + 1);
    const char *raise = apr_psprintf(pool,
                                     "UPDATE userprofile.store SET version = %d"
                                     " WHERE version = %d RETURNING version",
                                     version + 1, version);
    PGresult *result;

    UP_ERR(up_pg_run(&result, connection, PG_BEGIN, NULL, what, pool));
    UP_ERR(up_pg_run_text(&result, connection, raise, what, pool));
    if (PQntuples(result)) {
        UP_ERR(up_pg_run_text(&result, connection, step, what, pool));
        ++*changed;
    }
    return up_pg_run(&result, connection, PG_COMMIT, NULL, what, pool);
}

up_error_t *
up_pg_take_steps(apr_uint64_t *changed,
                 pg_connection_t *connection,
                 const pg_schema_t *schema,
                 const char *const all[],
                 int last,
                 apr_pool_t *pool)
{
    connection->deadline = up_clock() + STEP_TIME;
    for (int version = schema->version; version < last; version++) {
        if (version < 0 || !all[version])
            return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                            "nothing brings the tables of the store '%s' from "
                            "version %d to %d",
                            connection->store->name, version, version + 1);
        UP_ERR(take_step(changed, connection, all[version], version, pool));
    }
    return NULL;
}

up_error_t *
up_pg_upgrade(apr_uint64_t *changed, up_store_t *base, apr_pool_t *scratch_pool)
{
    pg_store_t *store = up_pg_downcast(base);
    pg_connection_t connection = {.store = store,
                                  .pool = &store->pool,
                                  .deadline = up_pg_deadline(store)};
    pg_schema_t schema;

    *changed = 0;
    UP_ERR(up_pg_connect(&schema, &connection, scratch_pool));
    up_error_t *err = up_pg_take_steps(changed, &connection, &schema, steps,
                                       UP_PG_VERSION, scratch_pool);
    up_pg_disconnect(&connection);
    if (!err)
        store->is_old = 0;
    return err;
}
