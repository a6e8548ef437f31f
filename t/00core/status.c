/* status.c -- google.rpc.Status: the bodies of errors, byte by byte; as
 * protobuf, what ZITADEL's clients look for in it is what ZITADEL sends. */
#include "wire/up_status.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "hex.h"
#include "tap.h"
#include "wire/up_json.h"

#include <apr_strings.h>
#include <string.h>

#define TYPE "{\"@type\":\"type.googleapis.com/"
#define DETAIL(id, message)                                                    \
    TYPE "zitadel.v1.ErrorDetail\",\"id\":\"" id "\",\"message\":\"" message   \
         "\"},"
#define INFO(reason)                                                           \
    TYPE "google.rpc.ErrorInfo\",\"reason\":\"" reason                         \
         "\",\"domain\":\"userprofile\"}"
#define BODY(code, message, details)                                           \
    "{\"code\":" code ",\"message\":\"" message "\",\"details\":[" details "]" \
    "}"

/* The error's own message is always "own text". */
static const struct {
    up_reason_t reason;
    const char *body;
} bodies[] = {
    {UP_AUTH_HEADER_MISSING,
     BODY("16", "auth header missing", INFO("AUTH_HEADER_MISSING"))},
    {UP_AUTH_HEADER_INVALID, BODY("16",
                                  "invalid auth header (AUTH-toLo1)",
                                  DETAIL("AUTH-toLo1", "invalid auth header")
                                      INFO("AUTH_HEADER_INVALID"))},
    {UP_TOKEN_INVALID,
     BODY("16",
          "Token is invalid (AUTH-7fs1e)",
          DETAIL("AUTH-7fs1e", "Token is invalid") INFO("TOKEN_INVALID"))},
    {UP_ORG_NOT_FOUND, BODY("7",
                            "Organisation doesn't exist (AUTH-Bs7Ds)",
                            DETAIL("AUTH-Bs7Ds", "Organisation doesn't exist")
                                INFO("ORG_NOT_FOUND"))},
    {UP_MEMBERSHIP_NOT_FOUND, BODY("5",
                                   "membership not found (AUTHZ-cdgFk)",
                                   DETAIL("AUTHZ-cdgFk", "membership not found")
                                       INFO("MEMBERSHIP_NOT_FOUND"))},
    {UP_PERMISSION_DENIED,
     BODY("7",
          "No matching permissions found (AUTH-5mWD2)",
          DETAIL("AUTH-5mWD2", "No matching permissions found")
              INFO("PERMISSION_DENIED"))},
    {UP_PERMISSION_DENIED_V2,
     BODY("7",
          "No matching permissions found (AUTH-AWfge)",
          DETAIL("AUTH-AWfge", "No matching permissions found")
              INFO("PERMISSION_DENIED"))},
    {UP_BODY_INVALID, BODY("3", "own text", INFO("BODY_INVALID"))},
    {UP_MESSAGE_INVALID, BODY("13", "own text", INFO("BODY_INVALID"))},
    {UP_FIELD_INVALID, BODY("3", "own text", INFO("FIELD_INVALID"))},
    {UP_FIELD_UNSUPPORTED, BODY("12", "own text", INFO("FIELD_UNSUPPORTED"))},
    {UP_PROFILE_NOT_FOUND, BODY("9",
                                "Profile not found (COMMAND-3M9sd)",
                                DETAIL("COMMAND-3M9sd", "Profile not found")
                                    INFO("PROFILE_NOT_FOUND"))},
    {UP_PROFILE_NOT_CHANGED, BODY("9",
                                  "Profile not changed (COMMAND-2M0fs)",
                                  DETAIL("COMMAND-2M0fs", "Profile not changed")
                                      INFO("PROFILE_NOT_CHANGED"))},
    {UP_USER_NOT_FOUND, BODY("5",
                             "User could not be found (QUERY-HNhb3)",
                             DETAIL("QUERY-HNhb3", "User could not be found")
                                 INFO("USER_NOT_FOUND"))},
    {UP_USER_NOT_FOUND_V2, BODY("5",
                                "User could not be found (QUERY-Dfbg2)",
                                DETAIL("QUERY-Dfbg2", "User could not be found")
                                    INFO("USER_NOT_FOUND"))},
    {UP_HUMAN_NOT_FOUND_V2,
     BODY("5",
          "User could not be found (COMMAND-ugjs0upun6)",
          DETAIL("COMMAND-ugjs0upun6", "User could not be found")
              INFO("USER_NOT_FOUND"))},
    {UP_USER_NOT_HUMAN, BODY("9",
                             "The User must be personal (QUERY-WLTce)",
                             DETAIL("QUERY-WLTce", "The User must be personal")
                                 INFO("USER_NOT_HUMAN"))},
    {UP_SEQUENCE_MISMATCH, BODY("10", "own text", INFO("SEQUENCE_MISMATCH"))},
    {UP_METHOD_NOT_ALLOWED,
     BODY("12", "Method Not Allowed", INFO("METHOD_NOT_ALLOWED"))},
    {UP_MEDIA_TYPE_UNSUPPORTED,
     BODY("3", "own text", INFO("MEDIA_TYPE_UNSUPPORTED"))},
    {UP_BODY_TOO_LARGE, BODY("8", "own text", INFO("BODY_TOO_LARGE"))},
    {UP_REQUEST_TIMEOUT, BODY("4", "own text", INFO("REQUEST_TIMEOUT"))},
    {UP_HTTP_VERSION_NOT_SUPPORTED,
     BODY("12",
          "gRPC requires HTTP/2; over HTTP/1.1 use gRPC-Web",
          INFO("HTTP_VERSION_NOT_SUPPORTED"))},
    {UP_UNIMPLEMENTED, BODY("12", "own text", INFO("UNIMPLEMENTED"))},
    {UP_SERVICE_UNKNOWN,
     BODY("5", "unknown service", INFO("SERVICE_NOT_FOUND"))},
    {UP_DEADLINE_EXCEEDED, BODY("4",
                                "the deadline has passed; nothing was changed",
                                INFO("DEADLINE_EXCEEDED"))},
    {UP_STORE_FULL,
     BODY("8", "the store is full; nothing was changed", INFO("STORE_FULL"))},
    {UP_STORE_UNAVAILABLE, BODY("14",
                                "the store is unavailable; nothing was changed",
                                INFO("STORE_UNAVAILABLE"))},
    {UP_OUTCOME_UNKNOWN,
     BODY("14",
          "the store became unavailable; whether the change was made is "
          "unknown",
          INFO("STORE_UNAVAILABLE"))},
    {UP_CONFLICT, BODY("9", "own text", INFO("CONFLICT"))},
    {UP_INTERNAL, BODY("13", "An internal error occurred", INFO("INTERNAL"))},
    {UP_UNAUTHENTICATED, BODY("16", "own text", INFO("UNAUTHENTICATED"))},
    {UP_FORBIDDEN, BODY("7", "own text", INFO("FORBIDDEN"))},
    {UP_NOT_FOUND, BODY("5", "own text", INFO("NOT_FOUND"))},
    {UP_TOO_MANY_REQUESTS, BODY("8", "own text", INFO("TOO_MANY_REQUESTS"))},
    {UP_BAD_REQUEST, BODY("3", "own text", INFO("BAD_REQUEST"))},
    {UP_UNAVAILABLE, BODY("14", "own text", INFO("UNAVAILABLE"))},
};

