/* up_admin.c -- the commands of administrators, for every tool. */
#include "service/up_admin.h"
#include "core/up_id.h"
#include "service/up_tokens.h"
#include "service/up_user.h"

#include <apr_cstr.h>
#include <apr_escape.h>
#include <string.h>

/* A token's id is at least so many hex digits of its SHA-256. */
#define TOKEN_ID_MIN 16

/* One step of a batch, on ITEM. */
typedef up_error_t *(*step_t)(up_batch_t *batch,
                              up_item_t *item,
                              apr_pool_t *pool);

/* Take STEP in a batch of its own. If it fails the batch is given up at once,
 * since other writers wait for it. */
static up_error_t *
in_batch(up_store_t *store, step_t step, up_item_t *item, apr_pool_t *pool)
{
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    apr_pool_create(&batch_pool, pool);
    UP_ERR(up_batch_begin(&batch, store, batch_pool));
    up_error_t *err = step(batch, item, pool);
    if (err) {
        apr_pool_destroy(batch_pool);
        return err;
    }
    return up_batch_commit(batch);
}

/* Set *USER to the one with this ID in any organisation, or to NULL. */
static up_error_t *
find_user(const up_user_t **user,
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

/* UP_CONFLICT if the user ID was removed: it gets no new rights. */
static up_error_t *
refuse_removed(up_batch_t *batch, const char *id, apr_pool_t *pool)
{
    const up_user_t *user;

    UP_ERR(find_user(&user, batch, id, pool));
    if (user && user->state == UP_REMOVED)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS, "user '%s' is removed",
                        id);
    return NULL;
}

/* Append an event of TYPE about USER. AFTER is the profile of a new user, or
 * NULL. */
static up_error_t *
append_event(up_batch_t *batch,
             up_event_type_t type,
             const up_user_t *user,
             const up_profile_t *after,
             apr_pool_t *pool)
{
    up_item_t item = {
        .kind = UP_KIND_EVENT,
        .as.event = {.type = type,
                     .time = user->changed,
                     .org = user->org,
                     .user = user->id,
                     .author = "",
                     .sequence = user->sequence,
                     .after = after},
    };

    if (after)
        item.as.event.fields = up_profile_diff(up_profile_make(pool), after);
    return up_batch_put(batch, &item, pool);
}

static up_error_t *
add_org(up_batch_t *batch, up_item_t *item, apr_pool_t *pool)
{
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, item, pool, pool));
    if (there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' exists already", item->as.org.id);
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_add_org(up_store_t *store, const up_org_t *org, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_ORG, .as.org = *org};

    UP_ERR(up_admin_check(&item, 0, pool));
    return in_batch(store, add_org, &item, pool);
}

static up_error_t *
add_user(up_batch_t *batch, up_item_t *item, apr_pool_t *pool)
{
    const up_user_t *user = &item->as.user, *there;

    UP_ERR(find_user(&there, batch, user->id, pool));
    if (there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' %s a user '%s' already", there->org,
                        there->state == UP_REMOVED ? "had" : "has", user->id);
    UP_ERR(up_batch_put(batch, item, pool));
    return append_event(batch, UP_USER_ADDED, user, user->profile, pool);
}

up_error_t *
up_admin_add_user(up_store_t *store, const up_user_t *user, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_USER, .as.user = *user};
    unsigned fields = 0;

    item.as.user.state = UP_ACTIVE;
    item.as.user.sequence = 1;
    item.as.user.created = item.as.user.changed = apr_time_now();
    if (user->profile)
        fields = up_profile_diff(up_profile_make(pool), user->profile);
    UP_ERR(up_admin_check(&item, fields, pool));
    return in_batch(store, add_user, &item, pool);
}

up_error_t *
up_admin_get_user(const up_user_t **user,
                  up_store_t *store,
                  const char *org,
                  const char *id,
                  apr_pool_t *pool)
{
    up_view_t *view;

    *user = NULL;
    if (!up_id_is_storable(org) || !up_id_is_storable(id))
        return NULL;
    up_query_t query = {.wanted = org, .user = id};
    UP_ERR(up_store_read(&view, store, &query, pool, pool));
    *user = view->user;
    return NULL;
}

static up_error_t *
refuse_stranger(const char *org, const char *id, apr_pool_t *pool)
{
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "organisation '%s' has no user '%s'", org, id);
}

