/* up_admin_org.c -- the commands about organisations. */
#include "service/up_admin.h"
#include "core/up_id.h"
#include "service/up_admin_batch.h"

#include <apr_strings.h>

static up_error_t *
add_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;
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
    return up_admin_in_batch(store, add_org, &item, pool);
}

/* UP_CONFLICT unless the organisation of ORG's id is there. */
static up_error_t *
require_org(up_batch_t *batch, const up_item_t *org, apr_pool_t *pool)
{
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, org, pool, pool));
    if (!there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "there is no organisation '%s'", org->as.org.id);
    return NULL;
}

static up_error_t *
rename_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;

    UP_ERR(require_org(batch, item, pool));
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_rename_org(up_store_t *store, const up_org_t *org, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_ORG, .as.org = *org};

    UP_ERR(up_admin_check(&item, 0, pool));
    return up_admin_in_batch(store, rename_org, &item, pool);
}

/* What is in an organisation that is to be removed. */
typedef struct contents_t {
    apr_array_header_t *keys; /* of up_item_t: removed users, memberships */
    int users;                /* that are not removed */
} contents_t;

static up_error_t *
list_content(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    contents_t *contents = baton;
    up_item_t key = {.kind = item->kind};

    (void)pool;
    if (item->kind == UP_KIND_USER && item->as.user.state != UP_REMOVED) {
        contents->users++;
        return NULL;
    }
    apr_pool_t *keys_pool = contents->keys->pool;
    if (item->kind == UP_KIND_USER) {
        key.as.user.org = apr_pstrdup(keys_pool, item->as.user.org);
        key.as.user.id = apr_pstrdup(keys_pool, item->as.user.id);
    } else {
        key.as.member.org = apr_pstrdup(keys_pool, item->as.member.org);
        key.as.member.user = apr_pstrdup(keys_pool, item->as.member.user);
    }
    APR_ARRAY_PUSH(contents->keys, up_item_t) = key;
    return NULL;
}

typedef struct org_command_t {
    up_store_t *store;
    up_item_t org;
} org_command_t;

static up_error_t *
remove_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const org_command_t *command = baton;
    const char *id = command->org.as.org.id;
    up_filter_t filter = {.kinds = 1u << UP_KIND_USER | 1u << UP_KIND_MEMBER,
                          .org = id};
    contents_t contents = {apr_array_make(pool, 16, sizeof(up_item_t)), 0};
    int found;

    UP_ERR(require_org(batch, &command->org, pool));
    /* While the batch is open, nobody else changes what is read here. */
    UP_ERR(
        up_store_each(command->store, &filter, list_content, &contents, pool));
    if (contents.users)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' has users that are not removed: %d",
                        id, contents.users);
    for (int i = 0; i < contents.keys->nelts; i++)
        UP_ERR(up_batch_remove(
            &found, batch, &APR_ARRAY_IDX(contents.keys, i, up_item_t), pool));
    return up_batch_remove(&found, batch, &command->org, pool);
}

up_error_t *
up_admin_remove_org(up_store_t *store, const char *id, apr_pool_t *pool)
{
    org_command_t command = {store, {.kind = UP_KIND_ORG, .as.org.id = id}};

    if (!up_id_is_storable(id))
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "there is no organisation '%s'", id);
    return up_admin_in_batch(store, remove_org, &command, pool);
}
