/* item_json.c -- the lines of import and export. */
#include "tap.h"
#include "wire/up_item_json.h"
#include "wire/up_json.h"

#include <apr_strings.h>
#include <string.h>

/* "Now" is 2026-01-02T03:04:05Z in this file. */
#define NOW APR_INT64_C(1767323045000000)
#define NOW_TEXT "2026-01-02T03:04:05Z"

#define DATES                                                                  \
    "\"creationDate\":\"2025-03-25T09:00:00.100Z\","                           \
    "\"changeDate\":\"2025-03-25T10:28:47.405123Z\""
#define NOW_DATES                                                              \
    "\"creationDate\":\"" NOW_TEXT "\",\"changeDate\":\"" NOW_TEXT "\""
#define USER(rest) "{\"user\":{\"id\":\"U1\",\"orgId\":\"O1\"," rest "}}"
#define HUMAN(rest)                                                            \
    USER("\"type\":\"human\"," rest                                            \
         "\"profile\":{\"firstName\":\"Gigi\",\"lastName\":\"G\","             \
         "\"displayName\":\"D\"}")
#define HUMAN_READ(state, sequence)                                            \
    HUMAN("\"state\":\"" state "\",\"sequence\":\"" sequence "\"," NOW_DATES   \
          ",")
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TOKEN(rest) "{\"token\":{\"userId\":\"A1\"," rest "}}"
#define BAD_SEQUENCE                                                           \
    "sequence of user must be a string of digits, from 1 to "                  \
    "9223372036854775807"

/* What LINE is when it has been read and is written again; NULL: as it was. */
static const struct {
    const char *line, *same, *name;
} good[] = {
    {"{\"org\":{\"id\":\"O1\",\"name\":\"Example\"}}", NULL, "an organisation"},
    {"{\"org\":{\"id\":\"O1\"}}", NULL, "one without a name"},
    {"{\"org\":{\"name\":\"\",\"id\":\"O1\"}}", "{\"org\":{\"id\":\"O1\"}}",
     "an empty name is none"},
    {"{\"org\":{\"id\":\"\"}}", NULL, "an id's limits are not checked here"},
    {USER("\"type\":\"human\",\"state\":\"locked\",\"sequence\":\"3\"," DATES
          ",\"profile\":{\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\","
          "\"nickName\":\"Gig\",\"displayName\":\"Gigi\","
          "\"preferredLanguage\":\"de-CH\",\"gender\":\"GENDER_MALE\"}"),
     NULL, "a human with everything"},
    {USER("\"type\":\"machine\",\"state\":\"removed\",\"sequence\":"
          "\"9\"," DATES),
     NULL, "a machine with everything"},
    {USER("\"type\":\"machine\""),
     USER("\"type\":\"machine\",\"state\":\"active\",\"sequence\":"
          "\"1\"," NOW_DATES),
     "a machine gets its defaults"},
    {HUMAN(""), HUMAN_READ("active", "1"), "a human gets its defaults"},
    {USER("\"type\":\"human\",\"profile\":{\"firstName\":\"Gigi\","
          "\"lastName\":\"Giraffe\"}"),
     USER("\"type\":\"human\",\"state\":\"active\",\"sequence\":"
          "\"1\"," NOW_DATES ",\"profile\":{\"firstName\":\"Gigi\","
          "\"lastName\":\"Giraffe\",\"displayName\":\"\"}"),
     "a display name has no default here, and is written when it is empty"},
    {HUMAN("\"state\":\"inactive\","), HUMAN_READ("inactive", "1"), "inactive"},
    {HUMAN("\"state\":\"initial\","), HUMAN_READ("initial", "1"), "initial"},
    {HUMAN("\"state\":\"removed\","), HUMAN_READ("removed", "1"), "removed"},
    {HUMAN("\"sequence\":7,"), HUMAN_READ("active", "7"),
     "a sequence as a number"},
    {HUMAN("\"sequence\":9007199254740991,"),
     HUMAN_READ("active", "9007199254740991"), "the largest exact number"},
    {HUMAN("\"sequence\":\"9223372036854775807\","),
     HUMAN_READ("active", "9223372036854775807"), "the largest sequence"},
    {HUMAN("\"creationDate\":\"2026-01-02T04:04:05+01:00\","),
     HUMAN_READ("active", "1"), "a date with an offset"},
    {"{\"member\":{\"orgId\":\"O1\",\"userId\":\"A1\",\"roles\":"
     "[\"ORG_OWNER\",\"X\"]}}",
     NULL, "a member of an organisation"},
    {"{\"member\":{\"userId\":\"A1\",\"roles\":[\"IAM_OWNER\"]}}", NULL,
     "a member of the instance"},
    {TOKEN("\"sha256\":\"" HASH "\",\"creationDate\":\"" NOW_TEXT
           "\",\"expires\":\"2027-01-01T00:00:00Z\""),
     NULL, "a token by its hash, with everything"},
    {TOKEN("\"sha256\":\"" HASH "\""),
     TOKEN("\"sha256\":\"" HASH "\",\"creationDate\":\"" NOW_TEXT "\""),
     "a token that never expires"},
    {TOKEN("\"sha256\":\"" HASH "\",\"creationDate\":\"" NOW_TEXT
           "\",\"revoked\":\"2027-01-01T00:00:00Z\""),
     NULL, "a token that was revoked"},
    {TOKEN("\"sha256\":\"00112233445566778899AABBCCDDEEFF"
           "00112233445566778899aabbccddeeff\""),
     TOKEN("\"sha256\":\"" HASH "\",\"creationDate\":\"" NOW_TEXT "\""),
     "a hash in upper case"},
    {" {\"org\" : {\"id\":\"\\u004f1\"} }\r", "{\"org\":{\"id\":\"O1\"}}",
     "blanks and escapes"},
};

