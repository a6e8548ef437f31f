/* up_error.c -- the table of errors, and error objects. */
#include "core/up_error.h"

#include <apr_strings.h>

static const up_reason_info_t reasons[UP_REASONS] = {
    [UP_AUTH_HEADER_MISSING] = {"AUTH_HEADER_MISSING", 401, 16,
                                UP_FAULT_REQUEST, NULL, "auth header missing",
                                NULL},
    [UP_AUTH_HEADER_INVALID] = {"AUTH_HEADER_INVALID", 401, 16, UP_FAULT_CALLER,
                                "AUTH-toLo1", "invalid auth header", NULL},
    [UP_TOKEN_INVALID] = {"TOKEN_INVALID", 401, 16, UP_FAULT_CALLER,
                          "AUTH-7fs1e", "Token is invalid", NULL},
    [UP_ORG_NOT_FOUND] = {"ORG_NOT_FOUND", 403, 7, UP_FAULT_CALLER,
                          "AUTH-Bs7Ds", "Organisation doesn't exist", NULL},
    [UP_MEMBERSHIP_NOT_FOUND] = {"MEMBERSHIP_NOT_FOUND", 404, 5,
                                 UP_FAULT_CALLER, "AUTHZ-cdgFk",
                                 "membership not found", NULL},
    [UP_PERMISSION_DENIED] = {"PERMISSION_DENIED", 403, 7, UP_FAULT_CALLER,
                              "AUTH-5mWD2", "No matching permissions found",
                              NULL},
    [UP_PERMISSION_DENIED_V2] = {"PERMISSION_DENIED", 403, 7, UP_FAULT_CALLER,
                                 "AUTH-AWfge", "No matching permissions found",
                                 NULL},
    [UP_BODY_INVALID] = {"BODY_INVALID", 400, 3, UP_FAULT_REQUEST, NULL, NULL,
                         NULL},
    [UP_MESSAGE_INVALID] = {"BODY_INVALID", 400, 13, UP_FAULT_REQUEST, NULL,
                            NULL, NULL},
    [UP_FIELD_INVALID] = {"FIELD_INVALID", 400, 3, UP_FAULT_REQUEST, NULL, NULL,
                          NULL},
    [UP_FIELD_UNSUPPORTED] = {"FIELD_UNSUPPORTED", 501, 12, UP_FAULT_REQUEST,
                              NULL, NULL, NULL},
    [UP_PROFILE_NOT_FOUND] = {"PROFILE_NOT_FOUND", 400, 9, UP_FAULT_REQUEST,
                              "COMMAND-3M9sd", "Profile not found", NULL},
    [UP_PROFILE_NOT_CHANGED] = {"PROFILE_NOT_CHANGED", 400, 9, UP_FAULT_REQUEST,
                                "COMMAND-2M0fs", "Profile not changed", NULL},
    [UP_USER_NOT_FOUND] = {"USER_NOT_FOUND", 404, 5, UP_FAULT_REQUEST,
                           "QUERY-HNhb3", "User could not be found", NULL},
    [UP_USER_NOT_FOUND_V2] = {"USER_NOT_FOUND", 404, 5, UP_FAULT_REQUEST,
                              "QUERY-Dfbg2", "User could not be found", NULL},
    [UP_HUMAN_NOT_FOUND_V2] = {"USER_NOT_FOUND", 404, 5, UP_FAULT_REQUEST,
                               "COMMAND-ugjs0upun6", "User could not be found",
                               NULL},
    [UP_USER_NOT_HUMAN] = {"USER_NOT_HUMAN", 400, 9, UP_FAULT_REQUEST,
                           "QUERY-WLTce", "The User must be personal", NULL},
    [UP_SEQUENCE_MISMATCH] = {"SEQUENCE_MISMATCH", 412, 10, UP_FAULT_REQUEST,
                              NULL, NULL, NULL},
    [UP_METHOD_NOT_ALLOWED] = {"METHOD_NOT_ALLOWED", 405, 12, UP_FAULT_REQUEST,
                               NULL, "Method Not Allowed", NULL},
    [UP_MEDIA_TYPE_UNSUPPORTED] = {"MEDIA_TYPE_UNSUPPORTED", 415, 3,
                                   UP_FAULT_REQUEST, NULL, NULL, NULL},
    [UP_BODY_TOO_LARGE] = {"BODY_TOO_LARGE", 413, 8, UP_FAULT_REQUEST, NULL,
                           NULL, NULL},
    [UP_REQUEST_TIMEOUT] = {"REQUEST_TIMEOUT", 408, 4, UP_FAULT_REQUEST, NULL,
                            NULL, NULL},
    [UP_HTTP_VERSION_NOT_SUPPORTED] = {"HTTP_VERSION_NOT_SUPPORTED", 505, 12,
                                       UP_FAULT_REQUEST, NULL,
                                       "gRPC requires HTTP/2; over HTTP/1.1 "
                                       "use gRPC-Web",
                                       NULL},
    [UP_UNIMPLEMENTED] = {"UNIMPLEMENTED", 501, 12, UP_FAULT_REQUEST, NULL,
                          NULL, NULL},
    [UP_SERVICE_UNKNOWN] = {"SERVICE_NOT_FOUND", 404, 5, UP_FAULT_REQUEST, NULL,
                            "unknown service", NULL},
    [UP_DEADLINE_EXCEEDED] = {"DEADLINE_EXCEEDED", 504, 4, UP_FAULT_REQUEST,
                              NULL,
                              "the deadline has passed; nothing was changed",
                              NULL},
    [UP_STORE_FULL] = {"STORE_FULL", 507, 8, UP_FAULT_OURS, NULL,
                       "the store is full; nothing was changed", NULL},
    [UP_STORE_UNAVAILABLE] = {"STORE_UNAVAILABLE", 503, 14, UP_FAULT_OURS, NULL,
                              "the store is unavailable; nothing was changed",
                              "1"},
    [UP_STORE_REPLACED] = {"STORE_UNAVAILABLE", 503, 14, UP_FAULT_OURS, NULL,
                           "the store is unavailable; nothing was changed",
                           "1"},
    [UP_OUTCOME_UNKNOWN] = {"STORE_UNAVAILABLE", 503, 14, UP_FAULT_OURS, NULL,
                            "the store became unavailable; whether the change "
                            "was made is unknown",
                            "1"},
    [UP_CONFLICT] = {"CONFLICT", 409, 9, UP_FAULT_REQUEST, NULL, NULL, NULL},
    [UP_INTERNAL] = {"INTERNAL", 500, 13, UP_FAULT_OURS, NULL,
                     "An internal error occurred", NULL},
    [UP_UNAUTHENTICATED] = {"UNAUTHENTICATED", 401, 16, UP_FAULT_CALLER, NULL,
                            NULL, NULL},
    [UP_FORBIDDEN] = {"FORBIDDEN", 403, 7, UP_FAULT_CALLER, NULL, NULL, NULL},
    [UP_NOT_FOUND] = {"NOT_FOUND", 404, 5, UP_FAULT_REQUEST, NULL, NULL, NULL},
    [UP_TOO_MANY_REQUESTS] = {"TOO_MANY_REQUESTS", 429, 8, UP_FAULT_REQUEST,
                              NULL, NULL, NULL},
    [UP_BAD_REQUEST] = {"BAD_REQUEST", 400, 3, UP_FAULT_REQUEST, NULL, NULL,
                        NULL},
    [UP_UNAVAILABLE] = {"UNAVAILABLE", 503, 14, UP_FAULT_OURS, NULL, NULL,
                        NULL},
};

