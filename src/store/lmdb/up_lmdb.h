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
 *
 * In a store of format 2 each value but that of meta stands behind the byte
 * UP_LMDB_MARK, with which no value of format 1 begins, and a checksum over its
 * key and itself. While a store of format 1 is being upgraded, it has values of
 * both kinds.
 */
#ifndef UP_LMDB_H
#define UP_LMDB_H

#include "store/lmdb/up_gate.h"
#include "store/lmdb/up_queue.h"
#include "store/lmdb/up_record.h"
#include "store/up_store_driver.h"

#include <lmdb.h>
#include <sys/stat.h>

/* How many reads can be under way at once, over all processes; they take 1 MiB
 * of the lock file. The first process that opens a store fixes the number for
 * all others, so it is the same for all. */
#define UP_LMDB_READERS 16384

/* How many updates may share a transaction, which other processes wait for. */
#define UP_LMDB_BATCH 256

/* The files in a store's folder. The data are there once the store is. */
#define UP_LMDB_DATA "data.mdb"
#define UP_LMDB_LOCK "lock.mdb"

/* The format of the stores that are made, and of those that are read; 0 stands
 * for files that are no store. */
#define UP_LMDB_FORMAT 2
#define UP_LMDB_FORMAT_1 1
#define UP_LMDB_NO_FORMAT 0

/* The byte that a checksum follows. No message begins with it, whose first byte
 * would be of a field 0, and no state has this number. */
#define UP_LMDB_MARK 0x07
/* What the path of a folder begins with that this process holds open, before
 * the number of its descriptor. */
#define UP_LMDB_HELD "/proc/self/fd/"

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

/* A file, and the size that it had when it was looked at last. */
typedef struct lmdb_file_t {
    dev_t device;
    ino_t inode;
    apr_uint64_t size; /* atomic */
} lmdb_file_t;

/* More threads than this do not read at the same moment. */
#define LMDB_ENDED_MAX 64

typedef struct lmdb_store_t {
    up_store_t base;
    const char *path;   /* for people */
    const char *folder; /* a path that leads to it, by which it is opened */
    const char *data_path, *lock_path;
    apr_size_t map_size;         /* to open with; 0: as recorded */
    int sync;                    /* whether a commit waits for the disk */
    apr_interval_time_t timeout; /* how long to wait for the writer lock */
    up_store_tell_t *tell;       /* see up_store_set_wait() */
    void *tell_baton;
    dev_t device; /* of the folder; with the inode, it identifies the store */
    ino_t inode;
    struct lmdb_store_t *next_open; /* in this process */
    unsigned opened;                /* how often, less how often closed */
    apr_pool_t *pool;               /* its own */

    /* The environment and its handles are used inside the gate, and changed by
     * the thread that has the gate alone. */
    up_gate_t gate;
    MDB_env *env; /* NULL: lost, and not open again yet */
    MDB_dbi database[LMDB_DATABASES];
    apr_uint32_t lost; /* atomic: the environment must be opened again */
    apr_time_t next_reopen;
    int is_size_unrecorded; /* the writer is to record MAP_SIZE */
    void *lock_map;         /* up_lmdb_lock.c's, or NULL */
    int read_only; /* its file system is, so there are no locks either */
    apr_uint32_t all_marked; /* atomic: each value must have a checksum */

    /* Transactions that read, have ended, and can be renewed. */
    pthread_mutex_t ended_lock; /* guards what follows */
    MDB_txn *ended[LMDB_ENDED_MAX];
    int ended_count;

    lmdb_file_t data, lock; /* as they were opened; LOCK unless READ_ONLY */
    apr_uint32_t watched;   /* atomic: the second when they were looked at */
    apr_uint32_t replaced;  /* atomic: they were others then */

    up_queue_t *writer;
    /* The writer's. */
    apr_pool_t *writer_pool;
    apr_time_t next_reader_check;
} lmdb_store_t;

/* A transaction. HANDLE is NULL once it has ended. */
typedef struct lmdb_txn_t {
    lmdb_store_t *store;
    MDB_txn *handle;
    int writes;
    int marks;               /* the values that it puts get checksums */
    apr_uint64_t last_event; /* its number; 0: not looked up yet */
    unsigned changes;        /* how many updates have changed something in it */
} lmdb_txn_t;

/* A write transaction that the writer lends to another thread. */
typedef struct lmdb_loan_t {
    up_job_t job; /* the first member: the writer's, until it lends TXN */
    lmdb_txn_t txn;
    apr_pool_t *pool; /* for the error */
    up_error_t *err;
    pthread_mutex_t mutex; /* guards STATE */
    enum { LMDB_LENT, LMDB_TO_COMMIT, LMDB_TO_ABORT, LMDB_RETURNED } state;
    pthread_cond_t changed;
} lmdb_loan_t;

