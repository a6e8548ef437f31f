/* error.c -- the table of errors, and what is said to whom. */
#include "tap.h"
#include "core/up_error.h"

#include <apr_strings.h>
#include <string.h>

static const struct {
    const char *name;
    int http, code;
    up_fault_t fault;
    const char *message; /* NULL: the error's own */
} rows[UP_REASONS] = {
    [UP_AUTH_HEADER_MISSING] = {"AUTH_HEADER_MISSING", 401, 16,
                                UP_FAULT_REQUEST, "auth header missing"},
    [UP_AUTH_HEADER_INVALID] = {"AUTH_HEADER_INVALID", 401, 16, UP_FAULT_CALLER,
                                "invalid auth header (AUTH-toLo1)"},
    [UP_TOKEN_INVALID] = {"TOKEN_INVALID", 401, 16, UP_FAULT_CALLER,
                          "Token is invalid (AUTH-7fs1e)"},
    [UP_ORG_NOT_FOUND] = {"ORG_NOT_FOUND", 403, 7, UP_FAULT_CALLER,
                          "Organisation doesn't exist (AUTH-Bs7Ds)"},
    [UP_MEMBERSHIP_NOT_FOUND] = {"MEMBERSHIP_NOT_FOUND", 404, 5,
                                 UP_FAULT_CALLER,
                                 "membership not found (AUTHZ-cdgFk)"},
    [UP_PERMISSION_DENIED] = {"PERMISSION_DENIED", 403, 7, UP_FAULT_CALLER,
                              "No matching permissions found (AUTH-5mWD2)"},
    [UP_PERMISSION_DENIED_V2] = {"PERMISSION_DENIED", 403, 7, UP_FAULT_CALLER,
                                 "No matching permissions found (AUTH-AWfge)"},
    [UP_BODY_INVALID] = {"BODY_INVALID", 400, 3, UP_FAULT_REQUEST, NULL},
    [UP_MESSAGE_INVALID] = {"BODY_INVALID", 400, 13, UP_FAULT_REQUEST, NULL},
    [UP_FIELD_INVALID] = {"FIELD_INVALID", 400, 3, UP_FAULT_REQUEST, NULL},
    [UP_FIELD_UNSUPPORTED] = {"FIELD_UNSUPPORTED", 501, 12, UP_FAULT_REQUEST,
                              NULL},
    [UP_PROFILE_NOT_FOUND] = {"PROFILE_NOT_FOUND", 400, 9, UP_FAULT_REQUEST,
                              "Profile not found (COMMAND-3M9sd)"},
    [UP_PROFILE_NOT_CHANGED] = {"PROFILE_NOT_CHANGED", 400, 9, UP_FAULT_REQUEST,
                                "Profile not changed (COMMAND-2M0fs)"},
    [UP_USER_NOT_FOUND] = {"USER_NOT_FOUND", 404, 5, UP_FAULT_REQUEST,
                           "User could not be found (QUERY-HNhb3)"},
    [UP_USER_NOT_FOUND_V2] = {"USER_NOT_FOUND", 404, 5, UP_FAULT_REQUEST,
                              "User could not be found (QUERY-Dfbg2)"},
    [UP_HUMAN_NOT_FOUND_V2] = {"USER_NOT_FOUND", 404, 5, UP_FAULT_REQUEST,
                               "User could not be found (COMMAND-ugjs0upun6)"},
    [UP_USER_NOT_HUMAN] = {"USER_NOT_HUMAN", 400, 9, UP_FAULT_REQUEST,
                           "The User must be personal (QUERY-WLTce)"},
    [UP_SEQUENCE_MISMATCH] = {"SEQUENCE_MISMATCH", 412, 10, UP_FAULT_REQUEST,
                              NULL},
    [UP_METHOD_NOT_ALLOWED] = {"METHOD_NOT_ALLOWED", 405, 12, UP_FAULT_REQUEST,
                               "Method Not Allowed"},
    [UP_MEDIA_TYPE_UNSUPPORTED] = {"MEDIA_TYPE_UNSUPPORTED", 415, 3,
                                   UP_FAULT_REQUEST, NULL},
    [UP_BODY_TOO_LARGE] = {"BODY_TOO_LARGE", 413, 8, UP_FAULT_REQUEST, NULL},
    [UP_REQUEST_TIMEOUT] = {"REQUEST_TIMEOUT", 408, 4, UP_FAULT_REQUEST, NULL},
    [UP_HTTP_VERSION_NOT_SUPPORTED] =
        {"HTTP_VERSION_NOT_SUPPORTED", 505, 12, UP_FAULT_REQUEST,
         "gRPC requires HTTP/2; over HTTP/1.1 use gRPC-Web"},
    [UP_UNIMPLEMENTED] = {"UNIMPLEMENTED", 501, 12, UP_FAULT_REQUEST, NULL},
    [UP_SERVICE_UNKNOWN] = {"SERVICE_NOT_FOUND", 404, 5, UP_FAULT_REQUEST,
                            "unknown service"},
    [UP_DEADLINE_EXCEEDED] = {"DEADLINE_EXCEEDED", 504, 4, UP_FAULT_REQUEST,
                              "the deadline has passed; nothing was changed"},
    [UP_STORE_FULL] = {"STORE_FULL", 507, 8, UP_FAULT_OURS,
                       "the store is full; nothing was changed"},
    [UP_STORE_UNAVAILABLE] = {"STORE_UNAVAILABLE", 503, 14, UP_FAULT_OURS,
                              "the store is unavailable; nothing was changed"},
    [UP_OUTCOME_UNKNOWN] = {"STORE_UNAVAILABLE", 503, 14, UP_FAULT_OURS,
                            "the store became unavailable; whether the change "
                            "was made is unknown"},
    [UP_CONFLICT] = {"CONFLICT", 409, 9, UP_FAULT_REQUEST, NULL},
    [UP_INTERNAL] = {"INTERNAL", 500, 13, UP_FAULT_OURS,
                     "An internal error occurred"},
    [UP_UNAUTHENTICATED] = {"UNAUTHENTICATED", 401, 16, UP_FAULT_CALLER, NULL},
    [UP_FORBIDDEN] = {"FORBIDDEN", 403, 7, UP_FAULT_CALLER, NULL},
    [UP_NOT_FOUND] = {"NOT_FOUND", 404, 5, UP_FAULT_REQUEST, NULL},
    [UP_TOO_MANY_REQUESTS] = {"TOO_MANY_REQUESTS", 429, 8, UP_FAULT_REQUEST,
                              NULL},
    [UP_BAD_REQUEST] = {"BAD_REQUEST", 400, 3, UP_FAULT_REQUEST, NULL},
    [UP_UNAVAILABLE] = {"UNAVAILABLE", 503, 14, UP_FAULT_OURS, NULL},
};

