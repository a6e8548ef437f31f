/* temp_postgresql.h -- PostgreSQL stores, each in a database of its own of the
 * server that $UP_POSTGRESQL names. */
#ifndef TEMP_POSTGRESQL_H
#define TEMP_POSTGRESQL_H

#include "store/up_store.h"

/* The URI of a new database, without a store. It goes at the exit of the
 * process that made it. Ends the program if there can be none. */
const char *temp_postgresql_uri(apr_pool_t *pool);

/* A new, empty store, opened with the defaults of a tool. */
up_store_t *temp_postgresql_open(apr_pool_t *pool);

/* Have the server execute the statements of TEXT in the database of URI; the
 * first value of the last one's result, in POOL, or "". Ends the program if
 * that fails. */
const char *temp_postgresql_sql(const char *uri,
                                const char *text,
                                apr_pool_t *pool);

#endif
