/* up_lmdb_item.c -- reading one item in an LMDB transaction. */
#include "store/lmdb/up_lmdb.h"
#include "store/up_record.h"

#include <apr_strings.h>

up_error_t *
up_lmdb_item(const up_item_t **item,
             lmdb_store_t *store,
             up_kind_t kind,
             const MDB_val *key,
             const MDB_val *value,
             apr_pool_t *pool)
{
    up_item_t *found = apr_pcalloc(pool, sizeof(*found));

    found->kind = kind;
    if (!up_lmdb_parse_key(found, key, pool))
        return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                        "a key in the LMDB store '%s' is broken", store->path);
    UP_ERR(up_record_unpack(found, value->mv_data, value->mv_size, pool));
    *item = found;
    return NULL;
}

up_error_t *
up_lmdb_get(const up_item_t **item,
            lmdb_store_t *store,
            MDB_txn *txn,
            const up_item_t *key,
            apr_pool_t *result_pool)
{
    MDB_dbi database = store->database[up_lmdb_database(key->kind)];
    MDB_val bytes = up_lmdb_key(key, result_pool), value;

    *item = NULL;
    int rc = mdb_get(txn, database, &bytes, &value);
    if (rc == MDB_NOTFOUND)
        return NULL;
    if (rc)
        return up_lmdb_error(rc, "read a record", store, result_pool);
    return up_lmdb_item(item, store, key->kind, &bytes, &value, result_pool);
}

up_error_t *
up_lmdb_home(const char **org,
             up_state_t *state,
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
    const unsigned char *bytes = value.mv_data;
    if (value.mv_size < 2 || bytes[0] >= UP_STATES)
        return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                        "what the LMDB store '%s' says of the organisation of "
                        "user '%s' is broken",
                        store->path, user);
    *state = (up_state_t)bytes[0];
    *org = apr_pstrmemdup(pool, (const char *)bytes + 1, value.mv_size - 1);
    return NULL;
}

up_error_t *
up_lmdb_org_exists(int *found,
                   lmdb_store_t *store,
                   MDB_txn *txn,
                   const char *org,
                   apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text(org), value;

    int rc = mdb_get(txn, store->database[LMDB_ORG], &key, &value);
    if (rc && rc != MDB_NOTFOUND)
        return up_lmdb_error(rc, "read an organisation", store, pool);
    *found = rc == 0;
    return NULL;
}

up_error_t *
up_lmdb_last_event(apr_uint64_t *number,
                   lmdb_store_t *store,
                   MDB_txn *txn,
                   apr_pool_t *pool)
{
    up_item_t last = {.kind = UP_KIND_EVENT};
    MDB_cursor *cursor;
    MDB_val key, value;

    int rc = mdb_cursor_open(txn, store->database[LMDB_EVENT], &cursor);
    if (!rc) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
        if (!rc && !up_lmdb_parse_key(&last, &key, pool))
            rc = MDB_CORRUPTED;
        mdb_cursor_close(cursor);
    }
    if (rc && rc != MDB_NOTFOUND)
        return up_lmdb_error(rc, "find the last event", store, pool);
    *number = last.as.event.number;
    return NULL;
}
