/* temp_postgresql.c -- PostgreSQL stores, each in a database of its own. */
#include "temp_postgresql.h"

#ifdef UP_POSTGRESQL

#include "temp_store.h"

#include <apr_strings.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATABASE "/postgres?"

static void
bail_out(const char *what, const char *why)
{
    printf("Bail out! %s: %s\n", what, why);
    exit(1);
}

static const char *
server(void)
{
    const char *uri = getenv("UP_POSTGRESQL");

    if (!uri)
        bail_out("UP_POSTGRESQL names no server", "t/lib/with_postgres.pl "
                                                  "starts one");
    return uri;
}

const char *
temp_postgresql_sql(const char *uri, const char *text, apr_pool_t *pool)
{
    PGconn *connection = PQconnectdb(uri);
    PGresult *result = PQexec(connection, text);
    ExecStatusType status = PQresultStatus(result);
    const char *value = "";

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        bail_out(text, PQerrorMessage(connection));
    if (PQntuples(result))
        value = apr_pstrdup(pool, PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(connection);
    return value;
}

static int count;
static pid_t maker;

static const char *
name_of(int i, apr_pool_t *pool)
{
    return apr_psprintf(pool, "test_%ld_%d", (long)maker, i);
}

static void
remove_all(void)
{
    apr_pool_t *pool;

    if (getpid() != maker)
        return;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (int i = 1; i <= count; i++)
        temp_postgresql_sql(server(),
                            apr_pstrcat(pool, "DROP DATABASE IF EXISTS ",
                                        name_of(i, pool), " WITH (FORCE)",
                                        NULL),
                            pool);
    apr_pool_destroy(pool);
    apr_terminate();
}

const char *
temp_postgresql_uri(apr_pool_t *pool)
{
    const char *uri = server();
    const char *database = strstr(uri, DATABASE);

    if (!database)
        bail_out("UP_POSTGRESQL has no " DATABASE, uri);
    if (!maker) {
        maker = getpid();
        atexit(remove_all);
    }
    const char *name = name_of(++count, pool);
    temp_postgresql_sql(uri, apr_pstrcat(pool, "CREATE DATABASE ", name, NULL),
                        pool);
    return apr_pstrcat(pool,
                       apr_pstrmemdup(pool, uri, (size_t)(database - uri)), "/",
                       name, "?", database + strlen(DATABASE), NULL);
}

up_store_t *
temp_postgresql_open(apr_pool_t *pool)
{
    const char *uri = temp_postgresql_uri(pool), *identity;
    up_store_t *store;
    int made;

    must(up_store_prepare(&identity, &made, uri, NULL, geteuid(), getegid(),
                          pool, pool));
    must(up_store_open(&store, uri, NULL, pool));
    return store;
}

#endif
