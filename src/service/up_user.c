/* up_user.c -- what every change of a user does to its record. */
#include "service/up_user.h"

#include <apr_strings.h>

up_error_t *
up_user_touch(up_user_t *user, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();

    if (user->sequence >= UP_SEQUENCE_MAX)
        return up_error(pool, UP_STORE_FULL, APR_SUCCESS,
                        "user '%s' has the largest sequence that there is, and "
                        "cannot be changed",
                        user->id);
    user->sequence++;
    if (user->changed < now)
        user->changed = now;
    return NULL;
}

/* PROFILE with nothing but FIELDS, in POOL; the text is PROFILE's. */
static const up_profile_t *
part_of(const up_profile_t *profile, unsigned fields, apr_pool_t *pool)
{
    up_profile_t *part = up_profile_make(pool);

    up_profile_assign(part, profile, fields);
    return part;
}

up_event_t *
up_user_profile_event(const up_user_t *before,
                      const up_user_t *after,
                      unsigned fields,
                      const char *author,
                      apr_pool_t *pool)
{
    up_event_t *event = apr_pcalloc(pool, sizeof(*event));

    event->type = UP_PROFILE_CHANGED;
    event->time = after->changed;
    event->org = after->org;
    event->user = after->id;
    event->author = author;
    event->sequence = after->sequence;
    event->fields = fields;
    event->before = part_of(before->profile, fields, pool);
    event->after = part_of(after->profile, fields, pool);
    event->detail = "";
    return event;
}
