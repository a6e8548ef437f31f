/* up_lmdb_update.c -- changes of users, each atomic, many in one transaction
 * and one flush.
 *
 * Whoever wants an answer without waiting for the writer, because there is
 * nothing to change, decides on what up_store_read() gave first. */
#include "store/up_lmdb.h"

#include <stdlib.h>
#include <string.h>

typedef struct update_t {
    up_job_t job; /* first: what the queue knows of it */
    const char *org, *user;
    up_decide_t decide;
    void *baton;
    apr_pool_t *result_pool, *scratch_pool; /* its owner waits meanwhile */
    int position;                           /* in the order of arrival */

    const up_user_t *after;
    up_error_t *err;
    int hangs; /* on what the transaction stores: nothing, if that fails */
} update_t;

/* By key, so that neighbours in the database are neighbours here; then by
 * arrival. */
static int
compare(const void *a, const void *b)
{
    const update_t *left = *(update_t *const *)a;
    const update_t *right = *(update_t *const *)b;

    int order = strcmp(left->org, right->org);
    if (!order)
        order = strcmp(left->user, right->user);
    return order ? order : left->position - right->position;
}

static int
same_user(const update_t *a, const update_t *b)
{
    return !strcmp(a->org, b->org) && !strcmp(a->user, b->user);
}

/* Store CHANGE of UPDATE's user, who was BEFORE or not there. */
static up_error_t *
store_change(lmdb_write_t *write,
             const update_t *update,
             const up_user_t *before,
             const up_change_t *change)
{
    up_item_t item = {.kind = UP_KIND_USER, .as.user = *change->user};

    if (before)
        UP_ERR(up_lmdb_replace_user(write, before, change->user,
                                    update->result_pool, update->scratch_pool));
    else
        UP_ERR(up_lmdb_put(write, &item, update->result_pool,
                           update->scratch_pool));
    if (!change->event)
        return NULL;
    item.kind = UP_KIND_EVENT;
    item.as.event = *change->event;
    return up_lmdb_put(write, &item, update->result_pool, update->scratch_pool);
}

/* Do UPDATE in a transaction, and set what became of it. Returns 0 if that has
 * spoilt the transaction. */
static int
apply(lmdb_write_t *write, update_t *update)
{
    up_item_t key = {.kind = UP_KIND_USER,
                     .as.user = {.org = update->org, .id = update->user}};
    up_change_t change = {0};
    const up_item_t *item;

    update->err =
        up_lmdb_get(&item, write->store, write->txn, &key, update->result_pool);
    if (update->err)
        return 1;
    update->after = item ? &item->as.user : NULL;
    update->err = update->decide(&change, update->baton, update->after,
                                 update->result_pool);
    if (update->err || !change.user)
        return 1;

    update->hangs = 1;
    update->err = store_change(write, update, update->after, &change);
    update->after = change.user;
    return !update->err || update->err->reason == UP_CONFLICT;
}

/* Do COUNT UPDATES, sorted, in WRITE's transaction, as far as it is not spoilt;
 * returns how many of them were done. */
static int
apply_all(lmdb_write_t *write, update_t **updates, int count)
{
    for (int i = 0; i < count; i++) {
        updates[i]->hangs = i > 0 && updates[i - 1]->hangs &&
                            same_user(updates[i - 1], updates[i]);
        if (!apply(write, updates[i]))
            return i;
    }
    return count;
}

/* Commit what UPDATES have stored, if any did. Where that fails, all fail that
 * stored something, or were decided upon what another one stored. */
static void
finish(lmdb_write_t *write,
       update_t **updates,
       int count,
       apr_pool_t *scratch_pool)
{
    int hang = 0;

    for (int i = 0; i < count; i++)
        hang += updates[i]->hangs;
    if (!hang) {
        up_lmdb_abort(write->store, write->txn);
        return;
    }
    const up_error_t *err =
        up_lmdb_commit(write->store, write->txn, scratch_pool);
    for (int i = 0; err && i < count; i++) {
        if (updates[i]->hangs)
            updates[i]->err = up_error_copy(err, updates[i]->result_pool);
    }
}

/* Do COUNT UPDATES, sorted, in WRITE's transaction, and end that. Returns 0 if
 * one of them has spoilt it, and nothing was changed. */
static int
run_together(lmdb_write_t *write, update_t **updates, int count)
{
    if (apply_all(write, updates, count) < count) {
        up_lmdb_abort(write->store, write->txn);
        return 0;
    }
    finish(write, updates, count, updates[0]->scratch_pool);
    return 1;
}

/* Do UPDATE in a transaction of its own, which fails for it alone. */
static void
run_alone(lmdb_store_t *store, update_t *update)
{
    lmdb_write_t write = {.store = store};

    update->err = up_lmdb_begin(&write.txn, store, 0, update->result_pool);
    if (!update->err)
        run_together(&write, &update, 1);
}

void
up_lmdb_run_updates(void *baton, up_queue_t *queue)
{
    lmdb_store_t *store = baton;
    lmdb_write_t write = {.store = store};
    update_t *updates[UP_LMDB_BATCH];
    int count;

    apr_pool_t *pool =
        ((update_t *)up_queue_take(&count, queue)[0])->scratch_pool;
    const up_error_t *err = up_lmdb_begin(&write.txn, store, 0, pool);
    /* Another process may have held LMDB's lock for long: more wait by now. */
    up_job_t *const *jobs = up_queue_take(&count, queue);
    for (int i = 0; i < count; i++) {
        updates[i] = (update_t *)jobs[i];
        updates[i]->position = i;
        if (err)
            updates[i]->err = up_error_copy(err, updates[i]->result_pool);
    }
    if (err)
        return;
    qsort(updates, (size_t)count, sizeof(*updates), compare);
    if (run_together(&write, updates, count) || count == 1)
        return;
    for (int i = 0; i < count; i++)
        run_alone(store, updates[i]);
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
    update_t update = {.org = org,
                       .user = user,
                       .decide = decide,
                       .baton = baton,
                       .result_pool = result_pool,
                       .scratch_pool = scratch_pool};

    up_queue_submit(up_lmdb_downcast(base)->updates, &update.job);
    *after = update.after;
    return update.err;
}
