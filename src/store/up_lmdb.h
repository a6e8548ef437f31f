/*
 * up_lmdb.h -- what the files of the LMDB driver share.
 *
 * Databases, none with duplicates; 00 is a NUL byte, which no id has:
 *
 *     meta      "format" ->
 *     org       org ->
 *     profile   org 00 user ->
 *     home      user -> org
 *     member    org 00 user ->          (the instance: org is empty)
 *     token     SHA-256 ->
 *     event     number, 8 bytes, big-endian ->
 */
#ifndef UP_LMDB_H
#define UP_LMDB_H

#include "store/up_queue.h"
#include "store/up_store_driver.h"

#include <lmdb.h>
#include <pthread.h>

typedef enum lmdb_database_t {
    LMDB_META,
    LMDB_ORG,
    LMDB_PROFILE,
    LMDB_HOME,
    LMDB_MEMBER,
    LMDB_TOKEN,
    LMDB_EVENT,
    LMDB_DATABASES
} lmdb_database_t;

typedef struct lmdb_store_t {
    up_store_t base;
    const char *path;
    up_store_options_t options;
    dev_t device; /* of the folder, with the inode: which store it is */
    ino_t inode;
    struct lmdb_store_t *next_open; /* in this process */

    up_queue_t *queue; /* of updates */
    MDB_env *env;      /* NULL: broken, and not open again yet */
    unsigned openings; /* of the environment, so far */
    MDB_dbi database[LMDB_DATABASES];

    /* The gate: transactions pass it, and wait while it is closed to resize
     * the map or to open the environment again. Passing an open one takes no
     * lock; its mutex guards the times too. */
    pthread_mutex_t gate;
    apr_time_t next_reader_check;
    apr_time_t next_reopen;
    pthread_cond_t changed;
    unsigned inside; /* transactions under way */
    int closed;
} lmdb_store_t;

lmdb_store_t *up_lmdb_downcast(up_store_t *store);

/* The error for LMDB's RC, made in POOL: STORE's folder, and WHAT could not be
 * done, "read a profile". */
up_error_t *up_lmdb_error(int rc,
                          const char *what,
                          const lmdb_store_t *store,
                          apr_pool_t *pool);

/* The same for a commit, after which the outcome may be unknown. */
up_error_t *up_lmdb_commit_error(int rc,
                                 const lmdb_store_t *store,
                                 apr_pool_t *pool);

/* up_lmdb_env.c: pass STORE's gate and begin *TXN; FLAGS are 0 or MDB_RDONLY.
 * Every transaction that was begun ends in one of the two that follow. */
UP_MUST_CHECK up_error_t *up_lmdb_begin(MDB_txn **txn,
                                        lmdb_store_t *store,
                                        unsigned flags,
                                        apr_pool_t *pool);
void up_lmdb_abort(lmdb_store_t *store, MDB_txn *txn);
UP_MUST_CHECK up_error_t *up_lmdb_commit(lmdb_store_t *store,
                                         MDB_txn *txn,
                                         apr_pool_t *pool);

/* up_lmdb_key.c: the key of ITEM, in POOL, in the database that it is kept
 * in; an event's is made from its number. */
MDB_val up_lmdb_key(const up_item_t *item, apr_pool_t *pool);
lmdb_database_t up_lmdb_database(up_kind_t kind);

/* TEXT without its NUL, and ORG 00 USER, as keys. */
MDB_val up_lmdb_text(const char *text);
MDB_val up_lmdb_pair(const char *org, const char *user, apr_pool_t *pool);

/* Set the key fields of ITEM, whose kind is set, from KEY, copied to POOL.
 * Returns 0 if it is no key of its kind. */
int up_lmdb_parse_key(up_item_t *item, const MDB_val *key, apr_pool_t *pool);

/* up_lmdb_item.c: set *ITEM, copied into RESULT_POOL, to what TXN finds under
 * the key of KEY, a user's being ORG and id; to NULL if it finds nothing. */