static void
the_table(apr_pool_t *pool)
{
    for (int i = 0; i < UP_REASONS; i++) {
        const up_reason_info_t *info = up_reason_info((up_reason_t)i);
        up_error_t *err =
            up_error(pool, (up_reason_t)i, APR_SUCCESS, "row %d", i);

        is(info->name, rows[i].name, "%s: name", rows[i].name);
        is_number(info->http, rows[i].http, "%s: HTTP", rows[i].name);
        is_number(info->code, rows[i].code, "%s: code", rows[i].name);
        is_number(info->fault, rows[i].fault, "%s: fault", rows[i].name);
        is(up_error_public(err, pool),
           rows[i].message ? rows[i].message : err->message,
           "%s: what clients are told", rows[i].name);
        is_number(up_error_http(err), rows[i].http, "%s: the error's HTTP",
                  rows[i].name);
        is(info->retry_after, rows[i].http == 503 && info->text ? "1" : NULL,
           "%s: when to try again", rows[i].name);
    }
}

static void
an_error(apr_pool_t *pool)
{
    up_error_t *err =
        up_error(pool, UP_INTERNAL, APR_SUCCESS, "%s: %d", "x", 7);
    int line = __LINE__ - 1;

    is(err->message, "x: 7", "a message is printed from its format");
    is_number(err->reason, UP_INTERNAL, "an error has its reason");
    is_number(err->line, line, "an error says on which line it was made");
    is(strrchr(err->file, '/'), "/error.c", "an error says in which file");
    ok(!err->cause && !err->violations, "a new error has nothing behind it");

    err = up_error(pool, UP_STORE_UNAVAILABLE, APR_ENOENT, "cannot open it");
    is(err->message, "cannot open it: No such file or directory",
       "a status is explained at the end");
    is_number(err->status, APR_ENOENT, "a status is kept");
}

