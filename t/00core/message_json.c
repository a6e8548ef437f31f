/* message_json.c -- messages from JSON, and as JSON. */
#include "wire/up_message.h"
#include "google/rpc/status.pb-c.h"
#include "tap.h"
#include "wire/up_json.h"
#include "zitadel/management.pb-c.h"
#include "zitadel/user/v2/user_service.pb-c.h"

#include <apr_strings.h>
#include <string.h>

#define FLAT &zitadel__management__v1__update_human_profile_request__descriptor
#define UPDATE &zitadel__user__v2__update_user_request__descriptor
#define HUMAN &zitadel__user__v2__update_human_user_request__descriptor

/* UpdateHumanProfileRequest: WANT is how it reads, see summary(), or what the
 * error says. */
static const struct {
    const char *text;
    const char *want;
    const char *name;
} flat[] = {
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
     "a member occurs twice in one object (line 1, column 8)",
     "an unknown member twice"},

    /* the user's id */
    {"{\"userId\":\"another\"}", "|||||0",
     "a user id in the body is no field of the profile"},
    {"{\"user_id\":\"another\"}", "|||||0",
     "a user id in the body by its proto name"},
    {"{\"userId\":7}", "userId must be a string", "a user id is a string"},
    {"{\"user_id\":{}}", "userId must be a string",
     "a user id is a string, by its proto name too"},
    {"{\"userId\":\"a\",\"user_id\":\"a\"}",
     "userId occurs twice, once as user_id", "a user id by both names"},

    /* duplicates */
    {"{\"firstName\":\"a\",\"firstName\":\"a\"}",
     "a member occurs twice in one object (line 1, column 18)",
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
    {"{\"firstName\":\"Secret", "the JSON ends too early (line 1, column 21)",
     "a body that is cut"},
    {"{\"firstName\":\"Gigi\"}{}",
     "there is more text after the JSON value (line 1, column 21)",
     "data after the object"},
    {"{\"firstName\":\"\\u0000\"}",
     "a string holds a NUL character (line 1, column 15)", "NUL in a name"},
    {"{\"firstName\":\"\\udfff\"}",
     "a surrogate stands alone (line 1, column 15)",
     "a lone surrogate in a name"},
    {"{\"firstName\":\"\xff\"}", "the text is not UTF-8 (line 1, column 15)",
     "a name that is not UTF-8"},
};

