/*
 * up_access.h -- who may: roles, permissions, and the checks before a call.
 */
#ifndef UP_ACCESS_H
#define UP_ACCESS_H

#include "core/up_id.h"
#include "store/up_store.h"

#include <apr_general.h>

/* Permissions, a bit each. */
typedef enum up_permission_t {
    UP_USER_READ = 1, /* "user.read" */
    UP_USER_WRITE = 2 /* "user.write" */
} up_permission_t;

/* The permission named NAME, or 0. */
unsigned up_permission_by_name(const char *name);

/* Whether NAME can be a role's: it can stand in a list, in a directive or in a
 * claim. UP_ROLE_NAME_RULE says so in words. */
int up_role_name_is_valid(const char *name);
#define UP_ROLE_NAME_RULE                                                      \
    "1 to " APR_STRINGIFY(UP_ID_MAX_BYTES) " bytes of UTF-8 without blanks, "  \
                                           "commas or control characters"

/* A role and what it permits. */
typedef struct up_role_t {
    const char *name;
    unsigned permissions;
} up_role_t;

/* What the role NAME permits: by ROLES (an array of up_role_t, NULL for none;
 * the last one of a name counts), else by the roles of the API. 0 if unknown.
 */
unsigned up_role_permissions(const apr_array_header_t *roles, const char *name);

/* Whether a stored caller in STATE is refused, whatever its roles. */
int up_caller_is_barred(up_state_t state);

/* One call, from whichever transport. */
typedef struct up_call_t {
    up_store_t *store;
    const char *caller;              /* as authenticated; NULL or "": none */
    const char *org;                 /* x-zitadel-orgid; NULL or "": none */
    const char *user;                /* the target's id; NULL reads as "" */
    const apr_array_header_t *roles; /* the site's, of up_role_t, or NULL */
    apr_time_t deadline;             /* no change begins after it; 0: none */
} up_call_t;

/* Read what CALL needs and check that its caller may do what NEEDED, one
 * permission, permits: AUTH_HEADER_MISSING, ORG_NOT_FOUND,
 * MEMBERSHIP_NOT_FOUND or PERMISSION_DENIED, in this order. Sets *VIEW, also
 * on refusal if the store was read at all (else NULL). A target's id that
 * cannot be stored is not looked up. */
UP_MUST_CHECK up_error_t *up_access_check(up_view_t **view,
                                          const up_call_t *call,
                                          unsigned needed,
                                          apr_pool_t *result_pool,
                                          apr_pool_t *scratch_pool);

#endif