const up_reason_info_t *
up_reason_info(up_reason_t reason)
{
    return &reasons[reason];
}

static up_error_t *
make(apr_pool_t *pool,
     up_reason_t reason,
     const char *file,
     int line,
     const char *message)
{
    up_error_t *err = apr_pcalloc(pool, sizeof(*err));

    err->reason = reason;
    err->file = file;
    err->line = line;
    err->message = message;
    return err;
}

up_error_t *
up_error_make(apr_pool_t *pool,
              up_reason_t reason,
              apr_status_t status,
              const char *file,
              int line,
              const char *format,
              ...)
{
    va_list args;

    va_start(args, format);
    const char *message = apr_pvsprintf(pool, format, args);
    va_end(args);

    if (status) {
        char why[256];
        apr_strerror(status, why, sizeof(why));
        message = apr_pstrcat(pool, message, ": ", why, NULL);
    }
    up_error_t *err = make(pool, reason, file, line, message);
    err->status = status;
    return err;
}

up_error_t *
up_error_wrap_make(apr_pool_t *pool,
                   const up_error_t *cause,
                   const char *file,
                   int line,
                   const char *format,
                   ...)
{
    va_list args;

    va_start(args, format);
    const char *message = apr_pvsprintf(pool, format, args);
    va_end(args);

    up_error_t *err = make(pool, cause->reason, file, line, message);
    err->status = cause->status;
    err->violations = cause->violations;
    err->http = cause->http;
    err->headers = cause->headers;
    err->cause = cause;
    return err;
}

