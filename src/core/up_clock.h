/* up_clock.h -- a monotonic clock, for pauses and deadlines. */
#ifndef UP_CLOCK_H
#define UP_CLOCK_H

#include <apr_time.h>

/* Microseconds since some moment before this process began (CLOCK_MONOTONIC);
 * the same for all processes of the machine. Never goes back, whatever is done
 * to the time of day. */
apr_time_t up_clock(void);

#endif
