/* message_proto.c -- requests are read from protobuf strictly. */
#include "wire/up_message.h"
#include "grpc/health/v1/health.pb-c.h"
#include "hex.h"
#include "tap.h"
#include "zitadel/management.pb-c.h"
#include "zitadel/user/v2/user_service.pb-c.h"

#include <apr_strings.h>
#include <string.h>

typedef Zitadel__Management__V1__UpdateHumanProfileRequest flat_t;

#define FLAT &zitadel__management__v1__update_human_profile_request__descriptor
#define GET &zitadel__management__v1__get_human_profile_request__descriptor
#define HEALTH &grpc__health__v1__health_check_request__descriptor
#define UPDATE &zitadel__user__v2__update_user_request__descriptor
#define HUMAN &zitadel__user__v2__update_human_user_request__descriptor

/* UpdateHumanProfileRequest: no field has presence. */
static const struct {
    const char *name;
    const char *hex;
    const char *want; /* id|first|last|nick|display|language|gender */
} flat[] = {
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

/* What other requests are, as JSON, which leaves out what is absent. */
static const struct {
    const char *name;
    const ProtobufCMessageDescriptor *type;
    const char *hex;
    const char *want;
} accepted[] = {
    {"a read takes the id, and what an update knows is unknown to it", GET,
     "120141 0a0455736572 380a", "{\"userId\":\"User\"}"},
    {"no bytes ask for the health of the server", HEALTH, "", "{}"},
    {"a service's name", HEALTH, "0a06 612e622e4361",
     "{\"service\":\"a.b.Ca\"}"},

    /* presence */
    {"no bytes are no fields", UPDATE, "", "{}"},
    {"a text that is empty is there", UPDATE, "1200", "{\"username\":\"\"}"},
    {"a message that is empty is there", UPDATE, "1a00", "{\"human\":{}}"},
    {"an empty text in nested messages", UPDATE, "1a04 0a02 1a00",
     "{\"human\":{\"profile\":{\"nickName\":\"\"}}}"},
    {"a gender of 0 is there", UPDATE, "1a04 0a02 3000",
     "{\"human\":{\"profile\":{\"gender\":\"GENDER_UNSPECIFIED\"}}}"},
    {"a gender that is not defined", UPDATE, "1a04 0a02 3009",
     "{\"human\":{\"profile\":{\"gender\":9}}}"},
    {"all that a request can have", HUMAN,
     "0a0131 1200 1a11 0a0146 12014c 1a014e 220144 2a0164 3003 2200 2a00 3200",
     "{\"userId\":\"1\",\"username\":\"\",\"profile\":{\"givenName\":\"F\","
     "\"familyName\":\"L\",\"nickName\":\"N\",\"displayName\":\"D\","
     "\"preferredLanguage\":\"d\",\"gender\":\"GENDER_DIVERSE\"},"
     "\"email\":{},\"phone\":{},\"password\":{}}"},

    /* the last one counts, and messages are merged */
    {"a text that comes twice", UPDATE, "120141 120142",
     "{\"username\":\"B\"}"},
    {"a message that comes twice is merged", UPDATE,
     "1a05 0a03 0a0141 1a05 0a03 120142",
     "{\"human\":{\"profile\":{\"givenName\":\"A\",\"familyName\":\"B\"}}}"},
    {"an inner message that comes twice is merged", UPDATE,
     "1a0a 0a03 0a0141 0a03 120142",
     "{\"human\":{\"profile\":{\"givenName\":\"A\",\"familyName\":\"B\"}}}"},
    {"in merged messages the last text counts", HUMAN,
     "1a06 0a0141 12014c 1a03 0a0142",
     "{\"profile\":{\"givenName\":\"B\",\"familyName\":\"L\"}}"},
    {"an empty message after another takes nothing away", HUMAN,
     "1a03 0a0141 1a00", "{\"profile\":{\"givenName\":\"A\"}}"},

    /* a oneof has one member */
    {"of a oneof, the last member", UPDATE, "1a05 0a03 1a0147 2200",
     "{\"machine\":{}}"},
    {"of a oneof, the last member in the other order", UPDATE, "2200 1a00",
     "{\"human\":{}}"},
    {"a member of a oneof that was another meanwhile begins anew", UPDATE,
     "1a05 0a03 1a0147 2200 1a05 0a03 0a0141",
     "{\"human\":{\"profile\":{\"givenName\":\"A\"}}}"},

    /* repeated */
    {"one element", UPDATE, "2a00", "{\"metadata\":[{}]}"},
    {"five elements, with other fields between", UPDATE,
     "2a00 2a00 0a0131 2a00 2a00 120141 2a00",
     "{\"userId\":\"1\",\"username\":\"A\",\"metadata\":[{},{},{},{},{}]}"},

    /* what is unknown */
    {"unknown fields of a nested message", UPDATE, "1a08 0a06 3a0178 1a0147",
     "{\"human\":{\"profile\":{\"nickName\":\"G\"}}}"},
    {"what is in a message that is not kept", HUMAN, "2205 0a03 6140ff",
     "{\"email\":{}}"},
    {"what is in elements that are not kept", UPDATE, "2a03 0a016b 2a02 1801",
     "{\"metadata\":[{},{}]}"},
    {"bytes of an unknown field are not looked into", UPDATE, "7a04 1b1cffff",
     "{}"},
};

static const struct {
    const char *name;
    const ProtobufCMessageDescriptor *type;
    const char *hex;
    const char *wrong;
} refused[] = {
    {"a tag alone", FLAT, "12", "field 2 is cut off or malformed"},
    {"a cut string", FLAT, "120541", "field 2 is cut off or malformed"},
    {"a length of 2^31", FLAT, "128080808008 41",
     "field 2 is cut off or malformed"},
    {"a length of 2^32-1", FLAT, "12ffffffff0f 41",
     "field 2 is cut off or malformed"},
    {"a length of 2^64-1", FLAT, "12ffffffffffffffffff01 41",
     "field 2 is cut off or malformed"},
    {"a cut length", FLAT, "1280", "field 2 is cut off or malformed"},
    {"a cut gender", FLAT, "38ff", "field 7 is cut off or malformed"},
    {"a gender of eleven bytes", FLAT, "388080808080808080808000",
     "field 7 is cut off or malformed"},
    {"a gender of more than 64 bits", FLAT, "38ffffffffffffffffff02",
     "field 7 is cut off or malformed"},
    {"a cut unknown fixed64", FLAT, "7900010203040506",
     "field 15 is cut off or malformed"},
    {"a cut unknown fixed32", FLAT, "7d000102",
     "field 15 is cut off or malformed"},
    {"a cut unknown string", FLAT, "7a0241",
     "field 15 is cut off or malformed"},
    {"a cut tag", FLAT, "120141 80", "a tag is cut off or malformed"},
    {"a tag of six bytes", FLAT, "92808080800001 41",
     "a tag is cut off or malformed"},
    {"field number 0", FLAT, "0000", "a field number is out of range"},
    {"field number 0 as a string", FLAT, "020141",
     "a field number is out of range"},
    {"a field number over 2^29-1", FLAT, "f8ffffff1f01",
     "a field number is out of range"},
    {"a first name as a varint", FLAT, "1001",
     "first_name has another wire type"},
    {"a first name as a fixed64", FLAT, "110001020304050607",
     "first_name has another wire type"},
    {"a last name as a fixed32", FLAT, "1d00010203",
     "last_name has another wire type"},
    {"an id as a varint", FLAT, "0801", "user_id has another wire type"},
    {"a gender as a string", FLAT, "3a0131", "gender has another wire type"},
    {"a gender as a fixed32", FLAT, "3d01000000",
     "gender has another wire type"},
    {"a known field as a group", FLAT, "1314", "field 2 is a group"},
    {"an unknown group", FLAT, "7b7c", "field 15 is a group"},
    {"the end of a group alone", FLAT, "120141 7c", "field 15 is a group"},
    {"wire type 6", FLAT, "7e00", "field 15 is cut off or malformed"},
    {"wire type 7 in a known field", FLAT, "170141",
     "field 2 is cut off or malformed"},
    {"a name with a byte that UTF-8 has not", FLAT, "1201ff",
     "first_name is not UTF-8"},
    {"a name that ends within a character", FLAT, "1201c3",
     "first_name is not UTF-8"},
    {"a name with a surrogate", FLAT, "1a03eda080", "last_name is not UTF-8"},
    {"a name with an overlong character", FLAT, "2202c080",
     "nick_name is not UTF-8"},
    {"a name beyond U+10FFFF", FLAT, "2a04f4908080",
     "display_name is not UTF-8"},
    {"a language that is not UTF-8", FLAT, "3201fe",
     "preferred_language is not UTF-8"},
    {"an id that is not UTF-8", FLAT, "0a0180", "user_id is not UTF-8"},
    {"an earlier name that is not UTF-8", FLAT, "1201ff 120141",
     "first_name is not UTF-8"},
    {"a name with NUL in it", FLAT, "1203410042",
     "first_name holds a NUL character"},
    {"an id with NUL at its end", FLAT, "0a023100",
     "user_id holds a NUL character"},
    {"a read's id that is not UTF-8", GET, "0a01ff", "user_id is not UTF-8"},
    {"a service's name as a varint", HEALTH, "0801",
     "service has another wire type"},
    {"a service's name that is not UTF-8", HEALTH, "0a01ff",
     "service is not UTF-8"},

    /* at any level */
    {"a message as a varint", UPDATE, "1801", "human has another wire type"},
    {"a message as a fixed32", UPDATE, "2500010203",
     "machine has another wire type"},
    {"an element as a varint", UPDATE, "2801",
     "metadata has another wire type"},
    {"a nested message as a varint", UPDATE, "1a02 0801",
     "profile has another wire type"},
    {"a nested text as a varint", UPDATE, "1a04 0a02 1801",
     "nick_name has another wire type"},
    {"a nested gender as a string", UPDATE, "1a05 0a03 320131",
     "gender has another wire type"},
    {"a cut message", UPDATE, "1a05 0a03 1a01",
     "field 3 is cut off or malformed"},
    {"a nested message that is longer than its outer one", UPDATE,
     "1a02 0a03 1a0147", "field 1 is cut off or malformed"},
    {"a nested text that is longer than its message", UPDATE,
     "1a04 0a02 1a01 47", "field 3 is cut off or malformed"},
    {"a cut tag in a message", UPDATE, "1a01 80 0a0131",
     "a tag is cut off or malformed"},
    {"field number 0 in a message", UPDATE, "1a02 0000",
     "a field number is out of range"},
    {"a message as a group", UPDATE, "1b1c", "field 3 is a group"},
    {"a group in a message", UPDATE, "1a02 0b0c", "field 1 is a group"},
    {"a group in a nested message", UPDATE, "1a04 0a02 7b7c",
     "field 15 is a group"},
    {"a group in a message that is not kept", UPDATE, "2202 7b7c",
     "field 15 is a group"},
    {"a group in an element that is not kept", UPDATE, "2a00 2a02 0b0c",
     "field 1 is a group"},
    {"a nested text that is not UTF-8", UPDATE, "1a05 0a03 1a01ff",
     "nick_name is not UTF-8"},
    {"a nested text with NUL in it", UPDATE, "1a05 0a03 1a0100",
     "nick_name holds a NUL character"},
    {"a fault in the member of a oneof that another follows", UPDATE,
     "1a05 0a03 1a01ff 2200", "nick_name is not UTF-8"},
};

static const char *
show_flat(const ProtobufCMessage *message, apr_pool_t *pool)
{
    const flat_t *request = (const void *)message;

    return apr_psprintf(pool, "%s|%s|%s|%s|%s|%s|%d", request->user_id,
                        request->first_name, request->last_name,
                        request->nick_name, request->display_name,
                        request->preferred_language, request->gender);
}

static const char *
show_json(const ProtobufCMessage *message, apr_pool_t *pool)
{
    const char *text;
    apr_size_t length;

    up_message_to_json(&text, &length, message, pool);
    return text;
}

/* Read the bytes that HEX stands for as a message of TYPE. */
static up_error_t *
read_hex(ProtobufCMessage **message,
         const ProtobufCMessageDescriptor *type,
         const char *hex,
         apr_pool_t *pool)
{
    apr_size_t length;
    const char *bytes = hex_read(&length, hex, pool);

    return up_message_unpack(message, type, bytes, length, pool);
}

static void
test_accepted(apr_pool_t *pool)
{
    ProtobufCMessage *message;

    for (apr_size_t i = 0; i < sizeof(flat) / sizeof(*flat); i++) {
        up_error_t *err = read_hex(&message, FLAT, flat[i].hex, pool);
        is(err ? err->message : show_flat(message, pool), flat[i].want, "%s",
           flat[i].name);
    }
    for (apr_size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
        up_error_t *err =
            read_hex(&message, accepted[i].type, accepted[i].hex, pool);
        is(err ? err->message : show_json(message, pool), accepted[i].want,
           "%s", accepted[i].name);
    }
}

/* A NUL is refused as it is in JSON, all else in gRPC's way. */
static void
test_refused(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        ProtobufCMessage *message;
        up_reason_t reason = strstr(refused[i].wrong, "NUL")
                                 ? UP_BODY_INVALID
                                 : UP_MESSAGE_INVALID;

        up_error_t *err =
            read_hex(&message, refused[i].type, refused[i].hex, pool);
        is(err && err->reason == reason ? err->message : NULL, refused[i].wrong,
           "%s is refused", refused[i].name);
    }
}