/* What is said of an HTTP status that another module chose. */
static const struct {
    int http;
    const char *phrase, *body;
} foreign[] = {
    {401, "Unauthorized", BODY("16", "Unauthorized", INFO("UNAUTHENTICATED"))},
    {403, "Forbidden", BODY("7", "Forbidden", INFO("FORBIDDEN"))},
    {404, "Not Found", BODY("5", "Not Found", INFO("NOT_FOUND"))},
    {408, "Request Timeout",
     BODY("4", "Request Timeout", INFO("REQUEST_TIMEOUT"))},
    {413, "Request Entity Too Large",
     BODY("8", "Request Entity Too Large", INFO("BODY_TOO_LARGE"))},
    {418, "I'm A Teapot", BODY("3", "I'm A Teapot", INFO("BAD_REQUEST"))},
    {429, "Too Many Requests",
     BODY("8", "Too Many Requests", INFO("TOO_MANY_REQUESTS"))},
    {500, "Internal Server Error",
     BODY("13", "Internal Server Error", INFO("INTERNAL"))},
    {502, "Bad Gateway", BODY("14", "Bad Gateway", INFO("UNAVAILABLE"))},
    {503, "Service Unavailable",
     BODY("14", "Service Unavailable", INFO("UNAVAILABLE"))},
    {504, "Gateway Timeout",
     BODY("14", "Gateway Timeout", INFO("UNAVAILABLE"))},
    {507, "Insufficient Storage",
     BODY("13", "Insufficient Storage", INFO("INTERNAL"))},
};

static const char *
body(const up_error_t *err, apr_pool_t *pool)
{
    const char *text;
    apr_size_t length;

    up_status_json(&text, &length, up_status_of(err, pool), pool);
    ok(length == strlen(text), "the length of %s",
       up_reason_info(err->reason)->name);
    return text;
}

