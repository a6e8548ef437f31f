/* up_profile.c -- a profile: its fields, their names and their limits. */
#include "core/up_profile.h"
#include "core/up_language.h"
#include "core/up_utf8.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

static const up_field_info_t fields[UP_FIELDS] = {
    [UP_FIRST_NAME] = {"firstName", "first_name", 1, 200},
    [UP_LAST_NAME] = {"lastName", "last_name", 1, 200},
    [UP_NICK_NAME] = {"nickName", "nick_name", 0, 200},
    [UP_DISPLAY_NAME] = {"displayName", "display_name", 1, 200},
    [UP_PREFERRED_LANGUAGE] = {"preferredLanguage", "preferred_language", 0,
                               UP_LANGUAGE_MAX},
    [UP_GENDER] = {"gender", "gender", 0, 0},
};

static const char *const genders[UP_GENDERS] = {
    "GENDER_UNSPECIFIED",
    "GENDER_FEMALE",
    "GENDER_MALE",
    "GENDER_DIVERSE",
};

const up_field_info_t *
up_field_info(up_field_t field)
{
    return &fields[field];
}

const char *
up_gender_name(int gender)
{
    return genders[gender];
}

int
up_gender_by_name(const char *name)
{
    for (int i = 0; i < UP_GENDERS; i++) {
        if (!strcmp(genders[i], name))
            return i;
    }
    return UP_GENDER_UNKNOWN;
}

const char *
up_profile_language(const up_profile_t *profile)
{
    const char *tag = profile->text[UP_PREFERRED_LANGUAGE];

    return *tag ? tag : "und";
}

up_profile_t *
up_profile_make(apr_pool_t *pool)
{
    up_profile_t *profile = apr_pcalloc(pool, sizeof(*profile));

    for (int i = 0; i < UP_TEXT_FIELDS; i++)
        profile->text[i] = "";
    return profile;
}

up_profile_t *
up_profile_copy(const up_profile_t *profile, apr_pool_t *pool)
{
    up_profile_t *copy = apr_pmemdup(pool, profile, sizeof(*copy));

    for (int i = 0; i < UP_TEXT_FIELDS; i++)
        copy->text[i] = apr_pstrdup(pool, profile->text[i]);
    return copy;
}

unsigned
up_profile_given(const up_profile_t *profile)
{
    unsigned given = 0;

    for (int i = 0; i < UP_TEXT_FIELDS; i++) {
        if (*profile->text[i])
            given |= 1u << i;
    }
    if (profile->gender != UP_GENDER_UNSPECIFIED)
        given |= 1u << UP_GENDER;
    return given;
}

unsigned
up_profile_diff(const up_profile_t *a, const up_profile_t *b)
{
    unsigned differ = 0;

    for (int i = 0; i < UP_TEXT_FIELDS; i++) {
        if (strcmp(a->text[i], b->text[i]) != 0)
            differ |= 1u << i;
    }
    if (a->gender != b->gender)
        differ |= 1u << UP_GENDER;
    return differ;
}

static void
violate(apr_array_header_t *violations,
        const char *field,
        const char *description)
{
    up_violation_t *violation = apr_array_push(violations);

    violation->field = field;
    violation->description = description;
}

void
up_violation_length(apr_array_header_t *violations,
                    const char *field,
                    int min,
                    int max,
                    apr_pool_t *pool)
{
    violate(
        violations, field,
        min ? apr_psprintf(pool,
                           "value length must be between %d and %d runes, "
                           "inclusive",
                           min, max)
            : apr_psprintf(pool, "value length must be at most %d runes", max));
}

/* Check one text of COPY, and make the language canonical there. */
static void
validate_text(up_profile_t *copy,
              apr_array_header_t *violations,
              up_field_t field,
              apr_pool_t *pool)
{
    const up_field_info_t *info = &fields[field];
    const char *text = copy->text[field];
    apr_size_t length = strlen(text);

    up_utf8_count(&length, text, length);
    if (length < (apr_size_t)info->min || length > (apr_size_t)info->max) {
        up_violation_length(violations, info->json, info->min, info->max, pool);
        return;
    }
    if (field != UP_PREFERRED_LANGUAGE || !*text)
        return;

    const char *tag = up_language_canonical(text, pool);
    if (!tag)
        violate(violations, info->json, "value must be a BCP 47 language tag");
    else
        copy->text[field] = strcmp(tag, "und") != 0 ? tag : "";
}

void
up_profile_validate(const up_profile_t **valid,
                    apr_array_header_t *violations,
                    const up_profile_t *profile,
                    apr_pool_t *pool)
{
    up_profile_t *copy = up_profile_copy(profile, pool);
    int before = violations->nelts;

    for (int i = 0; i < UP_TEXT_FIELDS; i++)
        validate_text(copy, violations, (up_field_t)i, pool);
    if (copy->gender < 0 || copy->gender >= UP_GENDERS)
        violate(violations, fields[UP_GENDER].json,
                "value must be one of the defined enum values");
    *valid = violations->nelts == before ? copy : NULL;
}

up_error_t *
up_profile_invalid(const char *message,
                   const apr_array_header_t *violations,
                   apr_pool_t *pool)
{
    const up_violation_t *first = &APR_ARRAY_IDX(violations, 0, up_violation_t);
    char *label = apr_pstrdup(pool, first->field);

    label[0] = (char)apr_toupper(label[0]);
    up_error_t *err =
        up_error(pool, UP_FIELD_INVALID, APR_SUCCESS, "invalid %s.%s: %s",
                 message, label, first->description);
    err->violations = violations;
    return err;
}
