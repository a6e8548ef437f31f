/* up_account.c -- users of the machine, for messages. */
#include "core/up_account.h"

#include <apr_strings.h>
#include <apr_user.h>

const char *
up_account_name(uid_t uid, apr_pool_t *pool)
{
    char *name = NULL;

    if (!apr_uid_name_get(&name, uid, pool) && name)
        return name;
    return apr_psprintf(pool, "%lu", (unsigned long)uid);
}
