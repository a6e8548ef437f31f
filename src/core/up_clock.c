/* up_clock.c -- a monotonic clock, for pauses and deadlines. */
#include "core/up_clock.h"

#include <time.h>

apr_time_t
up_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}
