/* profile_json.c -- requests and replies of the two calls as JSON. */
#include "tap.h"
#include "wire/up_profile_json.h"

#include <apr_strings.h>
#include <string.h>

/* WANT is how the profile reads, see summary(), or what the error says. */
static const struct {
    const char *text;
    const char *want;
    const char *name;
} rows[] = {
    /* names and values */
    {"{\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\",\"nickName\":\"Gig\","
     "\"displayName\":\"Gigi G.\",\"preferredLanguage\":\"en\","
     "\"gender\":\"GENDER_FEMALE\"}",
     "Gigi|Giraffe|Gig|Gigi G.|en|1", "lowerCamel names"},
    {"{\"first_name\":\"Gigi\",\"last_name\":\"Giraffe\","
     "\"nick_name\":\"Gig\",\"display_name\":\"Gigi G.\","
     "\"preferred_language\":\"en\",\"gender\":1}",
     "Gigi|Giraffe|Gig|Gigi G.|en|1", "proto names"},
    {"{\"first_name\":\"Gigi\",\"lastName\":\"Giraffe\"}", "Gigi|Giraffe||||0",
     "both kinds of names in one body"},
    {"", "|||||0", "an empty body"},
    {" \r\n\t", "|||||0", "a body of blanks"},
    {"{}", "|||||0", "an empty object"},
    {"{\"firstName\":null,\"gender\":null,\"userId\":null}", "|||||0",
     "null is as good as absent"},
    {"{\"firstName\":\"\"}", "|||||0", "empty is as good as absent"},
    {"{\"firstName\":\" Gigi \"}", " Gigi |||||0", "nothing is trimmed"},
    {"{\"firstName\":\"\\u0047igi \\ud83d\\ude00\"}",
     "Gigi \xf0\x9f\x98\x80|||||0", "escapes are resolved"},
    {"{\"firstName\":\"e\\u0301\"}", "e\xcc\x81|||||0",
     "nothing is normalised"},
    {"{\"preferredLanguage\":\"DE_ch\"}", "||||DE_ch|0",
     "a language is left to the checks"},

    /* unknown members */
    {"{\"firstname\":1,\"FirstName\":true,\"profile\":{\"firstName\":\"x\"},"
     "\"x\":[{\"gender\":[]}]}",
     "|||||0", "unknown members are ignored, whatever they are"},
    {"{\"x\":123456789012345678901234567890,\"y\":-98765432109876543210.5e10}",
     "|||||0", "long numbers in unknown members"},
    {"{\"x\":1,\"x\":2}",
     "a member occurs twice in one object (line 1, column 10)",
     "an unknown member twice"},

    /* the user's id */
    {"{\"userId\":\"another\"}", "|||||0", "a user id in the body is ignored"},
    {"{\"user_id\":\"another\"}", "|||||0", "so it is by its proto name"},
    {"{\"userId\":7}", "userId must be a string", "a user id is a string"},
    {"{\"user_id\":{}}", "userId must be a string",
     "a user id is a string, by its proto name too"},
    {"{\"userId\":\"a\",\"user_id\":\"a\"}",
     "userId occurs twice, once as user_id", "a user id by both names"},

    /* duplicates */
    {"{\"firstName\":\"a\",\"firstName\":\"a\"}",
     "a member occurs twice in one object (line 1, column 28)",
     "one spelling twice"},
    {"{\"firstName\":\"a\",\"first_name\":\"a\"}",
     "firstName occurs twice, once as first_name", "both spellings"},
    {"{\"nick_name\":\"a\",\"nickName\":\"b\"}",
     "nickName occurs twice, once as nick_name", "both, the other way round"},
    {"{\"lastName\":null,\"last_name\":\"a\"}",
     "lastName occurs twice, once as last_name", "both, one of them null"},

    /* types of text */
    {"{\"firstName\":1}", "firstName must be a string", "a number as text"},
    {"{\"last_name\":true}", "lastName must be a string", "true as text"},
    {"{\"nickName\":[\"a\"]}", "nickName must be a string", "a list as text"},
    {"{\"displayName\":{}}", "displayName must be a string",
     "an object as text"},
    {"{\"preferredLanguage\":0}", "preferredLanguage must be a string",
     "a number as language"},

    /* genders; -1 and what is beyond 3 is refused by the checks */
    {"{\"gender\":\"GENDER_UNSPECIFIED\"}", "|||||0", "GENDER_UNSPECIFIED"},
    {"{\"gender\":\"GENDER_MALE\"}", "|||||2", "GENDER_MALE"},
    {"{\"gender\":\"GENDER_DIVERSE\"}", "|||||3", "GENDER_DIVERSE"},
    {"{\"gender\":0}", "|||||0", "the number 0"},
    {"{\"gender\":3}", "|||||3", "the number 3"},
    {"{\"gender\":1.0}", "|||||1", "the number 1.0"},
    {"{\"gender\":1e0}", "|||||1", "the number 1e0"},
    {"{\"gender\":0.2e1}", "|||||2", "the number 0.2e1"},
    {"{\"gender\":-0}", "|||||0", "the number -0"},
    {"{\"gender\":4}", "|||||4", "a number that is no gender"},
    {"{\"gender\":-1}", "|||||-1", "a negative number"},
    {"{\"gender\":2147483647}", "|||||2147483647", "the largest integer"},
    {"{\"gender\":-2147483648}", "|||||-2147483648", "the smallest integer"},
    {"{\"gender\":\"GENDER_X\"}", "|||||-1", "a name that is no gender"},
    {"{\"gender\":\"gender_male\"}", "|||||-1", "a name in lower case"},
    {"{\"gender\":\"1\"}", "|||||-1", "a number in a string"},
    {"{\"gender\":\"\"}", "|||||-1", "the empty name"},
    {"{\"gender\":2147483648}", "gender must be a name or a 32-bit integer",
     "an integer of more than 32 bits"},
    {"{\"gender\":-2147483649}", "gender must be a name or a 32-bit integer",
     "a negative one of more than 32 bits"},
    {"{\"gender\":123456789012345678901234567890}",
     "gender must be a name or a 32-bit integer", "an integer of 30 digits"},
    {"{\"gender\":1.5}", "gender must be a name or a 32-bit integer",
     "a fraction"},
    {"{\"gender\":true}", "gender must be a name or a 32-bit integer", "true"},
    {"{\"gender\":[1]}", "gender must be a name or a 32-bit integer", "a list"},
    {"{\"gender\":{}}", "gender must be a name or a 32-bit integer",
     "an object"},

    /* what is no object; the rest of the grammar is json.c's */
    {"[]", "the JSON is not an object", "a list as body"},
    {"null", "the JSON is not an object", "null as body"},
    {"{\"firstName\":\"Secret", "the JSON ends too early (line 1, column 20)",
     "a body that is cut"},
    {"{\"firstName\":\"Gigi\"}{}",
     "there is more text after the JSON object (line 1, column 21)",
     "data after the object"},
    {"{\"firstName\":\"\\u0000\"}",
     "a string holds a NUL character (line 1, column 21)", "NUL in a name"},
    {"{\"firstName\":\"\\udfff\"}", "the text is not JSON (line 1, column 21)",
     "a lone surrogate in a name"},
    {"{\"firstName\":\"\xff\"}", "the text is not UTF-8 (line 1, column 14)",
     "a name that is not UTF-8"},
};

