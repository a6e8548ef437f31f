/* up_user.c -- what every change of a user does to its record. */
#include "service/up_user.h"

void
up_user_touch(up_user_t *user)
{
    apr_time_t now = apr_time_now();

    user->sequence++;
    if (user->changed < now)
        user->changed = now;
}