/* Other requests: WANT is what is written of them, or what the error says. */
static const struct {
    const ProtobufCMessageDescriptor *type;
    const char *text;
    const char *want;
    const char *name;
} nested[] = {
    {UPDATE, "", "{}", "an empty text is an empty message"},
    {UPDATE, "{\"userId\":\"U\",\"human\":{\"profile\":{\"nickName\":\"G\"}}}",
     "{\"userId\":\"U\",\"human\":{\"profile\":{\"nickName\":\"G\"}}}",
     "nested messages"},
    {UPDATE,
     "{\"user_id\":\"U\",\"human\":{\"profile\":{\"given_name\":\"G\","
     "\"preferred_language\":\"en\"}}}",
     "{\"userId\":\"U\",\"human\":{\"profile\":{\"givenName\":\"G\","
     "\"preferredLanguage\":\"en\"}}}",
     "proto names at every level"},
    {HUMAN,
     "{\"profile\":{\"gender\":\"GENDER_MALE\",\"familyName\":\"F\"},"
     "\"username\":\"\",\"userId\":\"U\"}",
     "{\"userId\":\"U\",\"username\":\"\",\"profile\":{\"familyName\":\"F\","
     "\"gender\":\"GENDER_MALE\"}}",
     "members in any order"},

    {FLAT, "{\"user_id\":\"another\"}", "{\"userId\":\"another\"}",
     "a user id in the body is read; the path's replaces it elsewhere"},

    /* presence */
    {UPDATE, "{\"human\":{\"profile\":{\"nickName\":\"\"}}}",
     "{\"human\":{\"profile\":{\"nickName\":\"\"}}}", "an empty text is there"},
    {UPDATE, "{\"human\":{\"profile\":{\"gender\":0}}}",
     "{\"human\":{\"profile\":{\"gender\":\"GENDER_UNSPECIFIED\"}}}",
     "a gender of 0 is there"},
    {UPDATE, "{\"human\":{}}", "{\"human\":{}}", "an empty message is there"},
    {UPDATE, "{\"human\":{\"profile\":{\"nickName\":null,\"gender\":null}}}",
     "{\"human\":{\"profile\":{}}}", "null is absent in nested messages"},
    {UPDATE, "{\"human\":null,\"metadata\":null,\"username\":null}", "{}",
     "null is an absent message, and no elements"},
    {UPDATE, "{\"human\":{\"profile\":{\"gender\":\"GENDER_X\"}}}",
     "{\"human\":{\"profile\":{\"gender\":-1}}}",
     "a name that is no gender is there, and is no gender"},

    /* what is unknown, and what is not kept */
    {UPDATE, "{\"human\":{\"x\":1,\"profile\":{\"nickname\":2}},\"y\":[{}]}",
     "{\"human\":{\"profile\":{}}}",
     "unknown members are ignored at every level"},
    {HUMAN, "{\"email\":{\"email\":7},\"phone\":{},\"password\":{\"x\":[]}}",
     "{\"email\":{},\"phone\":{},\"password\":{}}",
     "what is in a message that is not kept is ignored"},

    /* a oneof */
    {UPDATE, "{\"machine\":{\"name\":\"x\"}}", "{\"machine\":{}}",
     "the other member of a oneof"},
    {UPDATE, "{\"human\":null,\"machine\":{}}", "{\"machine\":{}}",
     "one member of a oneof, and null"},
    {UPDATE, "{\"human\":{},\"machine\":{}}",
     "machine excludes another member that is there",
     "both members of a oneof"},
    {UPDATE, "{\"machine\":{},\"human\":{}}",
     "machine excludes another member that is there",
     "both members of a oneof, the other way round"},

    /* repeated */
    {UPDATE, "{\"metadata\":[]}", "{}", "no elements"},
    {UPDATE, "{\"metadata\":[{\"key\":\"k\"},{}]}", "{\"metadata\":[{},{}]}",
     "two elements"},
    {UPDATE, "{\"metadata\":{}}", "metadata must be an array",
     "an object as elements"},
    {UPDATE, "{\"metadata\":[{},\"x\"]}", "metadata[1] must be an object",
     "a text as the second element"},
    {UPDATE, "{\"metadata\":[null]}", "metadata[0] must be an object",
     "null as an element"},

    /* where a wrong type is */
    {UPDATE, "{\"human\":[]}", "human must be an object", "a list as message"},
    {UPDATE, "{\"human\":\"x\"}", "human must be an object",
     "a text as message"},
    {UPDATE, "{\"human\":{\"profile\":1}}", "human.profile must be an object",
     "a number as nested message"},
    {UPDATE, "{\"human\":{\"profile\":{\"nickName\":1}}}",
     "human.profile.nickName must be a string", "a number as nested text"},
    {UPDATE, "{\"human\":{\"profile\":{\"nick_name\":{}}}}",
     "human.profile.nickName must be a string",
     "an object as nested text, by its proto name"},
    {HUMAN, "{\"profile\":{\"gender\":1.5}}",
     "profile.gender must be a name or a 32-bit integer",
     "a fraction as nested gender"},
    {HUMAN, "{\"profile\":{\"nickName\":\"a\",\"nick_name\":null}}",
     "profile.nickName occurs twice, once as nick_name",
     "both spellings in a nested message"},
    {HUMAN, "{\"profile\":{},\"profile\":{}}",
     "a member occurs twice in one object (line 1, column 15)",
     "a nested message twice"},
};

/* The texts and the gender, joined by '|'. */
static const char *
summary(const ProtobufCMessage *message, apr_pool_t *pool)
{
    const Zitadel__Management__V1__UpdateHumanProfileRequest *request =
        (const void *)message;

    return apr_psprintf(pool, "%s|%s|%s|%s|%s|%d", request->first_name,
                        request->last_name, request->nick_name,
                        request->display_name, request->preferred_language,
                        request->gender);
}

static const char *
written(const void *message, apr_pool_t *pool)
{
    const char *text;
    apr_size_t length;

    up_message_to_json(&text, &length, message, pool);
    if (length != strlen(text))
        return "not as long as it says";
    return text;
}