static const up_profile_t gigi = {
    {"Gigi", "Giraffe", "", "Gigi \"G\" \xc3\xa9\xf0\x9f\x98\x80", ""},
    0};
static const up_profile_t full = {
    {"Gigi", "Giraffe", "Gig", "Gigi Giraffe", "de-CH"},
    UP_GENDER_FEMALE};

#define DETAILS                                                                \
    "{\"details\":{\"sequence\":\"12\","                                       \
    "\"creationDate\":\"2025-03-25T09:00:00.100Z\","                           \
    "\"changeDate\":\"2025-03-25T10:28:47.405123Z\","                          \
    "\"resourceOwner\":\"69629023906488334\"}"

static const struct {
    const up_profile_t *profile;
    int with_profile;
    const char *text;
    const char *name;
} replies[] = {
    {&gigi, 0, DETAILS "}", "the answer to an update"},
    {&gigi, 1,
     DETAILS ",\"profile\":{\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\","
             "\"displayName\":\"Gigi \\\"G\\\" \xc3\xa9\xf0\x9f\x98\x80\","
             "\"preferredLanguage\":\"und\"}}",
     "a profile without nick name, language and gender"},
    {&full, 1,
     DETAILS ",\"profile\":{\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\","
             "\"nickName\":\"Gig\",\"displayName\":\"Gigi Giraffe\","
             "\"preferredLanguage\":\"de-CH\",\"gender\":\"GENDER_FEMALE\"}}",
     "a profile with everything"},
};

