/* up_health.c -- whether calls can be served now. */
#include "service/up_health.h"

up_error_t *
up_health_check(const up_call_t *call)
{
    up_query_t nothing = {0};
    up_view_t *view;

    apr_uint32_t episode;

    if (!call->store)
        return up_error_copy(call->store_error, call->pool);
    UP_ERR(up_store_read(&view, call->store, &nothing, call->pool, call->pool));
    /* Who has locked the store is for the log to say, once. */
    if (up_store_probe(&episode, call->store, call->pool))
        return up_error(call->pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "another process keeps changes from being stored");
    return NULL;
}
