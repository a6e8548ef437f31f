/* up_lmdb_admin.c -- the administration: batches of changes, each in one
 * transaction; walks through all items. */
#include "store/lmdb/up_lmdb.h"
#include "store/lmdb/up_record.h"

#include <apr_strings.h>
#include <assert.h>
#include <string.h>

typedef struct lmdb_batch_t {
    up_batch_t base;
    lmdb_loan_t loan;
    int is_over; /* its transaction is given back */
    apr_pool_t *pool;
    up_error_t *spoilt; /* why it cannot be committed any longer, or NULL */
} lmdb_batch_t;

static lmdb_batch_t *
downcast(up_batch_t *batch)
{
    assert(batch->store->driver == &up_store_lmdb);
    return (lmdb_batch_t *)batch;
}

static apr_status_t
abort_if_open(void *baton)
{
    lmdb_batch_t *batch = baton;

    if (!batch->is_over)
        up_lmdb_give_back(&batch->loan, 0);
    return APR_SUCCESS;
}

up_error_t *
up_lmdb_batch_begin(up_batch_t **batch, up_store_t *base, apr_pool_t *pool)
{
    lmdb_batch_t *lmdb = apr_pcalloc(pool, sizeof(*lmdb));

    lmdb->base.store = base;
    lmdb->pool = pool;
    UP_ERR(up_lmdb_borrow(&lmdb->loan, up_lmdb_downcast(base), pool));
    apr_pool_cleanup_register(pool, lmdb, abort_if_open, apr_pool_cleanup_null);
    *batch = &lmdb->base;
    return NULL;
}

/* Return ERR, the result of a step of BATCH. Unless it is NULL or UP_CONFLICT,
 * half of the step may be in the transaction, and BATCH is spoilt. */
static up_error_t *
note_failure(lmdb_batch_t *batch, up_error_t *err)
{
    if (err && err->reason != UP_CONFLICT && !batch->spoilt)
        batch->spoilt = up_error_copy(err, batch->pool);
    return err;
}

/* No call is dear here. */
up_error_t *
up_lmdb_batch_expect(up_batch_t *batch,
                     const up_item_t *const *items,
                     int count,
                     apr_pool_t *scratch_pool)
{
    (void)batch;
    (void)items;
    (void)count;
    (void)scratch_pool;
    return NULL;
}

up_error_t *
up_lmdb_batch_last_event(apr_uint64_t *number,
                         up_batch_t *base,
                         apr_pool_t *scratch_pool)
{
    lmdb_txn_t *txn = &downcast(base)->loan.txn;

    *number = txn->last_event;
    return *number ? NULL : up_lmdb_last_event(number, txn, scratch_pool);
}

up_error_t *
up_lmdb_batch_put(up_batch_t *base,
                  const up_item_t *item,
                  apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);

    return note_failure(
        batch, up_lmdb_put(&batch->loan.txn, item, scratch_pool, scratch_pool));
}

up_error_t *
up_lmdb_batch_get(const up_item_t **item,
                  up_batch_t *base,
                  const up_item_t *key,
                  apr_pool_t *result_pool,
                  apr_pool_t *scratch_pool)
{
    lmdb_txn_t *txn = &downcast(base)->loan.txn;
    up_item_t whole = *key;
    up_state_t state;

    (void)scratch_pool;
    *item = NULL;
    if (key->kind == UP_KIND_USER) {
        UP_ERR(up_lmdb_home(&whole.as.user.org, &state, txn, key->as.user.id,
                            result_pool));
        if (!whole.as.user.org)
            return NULL;
    }
    return up_lmdb_get(item, txn, &whole, result_pool);
}

up_error_t *
up_lmdb_batch_remove(int *found,
                     up_batch_t *base,
                     const up_item_t *key,
                     apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);
    const lmdb_store_t *store = batch->loan.txn.store;
    MDB_dbi database = store->database[up_lmdb_database(key->kind)];
    MDB_val bytes = up_lmdb_key(key, scratch_pool);

    int rc = mdb_del(batch->loan.txn.handle, database, &bytes, NULL);
    *found = rc == 0;
    if (!rc && key->kind == UP_KIND_USER) {
        bytes = up_lmdb_text(key->as.user.id);
        rc = mdb_del(batch->loan.txn.handle, store->database[LMDB_HOME], &bytes,
                     NULL);
    }
    if (rc && rc != MDB_NOTFOUND)
        return note_failure(
            batch, up_lmdb_error(rc, "remove a record", store, scratch_pool));
    return NULL;
}

