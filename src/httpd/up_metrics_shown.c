/* up_metrics_shown.c -- what every page says of what was counted. */
#include "httpd/up_metrics_shown.h"
#include "httpd/up_stores.h"

#include <apr_strings.h>
#include <http_log.h>
#include <string.h>

APLOG_USE_MODULE(userprofile);

const up_reason_t up_metrics_token_reasons[UP_METRICS_TOKEN_REASONS] = {
    UP_AUTH_HEADER_INVALID, UP_TOKEN_INVALID};

/* A list of stores that is being made for a request. */
typedef struct stores_t {
    request_rec *r;
    apr_array_header_t *list; /* of up_metrics_store_t */
} stores_t;

/* An up_stores_visit_t. */
static void
add_store(void *baton, const char *uri, up_store_t *opened)
{
    stores_t *stores = baton;
    request_rec *r = stores->r;
    up_metrics_store_t *store = apr_array_push(stores->list);

    *store = (up_metrics_store_t){.uri = uri};
    if (!opened)
        return;
    up_error_t *err = up_store_stat(&store->stat, opened, r->pool);
    store->is_up = !err;
    if (err)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "UP0031: no figures of the store '%s': %s", uri,
                      up_error_story(err, r->pool));
}

const apr_array_header_t *
up_metrics_stores(request_rec *r)
{
    stores_t stores = {r,
                       apr_array_make(r->pool, 2, sizeof(up_metrics_store_t))};

    up_stores_each(add_store, &stores);
    return stores.list;
}

apr_uint64_t
up_metrics_calls(const up_metrics_row_t *row)
{
    apr_uint64_t count = 0;

    for (int i = 0; i < UP_METRICS_BUCKETS; i++)
        count += row->bucket[i];
    return count;
}

apr_uint64_t
up_metrics_by_name(const apr_uint64_t counts[UP_REASONS], int reason)
{
    const char *name = up_reason_info((up_reason_t)reason)->name;
    apr_uint64_t count = 0;

    for (int i = 0; i < UP_REASONS; i++) {
        if (strcmp(up_reason_info((up_reason_t)i)->name, name) != 0)
            continue;
        if (i < reason)
            return 0;
        count += counts[i];
    }
    return count;
}

char *
up_metrics_seconds(apr_uint64_t microseconds, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%06d",
                        microseconds / APR_USEC_PER_SEC,
                        (int)(microseconds % APR_USEC_PER_SEC));
}
