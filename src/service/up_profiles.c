/* up_profiles.c -- reading and changing a profile, whatever the call is named.
 */
#include "service/up_profiles.h"
#include "core/up_clock.h"
#include "core/up_id.h"
#include "service/up_user.h"

#include <apr_strings.h>

/* FIELD_INVALID with VIOLATIONS, not empty. */
static up_error_t *
invalid(const up_call_t *call, const apr_array_header_t *violations)
{
    const up_violation_t *first = &APR_ARRAY_IDX(violations, 0, up_violation_t);
    up_error_t *err = up_error(call->pool, UP_FIELD_INVALID, APR_SUCCESS,
                               "%s: %s", first->field, first->description);

    err->violations = violations;
    return err;
}

/* A new array of the fields at fault, so far: the id in the request, if the
 * call has one. */
static apr_array_header_t *
validate_id(const up_call_t *call, const up_target_t *target)
{
    apr_array_header_t *violations =
        apr_array_make(call->pool, 1, sizeof(up_violation_t));
    apr_size_t length = target->user ? up_id_length(target->user) : 0;

    if (target->scope != UP_SCOPE_SELF &&
        (length < 1 || length > UP_ID_MAX_CODE_POINTS))
        up_violation_length(violations, "userId", 1, UP_ID_MAX_CODE_POINTS,
                            call->pool);
    return violations;
}

/* Set *VIEW as up_access_read() does, and make the checks before the command:
 * of the organisation, the rights, and the fields (VIOLATIONS are those at
 * fault); then fail with REFUSAL, unless it is NULL. */
static up_error_t *
find(up_view_t **view,
     up_call_t *call,
     const up_target_t *target,
     int may_lag,
     const apr_array_header_t *violations,
     up_error_t *refusal)
{
    int is_in_store = target->scope == UP_SCOPE_STORE;

    UP_ERR(up_access_read(view, call, target, may_lag));
    UP_ERR(up_access_check_org(*view, call, target));
    if (!is_in_store)
        UP_ERR(up_access_check_rights(*view, call, target));
    if (violations->nelts)
        return invalid(call, violations);
    if (refusal)
        return refusal;
    if (is_in_store && (!(*view)->org || (*view)->user_state == UP_REMOVED))
        return up_access_not_found(call, target);
    return is_in_store ? up_access_check_rights(*view, call, target) : NULL;
}

/* As up_profiles_get(), by a read that may lag or not. */
static up_error_t *
get(const up_user_t **user,
    up_call_t *call,
    const up_target_t *target,
    int must_be_human,
    int may_lag)
{
    up_view_t *view;

    UP_ERR(find(&view, call, target, may_lag, validate_id(call, target), NULL));
    if (!view->user || view->user->state == UP_REMOVED)
        return up_access_not_found(call, target);
    if (must_be_human && view->user->type != UP_HUMAN)
        return up_error(call->pool, UP_USER_NOT_HUMAN, APR_SUCCESS,
                        "the user is a machine");

    call->sequence = view->user->sequence;
    up_verdict_t verdict =
        up_precondition_judge(call->precondition, call->sequence);
    if (verdict == UP_MISMATCH)
        return up_precondition_failed(call->sequence, call->pool);
    call->unmodified = verdict == UP_SAME;
    *user = view->user;
    return NULL;
}

/* A copy that lags does not know of a new user or right yet, so it is not for
 * it to refuse a call, nor does it serve a caller who knows a newer profile. */
up_error_t *
up_profiles_get(const up_user_t **user,
                up_call_t *call,
                const up_target_t *target,
                int must_be_human)
{
    if (call->store && up_store_may_lag(call->store)) {
        if (!get(user, call, target, must_be_human, 1) &&
            call->sequence >= up_precondition_newest(call->precondition))
            return NULL;
        call->sequence = 0;
        call->found_org = NULL;
    }
    return get(user, call, target, must_be_human, 0);
}

/* The baton of decide(). */
typedef struct command_t {
    const up_call_t *call;
    const up_target_t *target;
    const up_update_t *update;
    const up_profile_t *profile; /* validated */
} command_t;

/* Set *FIELDS to those in which the user BEFORE, or NULL, will differ, 0 if
 * there is nothing to change; or say why the user cannot be changed. */
static up_error_t *
judge(unsigned *fields,
      const command_t *command,
      const up_user_t *before,
      apr_pool_t *pool)
{
    apr_time_t deadline = command->call->deadline;

    if (!before || before->state == UP_REMOVED || before->type != UP_HUMAN)
        return up_error(pool, command->target->not_found, APR_SUCCESS,
                        "there is no such human user");
    if (up_precondition_judge(command->call->precondition, before->sequence) !=
        UP_PROCEED)
        return up_precondition_failed(before->sequence, pool);

    *fields = up_profile_diff(before->profile, command->profile) &
              command->update->fields;
    if (!*fields && command->update->must_differ &&
        !command->call->unchanged_is_ok)
        return up_error(pool, UP_PROFILE_NOT_CHANGED, APR_SUCCESS,
                        "the profile is what was sent");
    if (*fields && deadline && deadline < up_clock())
        return up_error(pool, UP_DEADLINE_EXCEEDED, APR_SUCCESS,
                        "the deadline passed before the change");
    return NULL;
}

/* Set *CHANGE to what the command makes of BEFORE, in which FIELDS differ. */
static up_error_t *
apply(up_change_t *change,
      const command_t *command,
      const up_user_t *before,
      unsigned fields,
      apr_pool_t *pool)
{
    up_profile_t *profile =
        apr_pmemdup(pool, before->profile, sizeof(*profile));
    up_user_t *after = apr_pmemdup(pool, before, sizeof(*after));

    up_profile_assign(profile, command->profile, fields);
    after->profile = profile;
    UP_ERR(up_user_touch(after, pool));

    change->user = after;
    change->event = up_user_profile_event(before, after, fields,
                                          command->call->caller, pool);
    return NULL;
}

static up_error_t *
decide(up_change_t *change,
       void *baton,
       const up_user_t *before,
       apr_pool_t *pool)
{
    const command_t *command = baton;
    unsigned fields = 0;

    UP_ERR(judge(&fields, command, before, pool));
    return fields ? apply(change, command, before, fields, pool) : NULL;
}

up_error_t *
up_profiles_update(const up_user_t **user,
                   up_call_t *call,
                   const up_target_t *target,
                   const up_update_t *update)
{
    command_t command = {call, target, update, NULL};
    apr_array_header_t *violations = validate_id(call, target);
    unsigned fields = 0;
    up_view_t *view;

    up_profile_validate(&command.profile, violations, update->profile,
                        update->fields, update->rules, call->languages,
                        update->prefix, call->pool);
    UP_ERR(find(&view, call, target, 0, violations, update->refusal));

    /* Judge the record just read first: an error, and an update that changes
     * nothing, need not wait for the store's writer lock. */
    *user = view->user;
    UP_ERR(judge(&fields, &command, view->user, call->pool));
    if (fields)
        UP_ERR(up_store_update_seen(user, call->store, view->user, decide,
                                    &command, call->pool, call->pool));
    call->sequence = (*user)->sequence;
    return NULL;
}
