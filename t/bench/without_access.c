/*
 * without_access.c -- linked into a mod_userprofile for the benchmark with
 * -Wl,--wrap: no look at who the caller is and what it may do. The request
 * names the organisation in x-zitadel-orgid.
 */
#include "service/up_access.h"

up_error_t *__wrap_up_access_check(up_view_t **view,
                                   const up_call_t *call,
                                   unsigned needed,
                                   apr_pool_t *result_pool,
                                   apr_pool_t *scratch_pool);

up_error_t *
__wrap_up_access_check(up_view_t **view,
                       const up_call_t *call,
                       unsigned needed,
                       apr_pool_t *result_pool,
                       apr_pool_t *scratch_pool)
{
    (void)needed;
    return up_store_read(view, call->store, NULL, call->org, call->user,
                         result_pool, scratch_pool);
}
