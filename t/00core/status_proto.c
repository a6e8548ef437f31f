/* status_proto.c -- google.rpc.Status as protobuf: what ZITADEL's clients look
 * for in it is byte for byte what ZITADEL sends. */
#include "wire/up_status_proto.h"
#include "core/up_profile.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "hex.h"
#include "tap.h"

#include <apr_strings.h>
#include <string.h>

/* In an Any: the length of the type's URL, and the URL. */
#define DETAIL_TYPE "\x2atype.googleapis.com/zitadel.v1.ErrorDetail"

static const struct {
    up_reason_t reason;
    int code;
    const char *message;
    const char *detail; /* the Any's value: its length, then the ErrorDetail */
} rows[] = {
    {UP_PROFILE_NOT_CHANGED, 9, "Profile not changed (COMMAND-2M0fs)",
     "\x24\x0a\x0d"
     "COMMAND-2M0fs\x12\x13Profile not changed"},
    {UP_PROFILE_NOT_FOUND, 9, "Profile not found (COMMAND-3M9sd)",
     "\x22\x0a\x0d"
     "COMMAND-3M9sd\x12\x11Profile not found"},
    {UP_PERMISSION_DENIED, 7, "No matching permissions found (AUTH-5mWD2)",
     "\x2b\x0a\x0a"
     "AUTH-5mWD2\x12\x1dNo matching permissions found"},
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
    {UP_USER_NOT_HUMAN, 9, "The User must be personal (QUERY-WLTce)",
     "\x28\x0a\x0b"
     "QUERY-WLTce\x12\x19The User must be personal"},
};

static void
test_first_detail(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        up_error_t *err = up_error(pool, rows[i].reason, APR_SUCCESS, "x");
        apr_size_t detail_length =
            strlen(DETAIL_TYPE) + strlen(rows[i].detail) + 2;
        const char *want =
            apr_psprintf(pool, "\x08%c\x12%c%s\x1a%c\x0a" DETAIL_TYPE "\x12%s",
                         rows[i].code, (char)strlen(rows[i].message),
                         rows[i].message, (char)detail_length, rows[i].detail);
        const char *bytes;
        apr_size_t length;

        up_status_proto_encode(&bytes, &length, up_status_of(err, pool), pool);
        ok(length > strlen(want), "%s has more details than one",
           rows[i].message);
        is(hex_show(bytes, strlen(want), pool),
           hex_show(want, strlen(want), pool),
           "code, message and first detail of %s are ZITADEL's",
           rows[i].message);
    }
}

/* Unpack ERR's status; protobuf-c's own reader is trusted with our bytes. */
static Google__Rpc__Status *
status_of(const up_error_t *err, apr_pool_t *pool)
{
    const char *bytes;
    apr_size_t length;

    up_status_proto_encode(&bytes, &length, up_status_of(err, pool), pool);
    return google__rpc__status__unpack(NULL, length, (const uint8_t *)bytes);
}

static void
test_error_info(const Google__Protobuf__Any *any, const char *reason)
{
    Google__Rpc__ErrorInfo *info =
        google__rpc__error_info__unpack(NULL, any->value.len, any->value.data);

    is(any->type_url, "type.googleapis.com/google.rpc.ErrorInfo",
       "%s has an ErrorInfo", reason);
    is(info->reason, reason, "that names %s", reason);
    is(info->domain, "userprofile", "and our domain");
    is_number((long long)info->n_metadata, 0, "and no metadata");
    google__rpc__error_info__free_unpacked(info, NULL);
}

static void
test_bad_request(const Google__Protobuf__Any *any)
{
    Google__Rpc__BadRequest *bad =
        google__rpc__bad_request__unpack(NULL, any->value.len, any->value.data);

    is(any->type_url, "type.googleapis.com/google.rpc.BadRequest",
       "invalid fields make a BadRequest");
    is_number((long long)bad->n_field_violations, 2, "with each of them");
    is(bad->field_violations[0]->field, "firstName", "its first field");
    is(bad->field_violations[0]->description, "first", "what is wrong there");
    is(bad->field_violations[1]->field, "gender", "its last field");
    is(bad->field_violations[1]->description, "last", "what is wrong there");
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
    Google__Rpc__Status *status = status_of(
        up_profile_invalid("UpdateHumanProfileRequest", violations, pool),
        pool);
    is_number(status->code, 3, "the code of invalid fields");
    is(status->message, "invalid UpdateHumanProfileRequest.FirstName: first",
       "their message");
    is_number((long long)status->n_details, 2, "they have two details");
    test_error_info(status->details[0], "FIELD_INVALID");
    test_bad_request(status->details[1]);
    google__rpc__status__free_unpacked(status, NULL);

    status =
        status_of(up_error(pool, UP_USER_NOT_FOUND, APR_SUCCESS, "x"), pool);
    is_number((long long)status->n_details, 2, "an error with an id has two");
    test_error_info(status->details[1], "USER_NOT_FOUND");
    google__rpc__status__free_unpacked(status, NULL);

    status = status_of(up_error(pool, UP_INTERNAL, APR_SUCCESS, "x"), pool);
    is_number((long long)status->n_details, 1, "one without an id has one");
    test_error_info(status->details[0], "INTERNAL");
    google__rpc__status__free_unpacked(status, NULL);
}

static void
test(apr_pool_t *pool)
{
    test_first_detail(pool);
    test_further_details(pool);
}

int
main(void)
{
    return run_test(test);
}