static void
wrapping(apr_pool_t *pool)
{
    apr_array_header_t *violations =
        apr_array_make(pool, 1, sizeof(up_violation_t));
    up_error_t *inner =
        up_error(pool, UP_CONFLICT, APR_EACCES, "cannot read the file");
    inner->violations = violations;
    up_error_t *middle = up_error_wrap(pool, inner, "line %d", 3);
    up_error_t *outer = up_error_wrap(pool, middle, "cannot import");

    is(up_error_story(outer, pool),
       "cannot import: line 3: cannot read the file: Permission denied",
       "a story goes from the effect to the cause");
    is(up_error_story(inner, pool), "cannot read the file: Permission denied",
       "the story of an error without cause is its message");
    is(up_error_public(outer, pool), up_error_story(outer, pool),
       "clients are told the story where the reason has no text");
    ok(outer->reason == UP_CONFLICT && outer->status == APR_EACCES &&
           outer->violations == violations,
       "a wrapped error keeps reason, status and violations");

    inner = up_error(pool, UP_INTERNAL, APR_SUCCESS, "secret");
    outer = up_error_wrap(pool, inner, "also secret");
    is(up_error_public(outer, pool), "An internal error occurred",
       "of an internal error clients are told nothing");
}

/* What other modules raise keeps its status, and says its phrase. */
static void
of_other_modules(apr_pool_t *pool)
{
    static const struct {
        int http;
        up_reason_t reason;
        const char *phrase;
    } statuses[] = {
        {400, UP_BAD_REQUEST, "Bad Request"},
        {401, UP_UNAUTHENTICATED, "Unauthorized"},
        {403, UP_FORBIDDEN, "Forbidden"},
        {404, UP_NOT_FOUND, "Not Found"},
        {405, UP_BAD_REQUEST, "Method Not Allowed"},
        {408, UP_REQUEST_TIMEOUT, "Request Timeout"},
        {413, UP_BODY_TOO_LARGE, "Request Entity Too Large"},
        {418, UP_BAD_REQUEST, "I'm A Teapot"},
        {429, UP_TOO_MANY_REQUESTS, "Too Many Requests"},
        {499, UP_BAD_REQUEST, "Unknown"},
        {500, UP_INTERNAL, "Internal Server Error"},
        {501, UP_INTERNAL, "Not Implemented"},
        {502, UP_UNAVAILABLE, "Bad Gateway"},
        {503, UP_UNAVAILABLE, "Service Unavailable"},
        {504, UP_UNAVAILABLE, "Gateway Timeout"},
        {599, UP_INTERNAL, "Unknown"},
    };

    for (apr_size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        up_error_t *err =
            up_error_from_http(pool, statuses[i].http, statuses[i].phrase);
        is_number(err->reason, statuses[i].reason, "%d: the reason",
                  statuses[i].http);
        is_number(up_error_http(err), statuses[i].http, "%d stays",
                  statuses[i].http);
        is(up_error_public(err, pool), statuses[i].phrase,
           "%d: what clients are told", statuses[i].http);
    }
}

static void
headers(apr_pool_t *pool)
{
    up_error_t *err = up_error(pool, UP_METHOD_NOT_ALLOWED, APR_SUCCESS, "x");

    ok(!err->headers, "a new error has no headers");
    up_error_set_header(err, "Allow", "GET", pool);
    const apr_table_t *first = err->headers;
    up_error_t *outer = up_error_wrap(pool, err, "y");
    up_error_set_header(outer, "Allow", "PUT", pool);
    up_error_set_header(outer, "X-Other", "1", pool);

    is(apr_table_get(err->headers, "allow"), "GET", "a header is kept");
    ok(err->headers == first && !apr_table_get(first, "X-Other"),
       "headers that are set on a wrapper are not its cause's");
    is(apr_table_get(outer->headers, "Allow"), "PUT",
       "a header that is set again has the last value");
    is(apr_table_get(outer->headers, "X-Other"), "1",
       "a second header goes beside the first");
}

