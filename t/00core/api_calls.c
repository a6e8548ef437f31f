/* api_calls.c -- the published calls on a store of one user: the answers in
 * both forms, and what is said of requests that cannot be served. */
#include "hex.h"
#include "one_user.h"
#include "tap.h"
#include "wire/up_json.h"
#include "wire/up_message.h"

#include <apr_strings.h>
#include <string.h>

#define MANAGEMENT &up_service_management
#define AUTH &up_service_auth
#define USER &up_service_user
#define HEALTH &up_service_health

/* 2025-03-01, and 2999-01-01, which no change goes behind. */
#define MARCH APR_TIME_C(1740787200000000)
#define FUTURE APR_TIME_C(32472144000000000)

/* The answer to a call: as JSON, or, if AS_HEX, as the bytes of protobuf; or
 * what is said instead. */
static const char *
answer_of(const up_service_t *service,
          const char *method,
          const char *caller,
          const char *request,
          int as_hex,
          apr_pool_t *pool)
{
    up_call_t call = one_user_make_call(caller, pool);
    const ProtobufCMessage *answer;
    const char *bytes;
    apr_size_t length;

    up_error_t *err = one_user_call(&answer, service, method, &call, request);
    if (err)
        return up_error_public(err, pool);
    if (as_hex) {
        up_message_pack(&bytes, &length, answer, pool);
        return hex_show(bytes, length, pool);
    }
    up_message_to_json(&bytes, &length, answer, pool);
    return bytes;
}

static const char *
answered(const up_service_t *service,
         const char *method,
         const char *caller,
         const char *request,
         apr_pool_t *pool)
{
    return answer_of(service, method, caller, request, 0, pool);
}

static const char *
answered_hex(const up_service_t *service,
             const char *method,
             const char *caller,
             const char *request,
             apr_pool_t *pool)
{
    return answer_of(service, method, caller, request, 1, pool);
}

#define TIMES(creation, change)                                                \
    "\"creationDate\":\"" creation "\",\"changeDate\":\"" change "\","
#define V1_DETAILS(sequence, creation, change)                                 \
    "\"details\":{\"sequence\":\"" sequence                                    \
    "\"," TIMES(creation, change) "\"resourceOwner\":\"69629023906488334\"}"
#define V2_DETAILS(sequence, change)                                           \
    "\"details\":{\"sequence\":\"" sequence "\",\"changeDate\":\"" change      \
    "\",\"resourceOwner\":\"69629023906488334\","                              \
    "\"creationDate\":\"2025-03-25T09:00:00.100Z\"}"
#define V2_NOW V2_DETAILS("12", "2025-03-25T10:28:47.405123Z")
#define ID "{\"userId\":\"U1\"}"

#define FULL                                                                   \
    ",\"profile\":{\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\","           \
    "\"nickName\":\"Gig\",\"displayName\":\"Gigi Giraffe\","                   \
    "\"preferredLanguage\":\"de-CH\",\"gender\":\"GENDER_DIVERSE\"}}"
#define SPARSE                                                                 \
    ",\"profile\":{\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\","           \
    "\"displayName\":\"G\",\"preferredLanguage\":\"und\"}}"
#define ORG_HEX "22113639363239303233393036343838333334"
#define NAMES_HEX "0a0447696769120747697261666665"

