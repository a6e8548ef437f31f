/*
 * up_profiles.h -- the two calls, said once for every transport.
 *
 * Both check, in this order: organisation, membership, permission, the fields,
 * the command. *ORG is set for the log to the organisation that the call was
 * made in, as soon as it is known, NULL before.
 */
#ifndef UP_PROFILES_H
#define UP_PROFILES_H

#include "service/up_access.h"
#include "service/up_precondition.h"

/* GetHumanProfile: set *USER to CALL's human, and *UNMODIFIED to whether
 * PRECONDITION (or NULL) says that the caller has it already. Fails with the
 * errors of up_access_check, FIELD_INVALID on the id, USER_NOT_FOUND,
 * USER_NOT_HUMAN, SEQUENCE_MISMATCH. */
UP_MUST_CHECK up_error_t *up_profiles_get(const up_user_t **user,
                                          int *unmodified,
                                          const char **org,
                                          const up_call_t *call,
                                          const up_precondition_t *precondition,
                                          apr_pool_t *result_pool,
                                          apr_pool_t *scratch_pool);

/* UpdateHumanProfile: replace the profile of CALL's human by PROFILE, not
 * validated yet, and set *USER to the record with it. Fails with the errors of
 * up_access_check, FIELD_INVALID, PROFILE_NOT_FOUND, SEQUENCE_MISMATCH,
 * PROFILE_NOT_CHANGED, DEADLINE_EXCEEDED. An error, or nothing to change, is
 * found out without the store's writer lock. */
UP_MUST_CHECK up_error_t *up_profiles_update(
    const up_user_t **user,
    const char **org,
    const up_call_t *call,
    const up_profile_t *profile,
    const up_precondition_t *precondition,
    apr_pool_t *result_pool,
    apr_pool_t *scratch_pool);

#endif
