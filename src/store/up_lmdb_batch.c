/* up_lmdb_batch.c -- the administration's changes: many in one transaction. */
#include "store/up_lmdb.h"

#include <apr_strings.h>
#include <assert.h>
#include <string.h>

typedef struct lmdb_batch_t {
    up_batch_t base;
    lmdb_write_t write; /* its txn is NULL once the batch is over */
    apr_pool_t *pool;
    up_error_t *spoilt; /* why it cannot be committed any longer */
} lmdb_batch_t;

static lmdb_batch_t *
downcast(up_batch_t *batch)
{
    assert(batch->store->driver == &up_store_lmdb);
    return (lmdb_batch_t *)batch;
}

static apr_status_t
give_up(void *baton)
{
    lmdb_batch_t *batch = baton;

    if (batch->write.txn)
        up_lmdb_abort(batch->write.store, batch->write.txn);
    batch->write.txn = NULL;
    return APR_SUCCESS;
}

up_error_t *
up_lmdb_batch_begin(up_batch_t **batch, up_store_t *base, apr_pool_t *pool)
{
    lmdb_batch_t *lmdb = apr_pcalloc(pool, sizeof(*lmdb));

    lmdb->base.store = base;
    lmdb->write.store = up_lmdb_downcast(base);
    lmdb->pool = pool;
    UP_ERR(up_lmdb_begin(&lmdb->write.txn, lmdb->write.store, 0, pool));
    apr_pool_cleanup_register(pool, lmdb, give_up, apr_pool_cleanup_null);
    *batch = &lmdb->base;
    return NULL;
}

/* ERR, or NULL, is what became of a step of BATCH; unless what is stored
 * forbade the step, there is half of it in the transaction. */
static up_error_t *
note(lmdb_batch_t *batch, up_error_t *err)
{
    if (err && err->reason != UP_CONFLICT && !batch->spoilt)
        batch->spoilt = up_error_copy(err, batch->pool);
    return err;
}

up_error_t *
up_lmdb_batch_put(up_batch_t *base,
                  const up_item_t *item,
                  apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);

    return note(batch,
                up_lmdb_put(&batch->write, item, scratch_pool, scratch_pool));
}

up_error_t *
up_lmdb_batch_get(const up_item_t **item,
                  up_batch_t *base,
                  const up_item_t *key,
                  apr_pool_t *result_pool,
                  apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);
    up_item_t whole = *key;
    up_state_t state;

    (void)scratch_pool;
    *item = NULL;
    if (key->kind == UP_KIND_USER) {
        UP_ERR(up_lmdb_home(&whole.as.user.org, &state, batch->write.store,
                            batch->write.txn, key->as.user.id, result_pool));
        if (!whole.as.user.org)
            return NULL;
    }
    return up_lmdb_get(item, batch->write.store, batch->write.txn, &whole,
                       result_pool);
}

up_error_t *
up_lmdb_batch_remove(int *found,
                     up_batch_t *base,
                     const up_item_t *key,
                     apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);
    lmdb_store_t *store = batch->write.store;
    MDB_dbi database = store->database[up_lmdb_database(key->kind)];
    MDB_val bytes = up_lmdb_key(key, scratch_pool);

    int rc = mdb_del(batch->write.txn, database, &bytes, NULL);
    *found = rc == 0;
    if (rc && rc != MDB_NOTFOUND)
        return note(batch,
                    up_lmdb_error(rc, "remove a record", store, scratch_pool));
    return NULL;
}

/* Remove USER's membership in ORG, if there is one; returns LMDB's result. */
static int
remove_membership(const lmdb_write_t *write,
                  const char *org,
                  const char *user,
                  apr_pool_t *pool)
{
    MDB_val key = up_lmdb_pair(org, user, pool);

    int rc =
        mdb_del(write->txn, write->store->database[LMDB_MEMBER], &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Remove USER's memberships: a look-up in each organisation, of which there are
 * fewer than of memberships. POOL is cleared meanwhile. */
static up_error_t *
remove_memberships(const lmdb_write_t *write,
                   MDB_cursor *orgs,
                   const char *user,
                   apr_pool_t *pool)
{
    MDB_val org, value;

    int rc = remove_membership(write, "", user, pool);
    MDB_cursor_op where = MDB_FIRST;
    while (!rc) {
        rc = mdb_cursor_get(orgs, &org, &value, where);
        where = MDB_NEXT;
        apr_pool_clear(pool);
        if (!rc)
            rc = remove_membership(
                write, apr_pstrmemdup(pool, org.mv_data, org.mv_size), user,
                pool);
    }
    return rc == MDB_NOTFOUND
               ? NULL
               : up_lmdb_error(rc, "remove memberships", write->store, pool);
}

/* Remove USER's tokens, looking at all there are. POOL is cleared meanwhile. */
static up_error_t *
remove_tokens(const lmdb_write_t *write,
              MDB_cursor *tokens,
              const char *user,
              apr_pool_t *pool)
{
    MDB_cursor_op where = MDB_FIRST;
    const up_item_t *item;
    MDB_val key, value;

    for (;;) {
        int rc = mdb_cursor_get(tokens, &key, &value, where);
        where = MDB_NEXT; /* which, after a removal, is what took its place */
        if (rc == MDB_NOTFOUND)
            return NULL;
        apr_pool_clear(pool);
        if (!rc) {
            UP_ERR(up_lmdb_item(&item, write->store, UP_KIND_TOKEN, &key,
                                &value, pool));
            if (!strcmp(item->as.token.user, user))
                rc = mdb_cursor_del(tokens, 0);
        }
        if (rc)
            return up_lmdb_error(rc, "remove tokens", write->store, pool);
    }
}

/* Call REMOVE with a cursor of DATABASE. */
static up_error_t *
walk_through(lmdb_batch_t *batch,
             lmdb_database_t database,
             up_error_t *(*remove)(const lmdb_write_t *,
                                   MDB_cursor *,
                                   const char *,
                                   apr_pool_t *),
             const char *user,
             apr_pool_t *scratch_pool)
{
    lmdb_write_t *write = &batch->write;
    apr_pool_t *iterpool;
    MDB_cursor *cursor;

    int rc =
        mdb_cursor_open(write->txn, write->store->database[database], &cursor);
    if (rc)
        return up_lmdb_error(rc, "remove rights", write->store, scratch_pool);
    apr_pool_create(&iterpool, scratch_pool);
    up_error_t *err = remove(write, cursor, user, iterpool);
    mdb_cursor_close(cursor);
    if (err) /* it is in ITERPOOL */
        err = up_error_copy(err, scratch_pool);
    apr_pool_destroy(iterpool);
    return err;
}

up_error_t *
up_lmdb_batch_remove_rights(up_batch_t *base,
                            const char *user,
                            apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);

    up_error_t *err =
        walk_through(batch, LMDB_ORG, remove_memberships, user, scratch_pool);
    if (!err)
        err =
            walk_through(batch, LMDB_TOKEN, remove_tokens, user, scratch_pool);
    return note(batch, err);
}

up_error_t *
up_lmdb_batch_commit(up_batch_t *base)
{
    lmdb_batch_t *batch = downcast(base);
    MDB_txn *txn = batch->write.txn;

    batch->write.txn = NULL;
    if (!batch->spoilt)
        return up_lmdb_commit(batch->write.store, txn, batch->pool);
    up_lmdb_abort(batch->write.store, txn);
    return up_error_wrap(batch->pool, batch->spoilt,
                         "nothing of the batch was stored");
}
