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

/* Set *USER to TARGET, and CALL's sequence and unmodified. Fails with the
 * errors of up_access_check_org() and up_access_check_rights(), FIELD_INVALID
 * on the id, TARGET's not_found, SEQUENCE_MISMATCH, and for a machine, if
 * MUST_BE_HUMAN, USER_NOT_HUMAN. */
UP_MUST_CHECK up_error_t *up_profiles_get(const up_user_t **user,
                                          up_call_t *call,
                                          const up_target_t *target,
                                          int must_be_human);

/* What an update is to do. */
typedef struct up_update_t {
    unsigned fields;             /* the set of those to change */
    const up_profile_t *profile; /* with their new values; not validated yet */
    up_rules_t rules;            /* for validating them */
    const char *prefix;          /* of the JSON names of fields at fault */
    up_error_t *refusal;         /* the error, if all is valid, for what else
                                  * the request asks; or NULL */
    int must_differ;             /* PROFILE_NOT_CHANGED if nothing differs,
                                  * unless the call's unchanged_is_ok; 0: the
                                  * user as it is */
} up_update_t;

/* Change TARGET, a human, as UPDATE says, and set *USER to the new record.
 * Fails as up_profiles_get(), and with FIELD_INVALID that has all fields at
 * fault, UPDATE's refusal, PROFILE_NOT_CHANGED, DEADLINE_EXCEEDED. An update
 * that fails or changes nothing does not wait for the store's writer lock. */
UP_MUST_CHECK up_error_t *up_profiles_update(const up_user_t **user,
                                             up_call_t *call,
                                             const up_target_t *target,
                                             const up_update_t *update);

#endif