static const struct {
    const char *line, *message, *name;
} bad[] = {
    {"", "the line is no org, user, member, token or event", "an empty line"},
    {"{}", "the line is no org, user, member, token or event",
     "an empty object"},
    {"{\"event\":{}}", "event has no number", "an event without a number"},
    {"{\"event\":{\"number\":\"0\"}}",
     "number of event must be a string of digits, from 1 to "
     "1000000000000000000",
     "an event with the number 0"},
    {"{\"event\":{\"number\":\"1\",\"type\":\"user.removed\"}}",
     "event has no time", "an event without a time"},
    {"{\"user\":", "the JSON ends too early (line 1, column 9)", "a cut line"},
    {"[]", "the JSON is not an object", "a list"},
    {"{\"org\":{\"id\":\"O\"},\"user\":{}}",
     "line has an unknown member, 'user'", "two things in one line"},
    {"{\"org\":{\"id\":\"O\"},\"comment\":1}",
     "line has an unknown member, 'comment'", "a comment beside it"},
    {"{\"org\":\"O1\"}", "org must be an object", "a string for an object"},
    {"{\"org\":null}", "org must be an object", "null for an object"},
    {"{\"org\":{\"name\":\"Example\"}}", "org has no id", "no id"},
    {"{\"org\":{\"id\":7}}", "id of org must be a string", "a number as id"},
    {"{\"org\":{\"id\":null}}", "id of org must be a string", "null as id"},
    {"{\"org\":{\"id\":\"O\",\"name\":null}}", "name of org must be a string",
     "null as name"},
    {"{\"org\":{\"id\":\"O\",\"Name\":\"x\"}}",
     "org has an unknown member, 'Name'", "an unknown member"},
    {"{\"user\":{\"orgId\":\"O\",\"type\":\"machine\"}}", "user has no id",
     "a user without id"},
    {"{\"user\":{\"id\":\"U\",\"type\":\"machine\"}}", "user has no orgId",
     "a user without organisation"},
    {"{\"user\":{\"id\":\"U\",\"orgId\":\"O\"}}", "user has no type",
     "a user without type"},
    {USER("\"type\":\"robot\""), "type of user must be human or machine",
     "an unknown type"},
    {USER("\"type\":\"human\""), "human user has no profile",
     "a human without profile"},
    {USER("\"type\":\"machine\",\"profile\":{}"), "machine user has a profile",
     "a machine with a profile"},
    {USER("\"type\":\"human\",\"profile\":[]"),
     "profile of user must be an object", "a list as profile"},
    {USER("\"type\":\"human\",\"profile\":{\"firstName\":7}"),
     "firstName must be a string", "a number as first name"},
    {USER("\"type\":\"human\",\"profile\":{\"first_name\":\"x\"}"),
     "profile has an unknown member, 'first_name'",
     "a profile's member by its proto name"},
    {USER("\"type\":\"human\",\"profile\":{\"gender\":true}"),
     "gender must be a name or a 32-bit integer", "true as gender"},
    {USER("\"type\":\"machine\",\"email\":\"x\""),
     "user has an unknown member, 'email'", "an unknown member of a user"},
    {HUMAN("\"state\":\"Active\","),
     "state of user must be active, inactive, locked, initial or removed",
     "a state in upper case"},
    {HUMAN("\"state\":1,"), "state of user must be a string",
     "a number as state"},
    {HUMAN("\"sequence\":\"0\","), BAD_SEQUENCE, "the sequence 0"},
    {HUMAN("\"sequence\":0,"), BAD_SEQUENCE, "the number 0 as sequence"},
    {HUMAN("\"sequence\":\"9223372036854775808\","), BAD_SEQUENCE,
     "a sequence of 2^63"},
    {HUMAN("\"sequence\":\"18446744073709551617\","), BAD_SEQUENCE,
     "a sequence of more than 64 bits"},
    {HUMAN("\"sequence\":\"99999999999999999999999999\","), BAD_SEQUENCE,
     "a sequence of 26 digits"},
    {HUMAN("\"sequence\":9007199254740992,"), BAD_SEQUENCE,
     "a number that may be another one than was written"},
    {HUMAN("\"sequence\":1e300,"), BAD_SEQUENCE, "a huge number"},
    {HUMAN("\"sequence\":1.5,"), BAD_SEQUENCE, "a fraction"},
    {HUMAN("\"sequence\":-1,"), BAD_SEQUENCE, "a negative number"},
    {HUMAN("\"sequence\":\"-1\","), BAD_SEQUENCE, "a sign"},
    {HUMAN("\"sequence\":\" 1\","), BAD_SEQUENCE, "a blank in front"},
    {HUMAN("\"sequence\":\"1x\","), BAD_SEQUENCE, "a letter at the end"},
    {HUMAN("\"sequence\":\"\","), BAD_SEQUENCE, "an empty sequence"},
    {HUMAN("\"sequence\":null,"), BAD_SEQUENCE, "null as sequence"},
    {HUMAN("\"sequence\":[],"), BAD_SEQUENCE, "a list as sequence"},
    {HUMAN("\"changeDate\":\"yesterday\","),
     "changeDate of user must be a time like 2026-01-01T00:00:00Z",
     "a word as date"},
    {HUMAN("\"creationDate\":\"\","),
     "creationDate of user must be a time like 2026-01-01T00:00:00Z",
     "an empty date"},
    {HUMAN("\"creationDate\":0,"), "creationDate of user must be a string",
     "a number as date"},
    {"{\"member\":{\"userId\":\"A\"}}",
     "roles of member must be an array of names, one at least", "no roles"},
    {"{\"member\":{\"userId\":\"A\",\"roles\":[]}}",
     "roles of member must be an array of names, one at least", "empty roles"},
    {"{\"member\":{\"userId\":\"A\",\"roles\":\"ORG_OWNER\"}}",
     "roles of member must be an array of names, one at least",
     "a string as roles"},
    {"{\"member\":{\"userId\":\"A\",\"roles\":[\"ORG_OWNER\",7]}}",
     "a role of member must be a string", "a number as role"},
    {"{\"member\":{\"roles\":[\"ORG_OWNER\"]}}", "member has no userId",
     "a member without user"},
    {"{\"member\":{\"orgId\":\"\",\"userId\":\"A\",\"roles\":[\"R\"]}}",
     "orgId of member is empty", "an empty organisation is not the instance"},
    {"{\"member\":{\"orgId\":null,\"userId\":\"A\",\"roles\":[\"R\"]}}",
     "orgId of member must be a string", "nor is null"},
    {"{\"member\":{\"org\":\"O\",\"userId\":\"A\",\"roles\":[\"R\"]}}",
     "member has an unknown member, 'org'", "nor is a misspelt one"},
    {"{\"token\":{\"token\":\"secret\"}}", "token has no userId",
     "a token without user"},
    {"{\"token\":{\"userId\":\"A\"}}",
     "token must have one of token and sha256", "neither text nor hash"},
    {TOKEN("\"token\":\"secret\",\"sha256\":\"" HASH "\""),
     "token must have one of token and sha256", "both text and hash"},
    {TOKEN("\"token\":7"), "token of token must be a string",
     "a number as token"},
    {TOKEN("\"sha256\":\"00\""), "sha256 of token must be 64 hex digits",
     "a hash that is too short"},
    {TOKEN("\"sha256\":\"" HASH "00\""),
     "sha256 of token must be 64 hex digits", "a hash that is too long"},
    {TOKEN("\"sha256\":\"0011223344556677889:aabbccddeeff"
           "00112233445566778899aabbccddeeff\""),
     "sha256 of token must be 64 hex digits", "a colon in a hash"},
    {TOKEN("\"sha256\":\"0g112233445566778899aabbccddeeff"
           "00112233445566778899aabbccddeeff\""),
     "sha256 of token must be 64 hex digits", "a letter beyond f"},
    {TOKEN("\"token\":\"secret\",\"expires\":\"1970-01-01T00:00:00Z\""),
     "expires of token must be after 1970 began",
     "an expiry that would read as never"},
    {TOKEN("\"token\":\"secret\",\"expires\":\"1969-01-01T00:00:00Z\""),
     "expires of token must be after 1970 began", "one before"},
    {TOKEN("\"sha256\":\"" HASH "\",\"revoked\":\"1970-01-01T00:00:00Z\""),
     "revoked of token must be after 1970 began",
     "a time of revoking that would read as never"},
    {TOKEN("\"sha256\":\"" HASH "\",\"revoked\":true"),
     "revoked of token must be a string", "true as time of revoking"},
    {TOKEN("\"sha256\":\"" HASH "\",\"revoked\":\"2027-01-01T00:00:00Z\","
           "\"expires\":\"2027-01-01T00:00:00Z\""),
     "token has both expires and revoked", "a revoked token that expires"},
    {TOKEN("\"token\":\"secret\",\"expires\":\"90d\""),
     "expires of token must be a time like 2026-01-01T00:00:00Z",
     "a span as expiry"},
};

