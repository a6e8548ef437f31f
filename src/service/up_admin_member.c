/* up_admin_member.c -- the commands about memberships. */
#include "service/up_admin.h"
#include "core/up_id.h"
#include "service/up_access.h"
#include "service/up_admin_batch.h"

#include <apr_strings.h>
#include <string.h>

static int
has_role(const apr_array_header_t *roles, const char *role)
{
    for (int i = 0; i < roles->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(roles, i, const char *), role))
            return 1;
    }
    return 0;
}

/* What is done to a membership, and by whom. */
typedef struct member_command_t {
    up_item_t item;
    const char *author;
} member_command_t;

/* Append an event of TYPE about COMMAND's membership; its roles are ROLES. */
static up_error_t *
append_event(up_batch_t *batch,
             up_event_type_t type,
             const member_command_t *command,
             const apr_array_header_t *roles,
             apr_pool_t *pool)
{
    return up_admin_append(
        batch,
        &(up_event_t){.type = type,
                      .org = command->item.as.member.org,
                      .user = command->item.as.member.user,
                      .author = command->author,
                      .detail = apr_array_pstrcat(pool, roles, ' ')},
        pool);
}

static up_error_t *
put_member(up_batch_t *batch,
           const member_command_t *command,
           const up_item_t *there,
           apr_pool_t *pool)
{
    UP_ERR(up_admin_refuse_removed(batch, command->item.as.member.user, pool));
    if (there && up_items_are_equal(there, &command->item))
        return NULL;
    UP_ERR(up_batch_put(batch, &command->item, pool));
    return append_event(batch, there ? UP_MEMBER_CHANGED : UP_MEMBER_ADDED,
                        command, command->item.as.member.roles, pool);
}

static up_error_t *
set_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const member_command_t *command = baton;
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, &command->item, pool, pool));
    return put_member(batch, command, there, pool);
}

up_error_t *
up_admin_set_member(up_store_t *store,
                    const up_member_t *member,
                    const char *author,
                    apr_pool_t *pool)
{
    member_command_t command = {{.kind = UP_KIND_MEMBER, .as.member = *member},
                                author};

    UP_ERR(up_admin_check(&command.item, 0, pool));
    return up_admin_in_batch(store, set_member, &command, pool);
}

static up_error_t *
add_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    member_command_t *command = baton;
    up_member_t *member = &command->item.as.member;
    const apr_array_header_t *more = member->roles;
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, &command->item, pool, pool));
    apr_array_header_t *all = apr_array_make(pool, more->nelts, sizeof(char *));
    if (there)
        apr_array_cat(all, there->as.member.roles);
    for (int i = 0; i < more->nelts; i++) {
        const char *role = APR_ARRAY_IDX(more, i, const char *);
        if (!has_role(all, role))
            APR_ARRAY_PUSH(all, const char *) = role;
    }
    member->roles = all;
    UP_ERR(up_admin_check(&command->item, 0, pool));
    return put_member(batch, command, there, pool);
}

up_error_t *
up_admin_add_member(up_store_t *store,
                    const up_member_t *member,
                    const char *author,
                    apr_pool_t *pool)
{
    member_command_t command = {{.kind = UP_KIND_MEMBER, .as.member = *member},
                                author};

    UP_ERR(up_admin_check(&command.item, 0, pool));
    return up_admin_in_batch(store, add_member, &command, pool);
}

/* Take the roles of the membership ITEM out of the array BATON; its places are
 * NULL then. */
static up_error_t *
take_known(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_array_header_t *unknown = baton;

    (void)pool;
    for (int i = 0; i < unknown->nelts; i++) {
        const char **role = &APR_ARRAY_IDX(unknown, i, const char *);
        if (*role && has_role(item->as.member.roles, *role))
            *role = NULL;
    }
    return NULL;
}

up_error_t *
up_admin_unknown_role(const char **role,
                      up_store_t *store,
                      const apr_array_header_t *roles,
                      apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_MEMBER};
    apr_array_header_t *unknown =
        apr_array_make(pool, roles->nelts, sizeof(const char *));

    *role = NULL;
    for (int i = 0; i < roles->nelts; i++) {
        const char *name = APR_ARRAY_IDX(roles, i, const char *);
        if (!up_role_permissions(NULL, name))
            APR_ARRAY_PUSH(unknown, const char *) = name;
    }
    if (unknown->nelts)
        UP_ERR(up_store_each(store, &filter, take_known, unknown, pool));
    for (int i = unknown->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(unknown, i, const char *);
        if (name)
            *role = name;
    }
    return NULL;
}

/* The command's item names the membership by organisation and user. */
static up_error_t *
remove_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const member_command_t *command = baton;
    const up_member_t *member = &command->item.as.member;
    const up_item_t *there = NULL;
    int found;

    if (up_id_is_storable(member->user) &&
        (!*member->org || up_id_is_storable(member->org)))
        UP_ERR(up_batch_get(&there, batch, &command->item, pool, pool));
    if (!there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' is no member of %s%s%s", member->user,
                        *member->org ? "organisation '" : "the instance",
                        member->org, *member->org ? "'" : "");
    UP_ERR(up_batch_remove(&found, batch, &command->item, pool));
    return append_event(batch, UP_MEMBER_REMOVED, command,
                        there->as.member.roles, pool);
}

up_error_t *
up_admin_remove_member(up_store_t *store,
                       const char *org,
                       const char *user,
                       const char *author,
                       apr_pool_t *pool)
{
    member_command_t command = {
        {.kind = UP_KIND_MEMBER, .as.member = {.org = org, .user = user}},
        author};

    return up_admin_in_batch(store, remove_member, &command, pool);
}
