/* api_errors.c -- what the published calls say of requests that they cannot
 * serve, to the letter, and which of several errors they say. */
#include "one_user.h"
#include "tap.h"
#include "wire/up_json.h"

#include <apr_strings.h>
#include <string.h>

#define MANAGEMENT &up_service_management
#define AUTH &up_service_auth
#define USER &up_service_user

#define TIMES_10(text) text text text text text text text text text text
#define X200 TIMES_10(TIMES_10("xx"))
#define X201 X200 "x"

#define NAMES "value length must be between 1 and 200 runes, inclusive"
#define NICK "value length must be at most 200 runes"
#define TAG_LENGTH "value length must be at most 10 runes"
#define TAG_LENGTHS "value length must be between 1 and 10 runes, inclusive"
#define TAG "value must be a BCP 47 language tag"
#define GENDER "value must be one of the defined enum values"

#define EMBEDDED "embedded message failed validation | caused by: "
#define IN_HUMAN_USER                                                          \
    "invalid UpdateHumanUserRequest.Profile: " EMBEDDED                        \
    "invalid SetHumanProfile."
#define IN_USER                                                                \
    "invalid UpdateUserRequest.Human: " EMBEDDED                               \
    "invalid UpdateUserRequest_Human.Profile: " EMBEDDED                       \
    "invalid UpdateUserRequest_Human_Profile."

#define V1(fields)                                                             \
    "{\"userId\":\"U1\",\"firstName\":\"F\",\"lastName\":\"L\","               \
    "\"displayName\":\"D\"" fields "}"
#define HUMAN_USER(fields)                                                     \
    "{\"userId\":\"U1\",\"profile\":{\"givenName\":\"F\","                     \
    "\"familyName\":\"L\"" fields "}}"
#define ANY_USER(fields)                                                       \
    "{\"userId\":\"U1\",\"human\":{\"profile\":{" fields "}}}"

