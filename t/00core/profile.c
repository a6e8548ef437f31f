/* profile.c -- fields, their limits, and what is said where they are broken. */
#include "tap.h"
#include "core/up_profile.h"

#include <apr_strings.h>
#include <string.h>

#define NAMES "value length must be between 1 and 200 runes, inclusive"
#define NICK "value length must be at most 200 runes"
#define TAG_LENGTH "value length must be at most 10 runes"
#define TAG "value must be a BCP 47 language tag"
#define GENDER "value must be one of the defined enum values"

/* One field of a valid profile is set to UNIT, repeated TIMES. */
static const struct {
    up_field_t field;
    const char *unit;
    int times;
    const char *description; /* of the violation; NULL: valid */
    const char *name;
} texts[] = {
    {UP_FIRST_NAME, "", 0, NAMES, "no first name"},
    {UP_FIRST_NAME, " ", 1, NULL, "a blank is a first name"},
    {UP_FIRST_NAME, "x", 200, NULL, "200 code points of one byte"},
    {UP_FIRST_NAME, "x", 201, NAMES, "201 code points of one byte"},
    {UP_FIRST_NAME, "\xc3\xa9", 200, NULL, "200 of two bytes"},
    {UP_FIRST_NAME, "\xc3\xa9", 201, NAMES, "201 of two bytes"},
    {UP_FIRST_NAME, "\xe2\x82\xac", 200, NULL, "200 of three bytes"},
    {UP_FIRST_NAME, "\xe2\x82\xac", 201, NAMES, "201 of three bytes"},
    {UP_FIRST_NAME, "\xf0\x9f\x98\x80", 200, NULL, "200 of four bytes"},
    {UP_FIRST_NAME, "\xf0\x9f\x98\x80", 201, NAMES, "201 of four bytes"},
    {UP_FIRST_NAME, "e\xcc\x81", 100, NULL, "combining marks: 200 in all"},
    {UP_FIRST_NAME, "e\xcc\x81", 101, NAMES, "combining marks: 202 in all"},
    {UP_FIRST_NAME, "\x01", 1, NULL, "a control character"},
    {UP_LAST_NAME, "", 0, NAMES, "no last name"},
    {UP_LAST_NAME, "x", 200, NULL, "a last name of 200"},
    {UP_LAST_NAME, "x", 201, NAMES, "a last name of 201"},
    {UP_NICK_NAME, "", 0, NULL, "no nick name"},
    {UP_NICK_NAME, "\xf0\x9f\x98\x80", 200, NULL, "a nick name of 200"},
    {UP_NICK_NAME, "\xf0\x9f\x98\x80", 201, NICK, "a nick name of 201"},
    {UP_DISPLAY_NAME, "", 0, NAMES, "no display name"},
    {UP_DISPLAY_NAME, "x", 200, NULL, "a display name of 200"},
    {UP_DISPLAY_NAME, "x", 201, NAMES, "a display name of 201"},
    {UP_PREFERRED_LANGUAGE, "", 0, NULL, "no language"},
    {UP_PREFERRED_LANGUAGE, "zh-Hans-CN", 1, NULL, "a tag of ten"},
    {UP_PREFERRED_LANGUAGE, "en-us-abcde", 1, TAG_LENGTH, "a tag of eleven"},
    {UP_PREFERRED_LANGUAGE, "english", 1, TAG, "a word as language"},
    {UP_PREFERRED_LANGUAGE, "\xc3\xa9", 10, TAG,
     "ten code points of two bytes"},
    {UP_PREFERRED_LANGUAGE, "\xc3\xa9", 11, TAG_LENGTH,
     "eleven code points of two bytes"},
};

static const struct {
    int gender;
    int valid;
} genders[] = {
    {UP_GENDER_UNKNOWN, 0},
    {-2147483647 - 1, 0},
    {0, 1},
    {1, 1},
    {2, 1},
    {3, 1},
    {4, 0},
    {2147483647, 0},
};

static const struct {
    const char *tag, *kept, *reads;
} languages[] = {
    {"", "", "und"},
    {"und", "", "und"},
    {"UND", "", "und"},
    {"en", "en", "en"},
    {"DE_ch", "de-CH", "de-CH"},
    {"deu", "deu", "deu"},
    {"und-CH", "und-CH", "und-CH"},
};