/* An error of one violation, with a cause, in POOL. */
static up_error_t *
make_chain(apr_pool_t *pool)
{
    apr_array_header_t *violations =
        apr_array_make(pool, 1, sizeof(up_violation_t));
    up_violation_t violation = {apr_pstrdup(pool, "firstName"),
                                apr_pstrdup(pool, "too long")};

    APR_ARRAY_PUSH(violations, up_violation_t) = violation;
    up_error_t *cause = up_error(pool, UP_CONFLICT, APR_EACCES, "cannot read");
    cause->violations = violations;
    cause->http = 409;
    up_error_set_header(cause, apr_pstrdup(pool, "Allow"),
                        apr_pstrdup(pool, "GET"), pool);
    return up_error_wrap(pool, cause, "cannot import");
}

static void
is_copy(const up_error_t *copy, const up_error_t *err, const char *which)
{
    is_number(copy->reason, err->reason, "%s has the reason", which);
    is_number(copy->status, err->status, "%s has the status", which);
    is(copy->message, err->message, "%s has the message", which);
    is(copy->file, err->file, "%s has the file where it was raised", which);
    is_number(copy->line, err->line, "%s has the line", which);
    ok(copy->violations && copy->violations->nelts == 1,
       "%s has the violations", which);
    is_number(up_error_http(copy), 409, "%s has the HTTP status", which);
    is(copy->headers ? apr_table_get(copy->headers, "Allow") : NULL, "GET",
       "%s has the headers", which);
}

static void
copying(apr_pool_t *pool)
{
    apr_pool_t *other;

    apr_pool_create(&other, pool);
    up_error_t *err = make_chain(other);
    const up_error_t *like = make_chain(pool);
    up_error_t *copy = up_error_copy(err, pool);

    /* Whatever the copy shares with the original is overwritten. */
    up_error_t *cause = (up_error_t *)err->cause;
    up_violation_t *violation = (up_violation_t *)cause->violations->elts;
    memset((char *)violation->field, 'x', strlen(violation->field));
    memset((char *)violation->description, 'x', strlen(violation->description));
    memset(violation, 0, sizeof(*violation));
    const apr_table_entry_t *header =
        (const void *)apr_table_elts(cause->headers)->elts;
    memset(header->key, 'x', strlen(header->key));
    memset(header->val, 'x', strlen(header->val));
    memset((char *)cause->message, 'x', strlen(cause->message));
    memset((char *)err->message, 'x', strlen(err->message));
    memset(cause, 0, sizeof(*cause));
    memset(err, 0, sizeof(*err));
    apr_pool_destroy(other);

    is_copy(copy, like, "a copy");
    if (!ok(copy->cause && !copy->cause->cause,
            "a copy has as many causes as its original"))
        return;
    is_copy(copy->cause, like->cause, "the cause of a copy");
    violation = (up_violation_t *)copy->violations->elts;
    is(violation->field, "firstName", "a copy names the field at fault");
    is(violation->description, "too long", "a copy says what is wrong with it");

    err = up_error(pool, UP_INTERNAL, APR_SUCCESS, "alone");
    copy = up_error_copy(err, pool);
    ok(!copy->violations && !copy->cause && !copy->headers,
       "a copy of an error without violations, cause and headers has none");
}

static up_error_t *
evaluate(up_error_t *err, int *reached)
{
    UP_ERR(err);
    *reached = 1;
    return NULL;
}

static void
test(apr_pool_t *pool)
{
    int reached = 0;

    the_table(pool);
    an_error(pool);
    wrapping(pool);
    of_other_modules(pool);
    headers(pool);
    copying(pool);

    up_error_t *err = up_error(pool, UP_INTERNAL, APR_SUCCESS, "x");
    ok(evaluate(err, &reached) == err && !reached, "UP_ERR returns an error");
    ok(!evaluate(NULL, &reached) && reached, "UP_ERR goes on without one");
}

int
main(void)
{
    return run_test(test);
}
