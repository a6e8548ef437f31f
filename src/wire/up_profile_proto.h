/*
 * up_profile_proto.h -- requests and replies of the two calls as protobuf.
 */
#ifndef UP_PROFILE_PROTO_H
#define UP_PROFILE_PROTO_H

#include "core/up_items.h"

/* Set *USER and *PROFILE, in POOL, from LENGTH bytes of an
 * UpdateHumanProfileRequest: the user's id and the new profile, "" and
 * unspecified where absent, a gender of any number. Limits are not checked
 * here. UP_MESSAGE_INVALID by the rules of up_message_unpack(). */
UP_MUST_CHECK up_error_t *up_profile_proto_decode_update(
    const char **user,
    const up_profile_t **profile,
    const char *bytes,
    apr_size_t length,
    apr_pool_t *pool);

/* Set *USER, in POOL, to the id in LENGTH bytes of a GetHumanProfileRequest,
 * by the same rules. */
UP_MUST_CHECK up_error_t *up_profile_proto_decode_get(const char **user,
                                                      const char *bytes,
                                                      apr_size_t length,
                                                      apr_pool_t *pool);

/* Set *BYTES and *LENGTH, in POOL, to UpdateHumanProfileResponse, or, if
 * WITH_PROFILE, GetHumanProfileResponse, about the human USER. */
void up_profile_proto_encode(const char **bytes,
                             apr_size_t *length,
                             const up_user_t *user,
                             int with_profile,
                             apr_pool_t *pool);

#endif
