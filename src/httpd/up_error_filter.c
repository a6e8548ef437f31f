/* up_error_filter.c -- JSON in place of httpd's error pages, for our paths. */
#include "httpd/up_error_filter.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"
#include "httpd/up_route.h"
#include "httpd/up_rpc_reply.h"

#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>
#include <util_filter.h>

#define FILTER "USERPROFILE_ERROR"

/* What the filter is to say. */
typedef struct answer_t {
    const up_status_t *status;
    const up_error_t *refusal; /* of ours, or NULL */
} answer_t;

/* R's own refusal, if that is what is being answered. */
static const up_error_t *
own_refusal(const request_rec *r)
{
    const up_error_t *err = up_request_known(r)->refusal;

    return err && up_reason_info(err->reason)->http == r->status ? err : NULL;
}

/* Append to BRIGADE the body of R's error, STATUS in JSON, and its end. */
static void
append_body(apr_bucket_brigade *brigade,
            request_rec *r,
            const up_status_t *status)
{
    apr_bucket_alloc_t *alloc = brigade->bucket_alloc;
    const char *text;
    apr_size_t length;

    up_status_json(&text, &length, status, r->pool);
    up_reply_common_headers(r->headers_out);
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)length);
    APR_BRIGADE_INSERT_TAIL(
        brigade, apr_bucket_pool_create(text, length, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
}

/* Drop httpd's body, whatever it is, and put ours where it ends. */
static apr_status_t
replace_body(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    request_rec *r = filter->r;
    const answer_t *answer = filter->ctx;
    int end = 0;

    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket))
        end |= APR_BUCKET_IS_EOS(bucket);
    apr_brigade_cleanup(brigade);
    if (!end)
        return APR_SUCCESS;

    /* httpd has set an Allow of its own, which adds TRACE. */
    if (answer->refusal)
        up_reply_error_headers(r, r->headers_out, answer->refusal);
    if (up_request_known(r)->shape != UP_SHAPE_JSON)
        up_rpc_fill_status(brigade, r, answer->status);
    else
        append_body(brigade, r, answer->status);
    ap_filter_t *next = filter->next;
    ap_remove_output_filter(filter);
    return ap_pass_brigade(next, brigade);
}

void
up_error_filter_register(void)
{
    ap_register_output_filter(FILTER, replace_body, NULL, AP_FTYPE_RESOURCE);
}

void
up_error_filter_insert(request_rec *r)
{
    if (!ap_is_HTTP_ERROR(r->status) || !up_route_is_ours(r))
        return;
    const up_error_t *refusal = own_refusal(r);
    if (!refusal)
        up_route_assume_shape(r);
    int is_rpc = up_request_known(r)->shape != UP_SHAPE_JSON;
    if (!refusal && !is_rpc &&
        ap_response_code_string(r, ap_index_of_response(r->status)))
        return; /* the site's ErrorDocument */

    answer_t *answer = apr_palloc(r->pool, sizeof(*answer));
    answer->refusal = refusal;
    answer->status = refusal ? up_status_of(refusal, r->pool)
                             : up_reply_foreign(r->status, r->pool);
    up_request_note(r, "userprofile-reason", answer->status->reason);
    ap_add_output_filter(FILTER, answer, r, r->connection);
}
