/* up_admin_member.c -- the commands about memberships. */
#include "service/up_admin.h"
#include "core/up_id.h"
#include "service/up_access.h"
#include "service/up_admin_batch.h"

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

static up_error_t *
set_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;

    UP_ERR(up_admin_refuse_removed(batch, item->as.member.user, pool));
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_set_member(up_store_t *store,
                    const up_member_t *member,
                    apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_MEMBER, .as.member = *member};

    UP_ERR(up_admin_check(&item, 0, pool));
    return up_admin_in_batch(store, set_member, &item, pool);
}

static up_error_t *
add_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;
    up_member_t *member = &item->as.member;
    const apr_array_header_t *more = member->roles;
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, item, pool, pool));
    apr_array_header_t *all = apr_array_make(pool, more->nelts, sizeof(char *));
    if (there)
        apr_array_cat(all, there->as.member.roles);
    for (int i = 0; i < more->nelts; i++) {
        const char *role = APR_ARRAY_IDX(more, i, const char *);
        if (!has_role(all, role))
            APR_ARRAY_PUSH(all, const char *) = role;
    }
    member->roles = all;
    UP_ERR(up_admin_check(item, 0, pool));
    return set_member(batch, item, pool);
}

up_error_t *
up_admin_add_member(up_store_t *store,
                    const up_member_t *member,
                    apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_MEMBER, .as.member = *member};

    UP_ERR(up_admin_check(&item, 0, pool));
    return up_admin_in_batch(store, add_member, &item, pool);
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

/* The item BATON names the membership by organisation and user. */
static up_error_t *
remove_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;
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

    return up_admin_in_batch(store, remove_member, &item, pool);
}
