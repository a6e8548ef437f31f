/* account.c -- names of the machine's users. */
#include "core/up_account.h"
#include "tap.h"

static void
test(apr_pool_t *pool)
{
    is(up_account_name(0, pool), "root", "a user of the machine has a name");
    is(up_account_name(3999999999U, pool), "3999999999",
       "a user without a name is the number");
}

int
main(void)
{
    return run_test(test);
}
