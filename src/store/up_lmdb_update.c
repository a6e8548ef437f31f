/* up_lmdb_update.c -- changes of users, as many in one transaction as wait for
 * it: one flush to the disk then carries them all. */
#include "store/up_lmdb.h"

#include <stdlib.h>
#include <string.h>

/* One call of up_store_update(). What it is given and hands back belongs to
 * the thread that waits for it, hence so does its pool. */
typedef struct update_t {
    up_job_t job;
    up_item_t key;
    up_decide_t decide;
    void *baton;
    apr_pool_t *pool;

    const up_user_t *after;
    up_error_t *error;
    int changed; /* whether the commit is needed */
} update_t;

/* Store what CHANGE says; returns LMDB's result. */
static int
apply(lmdb_store_t *store,
      MDB_txn *txn,
      const up_change_t *change,
      apr_pool_t *pool)
{
    up_item_t user = {.kind = UP_KIND_USER, .as.user = *change->user};
    up_item_t event = {.kind = UP_KIND_EVENT};

    int rc = up_lmdb_put(store, txn, &user, pool);
    if (rc || !change->event)
        return rc;
    event.as.event = *change->event;
    return up_lmdb_put(store, txn, &event, pool);
}

/* Let UPDATE decide what becomes of its user, and store that in TXN. Returns
 * LMDB's result if that spoilt TXN: nothing in it can be committed then. */
static int
perform(update_t *update, lmdb_store_t *store, MDB_txn *txn)
{
    up_change_t change = {0};
    const up_item_t *before;

    update->changed = 0;
    update->error =
        up_lmdb_get(&before, store, txn, &update->key, update->pool);
    if (update->error)
        return 0;
    update->after = before ? &before->as.user : NULL;
    update->error =
        update->decide(&change, update->baton, update->after, update->pool);
    if (update->error || !change.user)
        return 0;

    int rc = apply(store, txn, &change, update->pool);
    if (rc) {
        update->error =
            up_lmdb_error(rc, "store a change", store, update->pool);
        return rc;
    }
    update->after = change.user;
    update->changed = 1;
    return 0;
}

/* Give ERR to all of COUNT UPDATES. */
static void
fail(update_t **updates, int count, const up_error_t *err)
{
    for (int i = 0; i < count; i++)
        updates[i]->error = up_error(updates[i]->pool, err->reason, APR_SUCCESS,
                                     "%s", err->message);
}

static int
any_changed(update_t **updates, int count)
{
    for (int i = 0; i < count; i++) {
        if (updates[i]->changed)
            return 1;
    }
    return 0;
}

/* End TXN, in which COUNT UPDATES were performed. If the commit fails, so do
 * those that changed nothing: what they saw may not have come to be. */
static void
finish(lmdb_store_t *store, MDB_txn *txn, update_t **updates, int count)
{
#ifndef UP_BENCH_NO_COMMIT /* make bench: what all but the last step costs */
    if (any_changed(updates, count)) {
        up_error_t *err = up_lmdb_commit(store, txn, updates[0]->pool);
        if (err)
            fail(updates, count, err);
        return;
    }
#endif
    up_lmdb_abort(store, txn);
}

/* Perform COUNT UPDATES in one transaction. Returns 0, with nothing stored, if
 * one of several spoilt it. */
static int
perform_together(lmdb_store_t *store, update_t **updates, int count)
{
    MDB_txn *txn;

    up_error_t *err = up_lmdb_begin(&txn, store, 0, updates[0]->pool);
    if (err) {
        fail(updates, count, err);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        if (perform(updates[i], store, txn)) {
            up_lmdb_abort(store, txn);
            return count == 1;
        }
    }
    finish(store, txn, updates, count);
    return 1;
}

/* By key, so that neighbours meet in one page. All of a batch came while others
 * were waited for, so no order among them is promised to anyone. */
static int
compare(const void *a, const void *b)
{
    const update_t *left = *(update_t *const *)a,
                   *right = *(update_t *const *)b;
    const up_user_t *x = &left->key.as.user, *y = &right->key.as.user;

    int order = strcmp(x->org, y->org);
    return order ? order : strcmp(x->id, y->id);
}

void
up_lmdb_run_updates(void *baton, up_job_t **jobs, int count)
{
    lmdb_store_t *store = baton;
    update_t **updates = (update_t **)jobs;

    if (count > 1)
        qsort(updates, (size_t)count, sizeof(*updates), compare);
    if (perform_together(store, updates, count))
        return;
    /* Whoever spoilt it fails alone. */
    for (int i = 0; i < count; i++)
        perform_together(store, updates + i, 1);
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
    update_t update = {
        .key = {.kind = UP_KIND_USER, .as.user = {.org = org, .id = user}},
        .decide = decide,
        .baton = baton,
        .pool = result_pool,
    };

    (void)scratch_pool;
    up_queue_submit(store->queue, &update.job);
    *after = update.after;
    return update.error;
}