static void
test_read(apr_pool_t *pool)
{
    ProtobufCMessage *message;

    for (apr_size_t i = 0; i < sizeof(flat) / sizeof(*flat); i++) {
        up_error_t *err = up_message_from_json(&message, FLAT, flat[i].text,
                                               strlen(flat[i].text), pool);
        is(err ? err->message : summary(message, pool), flat[i].want, "%s",
           flat[i].name);
        if (err)
            is_number(err->reason, UP_BODY_INVALID, "%s: BODY_INVALID",
                      flat[i].name);
    }
    for (apr_size_t i = 0; i < sizeof(nested) / sizeof(*nested); i++) {
        up_error_t *err =
            up_message_from_json(&message, nested[i].type, nested[i].text,
                                 strlen(nested[i].text), pool);
        is(err ? err->message : written(message, pool), nested[i].want, "%s",
           nested[i].name);
        if (err)
            is_number(err->reason, UP_BODY_INVALID, "%s: BODY_INVALID",
                      nested[i].name);
    }
}

static void
test_user(apr_pool_t *pool)
{
    Google__Protobuf__Timestamp changed = GOOGLE__PROTOBUF__TIMESTAMP__INIT,
                                created = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Zitadel__Object__V2__Details details = ZITADEL__OBJECT__V2__DETAILS__INIT;
    Zitadel__User__V2__HumanProfile profile =
        ZITADEL__USER__V2__HUMAN_PROFILE__INIT;
    Zitadel__User__V2__HumanUser human = ZITADEL__USER__V2__HUMAN_USER__INIT;
    Zitadel__User__V2__User user = ZITADEL__USER__V2__USER__INIT;
    char *logins[] = {"gigi", "gigi@example.com"};

    changed.seconds = 1742898527;
    changed.nanos = 405123000;
    details.sequence = 13;
    details.change_date = &changed;
    details.resource_owner = "O1";
    details.creation_date = &created;
    profile.nick_name = "";
    profile.has_gender = 1;
    human.profile = &profile;
    user.user_id = "U1";
    user.details = &details;
    user.has_state = 1;
    user.state = ZITADEL__USER__V2__USER_STATE__USER_STATE_LOCKED;
    user.username = "gigi";
    user.n_login_names = 2;
    user.login_names = logins;
    user.preferred_login_name = "g";
    user.type_case = ZITADEL__USER__V2__USER__TYPE_HUMAN;
    user.human = &human;
    is(written(&user, pool),
       "{\"userId\":\"U1\",\"details\":{\"sequence\":\"13\","
       "\"changeDate\":\"2025-03-25T10:28:47.405123Z\","
       "\"resourceOwner\":\"O1\",\"creationDate\":\"1970-01-01T00:00:00Z\"},"
       "\"state\":\"USER_STATE_LOCKED\",\"username\":\"gigi\","
       "\"loginNames\":[\"gigi\",\"gigi@example.com\"],"
       "\"preferredLoginName\":\"g\",\"human\":{\"profile\":{"
       "\"nickName\":\"\",\"gender\":\"GENDER_UNSPECIFIED\"}}}",
       "fields are written in the order of the .proto file");
}

/* Of a oneof, the member that is set is written, though it is empty. */
static void
test_oneof(apr_pool_t *pool)
{
    Zitadel__User__V2__MachineUser machine =
        ZITADEL__USER__V2__MACHINE_USER__INIT;
    Zitadel__User__V2__User user = ZITADEL__USER__V2__USER__INIT;

    is(written(&user, pool), "{}", "of an empty user nothing is written");
    user.type_case = ZITADEL__USER__V2__USER__TYPE_MACHINE;
    user.machine = &machine;
    is(written(&user, pool), "{\"machine\":{}}",
       "of a oneof the member that is set is written");
}

/* Without presence, what is zero or empty is left out. */
static void
test_defaults(apr_pool_t *pool)
{
    Zitadel__User__V1__Profile profile = ZITADEL__USER__V1__PROFILE__INIT;
    Zitadel__V1__ObjectDetails details = ZITADEL__V1__OBJECT_DETAILS__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

    is(written(&profile, pool), "{}", "of an empty profile nothing is written");
    is(written(&details, pool), "{}", "of empty details nothing is written");
    is(written(&status, pool), "{}", "a number of 0 is left out");
    profile.last_name = "L";
    profile.gender = ZITADEL__USER__V1__GENDER__GENDER_DIVERSE;
    is(written(&profile, pool),
       "{\"lastName\":\"L\",\"gender\":\"GENDER_DIVERSE\"}",
       "an empty nick name is left out where it has no presence");
    status.code = -5;
    is(written(&status, pool), "{\"code\":-5}", "a 32-bit integer is a number");
    details.sequence = APR_UINT64_MAX;
    is(written(&details, pool), "{\"sequence\":\"18446744073709551615\"}",
       "a 64-bit integer is a string");
}

