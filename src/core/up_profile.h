/*
 * up_profile.h -- a profile: its fields, their names and their limits.
 */
#ifndef UP_PROFILE_H
#define UP_PROFILE_H

#include "core/up_error.h"

/* The fields, in the order in which they are validated and shown. A place here
 * is not stored and may change; what is stored is the number in the table. */
typedef enum up_field_t {
    UP_FIRST_NAME,
    UP_LAST_NAME,
    UP_NICK_NAME,
    UP_DISPLAY_NAME,
    UP_PREFERRED_LANGUAGE,
    UP_GENDER,
    UP_FIELDS
} up_field_t;

/* A set of fields has a bit for each. */
#define UP_FIELD_BIT(field) (1u << (field))
#define UP_ALL_FIELDS (UP_FIELD_BIT(UP_FIELDS) - 1)

/* zitadel.user.v1.Gender and zitadel.user.v2.Gender. */
typedef enum up_gender_t {
    UP_GENDER_UNKNOWN = -1, /* named in a request, but defined nowhere */
    UP_GENDER_UNSPECIFIED = 0,
    UP_GENDER_FEMALE,
    UP_GENDER_MALE,
    UP_GENDER_DIVERSE,
    UP_GENDERS
} up_gender_t;

typedef struct up_profile_t {
    const char *text[UP_FIELDS]; /* UTF-8; "" if absent, never NULL. The
                                  * language is "" where it reads "und"; the
                                  * gender's text is always "" */
    int gender;                  /* up_gender_t once it is validated */
} up_profile_t;

typedef enum up_field_kind_t {
    UP_FIELD_TEXT,
    UP_FIELD_LANGUAGE, /* text that is a language tag */
    UP_FIELD_GENDER    /* a number, not text */
} up_field_kind_t;

/* The published messages that set fields differ in names and lower limits. */
typedef enum up_rules_t {
    UP_RULES_V1,        /* UpdateHumanProfile, UpdateMyProfile */
    UP_RULES_SET_HUMAN, /* v2's UpdateHumanUser */
    UP_RULES_UPDATE,    /* v2's UpdateUser, where an empty text is invalid */
    UP_RULES_STORED     /* not a message: all that any of them may have stored,
                         * with v1's names */
} up_rules_t;

/* One row of the table of fields: all that is said of a field anywhere. */
typedef struct up_field_info_t {
    unsigned number; /* from 1, in stored records: record.proto's Profile and,
                      * as bit NUMBER - 1, Event.fields; never changes */
    up_field_kind_t kind;
    const char *json;     /* "firstName" */
    const char *proto;    /* "first_name" */
    const char *json_v2;  /* "givenName": in the v2 user service */
    const char *proto_v2; /* "given_name" */
    const char *option;   /* "first-name": the tool's */
    int min, max;         /* code points; of text */
    int min_v2;           /* of UP_RULES_SET_HUMAN and UP_RULES_STORED */
} up_field_info_t;

/* The row for FIELD; never NULL. */
const up_field_info_t *up_field_info(up_field_t field);

/* The protobuf name of GENDER, 0 to UP_GENDERS - 1: "GENDER_FEMALE". */
const char *up_gender_name(int gender);

/* The gender named NAME, or UP_GENDER_UNKNOWN. */
int up_gender_by_name(const char *name);

/* How FIELD of PROFILE, a valid one, reads: its text, the language tag or
 * "und", the name of the gender. */
const char *up_profile_reading(const up_profile_t *profile, up_field_t field);

/* A profile in POOL with nothing in it. */
up_profile_t *up_profile_make(apr_pool_t *pool);

/* A copy of PROFILE in POOL, text included. */
up_profile_t *up_profile_copy(const up_profile_t *profile, apr_pool_t *pool);

/* Set those FIELDS of PROFILE to what they are in FROM, whose text is not
 * copied. */
void up_profile_assign(up_profile_t *profile,
                       const up_profile_t *from,
                       unsigned fields);

/* The set of the fields in which A and B differ. */
unsigned up_profile_diff(const up_profile_t *a, const up_profile_t *b);

/* FIELDS, a set, as stored records write it: bit NUMBER - 1 each. TABLE has
 * COUNT rows; up_field_table() is the one to use. */
unsigned up_fields_to_stored(unsigned fields,
                             const up_field_info_t *table,
                             int count);

/* Set *FIELDS to the set that STORED, a stored one, means. Returns 0 if it has
 * the bit of a field that TABLE does not know. */
int up_fields_from_stored(unsigned *fields,
                          unsigned stored,
                          const up_field_info_t *table,
                          int count);

/* The table, of UP_FIELDS rows. */
const up_field_info_t *up_field_table(void);

/* Check those FIELDS of PROFILE by RULES (lengths in code points, genders,
 * language tags, which must be in LANGUAGES, as up_language_is_in() has it, if
 * that is not NULL), and set *VALID to a copy of PROFILE in POOL with the
 * language in canonical case, "" for "und". A field at fault is appended to
 * VIOLATIONS, an array of up_violation_t, as its JSON name after PREFIX ("" or
 * "profile."); *VALID is then NULL. Text is UTF-8 already. */
void up_profile_validate(const up_profile_t **valid,
                         apr_array_header_t *violations,
                         const up_profile_t *profile,
                         unsigned fields,
                         up_rules_t rules,
                         const apr_array_header_t *languages,
                         const char *prefix,
                         apr_pool_t *pool);

/* Append to VIOLATIONS that the field with the JSON name FIELD must have MIN
 * to MAX code points. */
void up_violation_length(apr_array_header_t *violations,
                         const char *field,
                         int min,
                         int max,
                         apr_pool_t *pool);

#endif
