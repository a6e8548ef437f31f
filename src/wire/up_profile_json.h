/*
 * up_profile_json.h -- requests and replies of the two calls as JSON, by
 * protobuf's JSON mapping.
 */
#ifndef UP_PROFILE_JSON_H
#define UP_PROFILE_JSON_H

#include "core/up_items.h"
#include "wire/up_json.h"
#include "wire/up_json_writer.h"

/* Set *PROFILE, in POOL, from LENGTH bytes of an UpdateHumanProfileRequest:
 * lowerCamel and proto names, null and absent alike, unknown members ignored,
 * a gender by name or number (UP_GENDER_UNKNOWN or out of range where there
 * is no such gender). Limits are not checked here. Text without values is an
 * empty request. BODY_INVALID otherwise. */
UP_MUST_CHECK up_error_t *up_profile_json_decode(const up_profile_t **profile,
                                                 const char *text,
                                                 apr_size_t length,
                                                 apr_pool_t *pool);

/* Set *TEXT and *LENGTH, in POOL, to UpdateHumanProfileResponse, or, if
 * WITH_PROFILE, GetHumanProfileResponse, about the human USER. */
void up_profile_json_encode(const char **text,
                            apr_size_t *length,
                            const up_user_t *user,
                            int with_profile,
                            apr_pool_t *pool);

/* Set *PROFILE, in POOL, from the members of OBJECT, as a request's are. */
UP_MUST_CHECK up_error_t *up_profile_json_read(up_profile_t **profile,
                                               const up_json_t *object,
                                               apr_pool_t *pool);

/* Write an object, the member NAME, of those FIELDS (bit 1 << up_field_t each)
 * of PROFILE, a valid one, empty ones too; the language as it reads. */
void up_profile_json_write(up_json_writer_t *writer,
                           const char *name,
                           const up_profile_t *profile,
                           unsigned fields);

#endif