/* Remove USER's membership in ORG, if there is one; returns LMDB's result. */
static int
remove_membership(const lmdb_txn_t *txn,
                  const char *org,
                  const char *user,
                  apr_pool_t *pool)
{
    MDB_val key = up_lmdb_pair(org, user, pool);

    int rc =
        mdb_del(txn->handle, txn->store->database[LMDB_MEMBER], &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Whose records are changed, and when. */
typedef struct errand_t {
    const char *user;
    apr_time_t now;
} errand_t;

/* Remove the user's memberships by a look-up in each organisation, of which
 * there are fewer than of memberships. */
static up_error_t *
remove_memberships(const lmdb_txn_t *txn,
                   MDB_cursor *orgs,
                   const errand_t *errand,
                   apr_pool_t *iterpool)
{
    MDB_val org, value;

    int rc = remove_membership(txn, "", errand->user, iterpool);
    MDB_cursor_op where = MDB_FIRST;
    while (!rc) {
        rc = mdb_cursor_get(orgs, &org, &value, where);
        where = MDB_NEXT;
        apr_pool_clear(iterpool);
        if (!rc)
            rc = remove_membership(
                txn, apr_pstrmemdup(iterpool, org.mv_data, org.mv_size),
                errand->user, iterpool);
    }
    return rc == MDB_NOTFOUND
               ? NULL
               : up_lmdb_error(rc, "remove memberships", txn->store, iterpool);
}

/* Put ITEM, changed, in place of what CURSOR is at; returns LMDB's result. */
static int
put_at_cursor(const lmdb_txn_t *txn,
              MDB_cursor *cursor,
              const up_item_t *item,
              apr_pool_t *pool)
{
    MDB_val key = up_lmdb_key(item, pool);
    const char *bytes;
    apr_size_t length;

    up_record_pack(&bytes, &length, item, pool);
    MDB_val value = up_lmdb_value(txn, up_lmdb_database(item->kind), &key,
                                  bytes, length, pool);
    return mdb_cursor_put(cursor, &key, &value, MDB_CURRENT);
}

/* Revoke the user's tokens by a look at all that there are. */
static up_error_t *
revoke_tokens(const lmdb_txn_t *txn,
              MDB_cursor *tokens,
              const errand_t *errand,
              apr_pool_t *iterpool)
{
    MDB_cursor_op where = MDB_FIRST;
    const up_item_t *item;
    MDB_val key, value;

    for (;;) {
        int rc = mdb_cursor_get(tokens, &key, &value, where);
        where = MDB_NEXT;
        if (rc == MDB_NOTFOUND)
            return NULL;
        apr_pool_clear(iterpool);
        if (!rc) {
            UP_ERR(up_lmdb_item(&item, txn->store, UP_KIND_TOKEN, &key, &value,
                                iterpool));
            up_item_t revoked = *item;
            revoked.as.token.expires = 0;
            revoked.as.token.revoked = errand->now;
            if (!strcmp(item->as.token.user, errand->user) &&
                !item->as.token.revoked)
                rc = put_at_cursor(txn, tokens, &revoked, iterpool);
        }
        if (rc)
            return up_lmdb_error(rc, "revoke tokens", txn->store, iterpool);
    }
}

/* Erase the values in the events about the user by a look at all that there
 * are. */
static up_error_t *
erase_events(const lmdb_txn_t *txn,
             MDB_cursor *events,
             const errand_t *errand,
             apr_pool_t *iterpool)
{
    MDB_cursor_op where = MDB_FIRST;
    const up_item_t *item;
    MDB_val key, value;

    for (;;) {
        int rc = mdb_cursor_get(events, &key, &value, where);
        where = MDB_NEXT;
        if (rc == MDB_NOTFOUND)
            return NULL;
        apr_pool_clear(iterpool);
        if (!rc) {
            UP_ERR(up_lmdb_item(&item, txn->store, UP_KIND_EVENT, &key, &value,
                                iterpool));
            up_item_t bare = *item;
            bare.as.event.before = bare.as.event.after = NULL;
            if (!strcmp(item->as.event.user, errand->user) &&
                (item->as.event.before || item->as.event.after))
                rc = put_at_cursor(txn, events, &bare, iterpool);
        }
        if (rc)
            return up_lmdb_error(rc, "erase events", txn->store, iterpool);
    }
}

/* Call CHANGE with a cursor of DATABASE, ERRAND, and a pool that it may clear.
 */
static up_error_t *
change_by_cursor(const lmdb_txn_t *txn,
                 lmdb_database_t database,
                 up_error_t *(*change)(const lmdb_txn_t *,
                                       MDB_cursor *,
                                       const errand_t *,
                                       apr_pool_t *),
                 const errand_t *errand,
                 apr_pool_t *scratch_pool)
{
    apr_pool_t *iterpool;
    MDB_cursor *cursor;

    int rc =
        mdb_cursor_open(txn->handle, txn->store->database[database], &cursor);
    if (rc)
        return up_lmdb_error(rc, "change what a user has", txn->store,
                             scratch_pool);
    apr_pool_create(&iterpool, scratch_pool);
    up_error_t *err = change(txn, cursor, errand, iterpool);
    mdb_cursor_close(cursor);
    if (err)
        err = up_error_copy(err, scratch_pool);
    apr_pool_destroy(iterpool);
    return err;
}

up_error_t *
up_lmdb_batch_remove_rights(up_batch_t *base,
                            const char *user,
                            apr_time_t now,
                            apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);
    errand_t errand = {user, now};

    up_error_t *err = change_by_cursor(
        &batch->loan.txn, LMDB_ORG, remove_memberships, &errand, scratch_pool);
    if (!err)
        err = change_by_cursor(&batch->loan.txn, LMDB_TOKEN, revoke_tokens,
                               &errand, scratch_pool);
    return note_failure(batch, err);
}

up_error_t *
up_lmdb_batch_erase_events(up_batch_t *base,
                           const char *user,
                           apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);
    errand_t errand = {user, 0};

    return note_failure(batch,
                        change_by_cursor(&batch->loan.txn, LMDB_EVENT,
                                         erase_events, &errand, scratch_pool));
}

