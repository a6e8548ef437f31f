/* temp_lmdb.h -- LMDB stores in the temporary folder, by name. */
#ifndef TEMP_LMDB_H
#define TEMP_LMDB_H

#include "store/up_store.h"

/* The URI of the store NAME. */
const char *temp_lmdb_uri(const char *name, apr_pool_t *pool);

/* Options of a store, in POOL: its map size and whether it is flushed, "full"
 * or "off"; NULL: the default. */
const apr_table_t *temp_lmdb_options(const char *map_size,
                                     const char *sync,
                                     apr_pool_t *pool);

/* Those of a store that needs no flushing. */
const apr_table_t *temp_lmdb_scratch(apr_pool_t *pool);

/* The figure NAME that the driver has of STORE; -1 if there is none. */
long long temp_lmdb_figure(up_store_t *store, const char *name);

/* Prepare it for UID and the group of that number, for scratch data. */
up_error_t *temp_lmdb_prepare(const char **identity,
                              const char *name,
                              uid_t uid,
                              apr_pool_t *pool);

/* A new one, opened. Ends the program if there can be none. */
up_store_t *temp_lmdb_make(const char *name,
                           const apr_table_t *options,
                           apr_pool_t *pool);

/* One test point: ok if ERR has the REASON of that name, "" for no error; its
 * message is shown. */
void is_reason(const up_error_t *err, const char *reason, const char *name);

/* PATH's owner, group and mode: "0:0 700". */
const char *owner_and_mode(const char *path, apr_pool_t *pool);

/* Test points: a new store for UID and GID belongs to them, and nobody else may
 * read it, whatever the umask. */
void check_new_files(uid_t uid, gid_t gid, apr_pool_t *pool);

#endif