/* ITEM names the user by organisation and id. */
static up_error_t *
remove_user(up_batch_t *batch, up_item_t *item, apr_pool_t *pool)
{
    const up_user_t *key = &item->as.user, *before;

    UP_ERR(find_user(&before, batch, key->id, pool));
    if (!before || strcmp(before->org, key->org) != 0)
        return refuse_stranger(key->org, key->id, pool);
    if (before->state == UP_REMOVED)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' is removed already", key->id);

    up_item_t after = {.kind = UP_KIND_USER, .as.user = *before};
    after.as.user.state = UP_REMOVED;
    UP_ERR(up_user_touch(&after.as.user, pool));
    UP_ERR(up_batch_put(batch, &after, pool));
    UP_ERR(up_batch_remove_rights(batch, key->id, pool));
    return append_event(batch, UP_USER_REMOVED, &after.as.user, NULL, pool);
}

up_error_t *
up_admin_remove_user(up_store_t *store,
                     const char *org,
                     const char *id,
                     apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_USER, .as.user = {.org = org, .id = id}};

    if (!up_id_is_storable(id))
        return refuse_stranger(org, id, pool);
    return in_batch(store, remove_user, &item, pool);
}

static up_error_t *
add_member(up_batch_t *batch, up_item_t *item, apr_pool_t *pool)
{
    UP_ERR(refuse_removed(batch, item->as.member.user, pool));
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_add_member(up_store_t *store,
                    const up_member_t *member,
                    apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_MEMBER, .as.member = *member};

    UP_ERR(up_admin_check(&item, 0, pool));
    return in_batch(store, add_member, &item, pool);
}

/* ITEM names the membership by organisation and user. */
static up_error_t *
remove_member(up_batch_t *batch, up_item_t *item, apr_pool_t *pool)
{
    const up_member_t *member = &item->as.member;
    int found = 0;

    if (up_id_is_storable(member->user) &&
        (!*member->org || up_id_is_storable(member->org)))
        UP_ERR(up_batch_remove(&found, batch, item, pool));
    if (found)
        return NULL;
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "user '%s' is no member of %s%s%s", member->user,
                    *member->org ? "organisation '" : "the instance",
                    member->org, *member->org ? "'" : "");
}

up_error_t *
up_admin_remove_member(up_store_t *store,
                       const char *org,
                       const char *user,
                       apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_MEMBER,
                      .as.member = {.org = org, .user = user}};

    return in_batch(store, remove_member, &item, pool);
}

static up_error_t *
add_token(up_batch_t *batch, up_item_t *item, apr_pool_t *pool)
{
    UP_ERR(refuse_removed(batch, item->as.token.user, pool));
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_add_token(const char **text,
                   up_store_t *store,
                   const char *user,
                   apr_time_t expires,
                   apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_TOKEN,
                      .as.token = {.user = user,
                                   .created = apr_time_now(),
                                   .expires = expires}};

    UP_ERR(up_admin_check(&item, 0, pool));
    UP_ERR(up_token_generate(text, pool));
    UP_ERR(up_token_hash(item.as.token.sha256, *text, pool));
    return in_batch(store, add_token, &item, pool);
}

/* The search for a token by the beginning of its SHA-256. */
typedef struct search_t {
    const char *prefix;
    up_item_t *item; /* the last one found */
    int found;
} search_t;

static up_error_t *
match_token(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    search_t *search = baton;
    const unsigned char *sha256 = item->as.token.sha256;
    const char *hex = apr_pescape_hex(pool, sha256, UP_SHA256_BYTES, 0);

    if (apr_cstr_casecmpn(hex, search->prefix, strlen(search->prefix)) != 0)
        return NULL;
    memcpy(search->item->as.token.sha256, sha256, UP_SHA256_BYTES);
    search->found++;
    return NULL;
}

static up_error_t *
remove_token(up_batch_t *batch, up_item_t *item, apr_pool_t *pool)
{
    int found;

    UP_ERR(up_batch_remove(&found, batch, item, pool));
    if (!found)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "the token was revoked meanwhile");
    return NULL;
}

up_error_t *
up_admin_revoke_token(up_store_t *store, const char *id, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    up_item_t item = {.kind = UP_KIND_TOKEN};
    search_t search = {id, &item, 0};

    if (strlen(id) < TOKEN_ID_MIN)
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "a token's id has at least %d hex digits",
                        TOKEN_ID_MIN);
    UP_ERR(up_store_each(store, &filter, match_token, &search, pool));
    if (search.found != 1)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        search.found ? "more than one token has the id '%s'"
                                     : "no token has the id '%s'",
                        id);
    return in_batch(store, remove_token, &item, pool);
}