static void
fields_at_fault(apr_pool_t *pool)
{
    static const up_violation_t faults[] = {
        {"firstName",
         "value length must be between 1 and 200 runes, inclusive"},
        {"gender", "value must be one of the defined enum values"},
    };
    apr_array_header_t *violations =
        apr_array_make(pool, 2, sizeof(up_violation_t));

    for (int i = 0; i < 2; i++)
        APR_ARRAY_PUSH(violations, up_violation_t) = faults[i];
    up_error_t *err =
        up_error(pool, UP_FIELD_INVALID, APR_SUCCESS, "invalid X.FirstName");
    err->violations = violations;

    is(body(err, pool),
       BODY(
           "3", "invalid X.FirstName",
           INFO("FIELD_INVALID") "," TYPE
                                 "google.rpc.BadRequest\",\"fieldViolations\":["
                                 "{\"field\":\"firstName\",\"description\":"
                                 "\"value length must be "
                                 "between 1 and 200 runes, inclusive\"},"
                                 "{\"field\":\"gender\",\"description\":"
                                 "\"value must be one of the "
                                 "defined enum values\"}]}"),
       "FIELD_INVALID with every field at fault");
}

/* In an Any: the length of the type's URL, and the URL. */
#define DETAIL_TYPE "\x2atype.googleapis.com/zitadel.v1.ErrorDetail"

static const struct {
    up_reason_t reason;
    int code;
    const char *message;
    const char *detail; /* the Any's value: its length, then the ErrorDetail */
} details[] = {
    {UP_PROFILE_NOT_CHANGED, 9, "Profile not changed (COMMAND-2M0fs)",
     "\x24\x0a\x0d"
     "COMMAND-2M0fs\x12\x13Profile not changed"},
    {UP_PROFILE_NOT_FOUND, 9, "Profile not found (COMMAND-3M9sd)",
     "\x22\x0a\x0d"
     "COMMAND-3M9sd\x12\x11Profile not found"},
    {UP_PERMISSION_DENIED, 7, "No matching permissions found (AUTH-5mWD2)",
     "\x2b\x0a\x0a"
     "AUTH-5mWD2\x12\x1dNo matching permissions found"},
    {UP_PERMISSION_DENIED_V2, 7, "No matching permissions found (AUTH-AWfge)",
     "\x2b\x0a\x0a"
     "AUTH-AWfge\x12\x1dNo matching permissions found"},
    {UP_ORG_NOT_FOUND, 7, "Organisation doesn't exist (AUTH-Bs7Ds)",
     "\x28\x0a\x0a"
     "AUTH-Bs7Ds\x12\x1aOrganisation doesn't exist"},
    {UP_MEMBERSHIP_NOT_FOUND, 5, "membership not found (AUTHZ-cdgFk)",
     "\x23\x0a\x0b"
     "AUTHZ-cdgFk\x12\x14membership not found"},
    {UP_TOKEN_INVALID, 16, "Token is invalid (AUTH-7fs1e)",
     "\x1e\x0a\x0a"
     "AUTH-7fs1e\x12\x10Token is invalid"},
    {UP_AUTH_HEADER_INVALID, 16, "invalid auth header (AUTH-toLo1)",
     "\x21\x0a\x0a"
     "AUTH-toLo1\x12\x13invalid auth header"},
    {UP_USER_NOT_FOUND, 5, "User could not be found (QUERY-HNhb3)",
     "\x26\x0a\x0b"
     "QUERY-HNhb3\x12\x17User could not be found"},
    {UP_USER_NOT_FOUND_V2, 5, "User could not be found (QUERY-Dfbg2)",
     "\x26\x0a\x0b"
     "QUERY-Dfbg2\x12\x17User could not be found"},
    {UP_HUMAN_NOT_FOUND_V2, 5, "User could not be found (COMMAND-ugjs0upun6)",
     "\x2d\x0a\x12"
     "COMMAND-ugjs0upun6\x12\x17User could not be found"},
    {UP_USER_NOT_HUMAN, 9, "The User must be personal (QUERY-WLTce)",
     "\x28\x0a\x0b"
     "QUERY-WLTce\x12\x19The User must be personal"},
};

static void
test_first_detail(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(details) / sizeof(*details); i++) {
        up_error_t *err = up_error(pool, details[i].reason, APR_SUCCESS, "x");
        apr_size_t detail_length =
            strlen(DETAIL_TYPE) + strlen(details[i].detail) + 2;
        const char *want = apr_psprintf(
            pool, "\x08%c\x12%c%s\x1a%c\x0a" DETAIL_TYPE "\x12%s",
            details[i].code, (char)strlen(details[i].message),
            details[i].message, (char)detail_length, details[i].detail);
        const char *bytes;
        apr_size_t length;

        up_status_proto(&bytes, &length, up_status_of(err, pool), pool);
        ok(length > strlen(want), "%s has more details than one",
           details[i].message);
        is(hex_show(bytes, strlen(want), pool),
           hex_show(want, strlen(want), pool),
           "code, message and first detail of %s are ZITADEL's",
           details[i].message);
    }
}