/* FIELD_INVALID, with every field at fault. */
static const struct {
    const up_service_t *service;
    const char *method, *request, *message;
    const char *fields; /* joined by blanks */
} invalid[] = {
    {MANAGEMENT, "GetHumanProfile", "{}",
     "invalid GetHumanProfileRequest.UserId: " NAMES, "userId"},
    {MANAGEMENT, "GetHumanProfile", "{\"userId\":\"" X201 "\"}",
     "invalid GetHumanProfileRequest.UserId: " NAMES, "userId"},
    {MANAGEMENT, "UpdateHumanProfile", "{\"userId\":\"U1\"}",
     "invalid UpdateHumanProfileRequest.FirstName: " NAMES,
     "firstName lastName displayName"},
    {MANAGEMENT, "UpdateHumanProfile", "{\"gender\":7}",
     "invalid UpdateHumanProfileRequest.UserId: " NAMES,
     "userId firstName lastName displayName gender"},
    {MANAGEMENT, "UpdateHumanProfile", V1(",\"nickName\":\"" X201 "\""),
     "invalid UpdateHumanProfileRequest.NickName: " NICK, "nickName"},
    {MANAGEMENT, "UpdateHumanProfile",
     V1(",\"preferredLanguage\":\"en-GB-oxendict\""),
     "invalid UpdateHumanProfileRequest.PreferredLanguage: " TAG_LENGTH,
     "preferredLanguage"},
    {MANAGEMENT, "UpdateHumanProfile",
     V1(",\"preferredLanguage\":\"english\",\"gender\":-1"),
     "invalid UpdateHumanProfileRequest.PreferredLanguage: " TAG,
     "preferredLanguage gender"},
    {MANAGEMENT, "UpdateHumanProfile", V1(",\"gender\":\"GENDER_X\""),
     "invalid UpdateHumanProfileRequest.Gender: " GENDER, "gender"},
    {AUTH, "UpdateMyProfile", "{}",
     "invalid UpdateMyProfileRequest.FirstName: " NAMES,
     "firstName lastName displayName"},
    {AUTH, "UpdateMyProfile", V1(",\"gender\":4"),
     "invalid UpdateMyProfileRequest.Gender: " GENDER, "gender"},

    {USER, "GetUserByID", "{}", "invalid GetUserByIDRequest.UserId: " NAMES,
     "userId"},
    {USER, "UpdateHumanUser", "{}",
     "invalid UpdateHumanUserRequest.UserId: " NAMES, "userId"},
    {USER, "UpdateHumanUser", "{\"userId\":\"\",\"profile\":{}}",
     "invalid UpdateHumanUserRequest.UserId: " NAMES,
     "userId profile.givenName profile.familyName"},
    {USER, "UpdateHumanUser",
     "{\"userId\":\"U1\",\"profile\":{\"familyName\":\"L\"}}",
     IN_HUMAN_USER "GivenName: " NAMES, "profile.givenName"},
    {USER, "UpdateHumanUser",
     "{\"userId\":\"U1\",\"profile\":{\"givenName\":\"F\",\"familyName\":\"\"}"
     "}",
     IN_HUMAN_USER "FamilyName: " NAMES, "profile.familyName"},
    {USER, "UpdateHumanUser", HUMAN_USER(",\"nickName\":\"" X201 "\""),
     IN_HUMAN_USER "NickName: " NICK, "profile.nickName"},
    {USER, "UpdateHumanUser",
     HUMAN_USER(",\"displayName\":\"" X201 "\",\"gender\":9"),
     IN_HUMAN_USER "DisplayName: " NICK, "profile.displayName profile.gender"},
    {USER, "UpdateHumanUser",
     HUMAN_USER(",\"preferredLanguage\":\"en-GB-oxendict\""),
     IN_HUMAN_USER "PreferredLanguage: " TAG_LENGTH,
     "profile.preferredLanguage"},
    {USER, "UpdateHumanUser", HUMAN_USER(",\"preferredLanguage\":\"12\""),
     IN_HUMAN_USER "PreferredLanguage: " TAG, "profile.preferredLanguage"},
    {USER, "UpdateHumanUser", HUMAN_USER(",\"gender\":\"GENDER_X\""),
     IN_HUMAN_USER "Gender: " GENDER, "profile.gender"},

    {USER, "UpdateUser", "{\"human\":{}}",
     "invalid UpdateUserRequest.UserId: " NAMES, "userId"},
    {USER, "UpdateUser", ANY_USER("\"givenName\":\"\""),
     IN_USER "GivenName: " NAMES, "human.profile.givenName"},
    {USER, "UpdateUser", ANY_USER("\"nickName\":\"\""),
     IN_USER "NickName: " NAMES, "human.profile.nickName"},
    {USER, "UpdateUser",
     ANY_USER("\"nickName\":\"" X201 "\",\"displayName\":\"\""),
     IN_USER "NickName: " NAMES,
     "human.profile.nickName human.profile.displayName"},
    {USER, "UpdateUser", ANY_USER("\"preferredLanguage\":\"\""),
     IN_USER "PreferredLanguage: " TAG_LENGTHS,
     "human.profile.preferredLanguage"},
    {USER, "UpdateUser", ANY_USER("\"preferredLanguage\":\"en_a\""),
     IN_USER "PreferredLanguage: " TAG, "human.profile.preferredLanguage"},
    {USER, "UpdateUser", ANY_USER("\"gender\":-7"), IN_USER "Gender: " GENDER,
     "human.profile.gender"},
};

static void
test_invalid(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++) {
        const char *caller = invalid[i].service == AUTH ? "U1" : "admin";
        up_call_t call = one_user_make_call(caller, pool);
        const ProtobufCMessage *answer;
        const char *fields = "";

        up_error_t *err =
            one_user_call(&answer, invalid[i].service, invalid[i].method, &call,
                          invalid[i].request);
        is(err ? err->message : NULL, invalid[i].message, "%s: row %d",
           invalid[i].method, (int)i);
        for (int n = 0; err && err->violations && n < err->violations->nelts;
             n++)
            fields = apr_pstrcat(
                pool, fields, n ? " " : "",
                APR_ARRAY_IDX(err->violations, n, up_violation_t).field, NULL);
        is(fields, invalid[i].fields, "%s: row %d: the fields at fault",
           invalid[i].method, (int)i);
        is_number(err ? (int)err->reason : -1, UP_FIELD_INVALID,
                  "%s: row %d: FIELD_INVALID", invalid[i].method, (int)i);
    }
}