lmdb_store_t *up_lmdb_downcast(up_store_t *store);

/* Set the paths of STORE, in POOL, to those of the store in FOLDER. */
void up_lmdb_set_path(lmdb_store_t *store,
                      const char *folder,
                      apr_pool_t *pool);

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

/* Open the environment of STORE and its databases; on a file system that is
 * read-only, for reading alone. What is opened again must still be the same
 * files. On failure, with an error in POOL, nothing is open. Closing is for
 * what is open, or failed to open. */
UP_MUST_CHECK up_error_t *up_lmdb_env_open(lmdb_store_t *store,
                                           apr_pool_t *pool);
void up_lmdb_env_close(lmdb_store_t *store);

/* "profile": what LMDB calls DATABASE. */
const char *up_lmdb_database_name(lmdb_database_t database);

/* Open the empty file at PATH, which nobody else uses, as the data of a new
 * store with the options of STORE, which is to be filled and then closed, also
 * on failure. */
UP_MUST_CHECK up_error_t *up_lmdb_env_begin(lmdb_store_t *store,
                                            const char *path,
                                            apr_pool_t *pool);

/* Make the empty file at PATH, which nobody else uses, the data of a new store
 * with the options of STORE, and flush it. */
UP_MUST_CHECK up_error_t *up_lmdb_env_make(lmdb_store_t *store,
                                           const char *path,
                                           apr_pool_t *pool);

/* mdb_txn_commit(), but a short write, of which LMDB says EIO, is ENOSPC: the
 * disk had room for a part of it. After a failure, what LMDB has put back in
 * place of the meta page is flushed. */
int up_lmdb_commit_handle(MDB_txn *txn);

/* Set *META to what TXN's store says of itself, or put that; return LMDB's
 * result. */
int up_lmdb_get_meta(up_meta_t *meta, const lmdb_txn_t *txn, apr_pool_t *pool);
int up_lmdb_put_meta(const lmdb_txn_t *txn,
                     const up_meta_t *meta,
                     apr_pool_t *pool);

/* Record the map size that TXN's store is opened with, and commit TXN. */
up_error_t *up_lmdb_record_map_size(lmdb_txn_t *txn, apr_pool_t *pool);

/* TXN has begun; set whether the values that it puts get checksums. If the
 * watch is DUE, see whether the data were overwritten, and whether the store
 * was upgraded. Fails with UP_STORE_REPLACED, or as a read does; TXN can then
 * only be aborted. */
UP_MUST_CHECK up_error_t *up_lmdb_begun(lmdb_txn_t *txn,
                                        int due,
                                        apr_pool_t *pool);

/*
 * up_lmdb_data.c
 */

/* Fail with UP_STORE_UNAVAILABLE, in POOL, if STORE's data are not there, empty
 * or cut off. Files that are not LMDB's are left to LMDB. */
UP_MUST_CHECK up_error_t *up_lmdb_check_data(const lmdb_store_t *store,
                                             apr_pool_t *pool);

/*
 * up_lmdb_watch.c
 */

/* STORE's environment was opened: note which files these are. */
UP_MUST_CHECK up_error_t *up_lmdb_watch_begin(lmdb_store_t *store,
                                              apr_pool_t *pool);

/* Whether a thread is to look at STORE's files: one in each second, and all as
 * long as the files are others. */
int up_lmdb_watch_is_due(lmdb_store_t *store);

/* Fail with UP_STORE_REPLACED if STORE's files are no longer those that were
 * opened, or shorter; two calls of stat(). */
UP_MUST_CHECK up_error_t *up_lmdb_watch_files(lmdb_store_t *store,
                                              apr_pool_t *pool);

/* Fail with UP_STORE_REPLACED if the data are older than TXN, as they are when
 * a copy was written over them. */
UP_MUST_CHECK up_error_t *up_lmdb_watch_txn(const lmdb_txn_t *txn,
                                            apr_pool_t *pool);

/*
 * up_lmdb_value.c
 */

/* The value that TXN is to put under KEY of DATABASE for the LENGTH bytes at
 * BYTES; in POOL if it gets a checksum. */
MDB_val up_lmdb_value(const lmdb_txn_t *txn,
                      lmdb_database_t database,
                      const MDB_val *key,
                      const void *bytes,
                      apr_size_t length,
                      apr_pool_t *pool);