static apr_array_header_t *violations;

static up_profile_t *
sample(apr_pool_t *pool)
{
    up_profile_t *profile = up_profile_make(pool);

    profile->text[UP_FIRST_NAME] = "Gigi";
    profile->text[UP_LAST_NAME] = "Giraffe";
    profile->text[UP_NICK_NAME] = "Gig";
    profile->text[UP_DISPLAY_NAME] = "Gigi Giraffe";
    profile->text[UP_PREFERRED_LANGUAGE] = "en";
    profile->gender = UP_GENDER_FEMALE;
    return profile;
}

/* The languages that are allowed; NULL: any. */
static const apr_array_header_t *allowed;

/* Validate PROFILE; sets violations. */
static const up_profile_t *
validate(const up_profile_t *profile, apr_pool_t *pool)
{
    const up_profile_t *valid = (void *)"untouched";

    violations = apr_array_make(pool, 1, sizeof(up_violation_t));
    up_profile_validate(&valid, violations, profile, UP_ALL_FIELDS, UP_RULES_V1,
                        allowed, "", pool);
    return valid;
}

/* "field: description" of violation I, or NULL. */
static const char *
violation(int i, apr_pool_t *pool)
{
    if (i >= violations->nelts)
        return NULL;
    const up_violation_t *v = &APR_ARRAY_IDX(violations, i, up_violation_t);
    return apr_pstrcat(pool, v->field, ": ", v->description, NULL);
}

static void
check_text(int row, apr_pool_t *pool)
{
    up_profile_t *profile = sample(pool);
    const char *text = "", *want = NULL;

    for (int n = 0; n < texts[row].times; n++)
        text = apr_pstrcat(pool, text, texts[row].unit, NULL);
    profile->text[texts[row].field] = text;
    const up_profile_t *valid = validate(profile, pool);

    if (texts[row].description)
        want = apr_pstrcat(pool, up_field_info(texts[row].field)->json, ": ",
                           texts[row].description, NULL);
    is(violation(0, pool), want, "%s", texts[row].name);
    ok(want ? !valid && violations->nelts == 1
            : valid && !strcmp(valid->text[texts[row].field], text),
       "%s: %s", texts[row].name, want ? "nothing is valid" : "kept as it is");
}

static void
check_genders(apr_pool_t *pool)
{
    static const char *const names[] = {"GENDER_UNSPECIFIED", "GENDER_FEMALE",
                                        "GENDER_MALE", "GENDER_DIVERSE"};

    for (unsigned i = 0; i < sizeof(genders) / sizeof(genders[0]); i++) {
        up_profile_t *profile = sample(pool);
        profile->gender = genders[i].gender;
        const up_profile_t *valid = validate(profile, pool);

        ok(genders[i].valid ? valid && valid->gender == genders[i].gender
                            : !valid,
           "gender %d is %svalid", genders[i].gender,
           genders[i].valid ? "" : "not ");
        is(violation(0, pool), genders[i].valid ? NULL : "gender: " GENDER,
           "gender %d: what is said", genders[i].gender);
    }
    for (int i = 0; i < UP_GENDERS; i++) {
        is(up_gender_name(i), names[i], "the name of gender %d", i);
        is_number(up_gender_by_name(names[i]), i, "%s by its name", names[i]);
    }
    is_number(up_gender_by_name("GENDER_X"), UP_GENDER_UNKNOWN, "GENDER_X");
    is_number(up_gender_by_name("gender_male"), UP_GENDER_UNKNOWN,
              "names of genders are upper case");
    is_number(up_gender_by_name(""), UP_GENDER_UNKNOWN, "the empty name");
}

static void
check_languages(apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
        up_profile_t *profile = sample(pool);
        profile->text[UP_PREFERRED_LANGUAGE] = languages[i].tag;
        const up_profile_t *valid = validate(profile, pool);

        is(valid ? valid->text[UP_PREFERRED_LANGUAGE] : NULL, languages[i].kept,
           "how the language '%s' is kept", languages[i].tag);
        is(valid ? up_profile_reading(valid, UP_PREFERRED_LANGUAGE) : NULL,
           languages[i].reads, "how the language '%s' reads", languages[i].tag);
    }
}

#define NOT_ALLOWED                                                            \
    "preferredLanguage: value must be one of the languages allowed here, or "  \
    "one with further subtags: en, de-CH, x-foo"

