/* up_api_user.c -- zitadel.user.v2.UserService: users of any organisation, and
 * updates of single fields. */
#include "api/up_api.h"
#include "api/up_api_profile.h"
#include "service/up_profiles.h"
#include "wire/up_message.h"
#include "zitadel/user/v2/user_service.pb-c.h"

#include <apr_strings.h>

#define USERS "/v2/users"

typedef Zitadel__Object__V2__Details details_t;
typedef Zitadel__User__V2__GetUserByIDRequest get_request_t;
typedef Zitadel__User__V2__GetUserByIDResponse get_response_t;
typedef Zitadel__User__V2__UpdateHumanUserRequest update_human_request_t;
typedef Zitadel__User__V2__UpdateHumanUserResponse update_human_response_t;
typedef Zitadel__User__V2__UpdateUserRequest update_request_t;
typedef Zitadel__User__V2__UpdateUserResponse update_response_t;
typedef Zitadel__User__V2__User user_t;

static details_t *
details_of(const up_user_t *user, apr_pool_t *pool)
{
    details_t *details = apr_palloc(pool, sizeof(*details));

    zitadel__object__v2__details__init(details);
    details->sequence = user->sequence;
    details->change_date = up_api_timestamp(user->changed, pool);
    details->resource_owner = (char *)user->org;
    details->creation_date = up_api_timestamp(user->created, pool);
    return details;
}

static Zitadel__User__V2__UserState
state_of(const up_user_t *user)
{
    static const Zitadel__User__V2__UserState states[UP_STATES] = {
        [UP_ACTIVE] = ZITADEL__USER__V2__USER_STATE__USER_STATE_ACTIVE,
        [UP_INACTIVE] = ZITADEL__USER__V2__USER_STATE__USER_STATE_INACTIVE,
        [UP_LOCKED] = ZITADEL__USER__V2__USER_STATE__USER_STATE_LOCKED,
        [UP_INITIAL] = ZITADEL__USER__V2__USER_STATE__USER_STATE_INITIAL,
        [UP_REMOVED] = ZITADEL__USER__V2__USER_STATE__USER_STATE_DELETED,
    };

    return states[user->state];
}

/* USER as a message. */
static user_t *
user_of(const up_user_t *user, details_t *details, apr_pool_t *pool)
{
    user_t *message =
        (user_t *)up_message_make(&zitadel__user__v2__user__descriptor, pool);

    message->user_id = (char *)user->id;
    message->details = details;
    message->has_state = 1;
    message->state = state_of(user);
    if (user->type == UP_MACHINE) {
        message->type_case = ZITADEL__USER__V2__USER__TYPE_MACHINE;
        message->machine = (void *)up_message_make(
            &zitadel__user__v2__machine_user__descriptor, pool);
        return message;
    }
    message->type_case = ZITADEL__USER__V2__USER__TYPE_HUMAN;
    message->human = (void *)up_message_make(
        &zitadel__user__v2__human_user__descriptor, pool);
    message->human->profile = (void *)up_message_make(
        &zitadel__user__v2__human_profile__descriptor, pool);
    up_api_write_profile(&message->human->profile->base, user->profile,
                         UP_RULES_SET_HUMAN);
    return message;
}

static up_error_t *
get_user_by_id(const ProtobufCMessage **answer,
               up_call_t *call,
               const ProtobufCMessage *message)
{
    const get_request_t *request = (const void *)message;
    up_target_t target = {UP_SCOPE_STORE, request->user_id, UP_USER_READ,
                          UP_USER_NOT_FOUND_V2};
    get_response_t *response = apr_palloc(call->pool, sizeof(*response));
    const up_user_t *user;

    UP_ERR(up_profiles_get(&user, call, &target, 0));
    zitadel__user__v2__get_user_by_idresponse__init(response);
    response->details = details_of(user, call->pool);
    response->user = user_of(user, response->details, call->pool);
    *answer = &response->base;
    return NULL;
}

/* FIELD_UNSUPPORTED if one of the COUNT fields NAMES is in MESSAGE (NULL: none
 * is): a profile store does not keep it. PREFIX is the path to MESSAGE. */