/* How users read in v1, in both forms. */
static const struct {
    const char *name;
    apr_time_t created, changed;
    up_profile_t profile;
    const char *json, *hex;
} readings[] = {
    {"a profile with everything",
     ONE_USER_CHANGED,
     ONE_USER_CHANGED,
     {{"Gigi", "Giraffe", "Gig", "Gigi Giraffe", "de-CH", ""},
      UP_GENDER_DIVERSE},
     "{" V1_DETAILS("12",
                    "2025-03-25T10:28:47.405123Z",
                    "2025-03-25T10:28:47.405123Z") FULL,
     "0a31080c120c08df8a8abf0610b8df96c1011a0c08df8a8abf0610b8df96c101" ORG_HEX
     "122b" NAMES_HEX "1a03476967"
     "220c4769676920476972616666652a0564652d43483003"},
    {"empty fields, which are left out; no language reads as und",
     0,
     APR_USEC_PER_SEC,
     {{"Gigi", "Giraffe", "", "G", "", ""}, 0},
     "{" V1_DETAILS("12", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z")
         SPARSE,
     "0a1b080c12001a020801" ORG_HEX "1217" NAMES_HEX "2201472a03756e64"},
    {"times before 1970, whose nanoseconds count forward",
     -1,
     -APR_USEC_PER_SEC,
     {{"Gigi", "Giraffe", "", "G", "", ""}, 0},
     "{" V1_DETAILS("12", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59Z")
         SPARSE,
     "0a35080c121108ffffffffffffffffff0110988cebdc03"
     "1a0b08ffffffffffffffffff01" ORG_HEX "1217" NAMES_HEX "2201472a03756e64"},
};

static void
test_v1_reads(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(readings) / sizeof(*readings); i++) {
        const char *name = readings[i].name;

        one_user_reset();
        one_user_profile = readings[i].profile;
        one_user.created = readings[i].created;
        one_user.changed = readings[i].changed;
        is(answered(MANAGEMENT, "GetHumanProfile", "admin", ID, pool),
           readings[i].json, "GetHumanProfile: %s", name);
        is(answered_hex(MANAGEMENT, "GetHumanProfile", "admin", ID, pool),
           readings[i].hex, "GetHumanProfile: %s, as protobuf", name);
        is(answered(AUTH, "GetMyProfile", "U1", "{}", pool), readings[i].json,
           "GetMyProfile: %s", name);
        is(answered_hex(AUTH, "GetMyProfile", "U1", "{}", pool),
           readings[i].hex, "GetMyProfile: %s, as protobuf", name);
    }
    one_user_reset();
    one_user.sequence = APR_UINT64_MAX;
    ok(strstr(answered(MANAGEMENT, "GetHumanProfile", "admin", ID, pool),
              "\"sequence\":\"18446744073709551615\"") != NULL,
       "GetHumanProfile: the largest sequence");
}

static void
test_v1_updates(apr_pool_t *pool)
{
#define FIELDS                                                                 \
    "\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\","                         \
    "\"displayName\":\"Gigi Giraffe\",\"preferredLanguage\":\"en\""

    one_user_reset();
    is(answered(MANAGEMENT, "UpdateHumanProfile", "admin",
                "{\"userId\":\"U1\"," FIELDS "}", pool),
       "Profile not changed (COMMAND-2M0fs)",
       "UpdateHumanProfile: an update that changes nothing is an error");
    one_user.changed = FUTURE;
    is(answered(MANAGEMENT, "UpdateHumanProfile", "admin",
                "{\"userId\":\"U1\"," FIELDS ",\"nickName\":\"G\"}", pool),
       "{" V1_DETAILS("13", "2025-03-25T09:00:00.100Z",
                      "2999-01-01T00:00:00Z") "}",
       "UpdateHumanProfile answers the details of the change");
    is(answered(AUTH, "UpdateMyProfile", "U1", "{" FIELDS "}", pool),
       "Profile not changed (COMMAND-2M0fs)",
       "UpdateMyProfile: an update that changes nothing is an error");
    is(answered(AUTH, "UpdateMyProfile", "U1",
                "{" FIELDS ",\"gender\":\"GENDER_MALE\"}", pool),
       "{" V1_DETAILS("13", "2025-03-25T09:00:00.100Z",
                      "2999-01-01T00:00:00Z") "}",
       "UpdateMyProfile answers the details of the change");
    one_user_profile.text[UP_NICK_NAME] = "Gig";
    is(answered(MANAGEMENT, "UpdateHumanProfile", "admin",
                "{\"userId\":\"U1\"," FIELDS "}", pool),
       "{" V1_DETAILS("13", "2025-03-25T09:00:00.100Z",
                      "2999-01-01T00:00:00Z") "}",
       "UpdateHumanProfile replaces what is left out by nothing");
}

static void
test_get_user(apr_pool_t *pool)
{
    static const char *const states[UP_STATES] = {
        [UP_ACTIVE] = "ACTIVE", [UP_INACTIVE] = "INACTIVE",
        [UP_LOCKED] = "LOCKED", [UP_INITIAL] = "INITIAL",
        [UP_REMOVED] = NULL,
    };

    one_user_reset();
    one_user.org = "O1";
    one_user.sequence = 13;
    one_user.created = MARCH;
    is(answered_hex(USER, "GetUserByID", "admin", ID, pool),
       "0a1c080d120c08df8a8abf0610b8df96c1011a024f31220608809c89be06124d0a02"
       "5531100132273225"
       "0a04476967691207476972616666651a00220c4769676920476972616666652a02656e"
       "3000421c080d120c08df8a8abf0610b8df96c1011a024f31220608809c89be06",
       "GetUserByID answers the bytes that the published libraries expect");

    one_user_reset();
    for (int i = 0; i < UP_STATES; i++) {
        one_user.state = (up_state_t)i;
        is(answered(USER, "GetUserByID", "admin", ID, pool),
           states[i] ? apr_pstrcat(
                           pool,
                           "{" V2_NOW ",\"user\":{\"userId\":\"U1\"," V2_NOW
                           ",\"state\":\"USER_STATE_",
                           states[i],
                           "\",\"human\":{\"profile\":{\"givenName\":\"Gigi\","
                           "\"familyName\":\"Giraffe\",\"nickName\":\"\","
                           "\"displayName\":\"Gigi Giraffe\","
                           "\"preferredLanguage\":\"en\","
                           "\"gender\":\"GENDER_UNSPECIFIED\"}}}}",
                           NULL)
                     : "User could not be found (QUERY-Dfbg2)",
           "GetUserByID of a user who is %s", up_state_name(one_user.state));
    }

    one_user.state = UP_ACTIVE;
    one_user.type = UP_MACHINE;
    one_user.profile = NULL;
    is(answered(USER, "GetUserByID", "admin", ID, pool),
       "{" V2_NOW ",\"user\":{\"userId\":\"U1\"," V2_NOW
       ",\"state\":\"USER_STATE_ACTIVE\",\"machine\":{}}}",
       "GetUserByID of a machine");
    is(answered(MANAGEMENT, "GetHumanProfile", "admin", ID, pool),
       "The User must be personal (QUERY-WLTce)",
       "GetHumanProfile of a machine");
}

#define HUMAN_USER(fields)                                                     \
    "{\"userId\":\"U1\",\"profile\":{\"givenName\":\"Gigi\","                  \
    "\"familyName\":\"Giraffe\"" fields "}}"
#define ANY_USER(fields)                                                       \
    "{\"userId\":\"U1\",\"human\":{\"profile\":{" fields "}}}"

static void
test_v2_updates(apr_pool_t *pool)
{
#define SAME "{\"changeDate\":\"2025-03-25T10:28:47.405123Z\"}"
#define LATER "{\"changeDate\":\"2999-01-01T00:00:00Z\"}"
    static const struct {
        const char *name, *method, *request;
        int is_change;
    } calls[] = {
        {"the same values", "UpdateHumanUser", HUMAN_USER(""), 0},
        {"no profile", "UpdateHumanUser", ID, 0},
        {"another nick name", "UpdateHumanUser",
         HUMAN_USER(",\"nickName\":\"G\""), 1},
        {"an empty language", "UpdateHumanUser",
         HUMAN_USER(",\"preferredLanguage\":\"\""), 1},
        {"an empty display name", "UpdateHumanUser",
         HUMAN_USER(",\"displayName\":\"\""), 1},
        {"a gender of 0, as it is", "UpdateHumanUser",
         HUMAN_USER(",\"gender\":0"), 0},
        {"no profile", "UpdateUser", "{\"userId\":\"U1\",\"human\":{}}", 0},
        {"an empty profile", "UpdateUser", ANY_USER(""), 0},
        {"the same name", "UpdateUser", ANY_USER("\"givenName\":\"Gigi\""), 0},
        {"another name", "UpdateUser", ANY_USER("\"givenName\":\"G\""), 1},
        {"a language that reads the same", "UpdateUser",
         ANY_USER("\"preferredLanguage\":\"EN\""), 0},
        {"another gender", "UpdateUser", ANY_USER("\"gender\":2"), 1},
        {"metadata of no elements", "UpdateUser",
         "{\"userId\":\"U1\",\"human\":{},\"metadata\":[]}", 0},
    };

    for (apr_size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        int is_human = !strcmp(calls[i].method, "UpdateHumanUser");
        const char *want =
            calls[i].is_change
                ? is_human ? "{" V2_DETAILS("13", "2999-01-01T00:00:00Z") "}"
                           : LATER
            : is_human ? "{" V2_NOW "}"
                       : SAME;
        one_user_reset();
        if (calls[i].is_change)
            one_user.changed = FUTURE;
        is(answered(USER, calls[i].method, "admin", calls[i].request, pool),
           want, "%s with %s", calls[i].method, calls[i].name);
    }
}

static void
test_health(apr_pool_t *pool)
{
    static const char *const names[] = {"", "x", "grpc.health.v1.Healthy"};
    up_call_t call = {.store_error = up_error(pool, UP_STORE_UNAVAILABLE,
                                              APR_SUCCESS, "away"),
                      .pool = pool};
    const ProtobufCMessage *answer;
    const char *bytes;
    apr_size_t length;

    for (int i = 0; up_services[i]; i++)
        is(answered_hex(HEALTH, "Check", NULL,
                        apr_pstrcat(pool, "{\"service\":\"",
                                    up_services[i]->name, "\"}", NULL),
                        pool),
           "0801", "the health of %s is known", up_services[i]->name);
    for (apr_size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        is(answered_hex(
               HEALTH, "Check", NULL,
               apr_pstrcat(pool, "{\"service\":\"", names[i], "\"}", NULL),
               pool),
           *names[i] ? "unknown service" : "0801", "the health of '%s'",
           names[i]);

    up_error_t *err = one_user_call(&answer, HEALTH, "Check", &call, "{}");
    if (ok(!err, "without a store the health is answered")) {
        up_message_pack(&bytes, &length, answer, pool);
        is(hex_show(bytes, length, pool), "0802",
           "without a store the health is NOT_SERVING");
        is(call.trouble ? call.trouble->message : NULL, "away",
           "without a store the health check leaves the reason for the log");
    }
    is(answered(MANAGEMENT, "Healthz", NULL, "", pool), "{}",
       "management: Healthz answers an empty message");
    is(answered(AUTH, "Healthz", NULL, "", pool), "{}",
       "auth: Healthz answers an empty message");
    err = one_user_call(&answer, AUTH, "Healthz", &call, "");
    is(err ? err->message : NULL, "away", "Healthz without a store fails");
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    test_v1_reads(pool);
    test_v1_updates(pool);
    test_get_user(pool);
    test_v2_updates(pool);
    test_health(pool);
}

int
main(void)
{
    return run_test(test);
}
