/* profile_proto.c -- requests and replies of the two calls as protobuf. */
#include "wire/up_profile_proto.h"
#include "hex.h"
#include "tap.h"
#include "wire/up_message.h"
#include "zitadel/management.pb-c.h"

#include <apr_strings.h>

#define PREFIX "grpc: error unmarshalling request: "

static const struct {
    const char *name;
    const char *hex;
    const char *want; /* id|first|last|nick|display|language|gender */
} accepted[] = {
    {"no bytes are an empty request", "", "||||||0"},
    {"a request as ZITADEL's own client encodes it",
     "0a12 313633383430373736383335343332373035 1204 47696769"
     "1a07 47697261666665 2204 47696769 2a0c 47696769 20476972 61666665"
     "3202 656e 3801",
     "163840776835432705|Gigi|Giraffe|Gigi|Gigi Giraffe|en|1"},
    {"fields in any order", "3802 1a014c 120146 0a0131", "1|F|L||||2"},
    {"the last of several strings", "120141 120142 1a014c", "|B|L||||0"},
    {"an empty string after another", "120141 1200", "||||||0"},
    {"the last of several genders", "3801 3803", "||||||3"},
    {"a gender that is not defined", "3863", "||||||99"},
    {"a negative gender", "38ffffffffffffffffff01", "||||||-1"},
    {"of a gender, the low 32 bits", "388180808010", "||||||1"},
    {"a gender in more bytes than needed", "38818000", "||||||1"},
    {"a length in more bytes than needed", "12818080800041", "|A|||||0"},
    {"a tag in more bytes than needed", "92808080000141", "|A|||||0"},
    {"one to four bytes a character", "120a 41c3a9e282acf09f9880",
     "|A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|||||0"},
    {"an unknown varint", "7896ffffffffffffffff01 120141", "|A|||||0"},
    {"an unknown fixed64", "120141 790001020304050607", "|A|||||0"},
    {"an unknown fixed32", "7d00010203 120141", "|A|||||0"},
    {"unknown bytes, not UTF-8", "120141 7a03ff00c3 1a014c", "|A|L||||0"},
    {"unknown fields between known ones",
     "7801 120141 7a00 1a014c 7802 22014e 7803", "|A|L|N|||0"},
    {"nothing but unknown fields", "7801 7a0141", "||||||0"},
    {"the highest field number", "f8ffffff0f01 120141", "|A|||||0"},
};

static const struct {
    const char *name;
    const char *hex;
    const char *wrong;
} refused[] = {
    {"a tag alone", "12", "field 2 is cut off or malformed"},
    {"a cut string", "120541", "field 2 is cut off or malformed"},
    {"a length of 2^31", "128080808008 41", "field 2 is cut off or malformed"},
    {"a length of 2^32-1", "12ffffffff0f 41",
     "field 2 is cut off or malformed"},
    {"a length of 2^64-1", "12ffffffffffffffffff01 41",
     "field 2 is cut off or malformed"},
    {"a cut length", "1280", "field 2 is cut off or malformed"},
    {"a cut gender", "38ff", "field 7 is cut off or malformed"},
    {"a gender of eleven bytes", "388080808080808080808000",
     "field 7 is cut off or malformed"},
    {"a gender of more than 64 bits", "38ffffffffffffffffff02",
     "field 7 is cut off or malformed"},
    {"a cut unknown fixed64", "7900010203040506",
     "field 15 is cut off or malformed"},
    {"a cut unknown fixed32", "7d000102", "field 15 is cut off or malformed"},
    {"a cut unknown string", "7a0241", "field 15 is cut off or malformed"},
    {"a cut tag", "120141 80", "a tag is cut off or malformed"},
    {"a tag of six bytes", "92808080800001 41",
     "a tag is cut off or malformed"},
    {"field number 0", "0000", "a field number is out of range"},
    {"field number 0 as a string", "020141", "a field number is out of range"},
    {"a field number over 2^29-1", "f8ffffff1f01",
     "a field number is out of range"},
    {"a first name as a varint", "1001", "first_name has another wire type"},
    {"a first name as a fixed64", "110001020304050607",
     "first_name has another wire type"},
    {"a last name as a fixed32", "1d00010203",
     "last_name has another wire type"},
    {"an id as a varint", "0801", "user_id has another wire type"},
    {"a gender as a string", "3a0131", "gender has another wire type"},
    {"a gender as a fixed32", "3d01000000", "gender has another wire type"},
    {"a known field as a group", "1314", "field 2 is a group"},
    {"an unknown group", "7b7c", "field 15 is a group"},
    {"the end of a group alone", "120141 7c", "field 15 is a group"},
    {"wire type 6", "7e00", "field 15 is cut off or malformed"},
    {"wire type 7 in a known field", "170141",
     "field 2 is cut off or malformed"},
    {"a name with a byte that UTF-8 has not", "1201ff",
     "first_name is not UTF-8"},
    {"a name that ends within a character", "1201c3",
     "first_name is not UTF-8"},
    {"a name with a surrogate", "1a03eda080", "last_name is not UTF-8"},
    {"a name with an overlong character", "2202c080", "nick_name is not UTF-8"},
    {"a name beyond U+10FFFF", "2a04f4908080", "display_name is not UTF-8"},
    {"a language that is not UTF-8", "3201fe",
     "preferred_language is not UTF-8"},
    {"an id that is not UTF-8", "0a0180", "user_id is not UTF-8"},
    {"an earlier name that is not UTF-8", "1201ff 120141",
     "first_name is not UTF-8"},
    {"a name with NUL in it", "1203410042", "first_name contains NUL"},
    {"an id with NUL at its end", "0a023100", "user_id contains NUL"},
};

