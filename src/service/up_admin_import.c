/* up_admin_import.c -- items from elsewhere, which must not bring back what was
 * ended here. */
#include "service/up_admin.h"
#include "service/up_admin_batch.h"
#include "service/up_tokens.h"

#include <string.h>

/* Whether USER is removed and has lost the profile too. */
static int
is_erased(const up_user_t *user, apr_pool_t *pool)
{
    return user->state == UP_REMOVED && user->profile &&
           !up_profile_diff(user->profile, up_profile_make(pool));
}

/* UP_CONFLICT if USER must not take the place of THERE, in one organisation. */
static up_error_t *
judge_user(const up_user_t *user, const up_user_t *there, apr_pool_t *pool)
{
    if (there->type != user->type)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' is a %s here and cannot become a %s",
                        user->id, there->type == UP_HUMAN ? "human" : "machine",
                        user->type == UP_HUMAN ? "human" : "machine");
    if (there->state == UP_REMOVED && user->state != UP_REMOVED)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' was removed here and cannot become %s",
                        user->id, up_state_name(user->state));
    if (is_erased(there, pool) && !is_erased(user, pool))
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' was erased here and cannot get a profile "
                        "again",
                        user->id);
    if (there->sequence > user->sequence)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' has the sequence %" APR_UINT64_T_FMT
                        " here, which cannot go down to %" APR_UINT64_T_FMT,
                        user->id, there->sequence, user->sequence);
    return NULL;
}

static up_error_t *
judge_token(const up_token_t *token, const up_token_t *there, apr_pool_t *pool)
{
    if (there->revoked && !token->revoked)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "token %s of user '%s' was revoked here and cannot "
                        "become valid again",
                        up_token_id(there->sha256, pool), there->user);
    return NULL;
}

/* What happened cannot be told anew: an event is there, or follows all others.
 * The values of a user who was erased stay out. */
static up_error_t *
judge_event(up_batch_t *batch,
            const up_event_t *event,
            const up_item_t *there,
            apr_pool_t *pool)
{
    const up_user_t *user = NULL;
    apr_uint64_t last;

    if (there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "event %" APR_UINT64_T_FMT " is another one here",
                        event->number);
    UP_ERR(up_batch_last_event(&last, batch, pool));
    if (event->number <= last)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "event %" APR_UINT64_T_FMT " is not here, and cannot "
                        "come after event %" APR_UINT64_T_FMT,
                        event->number, last);
    if ((event->before || event->after) && *event->user)
        UP_ERR(up_admin_find_user(&user, batch, event->user, pool));
    if (user && is_erased(user, pool))
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "event %" APR_UINT64_T_FMT " has values of user '%s', "
                        "who was erased here",
                        event->number, event->user);
    return NULL;
}

/* UP_CONFLICT if ITEM must not take the place of THERE, or NULL. */
static up_error_t *
judge(up_batch_t *batch,
      const up_item_t *item,
      const up_item_t *there,
      apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_USER:
        /* The store itself refuses a user of another organisation. */
        if (there && !strcmp(there->as.user.org, item->as.user.org))
            return judge_user(&item->as.user, &there->as.user, pool);
        return NULL;
    case UP_KIND_MEMBER:
        return up_admin_refuse_removed(batch, item->as.member.user, pool);
    case UP_KIND_TOKEN:
        if (there)
            UP_ERR(judge_token(&item->as.token, &there->as.token, pool));
        return item->as.token.revoked
                   ? NULL
                   : up_admin_refuse_removed(batch, item->as.token.user, pool);
    default:
        return NULL;
    }
}

/* Give ITEM the dates of THERE that were not GIVEN. The change date is only
 * kept if nothing else changes. */
static void
keep_dates(up_item_t *item, const up_item_t *there, const up_given_t *given)
{
    up_user_t *user = &item->as.user;

    if (item->kind == UP_KIND_TOKEN && !given->created)
        item->as.token.created = there->as.token.created;
    if (item->kind != UP_KIND_USER)
        return;
    apr_time_t now = user->changed;
    if (!given->created)
        user->created = there->as.user.created;
    if (!given->changed)
        user->changed = there->as.user.changed;
    if (!up_items_are_equal(item, there))
        user->changed = now;
}

/* USER was put in place of THERE, or NULL: end what USER, removed or erased,
 * must not have any longer. */
static up_error_t *
end_rights(up_batch_t *batch,
           const up_user_t *user,
           const up_user_t *there,
           apr_pool_t *pool)
{
    if (user->state == UP_REMOVED && (!there || there->state != UP_REMOVED))
        UP_ERR(up_batch_remove_rights(batch, user->id, user->changed, pool));
    if (is_erased(user, pool) && (!there || !is_erased(there, pool)))
        return up_batch_erase_events(batch, user->id, pool);
    return NULL;
}

up_error_t *
up_admin_import(up_put_t *did,
                up_batch_t *batch,
                up_item_t *item,
                const up_given_t *given,
                int forces,
                apr_pool_t *pool)
{
    const up_item_t *there = NULL;

    up_error_t *err = up_batch_get(&there, batch, item, pool, pool);
    int is_unreadable = forces && err && err->reason == UP_INTERNAL;
    if (err && !is_unreadable)
        return err;
    if (!forces && item->kind != UP_KIND_EVENT)
        UP_ERR(judge(batch, item, there, pool));
    if (there)
        keep_dates(item, there, given);
    *did = there || is_unreadable ? UP_PUT_CHANGED : UP_PUT_ADDED;
    if (there && up_items_are_equal(item, there)) {
        *did = UP_PUT_UNCHANGED;
        return NULL;
    }
    if (item->kind == UP_KIND_EVENT && !is_unreadable)
        UP_ERR(judge_event(batch, &item->as.event, there, pool));
    UP_ERR(up_batch_put(batch, item, pool));
    return item->kind == UP_KIND_USER
               ? end_rights(batch, &item->as.user,
                            there ? &there->as.user : NULL, pool)
               : NULL;
}

up_error_t *
up_admin_imported(up_batch_t *batch,
                  const char *detail,
                  const char *author,
                  apr_pool_t *pool)
{
    return up_admin_append(batch,
                           &(up_event_t){.type = UP_STORE_IMPORTED,
                                         .author = author,
                                         .detail = detail},
                           pool);
}
