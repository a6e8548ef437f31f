/* up_lmdb.c -- the LMDB driver's table, and its errors. */
#include "store/up_lmdb.h"

#include <assert.h>
#include <errno.h>

const up_store_driver_t up_store_lmdb = {
    .scheme = "lmdb",
    .check = up_lmdb_check,
    .prepare = up_lmdb_prepare,
    .owner = up_lmdb_owner,
    .open = up_lmdb_open,
    .close = up_lmdb_close,
    .read = up_lmdb_read,
    .update = up_lmdb_update,
    .token = up_lmdb_token,
    .begin = up_lmdb_batch_begin,
    .put = up_lmdb_batch_put,
    .get = up_lmdb_batch_get,
    .remove = up_lmdb_batch_remove,
    .remove_rights = up_lmdb_batch_remove_rights,
    .commit = up_lmdb_batch_commit,
    .each = up_lmdb_each,
    .stat = up_lmdb_stat,
};

lmdb_store_t *
up_lmdb_downcast(up_store_t *store)
{
    assert(store->driver == &up_store_lmdb);
    return (lmdb_store_t *)store;
}

static up_reason_t
reason_of(int rc)
{
    switch (rc) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return UP_STORE_FULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PAGE_FULL:
    case MDB_CURSOR_FULL:
    case MDB_BAD_VALSIZE:
    case MDB_BAD_DBI:
    case MDB_BAD_TXN:
    case MDB_INCOMPATIBLE:
        return UP_INTERNAL;
    default:
        return UP_STORE_UNAVAILABLE;
    }
}

up_error_t *
up_lmdb_error(int rc,
              const char *what,
              const lmdb_store_t *store,
              apr_pool_t *pool)
{
    return up_error(pool, reason_of(rc), APR_SUCCESS,
                    "cannot %s in the LMDB store '%s': %s", what, store->path,
                    mdb_strerror(rc));
}

up_error_t *
up_lmdb_commit_error(int rc, const lmdb_store_t *store, apr_pool_t *pool)
{
    /* Out of space, LMDB gives up before it writes the meta page; of any other
     * failure it cannot be told how far it came. */
    up_reason_t reason =
        reason_of(rc) == UP_STORE_FULL ? UP_STORE_FULL : UP_OUTCOME_UNKNOWN;

    return up_error(pool, reason, APR_SUCCESS,
                    "cannot commit to the LMDB store '%s': %s", store->path,
                    mdb_strerror(rc));
}
