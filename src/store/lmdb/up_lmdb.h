/*
 * up_lmdb.h -- what the files of the LMDB driver share.
 *
 * Databases, none with duplicates; 00 is a NUL byte, which no id has:
 *
 *     meta      "store" -> what the store says of itself
 *     org       org ->
 *     profile   org 00 user ->
 *     home      user -> the user's state, one byte, and org
 *     member    org 00 user ->          (the instance: org is empty)
 *     token     SHA-256 ->
 *     event     number, 8 bytes, big-endian ->
 *
 * All other values are messages of record.proto. A user's state is duplicated
 * in home, so that looking up a caller, which happens twice per request, needs
 * one read.
 */
#ifndef UP_LMDB_H
#define UP_LMDB_H

#include "store/lmdb/up_gate.h"
#include "store/lmdb/up_queue.h"
#include "store/up_store_driver.h"

#include <lmdb.h>

/* How many reads can be under way at once, over all processes; they take 1 MiB
 * of the lock file. The first process that opens a store fixes the number for
 * all others, so it is the same for all. */
#define UP_LMDB_READERS 16384

/* How many updates may share a transaction, which other processes wait for. */
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
    apr_size_t map_size; /* to open with; 0: as recorded */
    int sync;            /* whether a commit waits for the disk */
    dev_t device; /* of the folder; with the inode, it identifies the store */
    ino_t inode;
    struct lmdb_store_t *next_open; /* in this process */
    unsigned opened;                /* how often, less how often closed */

    /* The environment and its handles are used inside the gate, and changed by
     * the thread that has the gate alone. */
    up_gate_t gate;
    MDB_env *env; /* NULL: lost, and not open again yet */
    MDB_dbi database[LMDB_DATABASES];
    apr_uint32_t lost; /* atomic: the environment must be opened again */
    apr_time_t next_reopen;

    apr_time_t next_reader_check; /* LMDB's writer lock guards it */
    up_queue_t *updates;
} lmdb_store_t;

/* A transaction. HANDLE is NULL once it has ended. */
typedef struct lmdb_txn_t {
    lmdb_store_t *store;
    MDB_txn *handle;
    apr_uint64_t last_event; /* its number; 0: not looked up yet */
    unsigned changes;        /* how many updates have changed something in it */
} lmdb_txn_t;

lmdb_store_t *up_lmdb_downcast(up_store_t *store);

/* Set what STORE is opened with to what OPTIONS, or NULL, say. */
void up_lmdb_set_options(lmdb_store_t *store, const apr_table_t *options);

/*
 * up_lmdb_env.c
 */

/* The error for LMDB's result RC, in POOL: WHAT ("read a user") could not be
 * done in STORE. */
up_error_t *up_lmdb_error(int rc,
                          const char *what,
                          const lmdb_store_t *store,
                          apr_pool_t *pool);

/* Open the environment of STORE and its databases; what is missing is created.
 * On failure, with an error in POOL, nothing is open. Closing is for what is
 * open, or failed to open. */
UP_MUST_CHECK up_error_t *up_lmdb_env_open(lmdb_store_t *store,
                                           apr_pool_t *pool);
void up_lmdb_env_close(lmdb_store_t *store);

/* mdb_txn_commit(), but a short write, of which LMDB says EIO, is ENOSPC: the
 * disk had room for a part of it. */
int up_lmdb_commit_handle(MDB_txn *txn);

/*
 * up_lmdb_txn.c
 */

/* Begin TXN in STORE; FLAGS are 0 or MDB_RDONLY. Fails with an error in POOL.
 * It ends with one of the two functions that follow, in the thread that began
 * it if it writes. */
UP_MUST_CHECK up_error_t *up_lmdb_begin(lmdb_txn_t *txn,
                                        lmdb_store_t *store,
                                        unsigned flags,
                                        apr_pool_t *pool);
void up_lmdb_abort(lmdb_txn_t *txn);

/* Commit TXN, which is over also on failure. The error, in POOL, is
 * UP_OUTCOME_UNKNOWN if what TXN wrote may be there all the same. */
