/* up_admin_org.c -- the commands about organisations. */
#include "service/up_admin.h"
#include "core/up_id.h"
#include "service/up_admin_batch.h"

#include <apr_strings.h>
#include <string.h>

/* What is done to an organisation, and by whom. */
typedef struct org_command_t {
    up_store_t *store;
    up_item_t org;
    const char *author;
} org_command_t;

/* Append an event of TYPE about COMMAND's organisation. */
static up_error_t *
append_event(up_batch_t *batch,
             up_event_type_t type,
             const org_command_t *command,
             apr_pool_t *pool)
{
    return up_admin_append(batch,
                           &(up_event_t){.type = type,
                                         .org = command->org.as.org.id,
                                         .author = command->author,
                                         .detail = command->org.as.org.name},
                           pool);
}

static up_error_t *
add_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const org_command_t *command = baton;
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, &command->org, pool, pool));
    if (there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' exists already",
                        command->org.as.org.id);
    UP_ERR(up_batch_put(batch, &command->org, pool));
    return append_event(batch, UP_ORG_ADDED, command, pool);
}

up_error_t *
up_admin_add_org(up_store_t *store,
                 const up_org_t *org,
                 const char *author,
                 apr_pool_t *pool)
{
    org_command_t command = {
        store, {.kind = UP_KIND_ORG, .as.org = *org}, author};

    UP_ERR(up_admin_check(&command.org, 0, pool));
    return up_admin_in_batch(store, add_org, &command, pool);
}

/* Set *THERE to the organisation of ORG's id, which must be there. */
static up_error_t *
get_org(const up_item_t **there,
        up_batch_t *batch,
        const up_item_t *org,
        apr_pool_t *pool)
{
    UP_ERR(up_batch_get(there, batch, org, pool, pool));
    if (!*there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "there is no organisation '%s'", org->as.org.id);
    return NULL;
}

static up_error_t *
rename_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const org_command_t *command = baton;
    const up_item_t *there;

    UP_ERR(get_org(&there, batch, &command->org, pool));
    if (!strcmp(there->as.org.name, command->org.as.org.name))
        return NULL;
    UP_ERR(up_batch_put(batch, &command->org, pool));
    return append_event(batch, UP_ORG_RENAMED, command, pool);
}

up_error_t *
up_admin_rename_org(up_store_t *store,
                    const up_org_t *org,
                    const char *author,
                    apr_pool_t *pool)
{
    org_command_t command = {
        store, {.kind = UP_KIND_ORG, .as.org = *org}, author};

    UP_ERR(up_admin_check(&command.org, 0, pool));
    return up_admin_in_batch(store, rename_org, &command, pool);
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

static up_error_t *
remove_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const org_command_t *command = baton;
    const char *id = command->org.as.org.id;
    up_filter_t filter = {.kinds = 1u << UP_KIND_USER | 1u << UP_KIND_MEMBER,
                          .org = id};
    contents_t contents = {apr_array_make(pool, 16, sizeof(up_item_t)), 0};
    org_command_t removed = *command;
    const up_item_t *there;
    int found;

    UP_ERR(get_org(&there, batch, &command->org, pool));
    removed.org = *there;
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
    UP_ERR(up_batch_remove(&found, batch, &command->org, pool));
    return append_event(batch, UP_ORG_REMOVED, &removed, pool);
}

up_error_t *
up_admin_remove_org(up_store_t *store,
                    const char *id,
                    const char *author,
                    apr_pool_t *pool)
{
    org_command_t command = {
        store, {.kind = UP_KIND_ORG, .as.org.id = id}, author};

    if (!up_id_is_storable(id))
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "there is no organisation '%s'", id);
    return up_admin_in_batch(store, remove_org, &command, pool);
}
