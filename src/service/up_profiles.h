/*
 * up_profiles.h -- reading and changing a profile, whatever the call is named.
 *
 * The order of checks is: the organisation, then the rights, the fields, and
 * the user; for calls of UP_SCOPE_STORE, whose rights depend on the user, the
 * fields come before the rights.
 */
#ifndef UP_PROFILES_H
#define UP_PROFILES_H

#include "service/up_access.h"

/* Set *USER to TARGET, who MUST_BE_HUMAN or may be a machine, and CALL's
 * unmodified. Fails with the errors of
 * up_access_check_org() and up_access_check_rights(), FIELD_INVALID on the id,
 * TARGET's not_found, USER_NOT_HUMAN, SEQUENCE_MISMATCH. */
UP_MUST_CHECK up_error_t *up_profiles_get(const up_user_t **user,
                                          up_call_t *call,
                                          const up_target_t *target,
                                          int must_be_human);

/* What an update is to do. */
typedef struct up_update_t {
    unsigned fields;             /* the set of those to change */
    const up_profile_t *profile; /* what to; not validated yet */
    up_rules_t rules;            /* by which they are validated */
    const char *prefix;          /* of the JSON names of fields at fault */
    up_error_t *refusal;         /* raised if all is valid: what else the
                                  * request asks for cannot be done; or NULL */
    int must_differ;             /* PROFILE_NOT_CHANGED if nothing differs,
                                  * unless the call's unchanged_is_ok; 0: the
                                  * user as it is */
} up_update_t;

/* Change TARGET, a human, as UPDATE says, and set *USER to the record with it.
 * Fails as up_profiles_get(), and with FIELD_INVALID that has all fields at
 * fault, UPDATE's refusal, PROFILE_NOT_CHANGED, DEADLINE_EXCEEDED. What an
 * error, or nothing to change, follows from is found out without the store's
 * writer lock. */
UP_MUST_CHECK up_error_t *up_profiles_update(const up_user_t **user,
                                             up_call_t *call,
                                             const up_target_t *target,
                                             const up_update_t *update);

#endif
