/*
 * up_access.h -- access: roles, permissions, and the checks before a call.
 */
#ifndef UP_ACCESS_H
#define UP_ACCESS_H

#include "core/up_id.h"
#include "service/up_precondition.h"
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

/* How the names of those roles begin that a claim gives for the instance, and
 * so for every organisation. */
#define UP_INSTANCE_ROLE "IAM_"

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

/* One call, whatever protocol it came by. */
typedef struct up_call_t {
    up_store_t *store;             /* NULL: it is unavailable */
    const up_error_t *store_error; /* why, if STORE is NULL */
    const char *caller;            /* as authenticated; not empty */
    const char *org;               /* x-zitadel-orgid; NULL or "": none */
    const char *claimed_org;       /* the caller's own organisation, as the
                                    * site has it; NULL: ask the store */
    const apr_array_header_t *claimed_roles; /* of const char *: the caller's
                                              * in its own organisation, and
                                              * on the instance; NULL: ask the
                                              * store */
    const apr_array_header_t *roles;     /* the site's, of up_role_t, or NULL */
    unsigned self;                       /* permissions that callers have over
                                          * themselves where a call allows it */
    const apr_array_header_t *languages; /* that may be stored, of const char *
                                          * (see up_language_is_in()); NULL:
                                          * any */
    int unchanged_is_ok; /* what else is PROFILE_NOT_CHANGED, succeeds */
    const up_precondition_t *precondition; /* or NULL */
    apr_time_t deadline; /* no change begins after it, by up_clock(); 0: none */
    apr_pool_t *pool;    /* of what the call makes */

    /* Results besides the answer, for the log and the headers; each is set as
     * soon as it is known. */
    const char *target;    /* the id of the user that it is about, or NULL */
    const char *found_org; /* in which it takes place, or NULL */
    apr_uint64_t sequence; /* of the user as answered; 0: none */
    const up_error_t *trouble; /* to be logged though the call succeeded, or
                                * NULL */
    int unmodified;            /* If-None-Match names the user's sequence */
} up_call_t;

/* The users that a call can be about, and the callers that it is open to. */
typedef enum up_scope_t {
    UP_SCOPE_ORG,   /* users of the call's organisation; callers with the
                     * permission there */
    UP_SCOPE_STORE, /* all users; callers with the permission in the user's
                     * organisation, and the user */
    UP_SCOPE_SELF   /* the caller itself, for that caller alone */
} up_scope_t;

/* The user that a call is about, and what for. */
typedef struct up_target_t {
    up_scope_t scope;
    const char *user;      /* the id in the request; NULL reads as "" */
    unsigned needed;       /* one permission */
    up_reason_t not_found; /* the reason if there is no such user */
} up_target_t;

/* Set *VIEW to the organisation of CALL, the caller's roles and TARGET, which
 * is read only if the caller may read it; an id that cannot be stored is not
 * looked up. MAY_LAG is as in up_query_t. Sets CALL's target and found_org. */
UP_MUST_CHECK up_error_t *up_access_read(up_view_t **view,
                                         up_call_t *call,
                                         const up_target_t *target,
                                         int may_lag);

/* Check the organisation that CALL names or, in UP_SCOPE_ORG, takes place in,
 * and the caller's state: ORG_NOT_FOUND, MEMBERSHIP_NOT_FOUND. */
UP_MUST_CHECK up_error_t *up_access_check_org(const up_view_t *view,
                                              const up_call_t *call,
                                              const up_target_t *target);

/* Check that CALL's caller may do to TARGET what is needed:
 * MEMBERSHIP_NOT_FOUND, PERMISSION_DENIED; in UP_SCOPE_STORE TARGET's not_found
 * where a caller without membership may not learn that there is such a user. */
UP_MUST_CHECK up_error_t *up_access_check_rights(const up_view_t *view,
                                                 const up_call_t *call,
                                                 const up_target_t *target);

/* TARGET's error for a user who is not there, in CALL's pool. */
up_error_t *up_access_not_found(const up_call_t *call,
                                const up_target_t *target);

#endif
