/* up_lmdb_request.c -- what requests ask for: one read, or one update of a
 * user.
 *
 * An update is atomic by itself, but many of them share one transaction and
 * one flush. It waits for LMDB's writer lock even if it has nothing to change;
 * a caller that can tell so from a read need not ask for it. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* Set *ROLES to those of USER in ORG, or to NULL. */
static up_error_t *
get_roles(const apr_array_header_t **roles,
          lmdb_txn_t *txn,
          const char *org,
          const char *user,
          apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_MEMBER,
                     .as.member = {.org = org, .user = user}};
    const up_item_t *item;

    UP_ERR(up_lmdb_get(&item, txn, &key, pool));
    *roles = item ? item->as.member.roles : NULL;
    return NULL;
}

/* Set *USER to USER of ORG, or to NULL. */
static up_error_t *
get_user(const up_user_t **user,
         lmdb_txn_t *txn,
         const char *org,
         const char *id,
         apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_USER, .as.user = {.org = org, .id = id}};
    const up_item_t *item;

    UP_ERR(up_lmdb_get(&item, txn, &key, pool));
    *user = item ? &item->as.user : NULL;
    return NULL;
}

/* Set the caller's part of VIEW. */
static up_error_t *
read_caller(up_view_t *view,
            lmdb_txn_t *txn,
            const char *caller,
            apr_pool_t *pool)
{
    UP_ERR(up_lmdb_home(&view->caller_org, &view->caller_state, txn, caller,
                        pool));
    return get_roles(&view->instance_roles, txn, "", caller, pool);
}

/* Set VIEW's organisation. */
static up_error_t *
read_org(up_view_t *view,
         lmdb_txn_t *txn,
         const up_query_t *query,
         apr_pool_t *pool)
{
    const char *wanted = query->wanted;

    /* A user's own organisation exists. */
    if (wanted && view->caller_org && !strcmp(wanted, view->caller_org))
        view->wanted_exists = 1;
    else if (wanted)
        UP_ERR(up_lmdb_org_exists(&view->wanted_exists, txn, wanted, pool));

    if (!query->in_any_org && !wanted)
        view->org = view->caller_org;
    else if (!query->in_any_org && view->wanted_exists)
        view->org = apr_pstrdup(pool, wanted);
    else if (query->in_any_org && query->user)
        return up_lmdb_home(&view->org, &view->user_state, txn, query->user,
                            pool);
    return NULL;
}

static up_error_t *
read_view(up_view_t *view,
          lmdb_txn_t *txn,
          const up_query_t *query,
          apr_pool_t *pool)
{
    const apr_array_header_t *unused;

    if (query->caller)
        UP_ERR(read_caller(view, txn, query->caller, pool));
    UP_ERR(read_org(view, txn, query, pool));
    /* An unknown user costs as many look-ups as one whom the caller may not
     * see, or the time would tell which ids there are. */
    if (!view->org && query->in_any_org && query->user && query->caller)
        return get_roles(&unused, txn, query->user, query->caller, pool);
    if (!view->org)
        return NULL;
    if (query->caller)
        UP_ERR(
            get_roles(&view->org_roles, txn, view->org, query->caller, pool));
    if (query->user &&
        (!query->may_read || query->may_read(query->baton, view)))
        UP_ERR(get_user(&view->user, txn, view->org, query->user, pool));
    return NULL;
}

up_error_t *
up_lmdb_read(up_view_t **view,
             up_store_t *base,
             const up_query_t *query,
             apr_pool_t *result_pool,
             apr_pool_t *scratch_pool)
{
    up_view_t *found = apr_pcalloc(result_pool, sizeof(*found));
    lmdb_txn_t txn;

    (void)scratch_pool;
    UP_ERR(
        up_lmdb_begin(&txn, up_lmdb_downcast(base), MDB_RDONLY, result_pool));
    up_error_t *err = read_view(found, &txn, query, result_pool);
    up_lmdb_abort(&txn);
    *view = found;
    return err;
}

