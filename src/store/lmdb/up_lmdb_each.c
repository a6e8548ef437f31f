/* up_lmdb_each.c -- walking through an LMDB store. */
#include "store/lmdb/up_lmdb.h"

#include <string.h>

/* A walk through the items of one kind. */
typedef struct walk_t {
    lmdb_store_t *store;
    MDB_cursor *cursor;
    up_kind_t kind;
    MDB_val prefix; /* of every key; perhaps empty */
    up_visit_t visit;
    void *baton;
} walk_t;

/* Where the walk of FILTER through KIND begins, and which prefix it keeps. */
static MDB_val
start_of(MDB_val *prefix,
         const up_filter_t *filter,
         up_kind_t kind,
         apr_pool_t *pool)
{
    up_item_t first = {.kind = kind};

    prefix->mv_size = 0;
    prefix->mv_data = NULL;
    if (kind == UP_KIND_EVENT) {
        first.as.event.number = filter->after + 1;
        return up_lmdb_key(&first, pool);
    }
    if (filter->org && (kind == UP_KIND_USER || kind == UP_KIND_MEMBER))
        *prefix = up_lmdb_pair(filter->org, "", pool);
    return *prefix;
}

static int
has_prefix(const MDB_val *key, const MDB_val *prefix)
{
    return key->mv_size >= prefix->mv_size &&
           (!prefix->mv_size ||
            !memcmp(key->mv_data, prefix->mv_data, prefix->mv_size));
}

static up_error_t *
visit_one(const walk_t *walk,
          const MDB_val *key,
          const MDB_val *value,
          apr_pool_t *pool)
{
    const up_item_t *item;

    UP_ERR(up_lmdb_item(&item, walk->store, walk->kind, key, value, pool));
    return walk->visit(walk->baton, item, pool);
}

/* Visit what WALK finds from START on. An error is made in SCRATCH_POOL. */
static up_error_t *
walk_on(const walk_t *walk, MDB_val start, apr_pool_t *scratch_pool)
{
    MDB_cursor_op where = start.mv_size ? MDB_SET_RANGE : MDB_FIRST;
    MDB_val key = start, value;
    apr_pool_t *iterpool;
    up_error_t *err = NULL;

    apr_pool_create(&iterpool, scratch_pool);
    int rc = mdb_cursor_get(walk->cursor, &key, &value, where);
    while (!rc && !err && has_prefix(&key, &walk->prefix)) {
        apr_pool_clear(iterpool);
        err = visit_one(walk, &key, &value, iterpool);
        if (!err)
            rc = mdb_cursor_get(walk->cursor, &key, &value, MDB_NEXT);
    }
    if (err) /* its pool, ITERPOOL, lives as long as SCRATCH_POOL */
        return err;
    apr_pool_destroy(iterpool);
    if (rc && rc != MDB_NOTFOUND)
        return up_lmdb_error(rc, "read on", walk->store, scratch_pool);
    return NULL;
}

static up_error_t *
walk_kind(walk_t *walk,
          MDB_txn *txn,
          const up_filter_t *filter,
          apr_pool_t *scratch_pool)
{
    MDB_dbi database = walk->store->database[up_lmdb_database(walk->kind)];
    MDB_val start = start_of(&walk->prefix, filter, walk->kind, scratch_pool);

    if (walk->kind == UP_KIND_EVENT && filter->after == APR_UINT64_MAX)
        return NULL; /* there is no number above it */
    int rc = mdb_cursor_open(txn, database, &walk->cursor);
    if (rc)
        return up_lmdb_error(rc, "begin to read", walk->store, scratch_pool);
    up_error_t *err = walk_on(walk, start, scratch_pool);
    mdb_cursor_close(walk->cursor);
    return err;
}

up_error_t *
up_lmdb_each(up_store_t *base,
             const up_filter_t *filter,
             up_visit_t visit,
             void *baton,
             apr_pool_t *scratch_pool)
{
    walk_t walk = {
        .store = up_lmdb_downcast(base), .visit = visit, .baton = baton};
    up_error_t *err = NULL;
    MDB_txn *txn;

    UP_ERR(up_lmdb_begin(&txn, walk.store, MDB_RDONLY, scratch_pool));
    for (int kind = 0; kind < UP_KINDS && !err; kind++) {
        walk.kind = (up_kind_t)kind;
        if (filter->kinds & 1u << kind)
            err = walk_kind(&walk, txn, filter, scratch_pool);
    }
    up_lmdb_abort(walk.store, txn);
    return err;
}
