/* up_health.c -- whether calls can be served now. */
#include "service/up_health.h"

up_error_t *
up_health_check(const up_call_t *call)
{
    up_query_t nothing = {0};
    up_view_t *view;

    if (!call->store)
        return up_error_copy(call->store_error, call->pool);
    return up_store_read(&view, call->store, &nothing, call->pool, call->pool);
}
