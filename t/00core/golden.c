/* golden.c -- messages in both forms, byte by byte as the published libraries
 * of ZITADEL's API encode them. */
#include "grpc/health/v1/health.pb-c.h"
#include "hex.h"
#include "tap.h"
#include "wire/up_json.h"
#include "wire/up_message.h"
#include "wire/up_protobuf.h"
#include "zitadel/management.pb-c.h"
#include "zitadel/message.pb-c.h"
#include "zitadel/user/v2/user_service.pb-c.h"

#include <string.h>

#define CHANGED "\"changeDate\":\"2025-03-25T10:28:47.405123Z\""
#define DETAILS                                                                \
    "\"details\":{\"sequence\":\"13\"," CHANGED ",\"resourceOwner\":\"O1\","   \
    "\"creationDate\":\"2025-03-01T00:00:00Z\"}"

static const struct {
    const ProtobufCMessageDescriptor *type;
    int is_request;
    const char *json;
    const char *hex;
} rows[] = {
    {&zitadel__management__v1__update_human_profile_request__descriptor, 1,
     "{\"userId\":\"163840776835432705\",\"firstName\":\"Gigi\","
     "\"lastName\":\"Giraffe\",\"nickName\":\"Gigi\","
     "\"displayName\":\"Gigi Giraffe\",\"preferredLanguage\":\"en\","
     "\"gender\":\"GENDER_FEMALE\"}",
     "0a12313633383430373736383335343332373035120447696769"
     "1a0747697261666665220447696769"
     "2a0c47696769204769726166666532"
     "02656e3801"},
    {&zitadel__management__v1__update_human_profile_response__descriptor, 0,
     "{\"details\":{\"sequence\":\"12\"," CHANGED
     ",\"resourceOwner\":\"69629023906488334\"}}",
     "0a23080c1a0c08df8a8abf0610b8df96c101"
     "22113639363239303233393036343838333334"},
    {&zitadel__user__v2__update_human_user_request__descriptor, 1,
     "{\"userId\":\"U1\",\"profile\":{\"givenName\":\"Gigi\","
     "\"familyName\":\"Giraffe\",\"nickName\":\"\","
     "\"displayName\":\"Gigi Giraffe\",\"preferredLanguage\":\"en\","
     "\"gender\":\"GENDER_FEMALE\"}}",
     "0a0255311a250a0447696769120747697261666665"
     "1a00220c476967692047697261666665"
     "2a02656e3001"},
    {&zitadel__user__v2__update_human_user_response__descriptor, 0,
     "{\"details\":{\"sequence\":\"13\"," CHANGED
     ",\"resourceOwner\":\"69629023906488334\"}}",
     "0a23080d120c08df8a8abf0610b8df96c101"
     "1a113639363239303233393036343838333334"},
    {&zitadel__user__v2__update_user_request__descriptor, 1,
     "{\"userId\":\"U1\",\"human\":{\"profile\":{\"nickName\":\"G\"}}}",
     "0a0255311a050a031a0147"},
    {&zitadel__user__v2__update_user_request__descriptor, 1,
     "{\"userId\":\"U1\",\"human\":{}}", "0a0255311a00"},
    {&zitadel__user__v2__update_user_response__descriptor, 0, "{" CHANGED "}",
     "0a0c08df8a8abf0610b8df96c101"},
    {&zitadel__user__v2__get_user_by_idrequest__descriptor, 1,
     "{\"userId\":\"U1\"}", "0a025531"},
    {&zitadel__user__v2__get_user_by_idresponse__descriptor, 0,
     "{" DETAILS ",\"user\":{\"userId\":\"U1\"," DETAILS
     ",\"state\":\"USER_STATE_ACTIVE\",\"human\":{\"profile\":{"
     "\"givenName\":\"Gigi\",\"familyName\":\"Giraffe\",\"nickName\":\"\","
     "\"displayName\":\"Gigi Giraffe\",\"preferredLanguage\":\"en\","
     "\"gender\":\"GENDER_UNSPECIFIED\"}}}}",
     "0a1c080d120c08df8a8abf0610b8df96c1011a024f31220608809c89be06"
     "124d0a02553110013227"
     "32250a04476967691207476972616666651a00"
     "220c4769676920476972616666652a02656e3000"
     "421c080d120c08df8a8abf0610b8df96c1011a024f31220608809c89be06"},
    {&zitadel__v1__error_detail__descriptor, 0,
     "{\"id\":\"COMMAND-ugjs0upun6\",\"message\":\"User could not be found\"}",
     "0a12434f4d4d414e442d75676a733075"
     "70756e3612175573657220636f756c64206e6f7420626520666f756e64"},
    {&grpc__health__v1__health_check_request__descriptor, 1, "{}", ""},
    {&grpc__health__v1__health_check_response__descriptor, 0,
     "{\"status\":\"SERVING\"}", "0801"},
    {&grpc__health__v1__health_check_response__descriptor, 0,
     "{\"status\":\"NOT_SERVING\"}", "0802"},
};

/* Test points: MESSAGE is what row ROW has, in both forms. */
static void
check_forms(const ProtobufCMessage *message, int row, apr_pool_t *pool)
{
    const char *name = rows[row].type->short_name, *text, *bytes;
    apr_size_t length;

    up_message_to_json(&text, &length, message, pool);
    is(text, rows[row].json, "row %d, %s: written as JSON", row, name);
    up_message_pack(&bytes, &length, message, pool);
    is(hex_show(bytes, length, pool), rows[row].hex,
       "row %d, %s: packed as protobuf", row, name);
}

static void
check_row(int row, apr_pool_t *pool)
{
    const ProtobufCMessageDescriptor *type = rows[row].type;
    ProtobufCAllocator allocator = up_protobuf_allocator(pool);
    ProtobufCMessage *message;
    apr_size_t length;
    const char *bytes = hex_read(&length, rows[row].hex, pool);

    message = protobuf_c_message_unpack(type, &allocator, length,
                                        (const uint8_t *)bytes);
    if (ok(message != NULL, "row %d, %s: protobuf-c reads it", row,
           type->short_name))
        check_forms(message, row, pool);
    if (!rows[row].is_request)
        return;

    up_error_t *err = up_message_unpack(&message, type, bytes, length, pool);
    if (ok(!err, "row %d, %s: the request is read from protobuf", row,
           type->short_name))
        check_forms(message, row, pool);
    err = up_message_from_json(&message, type, rows[row].json,
                               strlen(rows[row].json), pool);
    if (ok(!err, "row %d, %s: the request is read from JSON", row,
           type->short_name))
        check_forms(message, row, pool);
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    for (apr_size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check_row((int)i, pool);
}

int
main(void)
{
    return run_test(test);
}
