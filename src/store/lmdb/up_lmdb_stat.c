/* up_lmdb_stat.c -- how large an LMDB store is. */
#include "store/lmdb/up_lmdb.h"

#include <string.h>

/* LMDB keeps its list of free pages under this handle: lists of page numbers,
 * each after its length (mdb_stat -f reads it so). */
#define FREE_PAGES 0

/* Below, what returns int returns LMDB's results. */

static int
count_kinds(up_store_stat_t *stat, const lmdb_store_t *store, MDB_txn *txn)
{
    MDB_stat size = {0};
    int rc = 0;

    for (int i = 0; i < UP_KINDS && !rc; i++) {
        rc = mdb_stat(txn, store->database[up_lmdb_database((up_kind_t)i)],
                      &size);
        stat->count[i] = size.ms_entries;
    }
    return rc;
}

static int
count_free_pages(size_t *pages, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key, value;

    *pages = 0;
    int rc = mdb_cursor_open(txn, FREE_PAGES, &cursor);
    if (rc)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (!rc) {
        size_t length;
        memcpy(&length, value.mv_data, sizeof(length));
        *pages += length;
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
measure(up_store_stat_t *stat, const lmdb_store_t *store, MDB_txn *txn)
{
    size_t free_pages;
    MDB_envinfo info;
    MDB_stat pages;

    int rc = mdb_env_info(store->env, &info);
    if (!rc)
        rc = mdb_stat(txn, FREE_PAGES, &pages);
    if (!rc)
        rc = count_free_pages(&free_pages, txn);
    if (rc)
        return rc;
    stat->bytes_used =
        (apr_uint64_t)(info.me_last_pgno + 1 - free_pages) * pages.ms_psize;
    stat->bytes_max = info.me_mapsize;
    stat->readers = info.me_numreaders; /* as many as there ever were at once */
    stat->readers_max = info.me_maxreaders;
    return 0;
}

up_error_t *
up_lmdb_stat(up_store_stat_t *stat, up_store_t *base, apr_pool_t *scratch_pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    MDB_txn *txn;

    memset(stat, 0, sizeof(*stat));
    stat->driver = base->driver->scheme;
    UP_ERR(up_lmdb_begin(&txn, store, MDB_RDONLY, scratch_pool));
    up_error_t *err =
        up_lmdb_last_event(&stat->last_event, store, txn, scratch_pool);
    int rc = count_kinds(stat, store, txn);
    if (!rc)
        rc = measure(stat, store, txn);
    if (!err && rc)
        err = up_lmdb_error(rc, "measure what is", store, scratch_pool);
    up_lmdb_abort(store, txn);
    return err;
}