static up_error_t *
refuse(const ProtobufCMessage *message,
       const char *prefix,
       const char *const *names,
       int count,
       apr_pool_t *pool)
{
    for (int i = 0; message && i < count; i++) {
        if (up_message_has(message,
                           protobuf_c_message_descriptor_get_field_by_name(
                               message->descriptor, names[i])))
            return up_error(pool, UP_FIELD_UNSUPPORTED, APR_SUCCESS,
                            "%s%s is not kept by this profile store; nothing "
                            "was changed",
                            prefix, names[i]);
    }
    return NULL;
}

/* Change the user ID by the fields of PROFILE, or NULL. */
static up_error_t *
update(const up_user_t **user,
       up_call_t *call,
       const char *id,
       const ProtobufCMessage *profile,
       up_rules_t rules,
       const char *prefix,
       up_error_t *refusal)
{
    up_target_t target = {UP_SCOPE_STORE, id, UP_USER_WRITE,
                          UP_HUMAN_NOT_FOUND_V2};
    up_update_t update = {.rules = rules, .prefix = prefix, .refusal = refusal};

    update.fields =
        up_api_read_profile(&update.profile, profile, rules, call->pool);
    return up_profiles_update(user, call, &target, &update);
}

static up_error_t *
update_human_user(const ProtobufCMessage **answer,
                  up_call_t *call,
                  const ProtobufCMessage *message)
{
    static const char *const unkept[] = {"username", "email", "phone",
                                         "password"};
    const update_human_request_t *request = (const void *)message;
    update_human_response_t *response =
        apr_palloc(call->pool, sizeof(*response));
    const up_user_t *user;

    UP_ERR(update(&user, call, request->user_id,
                  request->profile ? &request->profile->base : NULL,
                  UP_RULES_SET_HUMAN, "profile.",
                  refuse(message, "", unkept, 4, call->pool)));
    zitadel__user__v2__update_human_user_response__init(response);
    response->details = details_of(user, call->pool);
    *answer = &response->base;
    return NULL;
}

/* The error for what REQUEST asks besides HUMAN's profile: FIELD_UNSUPPORTED,
 * UNIMPLEMENTED; NULL if there is nothing else. */
static up_error_t *
refuse_rest(const update_request_t *request,
            const Zitadel__User__V2__UpdateUserRequest__Human *human,
            apr_pool_t *pool)
{
    static const char *const before[] = {"username"},
                             *const inside[] = {"email", "phone", "password"},
                             *const after[] = {"machine", "metadata"};
    up_error_t *refusal = refuse(&request->base, "", before, 1, pool);

    if (!refusal)
        refusal =
            refuse(human ? &human->base : NULL, "human.", inside, 3, pool);
    if (!refusal)
        refusal = refuse(&request->base, "", after, 2, pool);
    if (!refusal && !human)
        refusal = up_error(pool, UP_UNIMPLEMENTED, APR_SUCCESS,
                           "user type is not implemented ()");
    return refusal;
}

static up_error_t *
update_user(const ProtobufCMessage **answer,
            up_call_t *call,
            const ProtobufCMessage *message)
{
    const update_request_t *request = (const void *)message;
    const Zitadel__User__V2__UpdateUserRequest__Human *human = NULL;
    update_response_t *response = apr_palloc(call->pool, sizeof(*response));
    const up_user_t *user;

    if (request->user_type_case ==
        ZITADEL__USER__V2__UPDATE_USER_REQUEST__USER_TYPE_HUMAN)
        human = request->human;
    UP_ERR(update(&user, call, request->user_id,
                  human && human->profile ? &human->profile->base : NULL,
                  UP_RULES_UPDATE, "human.profile.",
                  refuse_rest(request, human, call->pool)));
    zitadel__user__v2__update_user_response__init(response);
    response->change_date = up_api_timestamp(user->changed, call->pool);
    *answer = &response->base;
    return NULL;
}

static const up_method_t methods[] = {
    {"GetUserByID", "GET", USERS "/{user_id}", NULL,
     &zitadel__user__v2__get_user_by_idrequest__descriptor, 0, get_user_by_id},
    {"UpdateUser", "PATCH", USERS "/{user_id}", NULL,
     &zitadel__user__v2__update_user_request__descriptor, 0, update_user},
    {"UpdateHumanUser", "PUT", USERS "/human/{user_id}", NULL,
     &zitadel__user__v2__update_human_user_request__descriptor, 0,
     update_human_user},
};

const up_service_t up_service_user = {"zitadel.user.v2.UserService",
                                      sizeof(methods) / sizeof(methods[0]),
                                      methods};