/* The fields, joined by '|'. */
static const char *
summary(const up_profile_t *profile, apr_pool_t *pool)
{
    const char *text = "";

    for (int i = 0; i < UP_GENDER; i++)
        text = apr_pstrcat(pool, text, profile->text[i], "|", NULL);
    return apr_psprintf(pool, "%s%d", text, profile->gender);
}

static void
check_request(int row, apr_pool_t *pool)
{
    const up_profile_t *profile = NULL;
    up_error_t *err = up_profile_json_decode(&profile, rows[row].text,
                                             strlen(rows[row].text), pool);

    is(err ? err->message : summary(profile, pool), rows[row].want, "%s",
       rows[row].name);
    if (err)
        ok(err->reason == UP_BODY_INVALID && !profile,
           "%s: BODY_INVALID and no profile", rows[row].name);
}

static void
check_reply(int row, apr_pool_t *pool)
{
    up_user_t user = {.org = "69629023906488334",
                      .id = "1",
                      .sequence = 12,
                      .created = APR_INT64_C(1742893200100000),
                      .changed = APR_INT64_C(1742898527405123),
                      .profile = replies[row].profile};
    const char *text;
    apr_size_t length;

    up_profile_json_encode(&text, &length, &user, replies[row].with_profile,
                           pool);
    is(text, replies[row].text, "%s", replies[row].name);
    is_number((long long)length, (long long)strlen(text), "%s: its length",
              replies[row].name);
}

static void
extremes(apr_pool_t *pool)
{
    up_user_t user = {.org = "O", .id = "1", .sequence = APR_UINT64_MAX};
    char *name = apr_palloc(pool, 801);
    up_profile_t profile = full;
    const char *text;
    apr_size_t length;

    up_profile_json_encode(&text, &length, &user, 0, pool);
    is(text,
       "{\"details\":{\"sequence\":\"18446744073709551615\","
       "\"creationDate\":\"1970-01-01T00:00:00Z\","
       "\"changeDate\":\"1970-01-01T00:00:00Z\",\"resourceOwner\":\"O\"}}",
       "the largest sequence, and times at the epoch");

    for (int i = 0; i < 200; i++)
        memcpy(name + 4 * i, "\xf0\x9f\x98\x80", 4);
    name[800] = '\0';
    for (int i = 0; i < UP_GENDER - 1; i++)
        profile.text[i] = name;
    user.profile = &profile;
    up_profile_json_encode(&text, &length, &user, 1, pool);
    ok(length == strlen(text) && length > 3200 && text[length - 1] == '}',
       "a reply with names of 200 characters of four bytes is whole");
}

static void
parts(apr_pool_t *pool)
{
    const char *text;
    apr_size_t length;
    up_json_writer_t *writer = up_json_writer_make(pool);

    up_profile_json_write(writer, NULL, &gigi, (1u << UP_FIELDS) - 1);
    up_json_writer_text(&text, &length, writer);
    is(text,
       "{\"firstName\":\"Gigi\",\"lastName\":\"Giraffe\",\"nickName\":\"\","
       "\"displayName\":\"Gigi \\\"G\\\" \xc3\xa9\xf0\x9f\x98\x80\","
       "\"preferredLanguage\":\"und\",\"gender\":\"GENDER_UNSPECIFIED\"}",
       "all fields that are asked for are written, empty ones too");
    writer = up_json_writer_make(pool);
    up_profile_json_write(writer, NULL, &full, 1u << UP_LAST_NAME);
    up_json_writer_text(&text, &length, writer);
    is(text, "{\"lastName\":\"Giraffe\"}", "and no others");
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_request((int)i, pool);
    for (unsigned i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
        check_reply((int)i, pool);
    extremes(pool);
    parts(pool);
}

int
main(void)
{
    return run_test(test);
}