static void
test_enums(apr_pool_t *pool)
{
    static const struct {
        int number;
        const char *text;
    } genders[] = {{0, "\"GENDER_UNSPECIFIED\""}, {1, "\"GENDER_FEMALE\""},
                   {3, "\"GENDER_DIVERSE\""},     {4, "4"},
                   {UP_ENUM_UNKNOWN, "-1"},       {2147483647, "2147483647"}};

    for (apr_size_t i = 0; i < sizeof(genders) / sizeof(*genders); i++) {
        Zitadel__User__V2__SetHumanProfile profile =
            ZITADEL__USER__V2__SET_HUMAN_PROFILE__INIT;
        profile.has_gender = 1;
        profile.gender = (Zitadel__User__V2__Gender)genders[i].number;
        is(written(&profile, pool),
           apr_pstrcat(pool, "{\"gender\":", genders[i].text, "}", NULL),
           "the gender %d", genders[i].number);
    }
}

static void
test_timestamps(apr_pool_t *pool)
{
    static const struct {
        apr_int64_t seconds;
        int nanos;
        const char *text;
    } times[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        {1742898527, 405123000, "2025-03-25T10:28:47.405123Z"},
        {1742898527, 405000000, "2025-03-25T10:28:47.405Z"},
        {1742893200, 100000000, "2025-03-25T09:00:00.100Z"},
        {1742898527, 0, "2025-03-25T10:28:47Z"},
        {-1, 999999000, "1969-12-31T23:59:59.999999Z"},
    };

    for (apr_size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        Zitadel__User__V2__UpdateUserResponse answer =
            ZITADEL__USER__V2__UPDATE_USER_RESPONSE__INIT;
        time.seconds = times[i].seconds;
        time.nanos = times[i].nanos;
        answer.change_date = &time;
        is(written(&answer, pool),
           apr_pstrcat(pool, "{\"changeDate\":\"", times[i].text, "\"}", NULL),
           "the time %s", times[i].text);
    }
}

static void
test_texts(apr_pool_t *pool)
{
    Zitadel__User__V1__Profile profile = ZITADEL__USER__V1__PROFILE__INIT;
    char *name = apr_palloc(pool, 801);

    profile.display_name = "Gigi \"G\" \xc3\xa9\xf0\x9f\x98\x80\n";
    is(written(&profile, pool),
       "{\"displayName\":\"Gigi \\\"G\\\" \xc3\xa9\xf0\x9f\x98\x80\\n\"}",
       "a text is escaped where it must be");
    for (int i = 0; i < 200; i++)
        memcpy(name + 4 * i, "\xf0\x9f\x98\x80", 4);
    name[800] = '\0';
    profile.first_name = profile.last_name = profile.nick_name =
        profile.display_name = name;
    is(written(&profile, pool),
       apr_psprintf(pool,
                    "{\"firstName\":\"%s\",\"lastName\":\"%s\","
                    "\"nickName\":\"%s\",\"displayName\":\"%s\"}",
                    name, name, name, name),
       "names of 200 characters of four bytes are whole");
}

static void
test_members(apr_pool_t *pool)
{
    Zitadel__User__V1__Profile profile = ZITADEL__USER__V1__PROFILE__INIT;
    up_json_writer_t *writer = up_json_writer_make(pool);
    const char *text;
    apr_size_t length;

    profile.first_name = "F";
    up_json_begin_object(writer, NULL);
    up_json_write_string(writer, "@type", "x");
    up_message_write_members(writer, &profile.base, pool);
    up_json_end_object(writer);
    up_json_writer_text(&text, &length, writer);
    is(text, "{\"@type\":\"x\",\"firstName\":\"F\"}",
       "members of a message follow those of the caller");
}

static void
test_camel(void)
{
    static const struct {
        const char *name, *camel;
    } names[] = {
        {"user_id", "userId"},
        {"preferred_login_name", "preferredLoginName"},
        {"gender", "gender"},
        {"address_2", "address2"},
        {"last_", "last_"},
        {"a_name_that_is_longer_than_its_room", "aNameThatIsLongerTh"},
    };
    char camel[20];

    for (apr_size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        up_message_camel(camel, sizeof(camel), names[i].name);
        is(camel, names[i].camel, "%s in JSON", names[i].name);
    }
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    test_read(pool);
    test_user(pool);
    test_oneof(pool);
    test_defaults(pool);
    test_enums(pool);
    test_timestamps(pool);
    test_texts(pool);
    test_members(pool);
    test_camel();
}

int
main(void)
{
    return run_test(test);
}
