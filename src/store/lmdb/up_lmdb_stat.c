/* up_lmdb_stat.c -- how large a store is, and what keeps it from using pages
 * again. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* LMDB's list of free pages has this handle: its keys are the numbers of the
 * transactions that freed them, its values lists of page numbers, each after
 * its length (as mdb_stat -f reads them). */
#define FREE_PAGES 0

/* The reader that has read for longest. */
typedef struct oldest_t {
    size_t txn; /* whose state of the store it sees */
    int pid;    /* 0: none but the transaction that asks */
} oldest_t;

/* An MDB_msg_func: a line of mdb_reader_list(), with a process, a thread, and a
 * transaction if it reads. */
static int
note_reader(const char *line, void *baton)
{
    oldest_t *oldest = baton;
    char *next, *end;

    long pid = strtol(line, &next, 10);
    strtoull(next, &next, 16);
    size_t txn = strtoull(next, &end, 10); /* or "-" */
    if (end > next && txn < oldest->txn) {
        oldest->txn = txn;
        oldest->pid = (int)pid;
    }
    return 0;
}

typedef struct pages_t {
    size_t all;  /* in the file */
    size_t free; /* may be used again */
    size_t kept; /* would be free but for the oldest reader */
} pages_t;

/* Set *PAGES and *OLDEST; returns LMDB's result. */
static int
count_pages(pages_t *pages, oldest_t *oldest, const lmdb_txn_t *txn)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_envinfo info;

    *pages = (pages_t){0};
    *oldest = (oldest_t){.txn = mdb_txn_id(txn->handle)};
    mdb_reader_list(txn->store->env, note_reader, oldest);
    int rc = mdb_env_info(txn->store->env, &info);
    if (!rc)
        rc = mdb_cursor_open(txn->handle, FREE_PAGES, &cursor);
    if (rc)
        return rc;
    pages->all = info.me_last_pgno + 1;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (!rc) {
        size_t length, freed_by;
        memcpy(&freed_by, key.mv_data, sizeof(freed_by));
        memcpy(&length, value.mv_data, sizeof(length));
        if (oldest->pid && freed_by >= oldest->txn)
            pages->kept += length;
        else
            pages->free += length;
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Set the counts and the driver's figures of STAT, in POOL; returns LMDB's
 * result. */
static int
measure(up_store_stat_t *stat, const lmdb_txn_t *txn, apr_pool_t *pool)
{
    const lmdb_store_t *store = txn->store;
    MDB_stat size = {0};
    MDB_envinfo info;
    oldest_t oldest;
    pages_t pages;
    int rc = 0;

    for (int i = 0; i < UP_KINDS && !rc; i++) {
        MDB_dbi database = store->database[up_lmdb_database((up_kind_t)i)];
        rc = mdb_stat(txn->handle, database, &size);
        stat->count[i] = size.ms_entries;
    }
    if (!rc)
        rc = mdb_env_info(store->env, &info);
    if (!rc)
        rc = count_pages(&pages, &oldest, txn);
    if (rc)
        return rc;

    size_t used = (pages.all - pages.free) * size.ms_psize;
    const up_store_figure_t figures[] = {
        {"bytes used", "bytesUsed", used},
        {"bytes free", "bytesFree", info.me_mapsize - used},
        {"bytes at most", "bytesMax", info.me_mapsize},
        /* Not those in use now, but the most that ever were. */
        {"reader slots used", "readers", info.me_numreaders},
        {"reader slots", "readersMax", info.me_maxreaders},
        {"oldest reader", "oldestReader", (apr_uint64_t)oldest.pid},
        {"changes since", "oldestReaderAge",
         mdb_txn_id(txn->handle) - oldest.txn},
        {"bytes it keeps", "oldestReaderBytes", pages.kept * size.ms_psize},
    };
    int count = (int)(sizeof(figures) / sizeof(figures[0]));
    apr_array_header_t *list = apr_array_make(pool, count, sizeof(figures[0]));
    for (int i = 0; i < count; i++)
        APR_ARRAY_PUSH(list, up_store_figure_t) = figures[i];
    stat->figures = list;
    return 0;
}

up_error_t *
up_lmdb_stat(up_store_stat_t *stat, up_store_t *base, apr_pool_t *result_pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    lmdb_txn_t txn;

    memset(stat, 0, sizeof(*stat));
    stat->driver = base->driver->scheme;
    UP_ERR(up_lmdb_begin(&txn, store, MDB_RDONLY, result_pool));
    up_error_t *err = up_lmdb_last_event(&stat->last_event, &txn, result_pool);
    int rc = err ? 0 : measure(stat, &txn, result_pool);
    if (rc)
        err = up_lmdb_error(rc, "measure what is", store, result_pool);
    up_lmdb_abort(&txn);
    return err;
}

/* BYTES as people write it: "1.5M". */
static const char *
size_text(size_t bytes, apr_pool_t *pool)
{
    char text[5];

    apr_strfsize((apr_off_t)bytes, text);
    return apr_pstrdup(pool, text + strspn(text, " "));
}

/* Set *WARNING if TXN sees a store that is half full; returns LMDB's result. */
static int
warn(const char **warning, const lmdb_txn_t *txn, apr_pool_t *pool)
{
    const lmdb_store_t *store = txn->store;
    oldest_t oldest;
    pages_t pages;
    MDB_envinfo info;
    MDB_stat stat;

    int rc = mdb_env_info(store->env, &info);
    if (!rc)
        rc = mdb_env_stat(store->env, &stat);
    if (rc)
        return rc;
    size_t most = info.me_mapsize / stat.ms_psize;
    if ((info.me_last_pgno + 1) < most / 2)
        return 0;

    rc = count_pages(&pages, &oldest, txn);
    if (rc || pages.all - pages.free < most / 2)
        return rc;
    *warning = apr_psprintf(
        pool, "the LMDB store '%s' uses %s of at most %s", store->path,
        size_text((pages.all - pages.free) * stat.ms_psize, pool),
        size_text(info.me_mapsize, pool));
    if (oldest.pid && pages.kept)
        *warning = apr_psprintf(
            pool,
            "%s, %s of it only because %s has read in it for the last "
            "%" APR_SIZE_T_FMT " changes",
            *warning, size_text(pages.kept * stat.ms_psize, pool),
            up_lmdb_process_name((unsigned)oldest.pid, pool),
            mdb_txn_id(txn->handle) - oldest.txn);
    return 0;
}

up_error_t *
up_lmdb_filling(const char **warning, up_store_t *base, apr_pool_t *pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    up_error_t *err = NULL;
    lmdb_txn_t txn;

    *warning = NULL;
    UP_ERR(up_lmdb_begin(&txn, store, MDB_RDONLY, pool));
    int rc = warn(warning, &txn, pool);
    if (rc)
        err = up_lmdb_error(rc, "measure what is", store, pool);
    up_lmdb_abort(&txn);
    return err;
}