static const struct {
    const char *tag, *kept; /* NULL: refused */
    const char *name;
} allowances[] = {
    {"en", "en", "a language that is listed"},
    {"en-GB", "en-GB", "a region of a language that is listed"},
    {"EN_gb", "en-GB", "however it is written"},
    {"en-x-ab", "en-x-ab", "private use of a language that is listed"},
    {"eng", NULL, "a language whose letters begin alike"},
    {"de", NULL, "a language of which a region alone is listed"},
    {"de-AT", NULL, "another region of it"},
    {"de-ch", "de-CH", "the region that is listed"},
    {"de-CH-1996", "de-CH-1996", "a variant of that region"},
    {"de-Latn-CH", NULL, "the region behind a script"},
    {"x-FOO", "x-foo", "private use that is listed"},
    {"x-food", NULL, "private use whose letters begin alike"},
    {"fr", NULL, "a language that is not listed"},
    {"", "", "no language"},
    {"und", "", "und"},
};

static void
check_allowed_languages(apr_pool_t *pool)
{
    static const char *const list[] = {"en", "de-CH", "x-foo"};
    apr_array_header_t *ranges = apr_array_make(pool, 3, sizeof(list[0]));

    for (int i = 0; i < 3; i++)
        APR_ARRAY_PUSH(ranges, const char *) = list[i];
    allowed = ranges;
    for (unsigned i = 0; i < sizeof(allowances) / sizeof(allowances[0]); i++) {
        up_profile_t *profile = sample(pool);
        profile->text[UP_PREFERRED_LANGUAGE] = allowances[i].tag;
        const up_profile_t *valid = validate(profile, pool);

        is(valid ? valid->text[UP_PREFERRED_LANGUAGE] : NULL,
           allowances[i].kept, "of the allowed languages: %s",
           allowances[i].name);
        is(violation(0, pool), allowances[i].kept ? NULL : NOT_ALLOWED,
           "%s: what is said", allowances[i].name);
    }
    allowed = NULL;
}

static void
all_at_once(apr_pool_t *pool)
{
    static const char *const want[] = {
        "firstName: " NAMES,   "lastName: " NAMES,        "nickName: " NICK,
        "displayName: " NAMES, "preferredLanguage: " TAG, "gender: " GENDER,
    };
    up_profile_t *profile = up_profile_make(pool);
    char *long_name = apr_pcalloc(pool, 202);

    profile->text[UP_NICK_NAME] = memset(long_name, 'x', 201);
    profile->text[UP_PREFERRED_LANGUAGE] = "12";
    profile->gender = 4;
    ok(!validate(profile, pool), "a profile with six faults is not valid");
    is_number(violations->nelts, 6, "every field at fault is named");
    for (int i = 0; i < 6; i++)
        is(violation(i, pool), want[i], "fault %d, in the order of fields", i);

    violations = apr_array_make(pool, 1, sizeof(up_violation_t));
    up_violation_length(violations, "userId", 1, 200, pool);
    is(violation(0, pool), "userId: " NAMES, "a length with both limits");
    up_violation_length(violations, "x", 0, 10, pool);
    is(violation(1, pool), "x: " TAG_LENGTH, "a length with one limit");
}

static void
copies_and_differences(apr_pool_t *pool)
{
    up_profile_t *a = sample(pool);
    char *name = apr_pstrdup(pool, "Gigi");
    a->text[UP_FIRST_NAME] = name;
    up_profile_t *b = up_profile_copy(a, pool);
    const up_profile_t *valid = validate(a, pool);

    is_number(up_profile_diff(a, b), 0, "a copy is equal");
    name[0] = 'X';
    is(b->text[UP_FIRST_NAME], "Gigi", "a copy has text of its own");
    is(valid->text[UP_FIRST_NAME], "Gigi", "so has a valid profile");
    name[0] = 'G';

    for (int i = 0; i < UP_FIELDS; i++) {
        const char *json = up_field_info((up_field_t)i)->json;
        up_profile_t *other = up_profile_make(pool);
        other->text[i] = i == UP_GENDER ? "" : "other";
        other->gender = UP_GENDER_MALE;
        b = up_profile_copy(a, pool);
        up_profile_assign(b, other, UP_FIELD_BIT(i));
        is_number(up_profile_diff(a, b), 1 << i,
                  "another %s is the one difference that is seen", json);
        is_number(up_profile_diff(other, b), UP_ALL_FIELDS & ~(1u << i),
                  "assigning %s leaves the other fields alone", json);
    }
    is_number(up_profile_diff(a, up_profile_make(pool)), (1 << UP_FIELDS) - 1,
              "a new profile differs in every field");
}