/* Unpack ERR's status; protobuf-c's own reader is trusted with our bytes. */
static Google__Rpc__Status *
status_of(const up_error_t *err, apr_pool_t *pool)
{
    const char *bytes;
    apr_size_t length;

    up_status_proto(&bytes, &length, up_status_of(err, pool), pool);
    return google__rpc__status__unpack(NULL, length, (const uint8_t *)bytes);
}

static void
test_error_info(const Google__Protobuf__Any *any, const char *reason)
{
    Google__Rpc__ErrorInfo *info =
        google__rpc__error_info__unpack(NULL, any->value.len, any->value.data);

    is(any->type_url, "type.googleapis.com/google.rpc.ErrorInfo",
       "%s has an ErrorInfo", reason);
    is(info->reason, reason, "the ErrorInfo of %s names it", reason);
    is(info->domain, "userprofile", "the ErrorInfo of %s has our domain",
       reason);
    is_number((long long)info->n_metadata, 0,
              "the ErrorInfo of %s has no metadata", reason);
    google__rpc__error_info__free_unpacked(info, NULL);
}

static void
test_bad_request(const Google__Protobuf__Any *any)
{
    Google__Rpc__BadRequest *bad =
        google__rpc__bad_request__unpack(NULL, any->value.len, any->value.data);

    is(any->type_url, "type.googleapis.com/google.rpc.BadRequest",
       "invalid fields make a BadRequest");
    is_number((long long)bad->n_field_violations, 2,
              "a BadRequest has every invalid field");
    is(bad->field_violations[0]->field, "firstName",
       "the first field of a BadRequest");
    is(bad->field_violations[0]->description, "first",
       "what is wrong with the first field of a BadRequest");
    is(bad->field_violations[1]->field, "gender",
       "the last field of a BadRequest");
    is(bad->field_violations[1]->description, "last",
       "what is wrong with the last field of a BadRequest");
    google__rpc__bad_request__free_unpacked(bad, NULL);
}

static void
test_further_details(apr_pool_t *pool)
{
    apr_array_header_t *violations =
        apr_array_make(pool, 2, sizeof(up_violation_t));
    up_violation_t first = {"firstName", "first"}, last = {"gender", "last"};

    APR_ARRAY_PUSH(violations, up_violation_t) = first;
    APR_ARRAY_PUSH(violations, up_violation_t) = last;
    up_error_t *err = up_error(pool, UP_FIELD_INVALID, APR_SUCCESS, "own text");
    err->violations = violations;
    Google__Rpc__Status *status = status_of(err, pool);
    is_number(status->code, 3, "the code of FIELD_INVALID");
    is(status->message, "own text", "the message of FIELD_INVALID");
    is_number((long long)status->n_details, 2, "FIELD_INVALID has two details");
    test_error_info(status->details[0], "FIELD_INVALID");
    test_bad_request(status->details[1]);
    google__rpc__status__free_unpacked(status, NULL);

    status =
        status_of(up_error(pool, UP_USER_NOT_FOUND, APR_SUCCESS, "x"), pool);
    is_number((long long)status->n_details, 2,
              "an error with an id has two details");
    test_error_info(status->details[1], "USER_NOT_FOUND");
    google__rpc__status__free_unpacked(status, NULL);

    status = status_of(up_error(pool, UP_INTERNAL, APR_SUCCESS, "x"), pool);
    is_number((long long)status->n_details, 1,
              "an error without an id has one detail");
    test_error_info(status->details[0], "INTERNAL");
    google__rpc__status__free_unpacked(status, NULL);
}

static void
test_bodies(apr_pool_t *pool)
{
    int seen[UP_REASONS] = {0}, missing = 0;

    for (apr_size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        up_error_t *err =
            up_error(pool, bodies[i].reason, APR_SUCCESS, "own text");
        is(body(err, pool), bodies[i].body, "the body of %s",
           up_reason_info(bodies[i].reason)->name);
        seen[bodies[i].reason] = 1;
    }
    for (int i = 0; i < UP_REASONS; i++)
        missing += !seen[i];
    is_number(missing, 0, "each reason has a row here");
    for (apr_size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
        is(body(up_error_from_http(pool, foreign[i].http, foreign[i].phrase),
                pool),
           foreign[i].body, "the body of another module's %d", foreign[i].http);

    up_error_t *err = up_error(pool, UP_INTERNAL, APR_SUCCESS, "secret");
    is(body(up_error_wrap(pool, err, "also secret"), pool),
       BODY("13", "An internal error occurred", INFO("INTERNAL")),
       "of an internal error nothing is told");
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    test_bodies(pool);
    fields_at_fault(pool);
    test_first_detail(pool);
    test_further_details(pool);
}

int
main(void)
{
    return run_test(test);
}