static up_error_t *
read_token(const up_token_t **token,
           int *owner_stored,
           up_state_t *owner_state,
           lmdb_txn_t *txn,
           const unsigned char *sha256,
           apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_TOKEN};
    const up_item_t *item;
    const char *org;

    memcpy(key.as.token.sha256, sha256, UP_SHA256_BYTES);
    UP_ERR(up_lmdb_get(&item, txn, &key, pool));
    *token = item && !item->as.token.revoked ? &item->as.token : NULL;
    if (!*token)
        return NULL;
    UP_ERR(up_lmdb_home(&org, owner_state, txn, item->as.token.user, pool));
    *owner_stored = org != NULL;
    return NULL;
}

up_error_t *
up_lmdb_token(const up_token_t **token,
              int *owner_stored,
              up_state_t *owner_state,
              up_store_t *base,
              int may_lag,
              const unsigned char sha256[UP_SHA256_BYTES],
              apr_pool_t *result_pool,
              apr_pool_t *scratch_pool)
{
    lmdb_txn_t txn;

    (void)may_lag;
    (void)scratch_pool;
    UP_ERR(
        up_lmdb_begin(&txn, up_lmdb_downcast(base), MDB_RDONLY, result_pool));
    up_error_t *err =
        read_token(token, owner_stored, owner_state, &txn, sha256, result_pool);
    up_lmdb_abort(&txn);
    return err;
}

typedef struct update_t {
    up_job_t job; /* the first member: what the queue knows of it */
    const char *org, *user;
    up_decide_t decide;
    void *baton;
    apr_pool_t *result_pool, *scratch_pool; /* their owner waits meanwhile */
    int position;                           /* in the order of arrival */

    const up_user_t *after;
    up_error_t *err;
    int depends_on_commit; /* the result is void if the commit fails */
} update_t;

static int
compare_users(const update_t *a, const update_t *b)
{
    int order = strcmp(a->org, b->org);

    return order ? order : strcmp(a->user, b->user);
}

/* For qsort(): in the order of keys, so that neighbours in the database are
 * changed one after the other; those of one user in the order of arrival. */
static int
compare_updates(const void *a, const void *b)
{
    const update_t *left = *(update_t *const *)a;
    const update_t *right = *(update_t *const *)b;
    int order = compare_users(left, right);

    return order ? order : left->position - right->position;
}

/* Store CHANGE. BEFORE is the user as TXN has it, or NULL. */
static up_error_t *
store_change(lmdb_txn_t *txn,
             const update_t *update,
             const up_user_t *before,
             const up_change_t *change)
{
    up_item_t item = {.kind = UP_KIND_USER, .as.user = *change->user};

    if (before)
        UP_ERR(up_lmdb_replace_user(txn, before, change->user,
                                    update->result_pool, update->scratch_pool));
    else
        UP_ERR(
            up_lmdb_put(txn, &item, update->result_pool, update->scratch_pool));
    txn->changes++;
    if (!change->event)
        return NULL;
    item.kind = UP_KIND_EVENT;
    item.as.event = *change->event;
    item.as.event.number = 0; /* the next one */
    return up_lmdb_put(txn, &item, update->result_pool, update->scratch_pool);
}

/* Read UPDATE's user, decide, and store the change, all in TXN; set UPDATE's
 * result. Returns 0 if TXN can only be aborted. */
static int
do_update(lmdb_txn_t *txn, update_t *update)
{
    up_item_t key = {.kind = UP_KIND_USER,
                     .as.user = {.org = update->org, .id = update->user}};
    up_change_t change = {0};
    const up_item_t *item;

    update->err = up_lmdb_get(&item, txn, &key, update->result_pool);
    if (update->err)
        return 1;
    update->after = item ? &item->as.user : NULL;
    update->err = update->decide(&change, update->baton, update->after,
                                 update->result_pool);
    if (update->err || !change.user)
        return 1;

    update->depends_on_commit = 1;
    update->err = store_change(txn, update, update->after, &change);
    update->after = change.user;
    return !update->err || update->err->reason == UP_CONFLICT;
}

