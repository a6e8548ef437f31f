/*
 * up_api_v1.h -- what the services of the v1 API have in common. Their calls
 * differ in the user that they are about.
 */
#ifndef UP_API_V1_H
#define UP_API_V1_H

#include "api/up_api.h"
#include "service/up_profiles.h"

/* Read TARGET's profile; *ANSWER is a message of TYPE, with details and
 * profile. USER_NOT_HUMAN for a machine. */
UP_MUST_CHECK up_error_t *up_api_v1_get(const ProtobufCMessage **answer,
                                        const ProtobufCMessageDescriptor *type,
                                        up_call_t *call,
                                        const up_target_t *target);

/* Replace TARGET's profile by the fields of MESSAGE; *ANSWER is a message of
 * TYPE, with details. */
UP_MUST_CHECK up_error_t *up_api_v1_update(
    const ProtobufCMessage **answer,
    const ProtobufCMessageDescriptor *type,
    up_call_t *call,
    const up_target_t *target,
    const ProtobufCMessage *message);

/* Healthz of each: STORE_UNAVAILABLE unless the store answers; *ANSWER is an
 * empty message of TYPE. */
UP_MUST_CHECK up_error_t *up_api_v1_healthz(
    const ProtobufCMessage **answer,
    const ProtobufCMessageDescriptor *type,
    up_call_t *call);

#endif
