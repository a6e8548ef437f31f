/* up_lmdb_update.c -- one atomic change of one user. */
#include "store/up_lmdb.h"

/* Store what CHANGE says. */
static up_error_t *
apply(lmdb_store_t *store,
      MDB_txn *txn,
      const up_change_t *change,
      apr_pool_t *pool)
{
    up_item_t user = {.kind = UP_KIND_USER, .as.user = *change->user};
    up_item_t event = {.kind = UP_KIND_EVENT};

    int rc = up_lmdb_put(store, txn, &user, pool);
    if (!rc && change->event) {
        event.as.event = *change->event;
        rc = up_lmdb_put(store, txn, &event, pool);
    }
    return rc ? up_lmdb_error(rc, "store a change", store, pool) : NULL;
}

/* Let DECIDE say what becomes of USER of ORG, and store that in TXN. */
static up_error_t *
change_user(const up_user_t **after,
            int *changed,
            lmdb_store_t *store,
            MDB_txn *txn,
            const up_item_t *key,
            up_decide_t decide,
            void *baton,
            apr_pool_t *pool)
{
    up_change_t change = {0};
    const up_item_t *before;

    UP_ERR(up_lmdb_get(&before, store, txn, key, pool));
    *after = before ? &before->as.user : NULL;
    UP_ERR(decide(&change, baton, *after, pool));
    *changed = change.user != NULL;
    if (!change.user)
        return NULL;
    *after = change.user;
    return apply(store, txn, &change, pool);
}

up_error_t *
up_lmdb_update(const up_user_t **after,
               up_store_t *base,
               const char *org,
               const char *user,
               up_decide_t decide,
               void *baton,
               apr_pool_t *result_pool,
               apr_pool_t *scratch_pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    up_item_t key = {.kind = UP_KIND_USER, .as.user = {.org = org, .id = user}};
    int changed = 0;
    MDB_txn *txn;

    (void)scratch_pool;
    UP_ERR(up_lmdb_begin(&txn, store, 0, result_pool));
    up_error_t *err = change_user(after, &changed, store, txn, &key, decide,
                                  baton, result_pool);
    if (!err && changed)
        return up_lmdb_commit(store, txn, result_pool);
    up_lmdb_abort(store, txn);
    return err;
}