/* How a transaction of updates ended. */
typedef enum ending_t {
    ENDED,  /* each update has its result */
    SPOILT, /* one of them spoilt it, and nothing was changed */
    FULL    /* likewise, because the store is full */
} ending_t;

/* Do COUNT UPDATES, sorted, in TXN, and end it. POOL is for an error. */
static ending_t
do_transaction(lmdb_txn_t *txn, update_t **updates, int count, apr_pool_t *pool)
{
    int changed = 0;

    for (int i = 0; i < count; i++) {
        update_t *update = updates[i];
        /* It may decide on what the one before it has stored. */
        update->depends_on_commit = i > 0 &&
                                    updates[i - 1]->depends_on_commit &&
                                    !compare_users(updates[i - 1], update);
        if (!do_update(txn, update)) {
            up_lmdb_abort(txn);
            return update->err->reason == UP_STORE_FULL ? FULL : SPOILT;
        }
        changed |= update->depends_on_commit;
    }
    if (!changed) {
        up_lmdb_abort(txn);
        return ENDED;
    }
    const up_error_t *err = up_lmdb_commit(txn, pool);
    for (int i = 0; err && i < count; i++) {
        if (updates[i]->depends_on_commit)
            updates[i]->err = up_error_copy(err, updates[i]->result_pool);
    }
    return err && err->reason == UP_STORE_FULL ? FULL : ENDED;
}

/* Free the slots of dead readers in STORE, after a transaction; returns 0 if
 * there were none. */
static int
make_room(lmdb_store_t *store, apr_pool_t *pool)
{
    lmdb_txn_t txn;

    if (up_lmdb_begin(&txn, store, MDB_RDONLY, pool))
        return 0; /* the next write transaction says why */
    int freed = up_lmdb_free_dead_readers(store);
    up_lmdb_abort(&txn);
    return freed;
}

void
up_lmdb_do_updates(lmdb_txn_t *txn,
                   up_job_t *const *jobs,
                   int count,
                   up_queue_t *queue,
                   apr_pool_t *scratch_pool)
{
    update_t *updates[UP_LMDB_BATCH];
    lmdb_store_t *store = txn->store;

    for (int i = 0; i < count; i++) {
        updates[i] = (update_t *)jobs[i];
        updates[i]->position = i;
    }
    qsort(updates, (size_t)count, sizeof(*updates), compare_updates);
    ending_t ending = do_transaction(txn, updates, count, scratch_pool);
    if (ending == FULL && make_room(store, scratch_pool)) {
        up_queue_put_back(queue, 0);
    } else if (ending != ENDED && count > 1) {
        /* Each has a transaction of its own then, which fails for it alone. */
        up_queue_put_back(queue, 1);
    } else {
        for (int i = 0; i < count; i++)
            up_queue_done(jobs[i]);
    }
}

void
up_lmdb_fail_update(up_job_t *job, const up_error_t *err)
{
    update_t *update = (update_t *)job;

    update->err = up_error_copy(err, update->result_pool);
    up_queue_done(job);
}

up_error_t *
up_lmdb_update(const up_user_t **after,
               up_store_t *base,
               const char *org,
               const char *user,
               const up_user_t *seen,
               up_decide_t decide,
               void *baton,
               apr_pool_t *result_pool,
               apr_pool_t *scratch_pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    update_t update = {.org = org,
                       .user = user,
                       .decide = decide,
                       .baton = baton,
                       .result_pool = result_pool,
                       .scratch_pool = scratch_pool};

    (void)seen; /* reading again costs next to nothing */
    UP_ERR(up_lmdb_writer_do(&update.job, store, result_pool));
    *after = update.after;
    return update.err;
}
