/*
 * up_profile.h -- a profile: its fields, their names and their limits.
 */
#ifndef UP_PROFILE_H
#define UP_PROFILE_H

#include "core/up_error.h"

/* The fields, in the order of UpdateHumanProfileRequest, whose protobuf number
 * for a field is its place here + 2; zitadel.user.v1.Profile's is + 1. */
typedef enum up_field_t {
    UP_FIRST_NAME,
    UP_LAST_NAME,
    UP_NICK_NAME,
    UP_DISPLAY_NAME,
    UP_PREFERRED_LANGUAGE,
    UP_GENDER,
    UP_FIELDS,
    UP_TEXT_FIELDS = UP_GENDER /* those before the gender are text */
} up_field_t;

/* zitadel.user.v1.Gender. */
typedef enum up_gender_t {
    UP_GENDER_UNKNOWN = -1, /* what a request named and nobody defined */
    UP_GENDER_UNSPECIFIED = 0,
    UP_GENDER_FEMALE,
    UP_GENDER_MALE,
    UP_GENDER_DIVERSE,
    UP_GENDERS
} up_gender_t;

typedef struct up_profile_t {
    const char *text[UP_TEXT_FIELDS]; /* UTF-8; "" if absent, never NULL. The
                                       * language is "" where it reads "und" */
    int gender;                       /* up_gender_t once it is validated */
} up_profile_t;

/* What is said of a field anywhere. */
typedef struct up_field_info_t {
    const char *json;  /* "firstName" */
    const char *proto; /* "first_name" */
    int min, max;      /* code points; of text */
} up_field_info_t;

const up_field_info_t *up_field_info(up_field_t field);

/* The protobuf name of GENDER, 0 to UP_GENDERS - 1: "GENDER_FEMALE". */
const char *up_gender_name(int gender);

/* The gender named NAME, or UP_GENDER_UNKNOWN. */
int up_gender_by_name(const char *name);

/* How a profile's language reads: the tag, "und" where there is none. */
const char *up_profile_language(const up_profile_t *profile);

/* A profile in POOL of which nothing is said yet. */
up_profile_t *up_profile_make(apr_pool_t *pool);

/* A copy of PROFILE in POOL, text included. */
up_profile_t *up_profile_copy(const up_profile_t *profile, apr_pool_t *pool);

/* The fields of PROFILE that are not empty or unspecified: bit 1 << up_field_t
 * each. */
unsigned up_profile_given(const up_profile_t *profile);

/* The fields in which A and B differ: bit 1 << up_field_t each. */
unsigned up_profile_diff(const up_profile_t *a, const up_profile_t *b);

/* Check PROFILE by the rules of the API (lengths in code points, genders,
 * language tags) and set *VALID to a copy of it in POOL with the language in
 * canonical case, "" for "und". Fields at fault are appended to VIOLATIONS,
 * an array of up_violation_t; *VALID is then NULL. Text is UTF-8 already. */
void up_profile_validate(const up_profile_t **valid,
                         apr_array_header_t *violations,
                         const up_profile_t *profile,
                         apr_pool_t *pool);

/* FIELD_INVALID with VIOLATIONS, not empty, for the message type MESSAGE
 * ("UpdateHumanProfileRequest"); its text names the first. */
up_error_t *up_profile_invalid(const char *message,
                               const apr_array_header_t *violations,
                               apr_pool_t *pool);

/* Append to VIOLATIONS that the field with the JSON name FIELD must have MIN
 * to MAX code points. */
void up_violation_length(apr_array_header_t *violations,
                         const char *field,
                         int min,
                         int max,
                         apr_pool_t *pool);

#endif
