/* up_reply.c -- answers, and the one way out for errors. */
#include "httpd/up_reply.h"
#include "httpd/up_bearer.h"
#include "httpd/up_request.h"
#include "httpd/up_route.h"
#include "httpd/up_rpc_reply.h"
#include "httpd/up_stores.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

APLOG_USE_MODULE(userprofile);

/* Seconds after which a client may try an unavailable store again. */
#define RETRY_AFTER "1"

void
up_reply_common_headers(apr_table_t *headers)
{
    apr_table_setn(headers, "Cache-Control", "no-store");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
}

void
up_reply_whole(request_rec *r)
{
    ap_remove_output_filter_byhandle(r->output_filters, "BYTERANGE");
}

int
up_reply_json(request_rec *r, int status, const char *text, apr_size_t length)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);

    r->status = status;
    if (r->method_number != M_GET)
        up_reply_whole(r);
    up_reply_common_headers(r->headers_out);
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)length);
    APR_BRIGADE_INSERT_TAIL(
        brigade, apr_bucket_pool_create(text, length, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

void
up_reply_error_headers(request_rec *r,
                       apr_table_t *headers,
                       const up_error_t *err)
{
    switch (err->reason) {
    case UP_AUTH_HEADER_MISSING:
    case UP_AUTH_HEADER_INVALID:
    case UP_TOKEN_INVALID:
        apr_table_setn(headers, "WWW-Authenticate",
                       up_bearer_challenge(r, err->reason == UP_TOKEN_INVALID));
        break;
    case UP_METHOD_NOT_ALLOWED:
        apr_table_setn(headers, "Allow", up_route_allow(r));
        break;
    case UP_STORE_UNAVAILABLE:
    case UP_OUTCOME_UNKNOWN:
        apr_table_setn(headers, "Retry-After", RETRY_AFTER);
        break;
    default:
        break;
    }
}

/* How loudly ERR is logged. */
static int
level_of(request_rec *r, const up_error_t *err)
{
    switch (err->reason) {
    case UP_STORE_FULL:
    case UP_STORE_UNAVAILABLE: /* every request fails alike */
        return up_stores_take_log_turn(r) ? APLOG_ERR : APLOG_INFO;
    default:
        break;
    }
    switch (up_reason_info(err->reason)->fault) {
    case UP_FAULT_REQUEST:
        return APLOG_INFO;
    case UP_FAULT_CALLER:
        return APLOG_WARNING;
    default:
        return APLOG_ERR;
    }
}

/* A value for a log line, quoted, or "none". */
static const char *
or_none(apr_pool_t *pool, const char *value)
{
    return value && *value ? apr_pstrcat(pool, "'", value, "'", NULL) : "none";
}

void
up_reply_log(request_rec *r, const up_error_t *err)
{
    const up_reason_info_t *info = up_reason_info(err->reason);
    int level = level_of(r, err);
    const char *doubt = err->reason == UP_OUTCOME_UNKNOWN
                            ? "; whether the change was made is unknown"
                            : "";

    up_request_note(r, "userprofile-reason", info->name);
    ap_log_rerror(err->file, err->line, APLOG_MODULE_INDEX, level, 0, r,
                  "UP0010: %s %s: %s: %s%s (caller %s, organisation %s)",
                  r->method, r->uri, info->name, up_error_story(err, r->pool),
                  doubt, or_none(r->pool, r->user),
                  or_none(r->pool, apr_table_get(r->notes, "userprofile-org")));
}

int
up_reply_error(request_rec *r, const up_error_t *err)
{
    const char *text;
    apr_size_t length;

    up_reply_log(r, err);
    up_reply_error_headers(r, r->headers_out, err);
    up_status_t *status = up_status_of(err, r->pool);
    if (up_request_known(r)->shape != UP_SHAPE_JSON)
        return up_rpc_reply_status(r, status);
    up_status_json(&text, &length, status, r->pool);
    return up_reply_json(r, up_reason_info(err->reason)->http, text, length);
}

int
up_reply_refuse(request_rec *r, up_error_t *err)
{
    int status = up_reason_info(err->reason)->http;

    up_reply_log(r, err);
    up_reply_error_headers(r, r->err_headers_out, err);
    if (up_request_known(r)->ours) {
        up_request_of(r)->refusal = err;
        /* Asked before ErrorDocument; the error filter replaces it. */
        ap_custom_response(r, status, "refused");
    }
    return status;
}

/* What an error of another module is called. */
static const struct {
    int http; /* 0: any other of its class */
    int class;
    const char *reason;
    int code; /* google.rpc.Code */
} foreign[] = {
    {401, 4, "UNAUTHENTICATED", 16}, {403, 4, "FORBIDDEN", 7},
    {404, 4, "NOT_FOUND", 5},        {408, 4, "REQUEST_TIMEOUT", 4},
    {413, 4, "BODY_TOO_LARGE", 8},   {429, 4, "TOO_MANY_REQUESTS", 8},
    {0, 4, "BAD_REQUEST", 3},        {502, 5, "UNAVAILABLE", 14},
    {503, 5, "UNAVAILABLE", 14},     {504, 5, "UNAVAILABLE", 14},
    {0, 5, "INTERNAL", 13},
};

up_status_t *
up_reply_foreign(int http, apr_pool_t *pool)
{
    up_status_t *status = apr_pcalloc(pool, sizeof(*status));
    int i = 0;

    while (foreign[i].class != http / 100 ||
           (foreign[i].http && foreign[i].http != http))
        i++;
    status->reason = foreign[i].reason;
    status->code = foreign[i].code;
    status->message = ap_get_status_line(http) + sizeof("403"); /* "403 ..." */
    return status;
}