UP_MUST_CHECK up_error_t *up_lmdb_commit(lmdb_txn_t *txn, apr_pool_t *pool);

/*
 * up_lmdb_item.c
 */

/* The database that items of KIND are kept in. */
lmdb_database_t up_lmdb_database(up_kind_t kind);

/* The key of ITEM, in POOL; that of an event is its number. */
MDB_val up_lmdb_key(const up_item_t *item, apr_pool_t *pool);

/* As keys: TEXT without its NUL, and, in POOL, ORG 00 USER. */
MDB_val up_lmdb_text(const char *text);
MDB_val up_lmdb_pair(const char *org, const char *user, apr_pool_t *pool);

/* Set *ITEM to what KEY and VALUE, of the database of KIND, say, copied into
 * POOL. Fails with UP_INTERNAL if they make no sense. */
UP_MUST_CHECK up_error_t *up_lmdb_item(const up_item_t **item,
                                       const lmdb_store_t *store,
                                       up_kind_t kind,
                                       const MDB_val *key,
                                       const MDB_val *value,
                                       apr_pool_t *pool);

/* Set *ITEM, copied into POOL, to what TXN finds under the key fields of KEY,
 * which for a user are organisation and id; to NULL if it finds nothing. */
UP_MUST_CHECK up_error_t *up_lmdb_get(const up_item_t **item,
                                      lmdb_txn_t *txn,
                                      const up_item_t *key,
                                      apr_pool_t *pool);

/* Set *ORG, copied into POOL, to the organisation of USER, and *STATE; *ORG to
 * NULL if there is no such user. */
UP_MUST_CHECK up_error_t *up_lmdb_home(const char **org,
                                       up_state_t *state,
                                       lmdb_txn_t *txn,
                                       const char *user,
                                       apr_pool_t *pool);

/* Set *FOUND to whether there is an organisation ORG. */
UP_MUST_CHECK up_error_t *up_lmdb_org_exists(int *found,
                                             lmdb_txn_t *txn,
                                             const char *org,
                                             apr_pool_t *pool);

/* Set *NUMBER to that of the last event that TXN sees, 0 if there is none. */
UP_MUST_CHECK up_error_t *up_lmdb_last_event(apr_uint64_t *number,
                                             lmdb_txn_t *txn,
                                             apr_pool_t *pool);

/* Put ITEM, as up_batch_put() does. After any error but UP_CONFLICT, TXN can
 * only be aborted: a part of ITEM may be in it. */
UP_MUST_CHECK up_error_t *up_lmdb_put(lmdb_txn_t *txn,
                                      const up_item_t *item,
                                      apr_pool_t *result_pool,
                                      apr_pool_t *scratch_pool);

/* Put USER in place of BEFORE, which is what TXN finds under USER's key. */
UP_MUST_CHECK up_error_t *up_lmdb_replace_user(lmdb_txn_t *txn,
                                               const up_user_t *before,
                                               const up_user_t *user,
                                               apr_pool_t *result_pool,
                                               apr_pool_t *scratch_pool);

/*
 * The functions of the driver that up_lmdb.c does not have itself.
 */

/* up_lmdb_files.c */
up_driver_check_t up_lmdb_check;
up_driver_prepare_t up_lmdb_prepare;
up_driver_inspect_t up_lmdb_inspect;
up_driver_owner_t up_lmdb_owner;

/* up_lmdb_request.c; the last one does a batch of the updates that wait, with
 * a store as its BATON. */
up_driver_read_t up_lmdb_read;
up_driver_token_t up_lmdb_token;
up_driver_update_t up_lmdb_update;
void up_lmdb_run_updates(void *baton, up_queue_t *queue);

/* up_lmdb_admin.c */
up_driver_begin_t up_lmdb_batch_begin;
up_driver_put_t up_lmdb_batch_put;
up_driver_get_t up_lmdb_batch_get;
up_driver_remove_t up_lmdb_batch_remove;
up_driver_remove_rights_t up_lmdb_batch_remove_rights;
up_driver_commit_t up_lmdb_batch_commit;
up_driver_each_t up_lmdb_each;
up_driver_stat_t up_lmdb_stat;

#endif
