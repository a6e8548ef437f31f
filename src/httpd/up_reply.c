/* up_reply.c -- sends answers; logs and sends errors. */
#include "httpd/up_reply.h"
#include "httpd/up_config.h"
#include "httpd/up_request.h"
#include "httpd/up_stores.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

APLOG_USE_MODULE(userprofile);

/* A custom response, which keeps httpd from using an ErrorDocument; the error
 * filter replaces it. */
static char claimed[] = "\"";

/* The protocol that R's errors are written in. */
static const up_protocol_t *
protocol_of(const request_rec *r)
{
    const up_protocol_t *protocol = up_request_known(r)->protocol;

    return protocol ? protocol : &up_protocol_rest;
}

int
up_reply_answer(request_rec *r,
                const ProtobufCMessage *answer,
                const up_call_t *call)
{
    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);

    protocol_of(r)->write(brigade, r, answer, call);
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

/* The level at which ERR is logged. */
static int
level_of(request_rec *r, const up_error_t *err)
{
    switch (err->reason) {
    case UP_STORE_FULL:
    case UP_STORE_UNAVAILABLE: /* every request fails with it */
    case UP_STORE_REPLACED:
        if (!up_stores_take_log_turn(r))
            return APLOG_DEBUG;
        up_stores_report_lock(r);
        return APLOG_ERR;
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

/* VALUE in quotes for a log line, "none" if there is none. Quotes in it are
 * escaped, so that a client cannot forge the rest of the line. */
static const char *
quote(apr_pool_t *pool, const char *value)
{
    if (!value || !*value)
        return "none";
    char *quoted = apr_palloc(pool, 2 * strlen(value) + 3), *at = quoted;
    *at++ = '\'';
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            *at++ = '\\';
        *at++ = *value;
    }
    *at++ = '\'';
    *at = '\0';
    return quoted;
}

void
up_reply_log(request_rec *r, const up_error_t *err)
{
    const up_reason_info_t *info = up_reason_info(err->reason);
    int level = level_of(r, err);
    const char *caller = apr_table_get(r->notes, "userprofile-caller");
    const char *doubt = err->reason == UP_OUTCOME_UNKNOWN
                            ? "; whether the change was made is unknown"
                            : "";

    up_request_note_reason(r, err->reason);
    if (err->reason == UP_STORE_REPLACED && level == APLOG_ERR)
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, 0, r, "UP0020: %s",
                      up_error_story(err, r->pool));
    ap_log_rerror(
        err->file, err->line, APLOG_MODULE_INDEX, level, 0, r,
        "UP0010: %s %s: %s: %s%s (caller %s, user %s, organisation %s)",
        r->method, ap_escape_logitem(r->pool, r->uri), info->name,
        up_error_story(err, r->pool), doubt,
        quote(r->pool, caller ? caller : r->user),
        quote(r->pool, apr_table_get(r->notes, "userprofile-user")),
        quote(r->pool, apr_table_get(r->notes, "userprofile-org")));
}

/* Set in HEADERS the headers that go with ERR. */
static void
set_headers(apr_table_t *headers, const up_error_t *err)
{
    const char *retry_after = up_reason_info(err->reason)->retry_after;

    if (retry_after && !err->http)
        apr_table_setn(headers, "Retry-After", retry_after);
    if (err->headers)
        apr_table_overlap(headers, err->headers, APR_OVERLAP_TABLES_SET);
}

void
up_reply_write_error(apr_bucket_brigade *brigade,
                     request_rec *r,
                     const up_error_t *err)
{
    set_headers(r->headers_out, err);
    protocol_of(r)->write_error(brigade, r, err);
}

int
up_reply_error(request_rec *r, const up_error_t *err)
{
    up_reply_log(r, err);
    if (err->http) /* another module's: the site may have a document for it */
        return err->http;

    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);
    up_reply_write_error(brigade, r, err);
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

int
up_reply_refuse(request_rec *r, up_error_t *err)
{
    int http = up_error_http(err);

    up_reply_log(r, err);
    set_headers(r->err_headers_out, err);
    if (up_request_known(r)->is_ours) {
        up_request_of(r)->refusal = err;
        /* Asked for before ErrorDocument; the error filter replaces it. */
        ap_custom_response(r, http, claimed);
    }
    return http;
}

void
up_reply_claim_errors(request_rec *r)
{
    core_request_config *core = ap_get_core_module_config(r->request_config);
    char **strings = apr_palloc(r->pool, RESPONSE_CODES * sizeof(char *));

    /* What ap_custom_response() does, for every status at once. */
    for (int i = 0; i < RESPONSE_CODES; i++)
        strings[i] = claimed;
    core->response_code_strings = strings;
}
