/* up_access.c -- who may: roles, permissions, and the checks before a call. */
#include "service/up_access.h"

#include <string.h>

#define VIEWER UP_USER_READ
#define MANAGER (UP_USER_READ | UP_USER_WRITE)

static const up_role_t api_roles[] = {
    {"IAM_OWNER", MANAGER},
    {"IAM_ORG_MANAGER", MANAGER},
    {"IAM_USER_MANAGER", MANAGER},
    {"IAM_LOGIN_CLIENT", MANAGER},
    {"ORG_OWNER", MANAGER},
    {"ORG_USER_MANAGER", MANAGER},
    {"IAM_OWNER_VIEWER", VIEWER},
    {"ORG_OWNER_VIEWER", VIEWER},
    {"ORG_USER_PERMISSION_EDITOR", VIEWER},
    {"ORG_PROJECT_PERMISSION_EDITOR", VIEWER},
    {"PROJECT_OWNER", VIEWER},
    {"PROJECT_OWNER_VIEWER", VIEWER},
    {"PROJECT_GRANT_OWNER", VIEWER},
    {"PROJECT_GRANT_OWNER_VIEWER", VIEWER},
};

#define API_ROLES (sizeof(api_roles) / sizeof(api_roles[0]))

unsigned
up_permission_by_name(const char *name)
{
    if (!strcmp(name, "user.read"))
        return UP_USER_READ;
    if (!strcmp(name, "user.write"))
        return UP_USER_WRITE;
    return 0;
}

int
up_role_name_is_valid(const char *name)
{
    return up_id_is_storable(name) && !strpbrk(name, " ,");
}

unsigned
up_role_permissions(const apr_array_header_t *roles, const char *name)
{
    for (int i = roles ? roles->nelts : 0; i > 0; i--) {
        const up_role_t *role = &APR_ARRAY_IDX(roles, i - 1, up_role_t);
        if (!strcmp(role->name, name))
            return role->permissions;
    }
    for (apr_size_t i = 0; i < API_ROLES; i++) {
        if (!strcmp(api_roles[i].name, name))
            return api_roles[i].permissions;
    }
    return 0;
}

int
up_caller_is_barred(up_state_t state)
{
    return state == UP_REMOVED || state == UP_LOCKED || state == UP_INACTIVE;
}

/* What the roles NAMES, or NULL, permit at CALL's site. */
static unsigned
permissions_of(const apr_array_header_t *names, const up_call_t *call)
{
    unsigned permissions = 0;

    for (int i = 0; names && i < names->nelts; i++)
        permissions |= up_role_permissions(
            call->roles, APR_ARRAY_IDX(names, i, const char *));
    return permissions;
}

static up_error_t *
judge(const up_view_t *view,
      const up_call_t *call,
      unsigned needed,
      apr_pool_t *pool)
{
    if (!view->org)
        return up_error(pool, UP_ORG_NOT_FOUND, APR_SUCCESS,
                        "caller '%s' is in no organisation and names none "
                        "that exists",
                        call->caller);
    if (view->caller_org && up_caller_is_barred(view->caller_state))
        return up_error(pool, UP_MEMBERSHIP_NOT_FOUND, APR_SUCCESS,
                        "caller '%s' is %s", call->caller,
                        up_state_name(view->caller_state));
    if (!view->org_roles && !view->instance_roles)
        return up_error(pool, UP_MEMBERSHIP_NOT_FOUND, APR_SUCCESS,
                        "caller '%s' is no member of organisation '%s'",
                        call->caller, view->org);

    unsigned granted = permissions_of(view->org_roles, call) |
                       permissions_of(view->instance_roles, call);
    if (!(granted & needed))
        return up_error(pool, UP_PERMISSION_DENIED, APR_SUCCESS,
                        "no role of caller '%s' in organisation '%s' permits "
                        "this",
                        call->caller, view->org);
    return NULL;
}

/* ID if it is worth looking up, else NULL. */
static const char *
storable(const char *id)
{
    return id && up_id_is_storable(id) ? id : NULL;
}

up_error_t *
up_access_check(up_view_t **view,
                const up_call_t *call,
                unsigned needed,
                apr_pool_t *result_pool,
                apr_pool_t *scratch_pool)
{
    const char *wanted = call->org && *call->org ? call->org : NULL;

    *view = NULL;
    if (!call->caller || !*call->caller)
        return up_error(result_pool, UP_AUTH_HEADER_MISSING, APR_SUCCESS,
                        "nobody is authenticated");
    if (wanted && !storable(wanted))
        return up_error(result_pool, UP_ORG_NOT_FOUND, APR_SUCCESS,
                        "caller '%s' names an organisation by what cannot be "
                        "an id",
                        call->caller);

    UP_ERR(up_store_read(view, call->store, storable(call->caller), wanted,
                         storable(call->user), result_pool, scratch_pool));
    return judge(*view, call, needed, result_pool);
}
