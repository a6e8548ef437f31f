/* up_profile.c -- a profile: its fields, their names and their limits. */
#include "core/up_profile.h"
#include "core/up_language.h"
#include "core/up_utf8.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

static const up_field_info_t field_table[UP_FIELDS] = {
    [UP_FIRST_NAME] = {1, UP_FIELD_TEXT, "firstName", "first_name", "givenName",
                       "given_name", "first-name", 1, 200, 1},
    [UP_LAST_NAME] = {2, UP_FIELD_TEXT, "lastName", "last_name", "familyName",
                      "family_name", "last-name", 1, 200, 1},
    [UP_NICK_NAME] = {3, UP_FIELD_TEXT, "nickName", "nick_name", "nickName",
                      "nick_name", "nick-name", 0, 200, 0},
    [UP_DISPLAY_NAME] = {4, UP_FIELD_TEXT, "displayName", "display_name",
                         "displayName", "display_name", "display-name", 1, 200,
                         0},
    [UP_PREFERRED_LANGUAGE] = {5, UP_FIELD_LANGUAGE, "preferredLanguage",
                               "preferred_language", "preferredLanguage",
                               "preferred_language", "language", 0,
                               UP_LANGUAGE_MAX, 0},
    [UP_GENDER] = {6, UP_FIELD_GENDER, "gender", "gender", "gender", "gender",
                   "gender", 0, 0, 0},
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
    return &field_table[field];
}

const up_field_info_t *
up_field_table(void)
{
    return field_table;
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
up_profile_reading(const up_profile_t *profile, up_field_t field)
{
    const char *text = profile->text[field];

    switch (field_table[field].kind) {
    case UP_FIELD_GENDER:
        return genders[profile->gender];
    case UP_FIELD_LANGUAGE:
        return *text ? text : "und";
    default:
        return text;
    }
}

up_profile_t *
up_profile_make(apr_pool_t *pool)
{
    up_profile_t *profile = apr_pcalloc(pool, sizeof(*profile));

    for (int i = 0; i < UP_FIELDS; i++)
        profile->text[i] = "";
    return profile;
}

up_profile_t *
up_profile_copy(const up_profile_t *profile, apr_pool_t *pool)
{
    up_profile_t *copy = apr_pmemdup(pool, profile, sizeof(*copy));

    for (int i = 0; i < UP_FIELDS; i++)
        copy->text[i] = apr_pstrdup(pool, profile->text[i]);
    return copy;
}

void
up_profile_assign(up_profile_t *profile,
                  const up_profile_t *from,
                  unsigned fields)
{
    for (int i = 0; i < UP_FIELDS; i++) {
        if (!(fields & UP_FIELD_BIT(i)))
            continue;
        profile->text[i] = from->text[i];
        if (field_table[i].kind == UP_FIELD_GENDER)
            profile->gender = from->gender;
    }
}

unsigned
up_profile_diff(const up_profile_t *a, const up_profile_t *b)
{
    unsigned differ = 0;

    for (int i = 0; i < UP_FIELDS; i++) {
        int same = field_table[i].kind == UP_FIELD_GENDER
                       ? a->gender == b->gender
                       : !strcmp(a->text[i], b->text[i]);
        if (!same)
            differ |= UP_FIELD_BIT(i);
    }
    return differ;
}

unsigned
up_fields_to_stored(unsigned fields, const up_field_info_t *table, int count)
{
    unsigned stored = 0;

    for (int i = 0; i < count; i++) {
        if (fields & UP_FIELD_BIT(i))
            stored |= 1u << (table[i].number - 1);
    }
    return stored;
}

int
up_fields_from_stored(unsigned *fields,
                      unsigned stored,
                      const up_field_info_t *table,
                      int count)
{
    *fields = 0;
    for (int i = 0; i < count; i++) {
        unsigned bit = 1u << (table[i].number - 1);
        if (stored & bit)
            *fields |= UP_FIELD_BIT(i);
        stored &= ~bit;
    }
    return !stored;
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

static int
least_length(const up_field_info_t *info, up_rules_t rules)
{
    switch (rules) {
    case UP_RULES_SET_HUMAN:
    case UP_RULES_STORED:
        return info->min_v2;
    case UP_RULES_UPDATE:
        return 1;
    default:
        return info->min;
    }
}

static const char *
not_among(const apr_array_header_t *languages, apr_pool_t *pool)
{
    const char *list = "";

    for (int i = 0; i < languages->nelts; i++)
        list = apr_pstrcat(pool, list, i ? ", " : "",
                           APR_ARRAY_IDX(languages, i, const char *), NULL);
    return apr_pstrcat(pool,
                       "value must be one of the languages allowed here, or "
                       "one with further subtags: ",
                       list, NULL);
}

/* Check FIELD of COPY, which NAME stands for, and make a language canonical
 * there. */
static void
validate_field(up_profile_t *copy,
               apr_array_header_t *violations,
               up_field_t field,
               up_rules_t rules,
               const apr_array_header_t *languages,
               const char *name,
               apr_pool_t *pool)
{
    const up_field_info_t *info = &field_table[field];
    int min = least_length(info, rules);
    const char *text = copy->text[field];
    apr_size_t length = strlen(text);

    if (info->kind == UP_FIELD_GENDER) {
        if (copy->gender < 0 || copy->gender >= UP_GENDERS)
            violate(violations, name,
                    "value must be one of the defined enum values");
        return;
    }
    up_utf8_count(&length, text, length);
    if (length < (apr_size_t)min || length > (apr_size_t)info->max) {
        up_violation_length(violations, name, min, info->max, pool);
        return;
    }
    if (info->kind != UP_FIELD_LANGUAGE || !*text)
        return;

    const char *tag = up_language_canonical(text, pool);
    if (!tag)
        violate(violations, name, "value must be a BCP 47 language tag");
    else if (!strcmp(tag, "und"))
        copy->text[field] = "";
    else if (languages && !up_language_is_in(languages, tag))
        violate(violations, name, not_among(languages, pool));
    else
        copy->text[field] = tag;
}

void
up_profile_validate(const up_profile_t **valid,
                    apr_array_header_t *violations,
                    const up_profile_t *profile,
                    unsigned fields,
                    up_rules_t rules,
                    const apr_array_header_t *languages,
                    const char *prefix,
                    apr_pool_t *pool)
{
    up_profile_t *copy = up_profile_copy(profile, pool);
    int before = violations->nelts;
    int is_v1 = rules == UP_RULES_V1 || rules == UP_RULES_STORED;

    for (int i = 0; i < UP_FIELDS; i++) {
        const char *name = is_v1 ? field_table[i].json : field_table[i].json_v2;
        if (!(fields & UP_FIELD_BIT(i)))
            continue;
        if (*prefix)
            name = apr_pstrcat(pool, prefix, name, NULL);
        validate_field(copy, violations, (up_field_t)i, rules, languages, name,
                       pool);
    }
    *valid = violations->nelts == before ? copy : NULL;
}
