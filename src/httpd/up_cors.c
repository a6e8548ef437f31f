/* up_cors.c -- UserProfileCors: pages of other origins may call. */
#include "httpd/up_cors.h"
#include "httpd/up_protocol.h"
#include "httpd/up_request.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <http_protocol.h>
#include <util_filter.h>

/* What scripts may send: what all protocols together read. */
#define ALLOWED_METHODS "GET, HEAD, PUT, PATCH, POST"
#define ALLOWED_HEADERS                                                        \
    "authorization, connect-accept-encoding, connect-content-encoding, "       \
    "connect-protocol-version, connect-timeout-ms, content-encoding, "         \
    "content-type, grpc-accept-encoding, grpc-encoding, grpc-timeout, "        \
    "if-match, if-none-match, x-grpc-web, x-user-agent, x-zitadel-orgid"

/* What scripts may read of an answer, besides what the Fetch Standard always
 * lets them. */
#define EXPOSED_HEADERS                                                        \
    "accept-encoding, accept-post, allow, content-encoding, etag, "            \
    "grpc-accept-encoding, grpc-encoding, grpc-message, grpc-status, "         \
    "grpc-status-details-bin, retry-after, www-authenticate"

/* How long browsers may remember the answer to a preflight, in seconds. */
#define MAX_AGE "600"

int
up_cors_parse_origin(const char **origin, const char *text, apr_pool_t *pool)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
                                     "0123456789+-.:/[]_";
    char *lower = apr_pstrdup(pool, text);
    apr_uri_t uri;

    ap_str_tolower(lower);
    if (lower[strspn(lower, characters)] || apr_uri_parse(pool, lower, &uri))
        return 0;
    if (!uri.scheme || !uri.hostname || !*uri.hostname || uri.path)
        return 0;

    apr_size_t length = strlen(uri.hostinfo);
    if (uri.port_str &&
        strcmp(uri.port_str, apr_psprintf(pool, "%u", uri.port)) != 0)
        return 0; /* none, or more than a port can be */
    if (uri.port_str && uri.port == apr_uri_port_of_scheme(uri.scheme))
        length -= strlen(uri.port_str) + 1;
    *origin = apr_pstrcat(pool, uri.scheme, "://",
                          apr_pstrmemdup(pool, uri.hostinfo, length), NULL);
    return 1;
}

static int
is_on(const apr_array_header_t *origins)
{
    return origins && origins->nelts;
}

int
up_cors_is_preflight(const request_rec *r, const apr_array_header_t *origins)
{
    return r->method_number == M_OPTIONS && is_on(origins) &&
           apr_table_get(r->headers_in, "Origin") &&
           apr_table_get(r->headers_in, "Access-Control-Request-Method");
}

/* The one of ORIGINS that ORIGIN, which may be NULL, is, "*" for any; or
 * NULL. */
static const char *
find(const apr_array_header_t *origins, const char *origin)
{
    for (int i = 0; origin && i < origins->nelts; i++) {
        const char *listed = APR_ARRAY_IDX(origins, i, const char *);
        if (!strcmp(listed, "*") || !strcmp(listed, origin))
            return listed;
    }
    return NULL;
}

/* Headers that httpd keeps in every answer: of errors and of what an
 * ErrorDocument leads to as well. */
int
up_cors_allow(request_rec *r, const apr_array_header_t *origins)
{
    apr_table_t *headers = r->err_headers_out;

    if (!is_on(origins))
        return 0;
    apr_table_mergen(headers, "Vary", "Origin"); /* httpd drops a second one */

    const char *origin = find(origins, apr_table_get(r->headers_in, "Origin"));
    if (!origin)
        return 0;
    apr_table_setn(headers, "Access-Control-Allow-Origin", origin);
    apr_table_setn(headers, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
    if (strcmp(origin, "*") != 0)
        apr_table_setn(headers, "Access-Control-Allow-Credentials", "true");
    return 1;
}

int
up_cors_check_access(request_rec *r)
{
    return up_request_known(r)->is_preflight ? OK : DECLINED;
}

int
up_cors_serve(request_rec *r)
{
    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);

    r->status = HTTP_NO_CONTENT;
    up_protocol_headers(r);
    apr_table_setn(r->headers_out, "Access-Control-Allow-Methods",
                   ALLOWED_METHODS);
    apr_table_setn(r->headers_out, "Access-Control-Allow-Headers",
                   ALLOWED_HEADERS);
    apr_table_setn(r->headers_out, "Access-Control-Max-Age", MAX_AGE);
    APR_BRIGADE_INSERT_TAIL(brigade,
                            apr_bucket_eos_create(brigade->bucket_alloc));
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}
