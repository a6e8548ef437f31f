/* up_bearer.c -- bearer tokens (RFC 6750) of our own. */
#include "httpd/up_bearer.h"
#include "httpd/up_metrics.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"
#include "httpd/up_stores.h"
#include "service/up_tokens.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#define AUTH_TYPE "UserProfile"
#define SCHEME "Bearer"

static int
is_our_type(const char *type)
{
    return type && !ap_cstr_casecmp(type, AUTH_TYPE);
}

/* The value of WWW-Authenticate for R: with the AuthName if one is set, with
 * error="invalid_token" if INVALID_TOKEN. */
static const char *
challenge(request_rec *r, int invalid_token)
{
    const char *name = ap_auth_name(r); /* escaped as httpd read it */
    const char *realm =
        name ? apr_pstrcat(r->pool, " realm=\"", name, "\"", NULL) : "";
    const char *error = invalid_token ? (name ? ", error=\"invalid_token\""
                                              : " error=\"invalid_token\"")
                                      : "";

    return apr_pstrcat(r->pool, SCHEME, realm, error, NULL);
}

/* Set *TOKEN to R's bearer token; AUTH_HEADER_MISSING, AUTH_HEADER_INVALID. */
static up_error_t *
read_token(const char **token, const request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    apr_size_t length = sizeof(SCHEME) - 1;

    if (!header || !*header)
        return up_error(r->pool, UP_AUTH_HEADER_MISSING, APR_SUCCESS,
                        "there is no Authorization header");
    if (ap_cstr_casecmpn(header, SCHEME, length) != 0 ||
        header[length] != ' ' ||
        !up_token_is_well_formed(header + length +
                                 strspn(header + length, " ")))
        return up_error(r->pool, UP_AUTH_HEADER_INVALID, APR_SUCCESS,
                        "the Authorization header is not '" SCHEME
                        "' and one token");
    *token = header + length + strspn(header + length, " ");
    return NULL;
}

/* Whether R changes nothing, so that its token may be looked up in a copy of
 * the store. */
static int
only_reads(request_rec *r)
{
    const up_request_t *request = up_request_known(r);

    return request->method && up_method_only_reads(request->method);
}

static up_error_t *
authenticate(request_rec *r)
{
    const char *token = NULL, *user;
    up_store_t *store;

    UP_ERR(read_token(&token, r));
    UP_ERR(up_stores_get(&store, r));
    UP_ERR(
        up_token_check(&user, store, only_reads(r), token, r->pool, r->pool));
    r->user = (char *)user; /* in R's pool */
    r->ap_auth_type = (char *)AUTH_TYPE;
    return NULL;
}

int
up_bearer_authenticate(request_rec *r)
{
    if (!is_our_type(ap_auth_type(r)))
        return DECLINED;
    up_error_t *err = authenticate(r);
    if (err && (err->reason == UP_TOKEN_INVALID ||
                err->reason == UP_AUTH_HEADER_INVALID))
        up_metrics_count_token(err->reason);
    if (err && up_error_http(err) == HTTP_UNAUTHORIZED)
        up_error_set_header(err, "WWW-Authenticate",
                            challenge(r, err->reason == UP_TOKEN_INVALID),
                            r->pool);
    return err ? up_reply_refuse(r, err) : OK;
}

int
up_bearer_force(request_rec *r)
{
    const up_request_t *request = up_request_known(r);

    if (!request->is_ours || request->is_preflight ||
        (request->method && request->method->is_open))
        return DECLINED;
    return is_our_type(ap_auth_type(r)) ? OK : DECLINED;
}

int
up_bearer_note_failure(request_rec *r, const char *type)
{
    if (!is_our_type(type))
        return DECLINED;
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", challenge(r, 0));
    return OK;
}

/* Whether an earlier request of R's chain ended in 401 or 403. httpd passes the
 * user of such a request on to the request for its ErrorDocument, although that
 * user may never have been authenticated. */
static int
is_left_over(const request_rec *r)
{
    for (r = r->prev ? r->prev : r->main; r; r = r->prev ? r->prev : r->main) {
        if (r->status == HTTP_UNAUTHORIZED || r->status == HTTP_FORBIDDEN)
            return 1;
    }
    return 0;
}

up_error_t *
up_bearer_require_caller(request_rec *r, const char *caller)
{
    if (caller && *caller && !is_left_over(r)) {
        up_request_note(r, "userprofile-caller", caller);
        return NULL;
    }
    up_error_t *err = up_error(r->pool, UP_AUTH_HEADER_MISSING, APR_SUCCESS,
                               "no Apache module authenticated the caller, or "
                               "UserProfileCaller gives none");
    up_error_set_header(err, "WWW-Authenticate", challenge(r, 0), r->pool);
    return err;
}
