/* up_user.h -- what every change of a user does to its record. */
#ifndef UP_USER_H
#define UP_USER_H

#include "core/up_items.h"

/* Count one more change of USER, a copy of the stored record: its sequence goes
 * up by one, and its change date is now, or stays if it is later than that.
 * Fails with UP_STORE_FULL, in POOL, if the sequence cannot go up. */
UP_MUST_CHECK up_error_t *up_user_touch(up_user_t *user, apr_pool_t *pool);

#endif
