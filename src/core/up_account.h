/* up_account.h -- users of the machine, for messages. */
#ifndef UP_ACCOUNT_H
#define UP_ACCOUNT_H

#include <apr_pools.h>
#include <sys/types.h>

/* The name of the machine's user UID, in POOL: "www-data"; the number, if the
 * user has none. */
const char *up_account_name(uid_t uid, apr_pool_t *pool);

#endif
