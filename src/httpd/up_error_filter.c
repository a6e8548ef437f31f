/* up_error_filter.c -- JSON in place of httpd's error pages, for our paths. */
#include "httpd/up_error_filter.h"
#include "httpd/up_cors.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"
#include "httpd/up_route.h"

#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>
#include <util_filter.h>

#define FILTER "USERPROFILE_ERROR"

/* Our own refusal of R, if R is being answered with it; else NULL. */
static const up_error_t *
own_refusal(const request_rec *r)
{
    const up_error_t *err = up_request_known(r)->refusal;

    return err && up_error_http(err) == r->status ? err : NULL;
}

/* Drop httpd's body, whatever it is, and put ours where it ends. */
static apr_status_t
replace_body(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    int end = 0;

    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket))
        end |= APR_BUCKET_IS_EOS(bucket);
    apr_brigade_cleanup(brigade);
    if (!end)
        return APR_SUCCESS;

    /* Headers of our own errors are set again: httpd has added TRACE to Allow.
     */
    up_reply_write_error(brigade, filter->r, filter->ctx);
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
    up_cors_allow(r, up_request_known(r)->origins);
    const up_error_t *err = own_refusal(r);
    const up_protocol_t *protocol = up_request_known(r)->protocol;
    if (!err && !(protocol && protocol->hides_errors) &&
        ap_response_code_string(r, ap_index_of_response(r->status)))
        return; /* the site's ErrorDocument */

    if (!err)
        err = up_request_foreign(r, r->status);
    up_request_note_reason(r, err->reason);
    ap_add_output_filter(FILTER, (void *)err, r, r->connection);
}