/* Why a value of a store cannot be used. */
typedef enum lmdb_damage_t {
    LMDB_SOUND,
    LMDB_CHANGED, /* its checksum is another */
    LMDB_UNMARKED /* it should have a checksum, and has none */
} lmdb_damage_t;

/* Set *BYTES to what VALUE, found under KEY of DATABASE in STORE, holds. */
lmdb_damage_t up_lmdb_value_read(MDB_val *bytes,
                                 lmdb_store_t *store,
                                 lmdb_database_t database,
                                 const MDB_val *key,
                                 const MDB_val *value);

/* UP_INTERNAL in POOL: WHAT, of STORE, has DAMAGE. LMDB_SOUND: its bytes, which
 * have their checksum, make no sense. */
up_error_t *up_lmdb_damaged(const char *what,
                            const lmdb_store_t *store,
                            lmdb_damage_t damage,
                            apr_pool_t *pool);

/*
 * up_lmdb_lock.c
 */

/* Before LMDB opens its lock file: map FILE, that file, of SIZE bytes. */
void up_lmdb_lock_map(lmdb_store_t *store, int file, apr_off_t size);
void up_lmdb_lock_unmap(lmdb_store_t *store);

/* Wait, for as long as STORE waits for anything, until no process is setting up
 * FILE, LMDB's lock file; until nobody holds the writer lock. Returns 0, or
 * EBUSY if the time is up. */
int up_lmdb_lock_await_setup(int file, const lmdb_store_t *store);
int up_lmdb_lock_await(const lmdb_store_t *store);

/* Which process holds STORE's writer lock: "process 4711 (userprofilectl, which
 * is stopped)", in POOL; NULL if the lock is free or that cannot be told. If
 * EPISODE is not NULL, it is set to a number that all processes see, and that
 * stays the same while the lock is held. */
const char *up_lmdb_lock_holder(apr_uint32_t *episode,
                                const lmdb_store_t *store,
                                apr_pool_t *pool);

/* The same text for the process that the thread or process of that id is, or
 * is in. */
const char *up_lmdb_process_name(unsigned thread, apr_pool_t *pool);

/*
 * up_lmdb_txn.c
 */

/* Begin TXN in STORE; FLAGS are 0, in the writer only, or MDB_RDONLY. Fails
 * with an error in POOL. It ends with one of the two functions that follow, in
 * the thread that began it if it writes. */
UP_MUST_CHECK up_error_t *up_lmdb_begin(lmdb_txn_t *txn,
                                        lmdb_store_t *store,
                                        unsigned flags,
                                        apr_pool_t *pool);
void up_lmdb_abort(lmdb_txn_t *txn);

/* Give back the reader slots of transactions of STORE that have ended, before
 * its environment is closed. */
void up_lmdb_forget_ended(lmdb_store_t *store);

/* Commit TXN, which is over also on failure. The error, in POOL, is
 * UP_OUTCOME_UNKNOWN if what TXN wrote may be there all the same. */
UP_MUST_CHECK up_error_t *up_lmdb_commit(lmdb_txn_t *txn, apr_pool_t *pool);

/* Free the slots of readers that died: each one keeps all pages that were freed
 * since from being used again. Returns 0 if there were none. The caller has a
 * transaction in STORE. */
int up_lmdb_free_dead_readers(lmdb_store_t *store);

/*
 * up_lmdb_writer.c
 */

/* Run a batch of the queue of BATON, a store. */
void up_lmdb_run_writer(void *baton, up_queue_t *queue);

/* Have the writer of STORE do JOB, an update. If the store cannot be locked in
 * time, fails with UP_STORE_UNAVAILABLE, and JOB will not be done. */
UP_MUST_CHECK up_error_t *up_lmdb_writer_do(up_job_t *job,
                                            lmdb_store_t *store,
                                            apr_pool_t *pool);

/* Borrow LOAN's transaction from the writer of STORE, which begins it; give it
 * back to be committed or, if not COMMIT, aborted. Between the two, one thread
 * uses it. POOL is for both errors. */
UP_MUST_CHECK up_error_t *up_lmdb_borrow(lmdb_loan_t *loan,
                                         lmdb_store_t *store,
                                         apr_pool_t *pool);
up_error_t *up_lmdb_give_back(lmdb_loan_t *loan, int commit);

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
                                       lmdb_store_t *store,
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
 * up_lmdb_files.c
 */

/* Set *FOLDER to a descriptor of the folder PATH, with more FLAGS of open(),
 * which POOL closes, and *STATUS to what it is; *FOLDER to -1 if there is
 * nothing at PATH. */
