/*
 * without_access.c -- linked into a mod_userprofile for the benchmark with
 * -Wl,--wrap: no look at who the caller is and what it may do. The request
 * names the organisation in x-zitadel-orgid.
 */
#include "service/up_access.h"

up_error_t *__wrap_up_access_read(up_view_t **view,
                                  up_call_t *call,
                                  const up_target_t *target);
up_error_t *__wrap_up_access_check_org(const up_view_t *view,
                                       const up_call_t *call,
                                       const up_target_t *target);
up_error_t *__wrap_up_access_check_rights(const up_view_t *view,
                                          const up_call_t *call,
                                          const up_target_t *target);

up_error_t *
__wrap_up_access_read(up_view_t **view,
                      up_call_t *call,
                      const up_target_t *target)
{
    up_query_t query = {.wanted = call->org, .user = target->user};

    call->target = target->user;
    UP_ERR(up_store_read(view, call->store, &query, call->pool, call->pool));
    call->found_org = (*view)->org;
    return NULL;
}

up_error_t *
__wrap_up_access_check_org(const up_view_t *view,
                           const up_call_t *call,
                           const up_target_t *target)
{
    (void)view, (void)call, (void)target;
    return NULL;
}

up_error_t *
__wrap_up_access_check_rights(const up_view_t *view,
                              const up_call_t *call,
                              const up_target_t *target)
{
    (void)view, (void)call, (void)target;
    return NULL;
}
