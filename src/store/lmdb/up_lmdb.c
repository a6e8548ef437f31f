/* up_lmdb.c -- the LMDB driver's table, and its errors. */
#include "store/lmdb/up_lmdb.h"

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

int
up_lmdb_is_full(int rc)
{
    return rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG;
}

static up_reason_t
reason_of(int rc)
{
    if (up_lmdb_is_full(rc))
        return UP_STORE_FULL;
    switch (rc) {
    case MDB_PANIC:
    case MDB_MAP_RESIZED:
    case MDB_READERS_FULL:
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
        return UP_STORE_UNAVAILABLE;
    default: /* errno, or what LMDB says of a damaged file or of our misuse */
        return rc > 0 ? UP_STORE_UNAVAILABLE : UP_INTERNAL;
    }
}

up_error_t *
up_lmdb_error(int rc,
              const char *what,
              const lmdb_store_t *store,
              apr_pool_t *pool)
{
    if (rc > 0)
        return up_error(pool, reason_of(rc), APR_FROM_OS_ERROR(rc),
                        "cannot %s in the LMDB store '%s'", what, store->path);
    return up_error(pool, reason_of(rc), APR_SUCCESS,
                    "cannot %s in the LMDB store '%s': %s", what, store->path,
                    mdb_strerror(rc));
}
