/* up_lmdb_txn.c -- transactions, and what their beginning may ask for first. */
#include "store/lmdb/up_lmdb.h"

#include <errno.h>

/* How often one call has the store mended before it gives up. */
#define TRIES 3

#define REOPEN_PAUSE apr_time_from_sec(1)
#define READER_CHECK_PAUSE apr_time_from_sec(10)

/* Close the environment, in which writing a meta page failed, and open it
 * again: LMDB refuses every transaction until then. */
static up_error_t *
reopen(lmdb_store_t *store, apr_pool_t *pool)
{
    if (apr_time_now() < store->next_reopen)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' was lost and could not be opened "
                        "again a moment ago",
                        store->path);
    up_lmdb_env_close(store);
    up_error_t *err = up_lmdb_env_open(store, pool);
    if (err)
        store->next_reopen = apr_time_now() + REOPEN_PAUSE;
    else
        __atomic_store_n(&store->lost, 0, __ATOMIC_RELEASE);
    return err;
}

/* Adopt the size that another process has given the map. */
static up_error_t *
adopt_map_size(lmdb_store_t *store, apr_pool_t *pool)
{
    int rc = mdb_env_set_mapsize(store->env, 0);

    if (!rc)
        return NULL;
    __atomic_store_n(&store->lost, 1, __ATOMIC_RELEASE); /* it has no map */
    return up_lmdb_error(rc, "adopt another map size", store, pool);
}

/* Pass the gate; if it is shut, and nobody is inside, see to why it is. */
static up_error_t *
enter(lmdb_store_t *store, apr_pool_t *pool)
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
        up_error_t *err = __atomic_load_n(&store->lost, __ATOMIC_ACQUIRE)
                              ? reopen(store, pool)
                              : adopt_map_size(store, pool);
        up_gate_done(&store->gate, !err);
        UP_ERR(err);
    }
}

/* Whether a transaction that could not begin for RC may begin after what is
 * done, or made to be done, here. */
static int
can_mend(int rc, lmdb_store_t *store)
{
    int dead = 0;

    switch (rc) {
    case MDB_PANIC:
        __atomic_store_n(&store->lost, 1, __ATOMIC_RELEASE);
        up_gate_shut(&store->gate);
        return 1;
    case MDB_MAP_RESIZED:
        up_gate_shut(&store->gate);
        return 1;
    case MDB_READERS_FULL:
        return !mdb_reader_check(store->env, &dead) && dead;
    default:
        return 0;
    }
}

/* Give back the slots of readers that died: each keeps all pages that are freed
 * from being used again. */
static void
check_readers(lmdb_store_t *store)
{
    apr_time_t now = apr_time_now();

    if (now < store->next_reader_check)
        return;
    store->next_reader_check = now + READER_CHECK_PAUSE;
    mdb_reader_check(store->env, NULL);
}

up_error_t *
up_lmdb_begin(MDB_txn **txn,
              lmdb_store_t *store,
              unsigned flags,
              apr_pool_t *pool)
{
    for (int tries = 1;; tries++) {
        UP_ERR(enter(store, pool));
        int rc = mdb_txn_begin(store->env, NULL, flags, txn);
        if (!rc) {
            if (!(flags & MDB_RDONLY))
                check_readers(store);
            return NULL;
        }
        int again = can_mend(rc, store) && tries < TRIES;
        up_gate_leave(&store->gate);
        if (!again)
            return up_lmdb_error(rc, "begin a transaction", store, pool);
    }
}

void
up_lmdb_abort(lmdb_store_t *store, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    up_gate_leave(&store->gate);
}

/* Whether a commit that failed came as far as to the meta page: only then does
 * LMDB refuse whatever comes next. Before that, nothing was changed. */
static int
is_lost(lmdb_store_t *store)
{
    MDB_txn *txn;

    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (!rc) {
        mdb_txn_abort(txn);
        return 0;
    }
    can_mend(rc, store);
    return 1; /* or it cannot be told */
}

int
up_lmdb_end(MDB_txn *txn)
{
    errno = 0;
    int rc = mdb_txn_commit(txn);
    return rc == EIO && errno != EIO ? ENOSPC : rc;
}

up_error_t *
up_lmdb_commit(lmdb_store_t *store, MDB_txn *txn, apr_pool_t *pool)
{
    up_error_t *err = NULL;

    int rc = up_lmdb_end(txn);
    if (rc) {
        int lost = is_lost(store);
        err = up_lmdb_error(rc, "commit a transaction", store, pool);
        if (lost)
            err->reason = UP_OUTCOME_UNKNOWN;
    }
    up_gate_leave(&store->gate);
    return err;
}
