/* up_lmdb_check.c -- a look at all that an LMDB store keeps: its pages, then
 * its records, as one transaction sees them. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <string.h>

/* How often to begin, where others change the store so fast that what was begun
 * on is overwritten before it is found. */
#define TRIES 100

#define LOST                                                                   \
    "import the lines of it from an export of before, or restore a backup"

typedef struct records_t {
    lmdb_txn_t txn;
    const up_check_t *check;
    int sound[LMDB_DATABASES];
    apr_uint64_t done, all; /* pages and records */
    apr_pool_t *pool;
} records_t;

static up_error_t *
tell(const records_t *records, const char *what, apr_pool_t *pool)
{
    return records->check->fault(records->check->baton, what, LOST, pool);
}

static up_error_t *
step(records_t *records, apr_pool_t *pool)
{
    return records->check->progress(records->check->baton, ++records->done,
                                    records->all, pool);
}

/* Check that home has USER's organisation and state. */
static up_error_t *
check_home(records_t *records, const up_user_t *user, apr_pool_t *pool)
{
    up_state_t state = UP_STATES;
    const char *org, *fault = NULL;

    if (!records->sound[LMDB_HOME])
        return NULL;
    up_error_t *err = up_lmdb_home(&org, &state, &records->txn, user->id, pool);
    if (err)
        return tell(records, err->message, pool);
    if (!org)
        fault = "is not in the list of users: as a caller it is unknown";
    else if (strcmp(org, user->org) != 0)
        fault = apr_psprintf(pool,
                             "is in the list of users as one of organisation "
                             "'%s'",
                             org);
    else if (state != user->state)
        fault = apr_psprintf(pool, "is %s, but %s in the list of users",
                             up_state_name(user->state), up_state_name(state));
    return fault ? tell(records,
                        apr_psprintf(pool, "user '%s' of organisation '%s' %s",
                                     user->id, user->org, fault),
                        pool)
                 : NULL;
}

/* Look at an item of KIND: whether it can be read, and what CHECK says of it.
 */
static up_error_t *
check_item(records_t *records,
           up_kind_t kind,
           const MDB_val *key,
           const MDB_val *value,
           apr_pool_t *pool)
{
    const up_item_t *item;

    up_error_t *err =
        up_lmdb_item(&item, records->txn.store, kind, key, value, pool);
    if (err)
        return tell(records, err->message, pool);
    if (kind == UP_KIND_USER)
        UP_ERR(check_home(records, &item->as.user, pool));
    return records->check->visit(records->check->baton, item, pool);
}

/* Check that the user whose id is KEY, which home has, has a record. */
static up_error_t *
check_home_entry(records_t *records, const MDB_val *key, apr_pool_t *pool)
{
    const char *user = apr_pstrmemdup(pool, key->mv_data, key->mv_size);
    MDB_dbi profiles = records->txn.store->database[LMDB_PROFILE];
    MDB_val value;
    up_state_t state;
    const char *org;

    up_error_t *err = up_lmdb_home(&org, &state, &records->txn, user, pool);
    if (err) /* if there is a record, it was told of with that */
        org = "";
    if (!records->sound[LMDB_PROFILE])
        return err ? tell(records, err->message, pool) : NULL;
    MDB_val pair = up_lmdb_pair(org, user, pool);
    int rc = err ? 0 : mdb_get(records->txn.handle, profiles, &pair, &value);
    if (rc == MDB_NOTFOUND)
        return tell(records,
                    apr_psprintf(pool,
                                 "user '%s' of organisation '%s' is in the "
                                 "list of users, but the record is lost",
                                 user, org),
                    pool);
    return rc ? up_lmdb_error(rc, "read a user", records->txn.store, pool)
              : NULL;
}

/* Look at the records of DATABASE, whose items are of KIND; UP_KINDS: none. */
static up_error_t *
check_database(records_t *records, lmdb_database_t database, up_kind_t kind)
{
    const lmdb_store_t *store = records->txn.store;
    apr_pool_t *iterpool;
    up_error_t *err = NULL;
    MDB_cursor *cursor;
    MDB_val key, value;

    if (!records->sound[database])
        return NULL;
    int rc = mdb_cursor_open(records->txn.handle, store->database[database],
                             &cursor);
    if (rc)
        return up_lmdb_error(rc, "begin to read", store, records->pool);
    apr_pool_create(&iterpool, records->pool);
    while (!err && !(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        apr_pool_clear(iterpool);
        err = kind < UP_KINDS
                  ? check_item(records, kind, &key, &value, iterpool)
                  : check_home_entry(records, &key, iterpool);
        if (!err)
            err = step(records, iterpool);
    }
    mdb_cursor_close(cursor);
    if (err)
        return err; /* in ITERPOOL, which goes with the pool */
    apr_pool_destroy(iterpool);
    return rc == MDB_NOTFOUND
               ? NULL
               : up_lmdb_error(rc, "read on", store, records->pool);
}

/* How many records there are. */
static apr_uint64_t
count(const lmdb_txn_t *txn)
{
    apr_uint64_t all = 0;

    for (int i = LMDB_META + 1; i < LMDB_DATABASES; i++) {
        MDB_stat stat = {0};
        (void)mdb_stat(txn->handle, txn->store->database[i], &stat);
        all += stat.ms_entries;
    }
    return all;
}

/* Begin RECORDS's transaction, and look at the pages that it sees. */
static up_error_t *
begin(records_t *records, lmdb_store_t *store)
{
    apr_uint64_t pages = 0;

    for (int tries = 0; !pages; tries++) {
        UP_ERR(up_lmdb_begin(&records->txn, store, MDB_RDONLY, records->pool));
        apr_uint64_t all = count(&records->txn);
        up_error_t *err =
            up_lmdb_check_pages(records->sound, &pages, &records->txn, all,
                                records->check, records->pool);
        if (!err && !pages && tries == TRIES)
            err = up_error(records->pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                           "the LMDB store '%s' changes too fast to be checked",
                           store->path);
        if (err || !pages)
            up_lmdb_abort(&records->txn);
        UP_ERR(err);
        records->done = pages;
        records->all = pages + all;
    }
    return NULL;
}

static up_error_t *
check_meta(records_t *records)
{
    up_meta_t meta;

    if (!records->sound[LMDB_META])
        return NULL;
    int rc = up_lmdb_get_meta(&meta, &records->txn, records->pool);
    return rc ? tell(records,
                     apr_psprintf(records->pool,
                                  "what the store says of itself cannot be "
                                  "read: %s",
                                  mdb_strerror(rc)),
                     records->pool)
              : NULL;
}

up_error_t *
up_lmdb_check_store(up_store_t *base,
                    const up_check_t *check,
                    apr_pool_t *scratch_pool)
{
    records_t records = {.check = check, .pool = scratch_pool};

    UP_ERR(begin(&records, up_lmdb_downcast(base)));
    up_error_t *err = check_meta(&records);
    for (int kind = 0; kind < UP_KINDS && !err; kind++)
        err = check_database(&records, up_lmdb_database((up_kind_t)kind),
                             (up_kind_t)kind);
    if (!err)
        err = check_database(&records, LMDB_HOME, UP_KINDS);
    up_lmdb_abort(&records.txn);
    return err;
}
