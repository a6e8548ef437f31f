/* up_user.h -- what every change of a user does to its record. */
#ifndef UP_USER_H
#define UP_USER_H

#include "core/up_items.h"

/* Count one more change of USER, a copy of the stored record: its sequence goes
 * up by one, and its change date is now, or stays if it is later than that.
 * Fails with UP_STORE_FULL, in POOL, if the sequence cannot go up. */
UP_MUST_CHECK up_error_t *up_user_touch(up_user_t *user, apr_pool_t *pool);

/* The event, in POOL, of AUTHOR's change of FIELDS of the profile of BEFORE,
 * which is AFTER now; the texts are theirs. */
up_event_t *up_user_profile_event(const up_user_t *before,
                                  const up_user_t *after,
                                  unsigned fields,
                                  const char *author,
                                  apr_pool_t *pool);

#endif