UP_MUST_CHECK up_error_t *up_lmdb_open_folder(int *folder,
                                              struct stat *status,
                                              const char *path,
                                              int flags,
                                              apr_pool_t *pool);

/* A path by which this process reaches FOLDER, a descriptor, whatever its path
 * names now; in POOL. It needs no right to enter the folders above. */
const char *up_lmdb_held_path(int folder, apr_pool_t *pool);

/* FOLDER, which is at PATH and has STATUS, and the store's files in it are such
 * that its owner can use them: nobody else can put a file there. */
UP_MUST_CHECK up_error_t *up_lmdb_check_folder(int folder,
                                               const struct stat *status,
                                               const char *path,
                                               apr_pool_t *pool);

/* PATH, in POOL, without slashes at its end, after which a symlink is followed.
 */
const char *up_lmdb_without_slashes(const char *path, apr_pool_t *pool);

/* Flush the name of FOLDER, a descriptor, if the folder that it is in can be
 * read: it may be one that can only be written to. */
void up_lmdb_flush_name(int folder);

/*
 * up_lmdb_pages.c
 */

/* Look, in the file and without LMDB, which trusts it, at all pages of what
 * TXN, which reads, sees, and tell CHECK of faults, and of progress: after the
 * pages there are so many RECORDS to look at. Sets SOUND of each database to
 * whether LMDB may read it, and *PAGES to how many there are; to 0, without a
 * look, if changes since TXN began have made it too late for that. */
UP_MUST_CHECK up_error_t *up_lmdb_check_pages(int sound[LMDB_DATABASES],
                                              apr_uint64_t *pages,
                                              const lmdb_txn_t *txn,
                                              apr_uint64_t records,
                                              const up_check_t *check,
                                              apr_pool_t *pool);

/*
 * The functions of the driver that up_lmdb.c does not have itself.
 */

/* up_lmdb_check.c */
up_driver_check_store_t up_lmdb_check_store;

/* up_lmdb_copy.c */
up_driver_copy_begin_t up_lmdb_copy_begin;
up_driver_copy_finish_t up_lmdb_copy_finish;

/* up_lmdb_copy_fill.c */
up_driver_copy_fill_t up_lmdb_copy_fill;

/* A copy that is being made. */
typedef struct lmdb_copy_t {
    up_copy_t base;
    const char *place; /* the path of the folder that it is to be, or be in */
    const char *aside; /* the path of the folder that it is made in, which is
                        * removed with POOL; NULL once it has its place */
    const char *aside_name; /* how people call that */
    int folder;             /* a descriptor of it */
    int file;               /* a descriptor of the data */
    int store; /* a descriptor of the folder of the store whose place it is to
                * take; -1: there is none */
    apr_pool_t *pool;
} lmdb_copy_t;

/* up_lmdb_files.c */
up_driver_check_t up_lmdb_check;
up_driver_prepare_t up_lmdb_prepare;
up_driver_inspect_t up_lmdb_inspect;
up_driver_hold_t up_lmdb_hold;

/* up_lmdb_upgrade.c */
up_driver_upgrade_t up_lmdb_upgrade;

/* up_lmdb_writer.c */
up_driver_set_wait_t up_lmdb_set_wait;
up_driver_probe_t up_lmdb_probe;

/* up_lmdb_request.c */
up_driver_read_t up_lmdb_read;
up_driver_token_t up_lmdb_token;
up_driver_update_t up_lmdb_update;

/* For the writer: do COUNT updates of QUEUE in TXN, and end that and them; or
 * end one of them by ERR. */
void up_lmdb_do_updates(lmdb_txn_t *txn,
                        up_job_t *const *jobs,
                        int count,
                        up_queue_t *queue,
                        apr_pool_t *scratch_pool);
void up_lmdb_fail_update(up_job_t *job, const up_error_t *err);

/* up_lmdb_stat.c */
up_driver_stat_t up_lmdb_stat;
up_driver_filling_t up_lmdb_filling;

/* up_lmdb_admin.c */
up_driver_begin_t up_lmdb_batch_begin;
up_driver_expect_t up_lmdb_batch_expect;
up_driver_put_t up_lmdb_batch_put;
up_driver_get_t up_lmdb_batch_get;
up_driver_last_event_t up_lmdb_batch_last_event;
up_driver_remove_t up_lmdb_batch_remove;
up_driver_remove_rights_t up_lmdb_batch_remove_rights;
up_driver_erase_events_t up_lmdb_batch_erase_events;
up_driver_commit_t up_lmdb_batch_commit;
up_driver_each_t up_lmdb_each;

#endif
