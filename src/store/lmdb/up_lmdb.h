/*
 * up_lmdb.h -- what the files of the LMDB driver share.
 *
 * Databases, none with duplicates; 00 is a NUL byte, which no id has:
 *
 *     meta      "store" -> what the store says of itself
 *     org       org ->
 *     profile   org 00 user ->
 *     home      user -> its state, one byte, and org
 *     member    org 00 user ->          (the instance: org is empty)
 *     token     SHA-256 ->
 *     event     number, 8 bytes, big-endian ->
 *
 * What has no other value has a message of record.proto. A user's state is in
 * both profile and home: who a caller is takes one look, at each request twice.
 */
#ifndef UP_LMDB_H
#define UP_LMDB_H

#include "store/lmdb/up_gate.h"
#include "store/lmdb/up_queue.h"
#include "store/up_store_driver.h"

#include <lmdb.h>

/* How many updates may share a transaction: as many as do not hold up other
 * processes for long. */
#define UP_LMDB_BATCH 256

/* The file in a store's folder that is there once the store is. */
#define UP_LMDB_DATA "data.mdb"

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
    unsigned shares;                /* how often it was opened */

    /* What transactions use stands behind the gate; it is changed by whoever
     * has that alone. */
    up_gate_t gate;
    MDB_env *env; /* NULL: lost, and not open again yet */
    MDB_dbi database[LMDB_DATABASES];
    int lost; /* atomic: the environment is to be opened again */
    apr_time_t next_reopen;

    apr_time_t next_reader_check; /* LMDB's writer lock guards it */
    up_queue_t *updates;
} lmdb_store_t;

/* A transaction that writes. */
typedef struct lmdb_write_t {
    lmdb_store_t *store;
    MDB_txn *txn;
    apr_uint64_t last_event; /* its number, 0: not looked up yet */
} lmdb_write_t;

lmdb_store_t *up_lmdb_downcast(up_store_t *store);

/* The error for LMDB's result RC, in POOL: WHAT ("read a user") could not be
 * done in STORE. */
up_error_t *up_lmdb_error(int rc,
                          const char *what,
                          const lmdb_store_t *store,
                          apr_pool_t *pool);

/* Whether LMDB's result RC says that there is no room. */
int up_lmdb_is_full(int rc);

/* up_lmdb_env.c: open STORE's environment and databases, which are made where
 * there are none yet. On failure nothing is open. */
UP_MUST_CHECK up_error_t *up_lmdb_env_open(lmdb_store_t *store,
                                           apr_pool_t *pool);
void up_lmdb_env_close(lmdb_store_t *store);

/* up_lmdb_txn.c: begin *TXN behind STORE's gate; FLAGS are 0 or MDB_RDONLY.
 * Each transaction that was begun ends in one of the two that follow. */
UP_MUST_CHECK up_error_t *up_lmdb_begin(MDB_txn **txn,
                                        lmdb_store_t *store,
                                        unsigned flags,
                                        apr_pool_t *pool);
void up_lmdb_abort(lmdb_store_t *store, MDB_txn *txn);
UP_MUST_CHECK up_error_t *up_lmdb_commit(lmdb_store_t *store,
                                         MDB_txn *txn,
                                         apr_pool_t *pool);

/* mdb_txn_commit(), but ENOSPC for what LMDB calls EIO too: that less was
 * written than was to be, as where a disk has room for a part of it. */
int up_lmdb_end(MDB_txn *txn);

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

/* Set *ITEM to what KEY and VALUE of a database say, copied into POOL. */
UP_MUST_CHECK up_error_t *up_lmdb_item(const up_item_t **item,
                                       lmdb_store_t *store,
                                       up_kind_t kind,
                                       const MDB_val *key,
                                       const MDB_val *value,
                                       apr_pool_t *pool);

/* Set *ORG, copied into POOL, to the organisation of USER, and *STATE; *ORG to
 * NULL if there is no such user. */
UP_MUST_CHECK up_error_t *up_lmdb_home(const char **org,
                                       up_state_t *state,
                                       lmdb_store_t *store,
                                       MDB_txn *txn,
                                       const char *user,
                                       apr_pool_t *pool);

/* Set *FOUND to whether there is an organisation ORG. */
UP_MUST_CHECK up_error_t *up_lmdb_org_exists(int *found,
                                             lmdb_store_t *store,
                                             MDB_txn *txn,
                                             const char *org,
                                             apr_pool_t *pool);

/* Set *NUMBER to that of the last event TXN sees, 0 if there is none. */
UP_MUST_CHECK up_error_t *up_lmdb_last_event(apr_uint64_t *number,
                                             lmdb_store_t *store,
                                             MDB_txn *txn,
                                             apr_pool_t *pool);

/* up_lmdb_put.c: put ITEM, as up_batch_put() does. Any error but UP_CONFLICT
 * has spoilt the transaction, which can only be aborted then. */
UP_MUST_CHECK up_error_t *up_lmdb_put(lmdb_write_t *write,
                                      const up_item_t *item,
                                      apr_pool_t *result_pool,
                                      apr_pool_t *scratch_pool);

/* The same for a user who is known to be there, as BEFORE. */
UP_MUST_CHECK up_error_t *up_lmdb_replace_user(lmdb_write_t *write,
                                               const up_user_t *before,
                                               const up_user_t *user,
                                               apr_pool_t *result_pool,
                                               apr_pool_t *scratch_pool);

/* The functions of the driver, by file. */
up_error_t *up_lmdb_check(const char *location, apr_pool_t *pool);
up_error_t *up_lmdb_prepare(const char **identity,
                            int *made,
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

/* Do a batch of the updates of BATON, a store. */
void up_lmdb_run_updates(void *baton, up_queue_t *queue);

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