#define UNKEPT(field)                                                          \
    "FIELD_UNSUPPORTED: " field                                                \
    " is not kept by this profile store; nothing was changed"
#define UNTYPED "UNIMPLEMENTED: user type is not implemented ()"

/* What a profile store does not keep. */
static const struct {
    const char *method, *request, *says;
} refused[] = {
    {"UpdateHumanUser", "{\"userId\":\"U1\",\"username\":\"x\"}",
     UNKEPT("username")},
    {"UpdateHumanUser", "{\"userId\":\"U1\",\"username\":\"\"}",
     UNKEPT("username")},
    {"UpdateHumanUser", "{\"userId\":\"U1\",\"email\":{}}", UNKEPT("email")},
    {"UpdateHumanUser", "{\"userId\":\"U1\",\"phone\":{\"phone\":\"1\"}}",
     UNKEPT("phone")},
    {"UpdateHumanUser", "{\"userId\":\"U1\",\"password\":{}}",
     UNKEPT("password")},
    {"UpdateHumanUser",
     "{\"userId\":\"U1\",\"email\":{},\"profile\":{\"givenName\":\"X\","
     "\"familyName\":\"L\"}}",
     UNKEPT("email")},
    {"UpdateHumanUser", "{\"userId\":\"U1\",\"password\":{},\"email\":{}}",
     UNKEPT("email")},
    {"UpdateHumanUser",
     "{\"userId\":\"U1\",\"username\":null,\"email\":null,\"profile\":null}",
     ""},
    {"UpdateUser", "{\"userId\":\"U1\",\"username\":\"x\",\"human\":{}}",
     UNKEPT("username")},
    {"UpdateUser", "{\"userId\":\"U1\",\"username\":\"x\"}",
     UNKEPT("username")},
    {"UpdateUser", "{\"userId\":\"U1\",\"human\":{\"email\":{}}}",
     UNKEPT("human.email")},
    {"UpdateUser", "{\"userId\":\"U1\",\"human\":{\"phone\":{}}}",
     UNKEPT("human.phone")},
    {"UpdateUser",
     "{\"userId\":\"U1\",\"human\":{\"password\":{},\"profile\":{"
     "\"nickName\":\"N\"}}}",
     UNKEPT("human.password")},
    {"UpdateUser", "{\"userId\":\"U1\",\"machine\":{}}", UNKEPT("machine")},
    {"UpdateUser", "{\"userId\":\"U1\",\"human\":{},\"metadata\":[{}]}",
     UNKEPT("metadata")},
    {"UpdateUser", "{\"userId\":\"U1\",\"human\":{},\"metadata\":[]}", ""},
    {"UpdateUser", "{\"userId\":\"U1\"}", UNTYPED},
    {"UpdateUser", "{\"userId\":\"U1\",\"human\":null}", UNTYPED},
};

/* The reason and what clients are told, or "". */
static const char *
said(const up_error_t *err, apr_pool_t *pool)
{
    return err ? apr_pstrcat(pool, up_reason_info(err->reason)->name, ": ",
                             up_error_public(err, pool), NULL)
               : "";
}

static void
test_refused(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        up_call_t call = one_user_make_call("admin", pool);
        const ProtobufCMessage *answer;
        up_error_t *err = one_user_call(&answer, USER, refused[i].method, &call,
                                        refused[i].request);
        is(said(err, pool), refused[i].says, "%s of %s", refused[i].method,
           refused[i].request);
        is_number(err ? up_error_http(err) : 501, 501, "%s of %s: the status",
                  refused[i].method, refused[i].request);
    }
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    one_user_reset();
    test_invalid(pool);
    test_refused(pool);
}

int
main(void)
{
    return run_test(test);
}