UP_MUST_CHECK up_error_t *up_lmdb_get(const up_item_t **item,
                                      lmdb_store_t *store,
                                      MDB_txn *txn,
                                      const up_item_t *key,
                                      apr_pool_t *result_pool);

/* Set *ORG, copied into POOL, to the organisation of USER, or to NULL. */
UP_MUST_CHECK up_error_t *up_lmdb_home(const char **org,
                                       lmdb_store_t *store,
                                       MDB_txn *txn,
                                       const char *user,
                                       apr_pool_t *pool);

/* Put ITEM in TXN; an event gets the number after the last. Returns LMDB's
 * result. */
int up_lmdb_put(lmdb_store_t *store,
                MDB_txn *txn,
                const up_item_t *item,
                apr_pool_t *scratch_pool);

/* The functions of the driver, by file. */
up_error_t *up_lmdb_check(const char *location, apr_pool_t *pool);
up_error_t *up_lmdb_prepare(const char **identity,
                            const char *location,
                            const up_store_options_t *options,
                            uid_t uid,
                            gid_t gid,
                            apr_pool_t *result_pool,
                            apr_pool_t *scratch_pool);
up_error_t *up_lmdb_owner(uid_t *uid,
                          gid_t *gid,
                          const char *location,
                          apr_pool_t *pool);

up_error_t *up_lmdb_open(up_store_t **store,
                         const char *location,
                         const up_store_options_t *options,
                         apr_pool_t *result_pool);
void up_lmdb_close(up_store_t *store);

/* Open the store in the folder LOCATION, which exists, and make its files if
 * they are not there. */
up_error_t *up_lmdb_create(up_store_t **store,
                           const char *location,
                           const up_store_options_t *options,
                           apr_pool_t *result_pool);

up_error_t *up_lmdb_read(up_view_t **view,
                         up_store_t *base,
                         const char *caller,
                         const char *wanted,
                         const char *user,
                         apr_pool_t *result_pool,
                         apr_pool_t *scratch_pool);
up_error_t *up_lmdb_token(const up_token_t **token,
                          int *owner_stored,
                          up_state_t *owner_state,
                          up_store_t *base,
                          const unsigned char sha256[UP_SHA256_BYTES],
                          apr_pool_t *result_pool,
                          apr_pool_t *scratch_pool);
up_error_t *up_lmdb_update(const up_user_t **after,
                           up_store_t *base,
                           const char *org,
                           const char *user,
                           up_decide_t decide,
                           void *baton,
                           apr_pool_t *result_pool,
                           apr_pool_t *scratch_pool);

/* Perform COUNT updates, JOBS, of the store BATON. */
void up_lmdb_run_updates(void *baton, up_job_t **jobs, int count);

up_error_t *up_lmdb_batch_begin(up_batch_t **batch,
                                up_store_t *base,
                                apr_pool_t *pool);
up_error_t *up_lmdb_batch_put(up_batch_t *base,
                              const up_item_t *item,
                              apr_pool_t *scratch_pool);
up_error_t *up_lmdb_batch_get(const up_item_t **item,
                              up_batch_t *base,
                              const up_item_t *key,
                              apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool);
up_error_t *up_lmdb_batch_remove(int *found,
                                 up_batch_t *base,
                                 const up_item_t *key,
                                 apr_pool_t *scratch_pool);
up_error_t *up_lmdb_batch_remove_rights(up_batch_t *base,
                                        const char *user,
                                        apr_pool_t *scratch_pool);
up_error_t *up_lmdb_batch_commit(up_batch_t *base);

up_error_t *up_lmdb_each(up_store_t *base,
                         const up_filter_t *filter,
                         up_visit_t visit,
                         void *baton,
                         apr_pool_t *scratch_pool);
up_error_t *up_lmdb_stat(up_store_stat_t *stat,
                         up_store_t *base,
                         apr_pool_t *scratch_pool);

#endif
