/* up_admin_batch.c -- what the commands of administrators share. */
#include "service/up_admin_batch.h"

up_error_t *
up_admin_in_batch(up_store_t *store,
                  up_admin_step_t step,
                  void *baton,
                  apr_pool_t *pool)
{
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    apr_pool_create(&batch_pool, pool);
    UP_ERR(up_batch_begin(&batch, store, batch_pool));
    up_error_t *err = step(batch, baton, pool);
    if (err) {
        apr_pool_destroy(batch_pool);
        return err;
    }
    return up_batch_commit(batch);
}

up_error_t *
up_admin_find_user(const up_user_t **user,
                   up_batch_t *batch,
                   const char *id,
                   apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_USER, .as.user.id = id};
    const up_item_t *item;

    UP_ERR(up_batch_get(&item, batch, &key, pool, pool));
    *user = item ? &item->as.user : NULL;
    return NULL;
}

up_error_t *
up_admin_refuse_removed(up_batch_t *batch, const char *id, apr_pool_t *pool)
{
    const up_user_t *user;

    UP_ERR(up_admin_find_user(&user, batch, id, pool));
    if (user && user->state == UP_REMOVED)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS, "user '%s' is removed",
                        id);
    return NULL;
}

static const char *
text_or_none(const char *text)
{
    return text ? text : "";
}

up_error_t *
up_admin_append(up_batch_t *batch, const up_event_t *event, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_EVENT, .as.event = *event};
    up_event_t *whole = &item.as.event;

    if (!whole->time)
        whole->time = apr_time_now();
    whole->org = text_or_none(event->org);
    whole->user = text_or_none(event->user);
    whole->author = text_or_none(event->author);
    whole->detail = text_or_none(event->detail);
    return up_batch_put(batch, &item, pool);
}
