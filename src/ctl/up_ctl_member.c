/* up_ctl_member.c -- member add, set, list, remove. */
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "service/up_access.h"
#include "service/up_admin.h"

#include <apr_strings.h>

/* The organisation that the command is about; "" is the instance. */
static const char *
wanted_org(const up_ctl_t *ctl)
{
    const char *org = ctl->line.option[UP_CTL_ORG];

    return org ? org : "";
}

/* An empty --org, from a script's unset variable, must not grant rights on
 * the instance. */
static up_error_t *
check_org(up_ctl_t *ctl)
{
    const char *org = ctl->line.option[UP_CTL_ORG];

    if (org && !*org)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "--org is empty; leave it out for the instance");
    return NULL;
}

/* UP_CONFLICT if ROLES have one that may be misspelt. */
static up_error_t *
check_roles(const apr_array_header_t *roles, up_ctl_t *ctl)
{
    const char *unknown;

    if (ctl->line.option[UP_CTL_NEW_ROLE])
        return NULL;
    UP_ERR(up_admin_unknown_role(&unknown, ctl->store, roles, ctl->pool));
    if (!unknown)
        return NULL;
    return up_error(ctl->pool, UP_CONFLICT, APR_SUCCESS,
                    "neither the API nor this store has a role '%s'; "
                    "--new-role takes it all the same",
                    unknown);
}

/* Give a user roles by CHANGE, which adds or replaces. */
static up_error_t *
give_roles(up_ctl_t *ctl,
           up_error_t *(*change)(up_store_t *store,
                                 const up_member_t *member,
                                 const char *author,
                                 apr_pool_t *pool))
{
    apr_array_header_t *roles =
        apr_array_make(ctl->pool, ctl->line.operands - 1, sizeof(const char *));
    up_member_t member = {wanted_org(ctl), ctl->line.operand[0], roles};

    UP_ERR(check_org(ctl));
    for (int i = 1; i < ctl->line.operands; i++)
        APR_ARRAY_PUSH(roles, const char *) = ctl->line.operand[i];
    UP_ERR(up_ctl_open(ctl));
    UP_ERR(check_roles(roles, ctl));
    UP_ERR(change(ctl->store, &member, ctl->author, ctl->pool));

    for (int i = 0; i < roles->nelts; i++) {
        const char *role = APR_ARRAY_IDX(roles, i, const char *);
        if (!up_role_permissions(NULL, role))
            up_ctl_note(ctl,
                        "the role '%s' permits nothing, unless a "
                        "UserProfileRole names it",
                        role);
    }
    up_ctl_warn_of_slash(ctl, member.user);
    return NULL;
}

up_error_t *
up_ctl_member_add(up_ctl_t *ctl)
{
    return give_roles(ctl, up_admin_add_member);
}

up_error_t *
up_ctl_member_set(up_ctl_t *ctl)
{
    return give_roles(ctl, up_admin_set_member);
}

static void
member_cells(const char **cells, const up_item_t *item, apr_pool_t *pool)
{
    const up_member_t *member = &item->as.member;

    cells[0] = member->user;
    cells[1] = apr_array_pstrcat(pool, member->roles, ' ');
}

up_error_t *
up_ctl_member_list(up_ctl_t *ctl)
{
    static const char *const titles[] = {"USER", "ROLES", NULL};
    up_filter_t filter = {.kinds = 1u << UP_KIND_MEMBER,
                          .org = wanted_org(ctl)};

    UP_ERR(check_org(ctl));
    UP_ERR(up_ctl_open(ctl));
    if (*filter.org)
        UP_ERR(up_ctl_require_org(ctl, filter.org));
    return up_ctl_list(ctl, &filter, NULL, titles, member_cells);
}

up_error_t *
up_ctl_member_remove(up_ctl_t *ctl)
{
    UP_ERR(check_org(ctl));
    UP_ERR(up_ctl_open(ctl));
    return up_admin_remove_member(ctl->store, wanted_org(ctl),
                                  ctl->line.operand[0], ctl->author, ctl->pool);
}
