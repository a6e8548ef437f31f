/* up_time.h -- points in time, as protobuf's JSON mapping writes them. */
#ifndef UP_TIME_H
#define UP_TIME_H

#include "core/up_error.h"

#include <apr_time.h>

/* TIME (microseconds since 1970, years 1 to 9999) as RFC 3339 in UTC, in
 * POOL: "2025-03-25T10:28:47.405123Z"; of the fraction, trailing groups of
 * three zeros are left out. */
const char *up_time_format(apr_time_t time, apr_pool_t *pool);

/* Set *TIME from TEXT, an RFC 3339 date-time with Z or an offset, years 1 to
 * 9999; digits beyond microseconds are dropped. Returns 0 if TEXT is no such
 * thing. */
int up_time_parse(apr_time_t *time, const char *text);

#endif