/* The table with a new text field in the middle, as a later version has it. */
static void
add_a_field(void)
{
    static const char *const names[] = {"firstName", "gender"};
    up_field_info_t later[UP_FIELDS + 1];
    unsigned old = UP_FIELD_BIT(UP_FIRST_NAME) | UP_FIELD_BIT(UP_GENDER), now;

    memcpy(later, up_field_table(), UP_GENDER * sizeof(*later));
    later[UP_GENDER] =
        (up_field_info_t){7,       UP_FIELD_TEXT, "title", "title", "title",
                          "title", "title",       0,       200,     0};
    later[UP_GENDER + 1] = *up_field_info(UP_GENDER);

    unsigned stored = up_fields_to_stored(old, up_field_table(), UP_FIELDS);
    is_number(stored, 1 | 1 << 5, "the bits of first name and gender on disk");
    ok(up_fields_from_stored(&now, stored, later, UP_FIELDS + 1),
       "an old event is read with a table that has one more field");
    for (int i = 0, n = 0; i <= UP_FIELDS; i++) {
        if (!(now & UP_FIELD_BIT(i)))
            continue;
        is(later[i].json, n < 2 ? names[n] : NULL,
           "field %d of the old event is still what it was", n);
        n++;
    }
    is_number(up_fields_to_stored(now, later, UP_FIELDS + 1), stored,
              "it is written as it was");

    stored = up_fields_to_stored(UP_FIELD_BIT(UP_GENDER), later, UP_FIELDS + 1);
    is_number(stored, 1 << 6, "the new field has a bit of its own");
    ok(!up_fields_from_stored(&now, stored, up_field_table(), UP_FIELDS),
       "the bit of a field that the table does not have is refused");

    unsigned numbers = 0;
    for (int i = 0; i < UP_FIELDS; i++)
        numbers |= 1u << (up_field_info((up_field_t)i)->number - 1);
    is_number(numbers, UP_ALL_FIELDS, "no two fields share a stored number");
}

/* The lower limits of each message. */
static void
rules(apr_pool_t *pool)
{
    static const struct {
        up_rules_t rules;
        const char *prefix;
        const char *at_fault; /* where all text is empty */
    } rows[] = {
        {UP_RULES_V1, "", "firstName lastName displayName"},
        {UP_RULES_SET_HUMAN, "profile.",
         "profile.givenName profile.familyName"},
        {UP_RULES_UPDATE, "human.profile.",
         "human.profile.givenName human.profile.familyName "
         "human.profile.nickName human.profile.displayName "
         "human.profile.preferredLanguage"},
        {UP_RULES_STORED, "", "firstName lastName"},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_profile_t *valid, *empty = up_profile_make(pool);
        const char *list = "";
        violations = apr_array_make(pool, 1, sizeof(up_violation_t));
        up_profile_validate(&valid, violations, empty, UP_ALL_FIELDS,
                            rows[i].rules, NULL, rows[i].prefix, pool);
        for (int n = 0; n < violations->nelts; n++)
            list = apr_pstrcat(
                pool, list, n ? " " : "",
                APR_ARRAY_IDX(violations, n, up_violation_t).field, NULL);
        is(list, rows[i].at_fault, "which fields must not be empty, rules %d",
           rows[i].rules);
        violations = apr_array_make(pool, 1, sizeof(up_violation_t));
        up_profile_validate(&valid, violations, empty, 0, rows[i].rules, NULL,
                            rows[i].prefix, pool);
        ok(valid && !violations->nelts,
           "a field that is not set is not validated, rules %d", rows[i].rules);
    }
}

static void
test(apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_text((int)i, pool);
    check_genders(pool);
    check_languages(pool);
    check_allowed_languages(pool);
    all_at_once(pool);
    copies_and_differences(pool);
    add_a_field();
    rules(pool);
}

int
main(void)
{
    return run_test(test);
}
