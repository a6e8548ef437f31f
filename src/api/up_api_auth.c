/* up_api_auth.c -- zitadel.auth.v1.AuthService: one's own profile. */
#include "api/up_api_v1.h"
#include "zitadel/auth.pb-c.h"

#define BASE "/auth/v1"
#define PROFILE BASE "/users/me/profile"

static up_error_t *
healthz(const ProtobufCMessage **answer,
        up_call_t *call,
        const ProtobufCMessage *message)
{
    (void)message;
    return up_api_v1_healthz(
        answer, &zitadel__auth__v1__healthz_response__descriptor, call);
}

static up_error_t *
get_my_profile(const ProtobufCMessage **answer,
               up_call_t *call,
               const ProtobufCMessage *message)
{
    up_target_t target = {UP_SCOPE_SELF, call->caller, UP_USER_READ,
                          UP_USER_NOT_FOUND};

    (void)message;
    return up_api_v1_get(
        answer, &zitadel__auth__v1__get_my_profile_response__descriptor, call,
        &target);
}

static up_error_t *
update_my_profile(const ProtobufCMessage **answer,
                  up_call_t *call,
                  const ProtobufCMessage *message)
{
    up_target_t target = {UP_SCOPE_SELF, call->caller, UP_USER_WRITE,
                          UP_PROFILE_NOT_FOUND};

    return up_api_v1_update(
        answer, &zitadel__auth__v1__update_my_profile_response__descriptor,
        call, &target, message);
}

static const up_method_t methods[] = {
    {"Healthz", "GET", BASE "/healthz", NULL,
     &zitadel__auth__v1__healthz_request__descriptor, 1, healthz},
    {"GetMyProfile", "GET", PROFILE, NULL,
     &zitadel__auth__v1__get_my_profile_request__descriptor, 0, get_my_profile},
    {"UpdateMyProfile", "PUT", PROFILE, NULL,
     &zitadel__auth__v1__update_my_profile_request__descriptor, 0,
     update_my_profile},
};

const up_service_t up_service_auth = {"zitadel.auth.v1.AuthService",
                                      sizeof(methods) / sizeof(methods[0]),
                                      methods};
