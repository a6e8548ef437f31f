/* up_user.c -- what every change of a user does to its record. */
#include "service/up_user.h"

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
