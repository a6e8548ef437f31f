/* up_access.c -- access: roles, permissions, and the checks before a call. */
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

/* ID if it is worth looking up, else NULL. */
static const char *
storable(const char *id)
{
    return id && up_id_is_storable(id) ? id : NULL;
}

static int
is_barred(const up_view_t *view)
{
    return view->caller_org && up_caller_is_barred(view->caller_state);
}

/* Those of CALL's claimed roles that count in the organisation that VIEW is
 * of. Roles on the instance do in each; the others only in the caller's own,
 * so that naming another one in x-zitadel-orgid gains nothing. An id that no
 * event could have as its author has no roles. */
static const apr_array_header_t *
claimed_roles(const up_view_t *view, const up_call_t *call)
{
    const char *own = call->claimed_org ? call->claimed_org : view->caller_org;
    int is_own = own && view->org && !strcmp(own, view->org);
    apr_array_header_t *names = apr_array_make(
        call->pool, call->claimed_roles->nelts, sizeof(const char *));

    if (!storable(call->caller))
        return names;
    for (int i = 0; i < call->claimed_roles->nelts; i++) {
        const char *name = APR_ARRAY_IDX(call->claimed_roles, i, const char *);
        if (is_own ||
            !strncmp(name, UP_INSTANCE_ROLE, sizeof(UP_INSTANCE_ROLE) - 1))
            APR_ARRAY_PUSH(names, const char *) = name;
    }
    return names;
}

/* Whether the caller is a member of the organisation that VIEW is of, or of
 * the instance. */
static int
is_member(const up_view_t *view, const up_call_t *call)
{
    if (call->claimed_roles)
        return claimed_roles(view, call)->nelts > 0;
    return view->org_roles || view->instance_roles;
}

/* What the caller's roles permit in the organisation that VIEW is of. */
static unsigned
granted(const up_view_t *view, const up_call_t *call)
{
    if (call->claimed_roles)
        return permissions_of(claimed_roles(view, call), call);
    return permissions_of(view->org_roles, call) |
           permissions_of(view->instance_roles, call);
}

static int
is_caller(const up_call_t *call, const up_target_t *target)
{
    return target->user && !strcmp(call->caller, target->user);
}

/* Whether CALL's caller may do to TARGET what is needed. */
static int
is_permitted(const up_view_t *view,
             const up_call_t *call,
             const up_target_t *target)
{
    if (is_barred(view))
        return 0;
    if (target->scope == UP_SCOPE_SELF)
        return (call->self & target->needed) != 0;
    if (granted(view, call) & target->needed)
        return 1;
    return target->scope == UP_SCOPE_STORE && is_caller(call, target) &&
           call->self & target->needed;
}

/* The baton of may_read(). */
typedef struct access_t {
    const up_call_t *call;
    const up_target_t *target;
} access_t;

static int
may_read(void *baton, const up_view_t *view)
{
    const access_t *access = baton;

    return is_permitted(view, access->call, access->target);
}

/* The organisation that CALL names or, where the call takes place in one, the
 * caller's own by a claim; NULL: neither. */
static const char *
wanted_org(const up_call_t *call, const up_target_t *target)
{
    if (call->org && *call->org)
        return call->org;
    return target->scope == UP_SCOPE_ORG ? call->claimed_org : NULL;
}

up_error_t *
up_access_read(up_view_t **view,
               up_call_t *call,
               const up_target_t *target,
               int may_lag)
{
    access_t access = {call, target};
    const char *wanted = wanted_org(call, target);
    up_query_t query = {
        .caller = storable(call->caller),
        .wanted = storable(wanted),
        .user = storable(target->user),
        .may_lag = may_lag,
        .in_any_org = target->scope != UP_SCOPE_ORG,
        .may_read = may_read,
        .baton = &access,
    };

    call->target = target->user;
    if (!call->store)
        return up_error_copy(call->store_error, call->pool);
    UP_ERR(up_store_read(view, call->store, &query, call->pool, call->pool));
    if (target->scope == UP_SCOPE_ORG && wanted && !(*view)->wanted_exists)
        (*view)->org = NULL; /* nor in the caller's, if it cannot be stored */
    call->found_org = (*view)->org;
    return NULL;
}

/* ORG_NOT_FOUND for CALL, which names no organisation. Clients are told that
 * one does not exist, as ZITADEL tells them; the log says which is missing. */
static up_error_t *
no_own_org(const up_call_t *call)
{
    if (call->claimed_org)
        return up_error(call->pool, UP_ORG_NOT_FOUND, APR_SUCCESS,
                        "the organisation '%s' that UserProfileCallerOrg gives "
                        "does not exist",
                        call->claimed_org);
    return up_error(call->pool, UP_ORG_NOT_FOUND, APR_SUCCESS,
                    "the caller has no organisation: it is no user in the "
                    "store, x-zitadel-orgid names none, and "
                    "UserProfileCallerOrg gives none");
}

up_error_t *
up_access_check_org(const up_view_t *view,
                    const up_call_t *call,
                    const up_target_t *target)
{
    int is_named = call->org && *call->org;

    if (is_named && !view->wanted_exists)
        return up_error(
            call->pool, UP_ORG_NOT_FOUND, APR_SUCCESS,
            "the organisation that the caller names does not exist");
    if (target->scope == UP_SCOPE_ORG && !view->org)
        return no_own_org(call);
    if (is_barred(view))
        return up_error(call->pool, UP_MEMBERSHIP_NOT_FOUND, APR_SUCCESS,
                        "the caller is %s", up_state_name(view->caller_state));
    return NULL;
}

up_error_t *
up_access_not_found(const up_call_t *call, const up_target_t *target)
{
    return up_error(call->pool, target->not_found, APR_SUCCESS,
                    "there is no such user for the caller");
}

up_error_t *
up_access_check_rights(const up_view_t *view,
                       const up_call_t *call,
                       const up_target_t *target)
{
    int is_in_store = target->scope == UP_SCOPE_STORE;
    up_reason_t denied =
        is_in_store ? UP_PERMISSION_DENIED_V2 : UP_PERMISSION_DENIED;

    /* A user who was read may be read. */
    if (view->user || is_permitted(view, call, target))
        return NULL;
    if (target->scope == UP_SCOPE_SELF ||
        (is_in_store && is_caller(call, target)))
        return up_error(call->pool, denied, APR_SUCCESS,
                        "UserProfileSelf does not permit this");
    if (is_member(view, call))
        return up_error(call->pool, denied, APR_SUCCESS,
                        "no role of the caller permits this");
    if (is_in_store)
        return up_access_not_found(call, target);
    return up_error(call->pool, UP_MEMBERSHIP_NOT_FOUND, APR_SUCCESS,
                    "the caller is no member of the organisation");
}
