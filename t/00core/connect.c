/* connect.c -- the Connect protocol: its errors, statuses, deadlines, and what
 * it reads otherwise than REST and gRPC do. */
#include "wire/up_connect.h"
#include "hex.h"
#include "tap.h"
#include "wire/up_json.h"
#include "zitadel/management.pb-c.h"

#include <apr_strings.h>
#include <string.h>

#define GET &zitadel__management__v1__get_human_profile_request__descriptor

/* How a call with MESSAGE, or ERR, is answered. */
static const char *
shown(const up_error_t *err, const ProtobufCMessage *message, apr_pool_t *pool)
{
    const Zitadel__Management__V1__GetHumanProfileRequest *request =
        (const void *)message;

    return err ? apr_psprintf(pool, "%s %d %s",
                              up_reason_info(err->reason)->name,
                              up_reason_info(err->reason)->code,
                              up_error_public(err, pool))
               : request->user_id;
}

static void
test_json(apr_pool_t *pool)
{
#define EMPTY "BODY_INVALID 3 the body is empty; a message without fields is {}"
    static const struct {
        const char *name, *text, *want;
    } texts[] = {
        {"a message", "{\"userId\":\"U1\"}", "U1"},
        {"an empty message", "{}", ""},
        {"an empty message among blanks", " \r\n\t{} ", ""},
        {"an empty body", "", EMPTY},
        {"a blank body", " \t\r\n ", EMPTY},
        {"null", "null", "BODY_INVALID 3 the JSON is not an object"},
        {"a number as text", "{\"userId\":1}",
         "BODY_INVALID 3 userId must be a string"},
        {"a cut object", "{\"userId\"",
         "BODY_INVALID 3 the JSON ends too early (line 1, column 10)"},
    };
    ProtobufCMessage *message;

    for (apr_size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        up_error_t *err = up_connect_read_json(&message, GET, texts[i].text,
                                               strlen(texts[i].text), pool);
        is(shown(err, message, pool), texts[i].want, "in JSON, %s",
           texts[i].name);
    }
    up_error_t *err = up_connect_read_json(&message, GET, " \0", 2, pool);
    ok(err && err->reason == UP_BODY_INVALID, "in JSON, a NUL is no blank");
}

static void
test_proto(apr_pool_t *pool)
{
    static const struct {
        const char *name, *hex, *want;
    } bodies[] = {
        {"a message", "0a025531", "U1"},
        {"an empty message", "", ""},
        {"a cut one", "0a02",
         "BODY_INVALID 3 the body is no message: field 1 is cut off or "
         "malformed"},
        {"a text as a number", "0801",
         "BODY_INVALID 3 the body is no message: user_id has another wire "
         "type"},
        {"a text that is not UTF-8", "0a01ff",
         "BODY_INVALID 3 the body is no message: user_id is not UTF-8"},
        {"a text with NUL in it", "0a0100",
         "BODY_INVALID 3 user_id holds a NUL character"},
        {"a group", "7b7c",
         "BODY_INVALID 3 the body is no message: field 15 is a group"},
    };

    for (apr_size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        ProtobufCMessage *message;
        apr_size_t length;
        const char *bytes = hex_read(&length, bodies[i].hex, pool);
        up_error_t *err = up_connect_unpack(&message, GET, bytes, length, pool);
        is(shown(err, message, pool), bodies[i].want, "in protobuf, %s",
           bodies[i].name);
    }
}

/* The JSON of ERR. */
static const char *
error_json(const up_error_t *err, apr_pool_t *pool)
{
    const char *text;
    apr_size_t length;

    up_connect_error(&text, &length, up_status_of(err, pool), pool);
    return length == strlen(text) ? text : "not as long as it says";
}