static const apr_array_header_t *
copy_violations(const apr_array_header_t *violations, apr_pool_t *pool)
{
    apr_array_header_t *copy = apr_array_copy(pool, violations);

    for (int i = 0; i < copy->nelts; i++) {
        up_violation_t *violation = &APR_ARRAY_IDX(copy, i, up_violation_t);
        violation->field = apr_pstrdup(pool, violation->field);
        violation->description = apr_pstrdup(pool, violation->description);
    }
    return copy;
}

up_error_t *
up_error_copy(const up_error_t *err, apr_pool_t *pool)
{
    up_error_t *copy = apr_pmemdup(pool, err, sizeof(*err));

    copy->message = apr_pstrdup(pool, err->message);
    if (err->violations)
        copy->violations = copy_violations(err->violations, pool);
    if (err->cause)
        copy->cause = up_error_copy(err->cause, pool);
    if (err->headers)
        copy->headers = apr_table_clone(pool, err->headers);
    return copy;
}

/* What the statuses of other modules are called. Any other 4xx is BAD_REQUEST,
 * any other 5xx INTERNAL. */
static const struct {
    int http;
    up_reason_t reason;
} foreign[] = {
    {401, UP_UNAUTHENTICATED}, {403, UP_FORBIDDEN},
    {404, UP_NOT_FOUND},       {408, UP_REQUEST_TIMEOUT},
    {413, UP_BODY_TOO_LARGE},  {429, UP_TOO_MANY_REQUESTS},
    {502, UP_UNAVAILABLE},     {503, UP_UNAVAILABLE},
    {504, UP_UNAVAILABLE},
};

up_error_t *
up_error_from_http(apr_pool_t *pool, int http, const char *phrase)
{
    up_reason_t reason = http >= 500 ? UP_INTERNAL : UP_BAD_REQUEST;

    for (apr_size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (foreign[i].http == http)
            reason = foreign[i].reason;
    }
    up_error_t *err = up_error(pool, reason, APR_SUCCESS, "%s", phrase);
    err->http = http;
    return err;
}

int
up_error_http(const up_error_t *err)
{
    return err->http ? err->http : up_reason_info(err->reason)->http;
}

void
up_error_set_header(up_error_t *err,
                    const char *name,
                    const char *value,
                    apr_pool_t *pool)
{
    apr_table_t *headers = err->headers ? apr_table_copy(pool, err->headers)
                                        : apr_table_make(pool, 1);

    apr_table_setn(headers, name, value);
    err->headers = headers;
}

const char *
up_error_story(const up_error_t *err, apr_pool_t *pool)
{
    const char *story = err->message;

    for (err = err->cause; err; err = err->cause)
        story = apr_pstrcat(pool, story, ": ", err->message, NULL);
    return story;
}

const char *
up_error_public(const up_error_t *err, apr_pool_t *pool)
{
    const up_reason_info_t *info = up_reason_info(err->reason);
    const char *text =
        info->text && !err->http ? info->text : up_error_story(err, pool);

    return info->id ? apr_pstrcat(pool, text, " (", info->id, ")", NULL) : text;
}
