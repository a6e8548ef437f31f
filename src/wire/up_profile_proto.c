/* up_profile_proto.c -- requests and replies of the two calls as protobuf. */
#include "wire/up_profile_proto.h"
#include "wire/up_message.h"
#include "zitadel/management.pb-c.h"

typedef Google__Protobuf__Timestamp timestamp_t;
typedef Zitadel__Management__V1__GetHumanProfileRequest get_request_t;
typedef Zitadel__Management__V1__GetHumanProfileResponse get_response_t;
typedef Zitadel__Management__V1__UpdateHumanProfileRequest update_request_t;
typedef Zitadel__Management__V1__UpdateHumanProfileResponse update_response_t;
typedef Zitadel__User__V1__Profile profile_t;
typedef Zitadel__V1__ObjectDetails details_t;

up_error_t *
up_profile_proto_decode_update(const char **user,
                               const up_profile_t **profile,
                               const char *bytes,
                               apr_size_t length,
                               apr_pool_t *pool)
{
    ProtobufCMessage *message;

    UP_ERR(up_message_unpack(
        &message,
        &zitadel__management__v1__update_human_profile_request__descriptor,
        bytes, length, pool));

    const update_request_t *request = (const update_request_t *)message;
    up_profile_t *copy = up_profile_make(pool);
    copy->text[UP_FIRST_NAME] = request->first_name;
    copy->text[UP_LAST_NAME] = request->last_name;
    copy->text[UP_NICK_NAME] = request->nick_name;
    copy->text[UP_DISPLAY_NAME] = request->display_name;
    copy->text[UP_PREFERRED_LANGUAGE] = request->preferred_language;
    copy->gender = (int)request->gender;
    *profile = copy;
    *user = request->user_id;
    return NULL;
}

up_error_t *
up_profile_proto_decode_get(const char **user,
                            const char *bytes,
                            apr_size_t length,
                            apr_pool_t *pool)
{
    ProtobufCMessage *message;

    UP_ERR(up_message_unpack(
        &message,
        &zitadel__management__v1__get_human_profile_request__descriptor, bytes,
        length, pool));
    *user = ((const get_request_t *)message)->user_id;
    return NULL;
}

/* TIME; its part below a second counts forward, before 1970 too. */
static timestamp_t
timestamp_of(apr_time_t time)
{
    timestamp_t timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    apr_time_t fraction = time % APR_USEC_PER_SEC;

    if (fraction < 0)
        fraction += APR_USEC_PER_SEC;
    timestamp.seconds = (time - fraction) / APR_USEC_PER_SEC;
    timestamp.nanos = (int32_t)fraction * 1000;
    return timestamp;
}

/* protobuf-c's structs have no const, but packing changes nothing. */
static profile_t
profile_of(const up_profile_t *profile)
{
    profile_t message = ZITADEL__USER__V1__PROFILE__INIT;

    message.first_name = (char *)profile->text[UP_FIRST_NAME];
    message.last_name = (char *)profile->text[UP_LAST_NAME];
    message.nick_name = (char *)profile->text[UP_NICK_NAME];
    message.display_name = (char *)profile->text[UP_DISPLAY_NAME];
    message.preferred_language =
        (char *)up_profile_reading(profile, UP_PREFERRED_LANGUAGE);
    message.gender = (Zitadel__User__V1__Gender)profile->gender;
    return message;
}

void
up_profile_proto_encode(const char **bytes,
                        apr_size_t *length,
                        const up_user_t *user,
                        int with_profile,
                        apr_pool_t *pool)
{
    details_t details = ZITADEL__V1__OBJECT_DETAILS__INIT;
    timestamp_t created = timestamp_of(user->created);
    timestamp_t changed = timestamp_of(user->changed);

    details.sequence = user->sequence;
    details.creation_date = &created;
    details.change_date = &changed;
    details.resource_owner = (char *)user->org;

    if (with_profile) {
        get_response_t reply =
            ZITADEL__MANAGEMENT__V1__GET_HUMAN_PROFILE_RESPONSE__INIT;
        profile_t profile = profile_of(user->profile);
        reply.details = &details;
        reply.profile = &profile;
        up_message_pack(bytes, length, &reply.base, pool);
    } else {
        update_response_t reply =
            ZITADEL__MANAGEMENT__V1__UPDATE_HUMAN_PROFILE_RESPONSE__INIT;
        reply.details = &details;
        up_message_pack(bytes, length, &reply.base, pool);
    }
}