/* The base64 of each was made by another program, from the bytes of details. */
static void
test_errors(apr_pool_t *pool)
{
    up_violation_t violation = {"profile.givenName", "too long"};
    apr_array_header_t *violations =
        apr_array_make(pool, 1, sizeof(up_violation_t));

    is(error_json(up_error(pool, UP_HUMAN_NOT_FOUND_V2, APR_SUCCESS, "x"),
                  pool),
       "{\"code\":\"not_found\","
       "\"message\":\"User could not be found (COMMAND-ugjs0upun6)\","
       "\"details\":["
       "{\"type\":\"zitadel.v1.ErrorDetail\",\"value\":"
       "\"ChJDT01NQU5ELXVnanMwdXB1bjYSF1VzZXIgY291bGQgbm90IGJlIGZvdW5k\","
       "\"debug\":{\"id\":\"COMMAND-ugjs0upun6\","
       "\"message\":\"User could not be found\"}},"
       "{\"type\":\"google.rpc.ErrorInfo\",\"value\":"
       "\"Cg5VU0VSX05PVF9GT1VORBILdXNlcnByb2ZpbGU\","
       "\"debug\":{\"reason\":\"USER_NOT_FOUND\",\"domain\":\"userprofile\"}}"
       "]}",
       "an error with an id, to the byte");

    APR_ARRAY_PUSH(violations, up_violation_t) = violation;
    up_error_t *err = up_error(pool, UP_FIELD_INVALID, APR_SUCCESS, "own");
    err->violations = violations;
    is(error_json(err, pool),
       "{\"code\":\"invalid_argument\",\"message\":\"own\",\"details\":["
       "{\"type\":\"google.rpc.ErrorInfo\",\"value\":"
       "\"Cg1GSUVMRF9JTlZBTElEEgt1c2VycHJvZmlsZQ\","
       "\"debug\":{\"reason\":\"FIELD_INVALID\",\"domain\":\"userprofile\"}},"
       "{\"type\":\"google.rpc.BadRequest\",\"value\":"
       "\"Ch0KEXByb2ZpbGUuZ2l2ZW5OYW1lEgh0b28gbG9uZw\","
       "\"debug\":{\"fieldViolations\":[{\"field\":\"profile.givenName\","
       "\"description\":\"too long\"}]}}]}",
       "an error of fields, to the byte");
}

static void
test_codes(apr_pool_t *pool)
{
    static const struct {
        int code;
        const char *name;
        int http;
    } codes[] = {
        {1, "canceled", 499},
        {2, "unknown", 500},
        {3, "invalid_argument", 400},
        {4, "deadline_exceeded", 504},
        {5, "not_found", 404},
        {6, "already_exists", 409},
        {7, "permission_denied", 403},
        {8, "resource_exhausted", 429},
        {9, "failed_precondition", 400},
        {10, "aborted", 409},
        {11, "out_of_range", 400},
        {12, "unimplemented", 501},
        {13, "internal", 500},
        {14, "unavailable", 503},
        {15, "data_loss", 500},
        {16, "unauthenticated", 401},
    };

    for (apr_size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        up_status_t status = {codes[i].code, "m",
                              apr_array_make(pool, 0, sizeof(void *))};
        const char *text;
        apr_size_t length;

        up_connect_error(&text, &length, &status, pool);
        is(text,
           apr_pstrcat(pool, "{\"code\":\"", codes[i].name,
                       "\",\"message\":\"m\",\"details\":[]}", NULL),
           "the name of code %d", codes[i].code);
        is_number(up_connect_http(codes[i].code), codes[i].http,
                  "the HTTP status of %s", codes[i].name);
    }
    for (int i = 0; i < UP_REASONS; i++) {
        const up_reason_info_t *info = up_reason_info((up_reason_t)i);
        ok(info->code > 0 && info->code <= 16, "%s has a code by name",
           info->name);
    }
}

static void
test_timeouts(apr_pool_t *pool)
{
    enum { WRONG = -2 };
    static const struct {
        const char *name, *value;
        apr_interval_time_t want; /* microseconds; WRONG: malformed */
    } timeouts[] = {
        {"no header", NULL, -1},
        {"a millisecond", "1", 1000},
        {"ten seconds", "10000", 10000000},
        {"none left", "0", 0},
        {"leading zeros", "0000000005", 5000},
        {"the longest", "9999999999", APR_INT64_C(9999999999000)},
        {"eleven digits", "10000000000", WRONG},
        {"eleven digits, of zeros", "00000000001", WRONG},
        {"an empty value", "", WRONG},
        {"a word", "soon", WRONG},
        {"a unit", "5m", WRONG},
        {"a sign", "-5", WRONG},
        {"a plus", "+5", WRONG},
        {"a fraction", "1.5", WRONG},
        {"a blank before it", " 5", WRONG},
        {"a blank after it", "5 ", WRONG},
        {"two values", "5, 6", WRONG},
        {"digits that are not ASCII", "\xd9\xa5", WRONG},
    };

    for (apr_size_t i = 0; i < sizeof(timeouts) / sizeof(*timeouts); i++) {
        apr_interval_time_t timeout;
        up_error_t *err = up_connect_timeout(&timeout, timeouts[i].value, pool);
        if (timeouts[i].want == WRONG)
            is(err ? shown(err, NULL, pool) : NULL,
               "BODY_INVALID 3 Connect-Timeout-Ms is not 1 to 10 digits",
               "a time-out refused: %s", timeouts[i].name);
        else
            is_number(err ? WRONG : timeout, timeouts[i].want, "a time-out: %s",
                      timeouts[i].name);
    }
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    test_json(pool);
    test_proto(pool);
    test_errors(pool);
    test_codes(pool);
    test_timeouts(pool);
}

int
main(void)
{
    return run_test(test);
}