static up_error_t *
decode(up_item_t **item,
       const char **token_text,
       const char *line,
       apr_pool_t *pool)
{
    up_given_t given;

    return up_item_json_decode(item, &given, token_text, line, strlen(line),
                               NOW, pool);
}

static const char *
encode(const up_item_t *item, apr_pool_t *pool)
{
    const char *line;
    apr_size_t length;

    up_item_json_encode(&line, &length, item, pool);
    return length == strlen(line) ? line : "a wrong length";
}

static void
lines(apr_pool_t *pool)
{
    up_item_t *item;
    const char *token_text = NULL;

    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        up_error_t *err = decode(&item, &token_text, good[i].line, pool);
        is(err ? err->message : encode(item, pool),
           good[i].same ? good[i].same : good[i].line, "%s", good[i].name);
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        up_error_t *err = decode(&item, &token_text, bad[i].line, pool);
        is(err ? err->message : NULL, bad[i].message, "refused: %s",
           bad[i].name);
        ok(err && err->reason == UP_BODY_INVALID, "it is BODY_INVALID");
    }
}

/* What the lines above cannot show: the values themselves. */
static void
values(apr_pool_t *pool)
{
    up_item_t *item = NULL;
    const char *token_text = NULL;

    ok(!decode(&item, &token_text, good[4].line, pool), "a human is read");
    const up_user_t *user = &item->as.user;
    ok(item->kind == UP_KIND_USER && user->type == UP_HUMAN, "it is a human");
    is(user->id, "U1", "its id");
    is(user->org, "O1", "its organisation");
    ok(user->state == UP_LOCKED && user->sequence == 3, "state and sequence");
    ok(user->created == APR_INT64_C(1742893200100000) &&
           user->changed == APR_INT64_C(1742898527405123),
       "its dates");
    is(user->profile->text[UP_NICK_NAME], "Gig", "its nick name");
    is_number(user->profile->gender, UP_GENDER_MALE, "its gender");

    ok(!decode(&item, &token_text, USER("\"type\":\"machine\""), pool) &&
           !item->as.user.profile,
       "a machine has no profile");
    ok(!decode(&item, &token_text,
               USER("\"type\":\"human\",\"profile\":{\"gender\":\"X\"}"),
               pool) &&
           item->as.user.profile->gender == UP_GENDER_UNKNOWN,
       "an unknown gender is left to the checks");

    ok(!decode(&item, &token_text,
               "{\"member\":{\"userId\":\"A\",\"roles\":[\"R\"]}}", pool),
       "a member is read");
    is(item->as.member.org, "", "without organisation it is the instance's");

    ok(!decode(&item, &token_text, TOKEN("\"token\":\"plain\""), pool),
       "a token in plain text is read");
    is(token_text, "plain", "its text is handed over");
    ok(item->as.token.expires == 0 && item->as.token.created == NOW,
       "by default a token never expires and is made now");

    ok(!decode(&item, &token_text, TOKEN("\"sha256\":\"" HASH "\""), pool),
       "a token's hash is read");
    ok(!token_text, "then there is no text");
    ok(item->as.token.sha256[0] == 0 && item->as.token.sha256[1] == 0x11 &&
           item->as.token.sha256[31] == 0xff,
       "the hash is the bytes of the digits");
}

