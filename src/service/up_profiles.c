/* up_profiles.c -- the two calls, said once for every transport. */
#include "service/up_profiles.h"
#include "core/up_id.h"

#include <apr_strings.h>

/* Check that CALL's caller may do what NEEDED permits, and set *VIEW and *ORG
 * to what is known by then. */
static up_error_t *
enter(up_view_t **view,
      const char **org,
      const up_call_t *call,
      unsigned needed,
      apr_pool_t *result_pool,
      apr_pool_t *scratch_pool)
{
    up_error_t *err =
        up_access_check(view, call, needed, result_pool, scratch_pool);

    *org = *view ? (*view)->org : NULL;
    return err;
}

static void
validate_id(apr_array_header_t *violations, const char *id, apr_pool_t *pool)
{
    apr_size_t length = id ? up_id_length(id) : 0;

    if (length < 1 || length > UP_ID_MAX_CODE_POINTS)
        up_violation_length(violations, "userId", 1, UP_ID_MAX_CODE_POINTS,
                            pool);
}

/* UP_USER_NOT_FOUND or UP_USER_NOT_HUMAN unless USER, or NULL, can be read. */
static up_error_t *
check_readable(const up_user_t *user, apr_pool_t *pool)
{
    if (!user || user->state == UP_REMOVED)
        return up_error(pool, UP_USER_NOT_FOUND, APR_SUCCESS,
                        "the organisation has no such user");
    if (user->type != UP_HUMAN)
        return up_error(pool, UP_USER_NOT_HUMAN, APR_SUCCESS,
                        "user '%s' is a machine", user->id);
    return NULL;
}

up_error_t *
up_profiles_get(const up_user_t **user,
                int *unmodified,
                const char **org,
                const up_call_t *call,
                const up_precondition_t *precondition,
                apr_pool_t *result_pool,
                apr_pool_t *scratch_pool)
{
    apr_array_header_t *violations =
        apr_array_make(result_pool, 1, sizeof(up_violation_t));
    up_view_t *view;

    UP_ERR(enter(&view, org, call, UP_USER_READ, result_pool, scratch_pool));
    validate_id(violations, call->user, result_pool);
    if (violations->nelts)
        return up_profile_invalid("GetHumanProfileRequest", violations,
                                  result_pool);

    UP_ERR(check_readable(view->user, result_pool));
    up_verdict_t verdict =
        up_precondition_judge(precondition, view->user->sequence);
    if (verdict == UP_MISMATCH)
        return up_precondition_failed(view->user->sequence, result_pool);
    *unmodified = verdict == UP_SAME;
    *user = view->user;
    return NULL;
}

/* What an update is to do; the same for every try. */
typedef struct command_t {
    const char *author;
    const up_profile_t *profile; /* validated */
    const up_precondition_t *precondition;
    apr_time_t deadline; /* 0: none */
} command_t;

/* PROFILE with nothing but FIELDS, in POOL; the text is PROFILE's. */
static const up_profile_t *
part_of(const up_profile_t *profile, unsigned fields, apr_pool_t *pool)
{
    up_profile_t *part = up_profile_make(pool);

    up_profile_assign(part, profile, fields);
    return part;
}

/* Set *CHANGE to the command's profile for BEFORE, of which FIELDS differ. */
static void
replace(up_change_t *change,
        const command_t *command,
        const up_user_t *before,
        unsigned fields,
        apr_pool_t *pool)
{
    up_user_t *after = apr_pmemdup(pool, before, sizeof(*after));
    up_event_t *event = apr_pcalloc(pool, sizeof(*event));

    after->profile = command->profile;
    after->sequence++;
    after->changed = apr_time_now();
    if (after->changed < before->changed)
        after->changed = before->changed;

    event->type = UP_PROFILE_CHANGED;
    event->time = after->changed;
    event->org = after->org;
    event->user = after->id;
    event->author = command->author;
    event->sequence = after->sequence;
    event->fields = fields;
    event->before = part_of(before->profile, fields, pool);
    event->after = part_of(after->profile, fields, pool);

    change->user = after;
    change->event = event;
}

static up_error_t *
decide(up_change_t *change,
       void *baton,
       const up_user_t *before,
       apr_pool_t *pool)
{
    const command_t *command = baton;

    if (!before || before->state == UP_REMOVED || before->type != UP_HUMAN)
        return up_error(pool, UP_PROFILE_NOT_FOUND, APR_SUCCESS,
                        "the organisation has no such human user");
    if (up_precondition_judge(command->precondition, before->sequence) !=
        UP_PROCEED)
        return up_precondition_failed(before->sequence, pool);

    unsigned fields = up_profile_diff(before->profile, command->profile);
    if (!fields)
        return up_error(pool, UP_PROFILE_NOT_CHANGED, APR_SUCCESS,
                        "the profile of user '%s' is what was sent",
                        before->id);
    if (command->deadline && command->deadline < apr_time_now())
        return up_error(pool, UP_DEADLINE_EXCEEDED, APR_SUCCESS,
                        "the deadline passed before user '%s' was changed",
                        before->id);
    replace(change, command, before, fields, pool);
    return NULL;
}

up_error_t *
up_profiles_update(const up_user_t **user,
                   const char **org,
                   const up_call_t *call,
                   const up_profile_t *profile,
                   const up_precondition_t *precondition,
                   apr_pool_t *result_pool,
                   apr_pool_t *scratch_pool)
{
    command_t command = {.author = call->caller,
                         .precondition = precondition,
                         .deadline = call->deadline};
    apr_array_header_t *violations =
        apr_array_make(result_pool, 1, sizeof(up_violation_t));
    up_change_t foreseen = {0};
    up_view_t *view;

    UP_ERR(enter(&view, org, call, UP_USER_WRITE, result_pool, scratch_pool));
    validate_id(violations, call->user, result_pool);
    up_profile_validate(&command.profile, violations, profile, UP_ALL_FIELDS,
                        UP_RULES_V1, "", result_pool);
    if (violations->nelts)
        return up_profile_invalid("UpdateHumanProfileRequest", violations,
                                  result_pool);

    /* What fails for the record just read is answered without waiting for the
     * store's writer. */
    UP_ERR(decide(&foreseen, &command, view->user, result_pool));
    return up_store_update(user, call->store, view->org, call->user, decide,
                           &command, result_pool, scratch_pool);
}