/* protobuf-c would keep each of many small fields in an allocation. */
static void
test_dropped(apr_pool_t *pool)
{
    ProtobufCMessage *message;

    up_error_t *err =
        read_hex(&message, FLAT, "120141 7801 7a00 1a014c 7801", pool);
    is_number(err ? -1 : (long long)message->n_unknown_fields, 0,
              "unknown fields are not kept");
    err = read_hex(&message, UPDATE, "1a06 7801 0a02 7801", pool);
    const Zitadel__User__V2__UpdateUserRequest *request = (void *)message;
    ok(!err && !request->human->base.n_unknown_fields &&
           !request->human->profile->base.n_unknown_fields,
       "unknown fields of nested messages are not kept");
}

/* What the fields of a message with presence are, besides how they read. */
static void
test_presence(apr_pool_t *pool)
{
    ProtobufCMessage *message;
    const Zitadel__User__V2__UpdateUserRequest *request;

    up_error_t *err = read_hex(&message, UPDATE, "1a04 0a02 3002", pool);
    request = (void *)message;
    if (!ok(!err, "a gender that is there is read"))
        return;
    ok(!request->user_id && !request->username && !request->n_metadata,
       "absent texts are NULL, absent elements are none");
    ok(request->human->profile->has_gender &&
           request->human->profile->gender == 2,
       "a number that is there is marked so");
    is_number(request->user_type_case,
              ZITADEL__USER__V2__UPDATE_USER_REQUEST__USER_TYPE_HUMAN,
              "the member of the oneof is named");

    err = read_hex(&message, UPDATE, "1a04 0a02 1a00", pool);
    request = (void *)message;
    ok(!err && !request->human->profile->has_gender &&
           !request->human->profile->given_name,
       "a number that is absent is marked so");
}

