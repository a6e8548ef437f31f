/* status.c -- the bodies of errors, byte by byte. */
#include "tap.h"
#include "wire/up_json.h"
#include "wire/up_status.h"

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
} rows[] = {
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
    {UP_BODY_INVALID, BODY("3", "own text", INFO("BODY_INVALID"))},
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
    {UP_HTTP_VERSION_NOT_SUPPORTED,
     BODY("12",
          "gRPC requires HTTP/2; over HTTP/1.1 use gRPC-Web",
          INFO("HTTP_VERSION_NOT_SUPPORTED"))},
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
    {UP_INTERNAL, BODY("13", "An internal error occurred", INFO("INTERNAL"))},
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

static void
test(apr_pool_t *pool)
{
    up_json_init();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_error_t *err =
            up_error(pool, rows[i].reason, APR_SUCCESS, "own text");
        is(body(err, pool), rows[i].body, "the body of %s",
           up_reason_info(rows[i].reason)->name);
    }
    fields_at_fault(pool);

    up_error_t *err = up_error(pool, UP_INTERNAL, APR_SUCCESS, "secret");
    is(body(up_error_wrap(pool, err, "also secret"), pool),
       BODY("13", "An internal error occurred", INFO("INTERNAL")),
       "of an internal error nothing is told");
}

int
main(void)
{
    return run_test(test);
}