static const char *
show(const char *user, const up_profile_t *profile, apr_pool_t *pool)
{
    return apr_psprintf(
        pool, "%s|%s|%s|%s|%s|%s|%d", user, profile->text[UP_FIRST_NAME],
        profile->text[UP_LAST_NAME], profile->text[UP_NICK_NAME],
        profile->text[UP_DISPLAY_NAME], profile->text[UP_PREFERRED_LANGUAGE],
        profile->gender);
}

static void
test_accepted(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
        const up_profile_t *profile;
        const char *user, *bytes;
        apr_size_t length;

        bytes = hex_read(&length, accepted[i].hex, pool);
        up_error_t *err = up_profile_proto_decode_update(&user, &profile, bytes,
                                                         length, pool);
        is(err ? err->message : show(user, profile, pool), accepted[i].want,
           "%s", accepted[i].name);
    }
}

static void
test_refused(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        const up_profile_t *profile;
        const char *user, *bytes;
        apr_size_t length;

        bytes = hex_read(&length, refused[i].hex, pool);
        up_error_t *err = up_profile_proto_decode_update(&user, &profile, bytes,
                                                         length, pool);
        is(err && err->reason == UP_MESSAGE_INVALID ? err->message : NULL,
           apr_pstrcat(pool, PREFIX, refused[i].wrong, NULL), "%s is refused",
           refused[i].name);
    }
}

/* protobuf-c would keep each of many small fields in an allocation. */
static void
test_dropped(apr_pool_t *pool)
{
    ProtobufCMessage *message = NULL;
    const char *bytes;
    apr_size_t length;

    bytes = hex_read(&length, "120141 7801 7a00 1a014c 7801", pool);
    up_error_t *err = up_message_unpack(
        &message,
        &zitadel__management__v1__update_human_profile_request__descriptor,
        bytes, length, pool);
    is_number(err ? -1 : (long long)message->n_unknown_fields, 0,
              "unknown fields are not kept");
}

/* A read's request goes through the same checks; what differs is its type. */
static void
test_get(apr_pool_t *pool)
{
    const char *user, *bytes;
    apr_size_t length;

    bytes = hex_read(&length, "120141 0a0455736572 380a", pool);
    up_error_t *err = up_profile_proto_decode_get(&user, bytes, length, pool);
    is(err ? err->message : user, "User",
       "a read takes the id, and what an update knows is unknown to it");

    bytes = hex_read(&length, "0a01ff", pool);
    err = up_profile_proto_decode_get(&user, bytes, length, pool);
    is(err ? err->message : NULL, PREFIX "user_id is not UTF-8",
       "a read's id must be UTF-8");
}

/* 2025-03-25T10:28:47.405123Z, in microseconds. */
#define CHANGED APR_INT64_C(1742898527405123)

static const struct {
    const char *name;
    apr_time_t created, changed;
    const char *nick, *language;
    up_gender_t gender;
    int with_profile;
    const char *hex;
} replies[] = {
    {"an update's reply is ZITADEL's with the date of creation", CHANGED,
     CHANGED, "", "", UP_GENDER_UNSPECIFIED, 0,
     "0a31 080c 120c08df8a8abf0610b8df96c101 1a0c08df8a8abf0610b8df96c101"
     "2211 3639363239303233393036343838333334"},
    {"a read's reply has all fields of the profile by their own numbers",
     CHANGED, CHANGED, "Nick", "en-GB", UP_GENDER_DIVERSE, 1,
     "0a31 080c 120c08df8a8abf0610b8df96c101 1a0c08df8a8abf0610b8df96c101"
     "2211 3639363239303233393036343838333334"
     "1221 0a0447696769 120747697261666665 1a044e69636b 220147"
     "2a05656e2d4742 3003"},
    {"empty fields are left out, no language reads as und", 0, 1000000, "", "",
     UP_GENDER_UNSPECIFIED, 1,
     "0a1b 080c 1200 1a020801 2211 3639363239303233393036343838333334"
     "1217 0a0447696769 120747697261666665 220147 2a03756e64"},
    {"before 1970 the nanoseconds count forward", -1, -1000000, "", "",
     UP_GENDER_UNSPECIFIED, 0,
     "0a35 080c 121108ffffffffffffffffff01 10988cebdc03"
     "1a0b08ffffffffffffffffff01"
     "2211 3639363239303233393036343838333334"},
};

static void
test_replies(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
        up_profile_t profile = {
            {"Gigi", "Giraffe", replies[i].nick, "G", replies[i].language},
            replies[i].gender};
        up_user_t user = {"69629023906488334", "U1",    UP_HUMAN,
                          UP_ACTIVE,           12,      replies[i].created,
                          replies[i].changed,  &profile};
        const char *bytes, *want;
        apr_size_t length, want_length;

        up_profile_proto_encode(&bytes, &length, &user, replies[i].with_profile,
                                pool);
        want = hex_read(&want_length, replies[i].hex, pool);
        is(hex_show(bytes, length, pool), hex_show(want, want_length, pool),
           "%s", replies[i].name);
    }
}

static void
test(apr_pool_t *pool)
{
    test_accepted(pool);
    test_refused(pool);
    test_dropped(pool);
    test_get(pool);
    test_replies(pool);
}

int
main(void)
{
    return run_test(test);
}
