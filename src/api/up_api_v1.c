/* up_api_v1.c -- what the services of the v1 API have in common. */
#include "api/up_api_v1.h"
#include "api/up_api_profile.h"
#include "service/up_health.h"
#include "wire/up_message.h"
#include "zitadel/object.pb-c.h"

/* The field NAME of MESSAGE, or NULL. */
static const ProtobufCFieldDescriptor *
field_of(const ProtobufCMessage *message, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(message->descriptor,
                                                           name);
}

/* The answer of TYPE about USER: the details, and the profile if it has one. */
static const ProtobufCMessage *
answer_about(const up_user_t *user,
             const ProtobufCMessageDescriptor *type,
             apr_pool_t *pool)
{
    ProtobufCMessage *answer = up_message_make(type, pool);
    Zitadel__V1__ObjectDetails *details =
        (void *)up_message_open(answer, field_of(answer, "details"), pool);
    const ProtobufCFieldDescriptor *profile = field_of(answer, "profile");

    details->sequence = user->sequence;
    details->creation_date = up_api_timestamp(user->created, pool);
    details->change_date = up_api_timestamp(user->changed, pool);
    details->resource_owner = (char *)user->org;
    if (profile)
        up_api_write_profile(up_message_open(answer, profile, pool),
                             user->profile, UP_RULES_V1);
    return answer;
}

up_error_t *
up_api_v1_get(const ProtobufCMessage **answer,
              const ProtobufCMessageDescriptor *type,
              up_call_t *call,
              const up_target_t *target)
{
    const up_user_t *user;

    UP_ERR(up_profiles_get(&user, call, target, 1));
    *answer = answer_about(user, type, call->pool);
    return NULL;
}

up_error_t *
up_api_v1_update(const ProtobufCMessage **answer,
                 const ProtobufCMessageDescriptor *type,
                 up_call_t *call,
                 const up_target_t *target,
                 const ProtobufCMessage *message)
{
    up_update_t update = {.rules = UP_RULES_V1, .prefix = "", .must_differ = 1};
    const up_user_t *user;

    update.fields =
        up_api_read_profile(&update.profile, message, UP_RULES_V1, call->pool);
    UP_ERR(up_profiles_update(&user, call, target, &update));
    *answer = answer_about(user, type, call->pool);
    return NULL;
}

up_error_t *
up_api_v1_healthz(const ProtobufCMessage **answer,
                  const ProtobufCMessageDescriptor *type,
                  up_call_t *call)
{
    *answer = up_message_make(type, call->pool);
    return up_health_check(call);
}
