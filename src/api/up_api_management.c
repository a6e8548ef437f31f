/* up_api_management.c -- zitadel.management.v1.ManagementService: the profiles
 * of an organisation's users. */
#include "api/up_api_v1.h"
#include "zitadel/management.pb-c.h"

#define BASE "/management/v1"
#define PROFILE "/users/{user_id}/profile"

static up_error_t *
healthz(const ProtobufCMessage **answer,
        up_call_t *call,
        const ProtobufCMessage *message)
{
    (void)message;
    return up_api_v1_healthz(
        answer, &zitadel__management__v1__healthz_response__descriptor, call);
}

static up_error_t *
get_human_profile(const ProtobufCMessage **answer,
                  up_call_t *call,
                  const ProtobufCMessage *message)
{
    const Zitadel__Management__V1__GetHumanProfileRequest *request =
        (const void *)message;
    up_target_t target = {UP_SCOPE_ORG, request->user_id, UP_USER_READ,
                          UP_USER_NOT_FOUND};

    return up_api_v1_get(
        answer,
        &zitadel__management__v1__get_human_profile_response__descriptor, call,
        &target);
}

static up_error_t *
update_human_profile(const ProtobufCMessage **answer,
                     up_call_t *call,
                     const ProtobufCMessage *message)
{
    const Zitadel__Management__V1__UpdateHumanProfileRequest *request =
        (const void *)message;
    up_target_t target = {UP_SCOPE_ORG, request->user_id, UP_USER_WRITE,
                          UP_PROFILE_NOT_FOUND};

    return up_api_v1_update(
        answer,
        &zitadel__management__v1__update_human_profile_response__descriptor,
        call, &target, message);
}

static const up_method_t methods[] = {
    {"Healthz", "GET", BASE "/healthz", NULL,
     &zitadel__management__v1__healthz_request__descriptor, 1, healthz},
    {"GetHumanProfile", "GET", BASE PROFILE, PROFILE,
     &zitadel__management__v1__get_human_profile_request__descriptor, 0,
     get_human_profile},
    {"UpdateHumanProfile", "PUT", BASE PROFILE, PROFILE,
     &zitadel__management__v1__update_human_profile_request__descriptor, 0,
     update_human_profile},
};

const up_service_t up_service_management = {
    "zitadel.management.v1.ManagementService",
    sizeof(methods) / sizeof(methods[0]), methods};
