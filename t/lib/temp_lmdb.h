/* temp_lmdb.h -- LMDB stores in the temporary folder, by name. */
#ifndef TEMP_LMDB_H
#define TEMP_LMDB_H

#include "store/up_store.h"

/* The URI of the store NAME. */
const char *temp_lmdb_uri(const char *name, apr_pool_t *pool);

/* Prepare it for UID and the group of that number, for scratch data. */
up_error_t *temp_lmdb_prepare(const char **identity,
                              const char *name,
                              uid_t uid,
                              apr_pool_t *pool);

/* A new one, opened. Ends the program if there can be none. */
up_store_t *temp_lmdb_make(const char *name,
                           const up_store_options_t *options,
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
