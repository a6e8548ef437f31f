/* up_lmdb_item.c -- one item in an LMDB transaction. */
#include "store/up_lmdb.h"
#include "store/up_record.h"

#include <apr_strings.h>

up_error_t *
up_lmdb_get(const up_item_t **item,
            lmdb_store_t *store,
            MDB_txn *txn,
            const up_item_t *key,
            apr_pool_t *result_pool)
{
    MDB_val bytes = up_lmdb_key(key, result_pool), value;
    MDB_dbi database = store->database[up_lmdb_database(key->kind)];

    *item = NULL;
    int rc = mdb_get(txn, database, &bytes, &value);
    if (rc == MDB_NOTFOUND)
        return NULL;
    if (rc)
        return up_lmdb_error(rc, "read a record", store, result_pool);

    up_item_t *found = apr_pcalloc(result_pool, sizeof(*found));
    found->kind = key->kind;
    if (!up_lmdb_parse_key(found, &bytes, result_pool))
        return up_error(result_pool, UP_INTERNAL, APR_SUCCESS,
                        "a key in the LMDB store '%s' is broken", store->path);
    UP_ERR(up_record_unpack(found, value.mv_data, value.mv_size, result_pool));
    *item = found;
    return NULL;
}

up_error_t *
up_lmdb_home(const char **org,
             lmdb_store_t *store,
             MDB_txn *txn,
             const char *user,
             apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text(user), value;

    *org = NULL;
    int rc = mdb_get(txn, store->database[LMDB_HOME], &key, &value);
    if (rc == MDB_NOTFOUND)
        return NULL;
    if (rc)
        return up_lmdb_error(rc, "read a user's organisation", store, pool);
    *org = apr_pstrmemdup(pool, value.mv_data, value.mv_size);
    return NULL;
}

/* Append an event. Its number is one more than the last one's that is there,
 * so whatever takes events away has to leave the last. */
static int
append_event(lmdb_store_t *store,
             MDB_txn *txn,
             const up_item_t *item,
             apr_pool_t *scratch_pool)
{
    up_item_t last = {.kind = UP_KIND_EVENT};
    MDB_cursor *cursor;
    MDB_val key, value;

    int rc = mdb_cursor_open(txn, store->database[LMDB_EVENT], &cursor);
    if (rc)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    if (!rc && !up_lmdb_parse_key(&last, &key, scratch_pool))
        rc = MDB_CORRUPTED;
    if (!rc || rc == MDB_NOTFOUND) {
        last.as.event.number++;
        key = up_lmdb_key(&last, scratch_pool);
        up_record_pack(&value.mv_data, &value.mv_size, item, scratch_pool);
        rc = mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
    }
    mdb_cursor_close(cursor);
    return rc;
}

int
up_lmdb_put(lmdb_store_t *store,
            MDB_txn *txn,
            const up_item_t *item,
            apr_pool_t *scratch_pool)
{
    MDB_dbi database = store->database[up_lmdb_database(item->kind)];
    MDB_val key, value;

    if (item->kind == UP_KIND_EVENT)
        return append_event(store, txn, item, scratch_pool);
    key = up_lmdb_key(item, scratch_pool);
    up_record_pack(&value.mv_data, &value.mv_size, item, scratch_pool);
    return mdb_put(txn, database, &key, &value, 0);
}
