/* up_lmdb_copy_fill.c -- fills a copy from a store, record by record.
 *
 * mdb_env_copy2() copies pages. What a record had, and another one has not
 * overwritten yet, goes along with it: on a page of its own, after a value that
 * is shorter than the page, is whatever the process had in its memory. So what
 * was erased could be in each backup, and the copy could not be given up. A
 * copy of records has nothing but them. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>

/* How many records a transaction of the copy takes; it is not flushed. */
#define STEP 10000

/* How many records are copied between two reports of progress. */
#define REPORT 1000

typedef struct fill_t {
    lmdb_txn_t from;
    lmdb_store_t to;
    MDB_txn *writing; /* in TO; NULL: none */
    lmdb_database_t database;
    apr_uint64_t done, all; /* records */
    apr_uint64_t *damaged;
    up_progress_t progress;
    void *baton;
    apr_pool_t *pool;
} fill_t;

static up_error_t *
unwritten(int rc, const fill_t *fill)
{
    return up_lmdb_error(rc, "write the copy", &fill->to, fill->pool);
}

/* Commit what was written, and begin the next transaction unless this is the
 * LAST. */
static int
turn(fill_t *fill, int last)
{
    int rc = fill->writing ? up_lmdb_commit_handle(fill->writing) : 0;

    fill->writing = NULL;
    if (!rc && !last)
        rc = mdb_txn_begin(fill->to.env, NULL, 0, &fill->writing);
    return rc;
}

/* Copy the value under KEY as it is. */
static up_error_t *
copy_record(fill_t *fill, MDB_val *key, MDB_val *value, apr_pool_t *iterpool)
{
    lmdb_database_t database = fill->database;
    /* A new store has the only record of meta already. */
    unsigned flags = database == LMDB_META ? 0 : MDB_APPEND;
    MDB_val bytes;

    if (database != LMDB_META &&
        up_lmdb_value_read(&bytes, fill->from.store, database, key, value))
        ++*fill->damaged;
    int rc =
        mdb_put(fill->writing, fill->to.database[database], key, value, flags);
    if (!rc && ++fill->done % STEP == 0)
        rc = turn(fill, 0);
    if (rc ==
        MDB_KEYEXIST) /* to LMDB, as the key is not above the one before */
        return up_error(fill->pool, UP_INTERNAL, APR_SUCCESS,
                        "the LMDB store '%s' is damaged: the keys of its "
                        "database '%s' are not in order",
                        fill->from.store->path,
                        up_lmdb_database_name(database));
    if (rc)
        return unwritten(rc, fill);
    if (fill->done % REPORT)
        return NULL;
    up_error_t *err =
        fill->progress(fill->baton, fill->done, fill->all, iterpool);
    return err ? up_error_copy(err, fill->pool) : NULL;
}

static up_error_t *
copy_database(fill_t *fill, apr_pool_t *iterpool)
{
    const lmdb_store_t *store = fill->from.store;
    up_error_t *err = NULL;
    MDB_cursor *cursor;
    MDB_val key, value;

    int rc = mdb_cursor_open(fill->from.handle, store->database[fill->database],
                             &cursor);
    if (rc)
        return up_lmdb_error(rc, "begin to copy", store, fill->pool);
    while (!err && !(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        apr_pool_clear(iterpool);
        err = copy_record(fill, &key, &value, iterpool);
    }
    mdb_cursor_close(cursor);
    if (!err && rc != MDB_NOTFOUND)
        err = up_lmdb_error(rc, "read on", store, fill->pool);
    return err;
}

/* Count what there is to copy. */
static int
count(fill_t *fill)
{
    int rc = 0;

    for (int i = 0; i < LMDB_DATABASES && !rc; i++) {
        MDB_stat stat = {0};
        rc = mdb_stat(fill->from.handle, fill->from.store->database[i], &stat);
        fill->all += stat.ms_entries;
    }
    return rc;
}

static up_error_t *
copy_all(fill_t *fill)
{
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, fill->pool);
    int rc = count(fill);
    if (rc)
        return up_lmdb_error(rc, "count what is", fill->from.store, fill->pool);
    rc = turn(fill, 0);
    if (rc)
        return unwritten(rc, fill);
    for (int i = 0; i < LMDB_DATABASES; i++) {
        fill->database = (lmdb_database_t)i;
        UP_ERR(copy_database(fill, iterpool));
    }
    UP_ERR(fill->progress(fill->baton, fill->done, fill->all, fill->pool));
    apr_pool_destroy(iterpool);
    return NULL;
}

/* Commit the last of what was written, and flush it all. */
static up_error_t *
flush(fill_t *fill)
{
    int rc = turn(fill, 1);

    if (!rc)
        rc = mdb_env_sync(fill->to.env, 1);
    return rc ? unwritten(rc, fill) : NULL;
}

up_error_t *
up_lmdb_copy_fill(apr_uint64_t *damaged,
                  up_copy_t *base,
                  up_store_t *source,
                  up_progress_t progress,
                  void *baton,
                  apr_pool_t *scratch_pool)
{
    const lmdb_copy_t *copy = (const lmdb_copy_t *)base;
    fill_t fill = {.damaged = damaged,
                   .progress = progress,
                   .baton = baton,
                   .pool = scratch_pool};
    MDB_envinfo info;

    *damaged = 0;
    UP_ERR(up_lmdb_begin(&fill.from, up_lmdb_downcast(source), MDB_RDONLY,
                         scratch_pool));
    mdb_env_info(fill.from.store->env, &info);
    /* Not flushed before the end. */
    fill.to = (lmdb_store_t){.path = copy->place, .map_size = info.me_mapsize};
    up_error_t *err = up_lmdb_env_begin(
        &fill.to, up_lmdb_held_path(copy->file, scratch_pool), scratch_pool);
    if (!err)
        err = copy_all(&fill);
    up_lmdb_abort(&fill.from);
    if (!err)
        err = flush(&fill);
    if (fill.writing)
        mdb_txn_abort(fill.writing);
    up_lmdb_env_close(&fill.to);
    return err;
}
