/* up_lmdb_txn.c -- transactions, and the repairs that they may need first.
 *
 * A repair is done by a thread that has the store's gate alone. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_clock.h"

#include <apr_atomic.h>

/* How often one call tries to begin a transaction. */
#define TRIES 3

#define REOPEN_PAUSE apr_time_from_sec(1)
#define READER_CHECK_PAUSE apr_time_from_sec(10)

/* Close the environment, in which writing a meta page failed, and open it
 * again: LMDB refuses every transaction until then. */
static up_error_t *
reopen(lmdb_store_t *store, apr_pool_t *pool)
{
    if (up_clock() < store->next_reopen)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' was lost and could not be opened "
                        "again a moment ago",
                        store->path);
    up_lmdb_env_close(store);
    up_error_t *err = up_lmdb_env_open(store, pool);
    if (err)
        store->next_reopen = up_clock() + REOPEN_PAUSE;
    else
        apr_atomic_set32(&store->lost, 0);
    return err;
}

/* Adopt the size that another process has given the map. */
static up_error_t *
adopt_map_size(lmdb_store_t *store, apr_pool_t *pool)
{
    int rc = mdb_env_set_mapsize(store->env, 0);

    if (!rc)
        return NULL;
    apr_atomic_set32(&store->lost, 1); /* it has no map */
    return up_lmdb_error(rc, "adopt another map size", store, pool);
}

/* Enter STORE's gate. If it is shut, and this thread has it alone, do the
 * repair that it was shut for. */
static up_error_t *
pass_gate(lmdb_store_t *store, apr_pool_t *pool)
{
    for (;;) {
        up_pass_t pass = up_gate_enter(&store->gate);
        if (pass == UP_INSIDE)
            return NULL;
        if (pass == UP_BUSY)
            return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                            "transactions under way keep the LMDB store '%s' "
                            "from being opened again or resized",
                            store->path);
        up_error_t *err = apr_atomic_read32(&store->lost)
                              ? reopen(store, pool)
                              : adopt_map_size(store, pool);
        up_gate_done(&store->gate, !err);
        UP_ERR(err);
    }
}

/* LMDB refused a transaction with RC: repair that, or shut the gate, so that
 * the next thread that has it alone does. Returns 0 if nothing can be done. */
static int
start_repair(lmdb_store_t *store, int rc)
{
    switch (rc) {
    case MDB_PANIC:
        apr_atomic_set32(&store->lost, 1);
        up_gate_shut(&store->gate);
        return 1;
    case MDB_MAP_RESIZED:
        up_gate_shut(&store->gate);
        return 1;
    case MDB_READERS_FULL:
        return up_lmdb_free_dead_readers(store);
    default:
        return 0;
    }
}

int
up_lmdb_free_dead_readers(lmdb_store_t *store)
{
    int dead = 0;

    return !mdb_reader_check(store->env, &dead) && dead;
}

/* Now and then, free the slots of readers that died. */
static void
check_readers(lmdb_store_t *store)
{
    apr_time_t now = up_clock();

    if (now < store->next_reader_check)
        return;
    store->next_reader_check = now + READER_CHECK_PAUSE;
    up_lmdb_free_dead_readers(store);
}

/* Refuse TXN, before LMDB touches a file, if it cannot or must not be. */
static up_error_t *
refuse(const lmdb_txn_t *txn, int due, apr_pool_t *pool)
{
    if (txn->writes && txn->store->read_only)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' is on a file system that is "
                        "read-only",
                        txn->store->path);
    return due ? up_lmdb_watch_files(txn->store, pool) : NULL;
}

/* Begin a transaction as *HANDLE; returns LMDB's result. To begin one that
 * reads, LMDB takes a lock that all processes share and looks for a free reader
 * slot; one that has ended is renewed without either. */
static int
begin(MDB_txn **handle, lmdb_store_t *store, unsigned flags)
{
    MDB_txn *ended = NULL;

    if (flags & MDB_RDONLY) {
        pthread_mutex_lock(&store->ended_lock);
        if (store->ended_count)
            ended = store->ended[--store->ended_count];
        pthread_mutex_unlock(&store->ended_lock);
    }
    if (!ended)
        return mdb_txn_begin(store->env, NULL, flags, handle);
    int rc = mdb_txn_renew(ended);
    if (rc)
        mdb_txn_abort(ended);
    else
        *handle = ended;
    return rc;
}

/* End HANDLE, which reads, and keep it for begin(). */
static void
end_reading(MDB_txn *handle, lmdb_store_t *store)
{
    mdb_txn_reset(handle);
    pthread_mutex_lock(&store->ended_lock);
    int is_kept = store->ended_count < LMDB_ENDED_MAX;
    if (is_kept)
        store->ended[store->ended_count++] = handle;
    pthread_mutex_unlock(&store->ended_lock);
    if (!is_kept)
        mdb_txn_abort(handle);
}

void
up_lmdb_forget_ended(lmdb_store_t *store)
{
    while (store->ended_count)
        mdb_txn_abort(store->ended[--store->ended_count]);
}

up_error_t *
up_lmdb_begin(lmdb_txn_t *txn,
              lmdb_store_t *store,
              unsigned flags,
              apr_pool_t *pool)
{
    *txn = (lmdb_txn_t){.store = store, .writes = !(flags & MDB_RDONLY)};
    for (int tries = 1;; tries++) {
        UP_ERR(pass_gate(store, pool));
        int due = up_lmdb_watch_is_due(store);
        up_error_t *err = refuse(txn, due, pool);
        if (err) {
            up_gate_leave(&store->gate);
            return err;
        }
        int rc = begin(&txn->handle, store, flags);
        if (!rc) {
            err = up_lmdb_begun(txn, due, pool);
            if (err)
                up_lmdb_abort(txn);
            else if (txn->writes)
                check_readers(store);
            return err;
        }
        int again = start_repair(store, rc) && tries < TRIES;
        up_gate_leave(&store->gate);
        if (!again)
            return up_lmdb_error(rc, "begin a transaction", store, pool);
    }
}

void
up_lmdb_abort(lmdb_txn_t *txn)
{
    if (txn->writes)
        mdb_txn_abort(txn->handle);
    else
        end_reading(txn->handle, txn->store);
    txn->handle = NULL;
    up_gate_leave(&txn->store->gate);
}

/* LMDB's result of beginning a transaction, which is not wanted. */
static int
try_to_begin(const lmdb_store_t *store)
{
    MDB_txn *txn;

    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (!rc)
        mdb_txn_abort(txn);
    return rc;
}

up_error_t *
up_lmdb_commit(lmdb_txn_t *txn, apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;

    up_error_t *err = up_lmdb_watch_files(store, pool);
    if (err) {
        up_lmdb_abort(txn);
        return err;
    }
    apr_time_t began = up_clock();
    int rc = up_lmdb_commit_handle(txn->handle);
    txn->handle = NULL;
    if (!rc && txn->changes)
        up_driver_count(&store->base, txn->changes, up_clock() - began);
    if (rc) {
        err = up_lmdb_error(rc, "commit a transaction", store, pool);
        /* A failure to write the meta page, after which the change may be
         * there, makes LMDB refuse all further transactions. A failure before
         * that changed nothing, and has no such effect. */
        int refused = try_to_begin(store);
        if (refused) {
            start_repair(store, refused);
            err->reason = UP_OUTCOME_UNKNOWN;
        }
    }
    up_gate_leave(&store->gate);
    return err;
}
