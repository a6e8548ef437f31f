/* up_health.h -- whether calls can be served now. */
#ifndef UP_HEALTH_H
#define UP_HEALTH_H

#include "service/up_access.h"

/* STORE_UNAVAILABLE, or what else is wrong, unless CALL's store can
 * be read and, as far as is known, changed. */
UP_MUST_CHECK up_error_t *up_health_check(const up_call_t *call);

#endif