up_error_t *
up_lmdb_batch_commit(up_batch_t *base)
{
    lmdb_batch_t *batch = downcast(base);

    batch->is_over = 1;
    up_error_t *err = up_lmdb_give_back(&batch->loan, !batch->spoilt);
    if (!batch->spoilt)
        return err;
    return up_error_wrap(batch->pool, batch->spoilt,
                         "nothing of the batch was stored");
}

/* A walk through the items of one kind. */
typedef struct walk_t {
    lmdb_store_t *store;
    MDB_cursor *cursor;
    up_kind_t kind;
    MDB_val prefix; /* of the keys of all items; perhaps empty */
    up_visit_t visit;
    void *baton;
} walk_t;

/* Set WALK's prefix; returns the key to begin with, empty for the first. */
static MDB_val
start_of(walk_t *walk, const up_filter_t *filter, apr_pool_t *pool)
{
    up_item_t first = {.kind = walk->kind};

    walk->prefix = (MDB_val){0, NULL};
    if (walk->kind == UP_KIND_EVENT) {
        first.as.event.number = filter->after + 1;
        return up_lmdb_key(&first, pool);
    }
    if (filter->org &&
        (walk->kind == UP_KIND_USER || walk->kind == UP_KIND_MEMBER))
        walk->prefix = up_lmdb_pair(filter->org, "", pool);
    return walk->prefix;
}

static int
has_prefix(const MDB_val *key, const MDB_val *prefix)
{
    return key->mv_size >= prefix->mv_size &&
           (!prefix->mv_size ||
            !memcmp(key->mv_data, prefix->mv_data, prefix->mv_size));
}

/* Visit the items from the key START on, as long as they have WALK's prefix. */
static up_error_t *
visit_from(const walk_t *walk, MDB_val start, apr_pool_t *scratch_pool)
{
    MDB_cursor_op where = start.mv_size ? MDB_SET_RANGE : MDB_FIRST;
    MDB_val key = start, value;
    apr_pool_t *iterpool;
    const up_item_t *item;
    up_error_t *err = NULL;

    apr_pool_create(&iterpool, scratch_pool);
    int rc = mdb_cursor_get(walk->cursor, &key, &value, where);
    while (!rc && has_prefix(&key, &walk->prefix)) {
        apr_pool_clear(iterpool);
        err = up_lmdb_item(&item, walk->store, walk->kind, &key, &value,
                           iterpool);
        if (!err)
            err = walk->visit(walk->baton, item, iterpool);
        if (err) /* it is in ITERPOOL, which goes with SCRATCH_POOL */
            return err;
        rc = mdb_cursor_get(walk->cursor, &key, &value, MDB_NEXT);
    }
    apr_pool_destroy(iterpool);
    if (rc && rc != MDB_NOTFOUND)
        return up_lmdb_error(rc, "read on", walk->store, scratch_pool);
    return NULL;
}

static up_error_t *
visit_kind(walk_t *walk,
           const lmdb_txn_t *txn,
           const up_filter_t *filter,
           apr_pool_t *scratch_pool)
{
    MDB_dbi database = walk->store->database[up_lmdb_database(walk->kind)];
    MDB_val start = start_of(walk, filter, scratch_pool);

    if (walk->kind == UP_KIND_EVENT && filter->after == APR_UINT64_MAX)
        return NULL; /* no number is above it */
    int rc = mdb_cursor_open(txn->handle, database, &walk->cursor);
    if (rc)
        return up_lmdb_error(rc, "begin to read", walk->store, scratch_pool);
    up_error_t *err = visit_from(walk, start, scratch_pool);
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
    lmdb_store_t *store = up_lmdb_downcast(base);
    walk_t walk = {.store = store, .visit = visit, .baton = baton};
    up_error_t *err = NULL;
    lmdb_txn_t txn;

    UP_ERR(up_lmdb_begin(&txn, store, MDB_RDONLY, scratch_pool));
    for (int kind = 0; kind < UP_KINDS && !err; kind++) {
        walk.kind = (up_kind_t)kind;
        if (filter->kinds & 1u << kind)
            err = visit_kind(&walk, &txn, filter, scratch_pool);
    }
    up_lmdb_abort(&txn);
    return err;
}