/* Which fields a line has, and which it lacks. */
static void
presence(apr_pool_t *pool)
{
    static const struct {
        const char *name, *line;
        unsigned fields;
    } rows[] = {
        {"a human with an empty profile",
         USER("\"type\":\"human\",\"profile\":{}"), 0},
        {"a human with some fields, one of them empty",
         USER("\"type\":\"human\",\"profile\":{\"displayName\":\"\","
              "\"gender\":0,\"firstName\":\"G\"}"),
         UP_FIELD_BIT(UP_FIRST_NAME) | UP_FIELD_BIT(UP_DISPLAY_NAME) |
             UP_FIELD_BIT(UP_GENDER)},
        {"a human with null for a field",
         USER("\"type\":\"human\",\"profile\":{\"displayName\":null,"
              "\"nickName\":\"\"}"),
         UP_FIELD_BIT(UP_NICK_NAME)},
        {"a machine", USER("\"type\":\"machine\""), 0},
        {"an organisation", "{\"org\":{\"id\":\"O1\"}}", 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_given_t given = {.fields = ~0u};
        const char *token_text;
        up_item_t *item;
        up_error_t *err =
            up_item_json_decode(&item, &given, &token_text, rows[i].line,
                                strlen(rows[i].line), NOW, pool);
        ok(!err, "%s is read", rows[i].name);
        is_number(given.fields, rows[i].fields, "the fields of %s",
                  rows[i].name);
    }
}

static void
events(apr_pool_t *pool)
{
    static const up_profile_t before = {{"Gigi", "G", "Gig", "D", ""}, 0};
    static const up_profile_t after = {{"Gina", "G", "", "D", "en"}, 3};
    up_item_t item = {.kind = UP_KIND_EVENT};
    up_event_t *event = &item.as.event;

    event->number = 7;
    event->detail = "";
    event->time = NOW;
    event->org = "O1";
    event->user = "U1";
    event->author = "A1";
    event->sequence = 2;
    event->fields = 1u << UP_FIRST_NAME;
    event->before = &before;
    event->after = &after;
    is(encode(&item, pool),
       "{\"event\":{\"number\":\"7\",\"type\":\"profile.changed\",\"time\":"
       "\"" NOW_TEXT "\",\"orgId\":\"O1\",\"userId\":\"U1\",\"by\":\"A1\","
       "\"sequence\":\"2\",\"fields\":[\"firstName\"],"
       "\"before\":{\"firstName\":\"Gigi\"},"
       "\"after\":{\"firstName\":\"Gina\"}}}",
       "a change of one field");

    event->author = "";
    event->fields =
        1u << UP_NICK_NAME | 1u << UP_PREFERRED_LANGUAGE | 1u << UP_GENDER;
    is(encode(&item, pool),
       "{\"event\":{\"number\":\"7\",\"type\":\"profile.changed\",\"time\":"
       "\"" NOW_TEXT "\",\"orgId\":\"O1\",\"userId\":\"U1\","
       "\"sequence\":\"2\","
       "\"fields\":[\"nickName\",\"preferredLanguage\",\"gender\"],"
       "\"before\":{\"nickName\":\"Gig\",\"preferredLanguage\":\"und\","
       "\"gender\":\"GENDER_UNSPECIFIED\"},"
       "\"after\":{\"nickName\":\"\",\"preferredLanguage\":\"en\","
       "\"gender\":\"GENDER_DIVERSE\"}}}",
       "a change by the tool, from and to nothing");

    event->type = UP_USER_REMOVED;
    event->fields = 0;
    event->before = event->after = NULL;
    is(encode(&item, pool),
       "{\"event\":{\"number\":\"7\",\"type\":\"user.removed\",\"time\":"
       "\"" NOW_TEXT "\",\"orgId\":\"O1\",\"userId\":\"U1\","
       "\"sequence\":\"2\"}}",
       "an event without fields");

    event->type = UP_MEMBER_ADDED;
    event->org = "";
    event->sequence = 0;
    event->detail = "IAM_OWNER R";
    is(encode(&item, pool),
       "{\"event\":{\"number\":\"7\",\"type\":\"member.added\",\"time\":"
       "\"" NOW_TEXT "\",\"userId\":\"U1\",\"detail\":\"IAM_OWNER R\"}}",
       "an event without an organisation and a sequence, but with a detail");
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    lines(pool);
    values(pool);
    presence(pool);
    events(pool);
}

int
main(void)
{
    return run_test(test);
}
