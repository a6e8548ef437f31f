/* up_lmdb_upgrade.c -- a store of format 1 becomes one of format 2: each value
 * gets a checksum.
 *
 * The first transaction sets the format, with the note that the upgrade is not
 * over. From then on no older version opens the store, all who have it open
 * write values with checksums, as they read the format in each transaction that
 * writes, and read values of both kinds, which differ in their first byte. So
 * the rest may be done in short transactions, and may be broken off anywhere.
 * The last one takes the note away: from then on a value without a checksum is
 * damaged. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>

/* How many values a transaction looks at; other writers wait for it. */
#define STEP 1000

typedef struct upgrade_t {
    lmdb_store_t *store;
    lmdb_database_t database;
    MDB_val next; /* the key to go on with, in a pool of its own; no bytes: the
                   * first one */
    apr_uint64_t *changed;
    up_error_t *unreadable; /* the first one, in POOL; or NULL */
    apr_pool_t *pool;
} upgrade_t;

/* A value that is to be written anew. */
typedef struct record_t {
    MDB_val key, value;
} record_t;

static MDB_val
copy(const MDB_val *bytes, apr_pool_t *pool)
{
    MDB_val twin = {bytes->mv_size, NULL};

    twin.mv_data = apr_pmemdup(pool, bytes->mv_data, bytes->mv_size);
    return twin;
}

/* The kind of item in DATABASE; UP_KINDS for home, which has none. */
static up_kind_t
kind_in(lmdb_database_t database)
{
    up_kind_t kind = UP_KIND_ORG;

    while (kind < UP_KINDS && up_lmdb_database(kind) != database)
        kind++;
    return kind;
}

/* Check that VALUE, which has no checksum, can be read: a checksum over what is
 * damaged already would hide that. */
static up_error_t *
check(const upgrade_t *upgrade,
      lmdb_txn_t *txn,
      const MDB_val *key,
      const MDB_val *value,
      apr_pool_t *pool)
{
    up_kind_t kind = kind_in(upgrade->database);
    const up_item_t *item;
    up_state_t state;
    const char *org;

    if (kind < UP_KINDS)
        return up_lmdb_item(&item, txn->store, kind, key, value, pool);
    return up_lmdb_home(&org, &state, txn,
                        apr_pstrmemdup(pool, key->mv_data, key->mv_size), pool);
}

/* Copy what CURSOR finds from UPGRADE's next key on, and has no checksum, to
 * RECORDS. Sets *LAST to whether the database ends there. */
static int
collect(apr_array_header_t *records,
        int *last,
        upgrade_t *upgrade,
        lmdb_txn_t *txn,
        MDB_cursor *cursor,
        apr_pool_t *pool)
{
    MDB_cursor_op where = upgrade->next.mv_size ? MDB_SET_RANGE : MDB_FIRST;
    MDB_val key = upgrade->next, value;

    int rc = mdb_cursor_get(cursor, &key, &value, where);
    for (int i = 0; !rc && i < STEP; i++) {
        const unsigned char *first = value.mv_data;
        if (!value.mv_size || *first != UP_LMDB_MARK) {
            const up_error_t *err = check(upgrade, txn, &key, &value, pool);
            if (!err)
                APR_ARRAY_PUSH(records, record_t) =
                    (record_t){copy(&key, pool), copy(&value, pool)};
            else if (!upgrade->unreadable)
                upgrade->unreadable = up_error_copy(err, upgrade->pool);
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    *last = rc == MDB_NOTFOUND;
    if (!rc)
        upgrade->next = copy(&key, pool);
    return *last ? 0 : rc;
}

/* Give checksums to values of UPGRADE's database in TXN, as many as one
 * transaction does. */
static int
rewrite(int *last, upgrade_t *upgrade, lmdb_txn_t *txn, apr_pool_t *pool)
{
    MDB_dbi database = upgrade->store->database[upgrade->database];
    apr_array_header_t *records = apr_array_make(pool, 100, sizeof(record_t));
    MDB_cursor *cursor;

    int rc = mdb_cursor_open(txn->handle, database, &cursor);
    if (rc)
        return rc;
    rc = collect(records, last, upgrade, txn, cursor, pool);
    mdb_cursor_close(cursor);
    for (int i = 0; i < records->nelts && !rc; i++) {
        record_t *record = &APR_ARRAY_IDX(records, i, record_t);
        MDB_val value =
            up_lmdb_value(txn, upgrade->database, &record->key,
                          record->value.mv_data, record->value.mv_size, pool);
        rc = mdb_put(txn->handle, database, &record->key, &value, 0);
    }
    if (!rc)
        *upgrade->changed += (apr_uint64_t)records->nelts;
    return rc;
}

/* One transaction of UPGRADE, in POOL. */
static up_error_t *
step(int *last, upgrade_t *upgrade, apr_pool_t *pool)
{
    lmdb_loan_t loan;

    UP_ERR(up_lmdb_borrow(&loan, upgrade->store, pool));
    int rc = rewrite(last, upgrade, &loan.txn, pool);
    up_error_t *err = up_lmdb_give_back(&loan, !rc);
    return rc ? up_lmdb_error(rc, "upgrade records", upgrade->store, pool)
              : err;
}

/* Upgrade all values of UPGRADE's database. The next key outlives the pool that
 * it is found in, so there are two, in turns. */
static up_error_t *
upgrade_database(upgrade_t *upgrade, apr_pool_t *scratch_pool)
{
    apr_pool_t *pools[2];
    up_error_t *err = NULL;
    int last = 0;

    apr_pool_create(&pools[0], scratch_pool);
    apr_pool_create(&pools[1], scratch_pool);
    upgrade->next = (MDB_val){0, NULL};
    for (int turn = 0; !last && !err; turn = !turn) {
        apr_pool_clear(pools[turn]);
        err = step(&last, upgrade, pools[turn]);
    }
    if (err)
        err = up_error_copy(err, scratch_pool);
    apr_pool_destroy(pools[0]);
    apr_pool_destroy(pools[1]);
    return err;
}

/* Set *OLD to whether STORE is not of today's format. If so, set the format to
 * that, and the note of the upgrade to UPGRADING. */
static up_error_t *
set_format(int *old, lmdb_store_t *store, int upgrading, apr_pool_t *pool)
{
    lmdb_loan_t loan;
    up_meta_t meta;

    UP_ERR(up_lmdb_borrow(&loan, store, pool));
    int rc = up_lmdb_get_meta(&meta, &loan.txn, pool);
    *old = !rc && (meta.format < UP_LMDB_FORMAT || meta.upgrading);
    if (*old) {
        meta.format = UP_LMDB_FORMAT;
        meta.upgrading = upgrading;
        rc = up_lmdb_put_meta(&loan.txn, &meta, pool);
    }
    up_error_t *err = up_lmdb_give_back(&loan, *old && !rc);
    return rc ? up_lmdb_error(rc, "set the format", store, pool) : err;
}

up_error_t *
up_lmdb_upgrade(apr_uint64_t *changed,
                up_store_t *base,
                apr_pool_t *scratch_pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    upgrade_t upgrade = {
        .store = store, .changed = changed, .pool = scratch_pool};
    int old;

    *changed = 0;
    UP_ERR(set_format(&old, store, 1, scratch_pool));
    if (!old)
        return NULL;
    for (int i = LMDB_META + 1; i < LMDB_DATABASES; i++) {
        upgrade.database = (lmdb_database_t)i;
        UP_ERR(upgrade_database(&upgrade, scratch_pool));
    }
    if (upgrade.unreadable)
        return upgrade.unreadable;
    return set_format(&old, store, 0, scratch_pool);
}