/* LENGTH bytes at BYTES as the field NUMBER, below 16; sets *LENGTH. */
static const char *
wrap(int number, const char *bytes, apr_size_t *length, apr_pool_t *pool)
{
    char *field = apr_palloc(pool, *length + 3);

    field[0] = (char)((number << 3) | 2);
    field[1] = (char)((*length & 0x7f) | 0x80);
    field[2] = (char)(*length >> 7);
    memcpy(field + 3, bytes, *length);
    *length += 3;
    return field;
}

/* What is unknown is skipped by its length, so that its depth costs nothing. */
static void
test_depth(apr_pool_t *pool)
{
    const char *bytes = "";
    apr_size_t length = 0;
    ProtobufCMessage *message;

    for (int depth = 0; depth < 200; depth++)
        bytes = wrap(15, bytes, &length, pool);
    bytes = wrap(3, wrap(1, bytes, &length, pool), &length, pool);
    up_error_t *err = up_message_unpack(&message, UPDATE, bytes, length, pool);
    is(err ? err->message : show_json(message, pool),
       "{\"human\":{\"profile\":{}}}",
       "unknown fields that nest 200 deep in a nested message are skipped");
}

/* The array of elements grows as they come. */
static void
test_many_elements(apr_pool_t *pool)
{
    enum { COUNT = 1000 };
    char *bytes = apr_pcalloc(pool, 2 * COUNT);
    ProtobufCMessage *message;
    const Zitadel__User__V2__UpdateUserRequest *request;
    int whole = 0;

    for (int i = 0; i < COUNT; i++)
        bytes[2 * i] = 0x2a;
    up_error_t *err =
        up_message_unpack(&message, UPDATE, bytes, 2 * COUNT, pool);
    request = (void *)message;
    for (size_t i = 0; !err && i < request->n_metadata; i++)
        whole += request->metadata[i]->base.descriptor ==
                 &zitadel__user__v2__unkept__descriptor;
    is_number(whole, COUNT, "all of %d elements are read", COUNT);
}

static void
test(apr_pool_t *pool)
{
    test_accepted(pool);
    test_refused(pool);
    test_dropped(pool);
    test_presence(pool);
    test_depth(pool);
    test_many_elements(pool);
}

int
main(void)
{
    return run_test(test);
}
