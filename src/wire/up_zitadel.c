/* up_zitadel.c -- ZITADEL's own export, read as items of a store.
 *
 * The messages are those of zitadel/v1.proto: DataOrg, with AddOrgRequest,
 * DataHumanUser with ImportHumanUserRequest, DataMachineUser and
 * AddOrgMemberRequest in it. null stands for a member that is not set, as in
 * protobuf's JSON mapping. */
#include "wire/up_zitadel.h"
#include "wire/up_json.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <limits.h>
#include <string.h>

/* Why something is skipped. */
#define NO_PROJECTS "projects and what belongs to them are not kept here"
#define NO_LOGIN "signing in is left to Apache"
#define NO_POLICIES "policies and settings are not kept here"
#define NO_MESSAGES "no messages are sent from here"
#define NO_ACTIONS "actions are not run here"
#define NO_PLACE "a profile has no place for it"
#define NO_ROLES "a membership without a role gives no right"
#define UNKNOWN "this version does not know it"

/* A member of an object. */
typedef struct known_t {
    const char *name, *proto_name; /* "orgId", "org_id" */
    const char *why;               /* it is skipped; NULL: it is read */
} known_t;

static const known_t known_in_org[] = {
    {"orgId", "org_id", NULL},
    {"org", "org", NULL},
    {"humanUsers", "human_users", NULL},
    {"machineUsers", "machine_users", NULL},
    {"orgMembers", "org_members", NULL},
    {"projects", "projects", NO_PROJECTS},
    {"projectRoles", "project_roles", NO_PROJECTS},
    {"apiApps", "api_apps", NO_PROJECTS},
    {"oidcApps", "oidc_apps", NO_PROJECTS},
    {"appKeys", "app_keys", NO_PROJECTS},
    {"projectGrants", "project_grants", NO_PROJECTS},
    {"userGrants", "user_grants", NO_PROJECTS},
    {"projectMembers", "project_members", NO_PROJECTS},
    {"projectGrantMembers", "project_grant_members", NO_PROJECTS},
    {"userMetadata", "user_metadata", NO_PLACE},
    {"machineKeys", "machine_keys", NO_LOGIN},
    {"userLinks", "user_links", NO_LOGIN},
    {"oidcIdps", "oidc_idps", NO_LOGIN},
    {"jwtIdps", "jwt_idps", NO_LOGIN},
    {"idps", "idps", NO_LOGIN},
    {"secondFactors", "second_factors", NO_LOGIN},
    {"multiFactors", "multi_factors", NO_LOGIN},
    {"loginTexts", "login_texts", NO_LOGIN},
    {"domains", "domains", NO_LOGIN},
    {"iamPolicy", "iam_policy", NO_POLICIES},
    {"domainPolicy", "domain_policy", NO_POLICIES},
    {"labelPolicy", "label_policy", NO_POLICIES},
    {"lockoutPolicy", "lockout_policy", NO_POLICIES},
    {"loginPolicy", "login_policy", NO_POLICIES},
    {"passwordComplexityPolicy", "password_complexity_policy", NO_POLICIES},
    {"privacyPolicy", "privacy_policy", NO_POLICIES},
    {"actions", "actions", NO_ACTIONS},
    {"triggerActions", "trigger_actions", NO_ACTIONS},
    {"initMessages", "init_messages", NO_MESSAGES},
    {"passwordResetMessages", "password_reset_messages", NO_MESSAGES},
    {"verifyEmailMessages", "verify_email_messages", NO_MESSAGES},
    {"verifyPhoneMessages", "verify_phone_messages", NO_MESSAGES},
    {"verifySmsOtpMessages", "verify_sms_otp_messages", NO_MESSAGES},
    {"verifyEmailOtpMessages", "verify_email_otp_messages", NO_MESSAGES},
    {"domainClaimedMessages", "domain_claimed_messages", NO_MESSAGES},
    {"passwordlessRegistrationMessages", "passwordless_registration_messages",
     NO_MESSAGES},
    {NULL, NULL, NULL},
};

static const known_t known_in_name[] = {
    {"name", "name", NULL},
    {NULL, NULL, NULL},
};

/* DataHumanUser and DataMachineUser. */
static const known_t known_in_data[] = {
    {"userId", "user_id", NULL},
    {"user", "user", NULL},
    {NULL, NULL, NULL},
};

static const known_t known_in_human[] = {
    {"profile", "profile", NULL},
    {"userName", "user_name", NO_LOGIN},
    {"email", "email", NO_PLACE},
    {"phone", "phone", NO_PLACE},
    {"password", "password", NO_LOGIN},
    {"hashedPassword", "hashed_password", NO_LOGIN},
    {"passwordChangeRequired", "password_change_required", NO_LOGIN},
    {"requestPasswordlessRegistration", "request_passwordless_registration",
     NO_LOGIN},
    {"otpCode", "otp_code", NO_LOGIN},
    {"idps", "idps", NO_LOGIN},
    {NULL, NULL, NULL},
};

static const known_t known_in_machine[] = {
    {"userName", "user_name", NO_LOGIN},
    {"name", "name", NO_PLACE},
    {"description", "description", NO_PLACE},
    {"accessTokenType", "access_token_type", NO_LOGIN},
    {NULL, NULL, NULL},
};

static const known_t known_in_member[] = {
    {"userId", "user_id", NULL},
    {"roles", "roles", NULL},
    {NULL, NULL, NULL},
};

static const known_t known_at_top[] = {
    {"orgs", "orgs", NULL},
    {NULL, NULL, NULL},
};

/* Where a value stands. */
typedef struct place_t {
    const struct place_t *above; /* NULL: it is the whole */
    const char *name;
    int index; /* in the array NAME; -1: it is none's element */
} place_t;

typedef struct decoder_t {
    apr_array_header_t *items;   /* of up_zitadel_item_t */
    apr_array_header_t *skipped; /* of up_zitadel_skipped_t */
    apr_hash_t *skipped_index;   /* WHAT -> its place there, plus 1 */
    apr_time_t now;
    apr_pool_t *pool;
} decoder_t;

static const char *
path_of(const place_t *place, apr_pool_t *pool)
{
    const char *above = "";

    if (!place->above)
        return "the export";
    if (place->above->above)
        above = apr_pstrcat(pool, path_of(place->above, pool), ".", NULL);
    if (place->index < 0)
        return apr_pstrcat(pool, above, place->name, NULL);
    return apr_psprintf(pool, "%s%s[%d]", above, place->name, place->index);
}

#define refuse(decoder, ...)                                                   \
    up_error((decoder)->pool, UP_BODY_INVALID, APR_SUCCESS, __VA_ARGS__)

/* Count COUNT of WHAT that are skipped because of WHY. */
static void
skip(decoder_t *decoder, const char *what, const char *why, apr_uint64_t count)
{
    void *place =
        apr_hash_get(decoder->skipped_index, what, APR_HASH_KEY_STRING);

    if (!count)
        return;
    if (!place) {
        APR_ARRAY_PUSH(decoder->skipped, up_zitadel_skipped_t) =
            (up_zitadel_skipped_t){what, why, 0};
        place = (void *)(apr_uintptr_t)decoder->skipped->nelts;
        apr_hash_set(decoder->skipped_index, what, APR_HASH_KEY_STRING, place);
    }
    APR_ARRAY_IDX(decoder->skipped, (int)(apr_uintptr_t)place - 1,
                  up_zitadel_skipped_t)
        .count += count;
}

/* How many things VALUE, which is skipped, is: what is empty is none. */
static apr_uint64_t
count_of(const up_json_t *value)
{
    switch (up_json_type(value)) {
    case UP_JSON_NULL:
        return 0;
    case UP_JSON_ARRAY:
        return up_json_count(value);
    case UP_JSON_STRING:
        return *up_json_string(value) != '\0';
    default:
        return 1;
    }
}

/* Count the members of OBJECT that are not read. */
static void
skip_others(decoder_t *decoder, const up_json_t *object, const known_t *known)
{
    const apr_array_header_t *names = up_json_names(object, decoder->pool);

    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const known_t *row = known;
        while (row->name && strcmp(row->name, name) != 0 &&
               strcmp(row->proto_name, name) != 0)
            row++;
        if (row->name && !row->why)
            continue;
        skip(decoder, row->name ? row->name : name,
             row->name ? row->why : UNKNOWN,
             count_of(up_json_member(object, name)));
    }
}

/* Set *VALUE to the member NAME or PROTO_NAME of OBJECT, which is at PLACE and
 * must have TYPE there; to NULL if it is absent or null. */
static up_error_t *
find(const up_json_t **value,
     const decoder_t *decoder,
     const up_json_t *object,
     const place_t *place,
     const char *name,
     const char *proto_name,
     up_json_type_t type)
{
    static const char *const types[] = {
        [UP_JSON_STRING] = "a string",
        [UP_JSON_ARRAY] = "an array",
        [UP_JSON_OBJECT] = "an object",
    };
    const up_json_t *camel = up_json_member(object, name), *snake = NULL;

    if (strcmp(name, proto_name) != 0)
        snake = up_json_member(object, proto_name);
    if (camel && snake)
        return refuse(decoder, "%s has both %s and %s",
                      path_of(place, decoder->pool), name, proto_name);
    *value = camel ? camel : snake;
    if (*value && up_json_type(*value) == UP_JSON_NULL)
        *value = NULL;
    if (!*value || up_json_type(*value) == type)
        return NULL;
    place_t at = {place, camel ? name : proto_name, -1};
    return refuse(decoder, "%s must be %s", path_of(&at, decoder->pool),
                  types[type]);
}

/* Set *TEXT to the member NAME or PROTO_NAME of OBJECT. */
static up_error_t *
find_text(const char **text,
          const decoder_t *decoder,
          const up_json_t *object,
          const place_t *place,
          const char *name,
          const char *proto_name)
{
    const up_json_t *value;

    UP_ERR(
        find(&value, decoder, object, place, name, proto_name, UP_JSON_STRING));
    if (!value)
        return refuse(decoder, "%s has no %s", path_of(place, decoder->pool),
                      name);
    *text = up_json_string(value);
    return NULL;
}

/* Set *OBJECT to element INDEX of ARRAY, an object, and PLACE's index. */
static up_error_t *
element(const up_json_t **object,
        const decoder_t *decoder,
        const up_json_t *array,
        place_t *place,
        apr_size_t index)
{
    *object = up_json_element(array, index);
    place->index = (int)index;
    if (up_json_type(*object) != UP_JSON_OBJECT)
        return refuse(decoder, "%s must be an object",
                      path_of(place, decoder->pool));
    return NULL;
}

/* A new item of KIND, which stands at PLACE. */
static up_zitadel_item_t *
add_item(decoder_t *decoder, up_kind_t kind, const place_t *place)
{
    up_zitadel_item_t *added = apr_array_push(decoder->items);

    *added = (up_zitadel_item_t){.path = path_of(place, decoder->pool)};
    added->item.kind = kind;
    return added;
}

/* Set FIELD of PROFILE from VALUE, which is at PLACE. */
static up_error_t *
read_field(up_profile_t *profile,
           const decoder_t *decoder,
           up_field_t field,
           const up_json_t *value,
           const place_t *place)
{
    int is_gender = up_field_info(field)->kind == UP_FIELD_GENDER;
    up_json_type_t type = up_json_type(value);
    double number = type == UP_JSON_NUMBER ? up_json_number(value) : 0;

    if (type == UP_JSON_STRING && is_gender)
        profile->gender = up_gender_by_name(up_json_string(value));
    else if (type == UP_JSON_STRING)
        profile->text[field] = up_json_string(value);
    else if (!is_gender)
        return refuse(decoder, "%s must be a string",
                      path_of(place, decoder->pool));
    else if (type != UP_JSON_NUMBER || number < INT_MIN || number > INT_MAX ||
             number != (int)number)
        return refuse(decoder, "%s must be a name or a 32-bit integer",
                      path_of(place, decoder->pool));
    else
        profile->gender = (int)number;
    return NULL;
}

/* Set ADDED's profile from OBJECT, which is at PLACE. A text that is empty was
 * not given: the export of some versions leaves it out, that of others does
 * not. */
static up_error_t *
read_profile(up_zitadel_item_t *added,
             decoder_t *decoder,
             const up_json_t *object,
             const place_t *place)
{
    up_profile_t *profile = up_profile_make(decoder->pool);
    known_t known[UP_FIELDS + 1] = {{NULL, NULL, NULL}};

    for (int i = 0; i < UP_FIELDS; i++) {
        const up_field_info_t *info = up_field_info((up_field_t)i);
        place_t at = {place, info->json, -1};
        const up_json_t *value = up_json_member(object, info->json);
        const up_json_t *snake = up_json_member(object, info->proto);
        known[i] = (known_t){info->json, info->proto, NULL};
        if (value && snake && value != snake)
            return refuse(decoder, "%s has both %s and %s",
                          path_of(place, decoder->pool), info->json,
                          info->proto);
        at.name = value ? info->json : info->proto;
        value = value ? value : snake;
        if (!value || !count_of(value))
            continue;
        UP_ERR(read_field(profile, decoder, (up_field_t)i, value, &at));
        added->given.fields |= UP_FIELD_BIT(i);
    }
    skip_others(decoder, object, known);
    added->item.as.user.profile = profile;
    return NULL;
}

/* Read a human or machine user of ORG, OBJECT at PLACE. */
static up_error_t *
read_user(decoder_t *decoder,
          const char *org,
          up_user_type_t type,
          const up_json_t *object,
          const place_t *place)
{
    up_zitadel_item_t *added = add_item(decoder, UP_KIND_USER, place);
    up_user_t *user = &added->item.as.user;
    place_t at_user = {place, "user", -1},
            at_profile = {&at_user, "profile", -1};
    const up_json_t *inner, *profile;

    *user = (up_user_t){.org = org,
                        .type = type,
                        .sequence = 1,
                        .created = decoder->now,
                        .changed = decoder->now};
    UP_ERR(find_text(&user->id, decoder, object, place, "userId", "user_id"));
    UP_ERR(
        find(&inner, decoder, object, place, "user", "user", UP_JSON_OBJECT));
    skip_others(decoder, object, known_in_data);
    if (type == UP_MACHINE) {
        if (inner)
            skip_others(decoder, inner, known_in_machine);
        return NULL;
    }
    if (!inner)
        return refuse(decoder, "%s has no user", path_of(place, decoder->pool));
    skip_others(decoder, inner, known_in_human);
    UP_ERR(find(&profile, decoder, inner, &at_user, "profile", "profile",
                UP_JSON_OBJECT));
    if (!profile)
        return refuse(decoder, "%s has no profile",
                      path_of(&at_user, decoder->pool));
    return read_profile(added, decoder, profile, &at_profile);
}

/* Read the array NAME of users of TYPE in OBJECT, the organisation ORG. */
static up_error_t *
read_users(decoder_t *decoder,
           const char *org,
           up_user_type_t type,
           const up_json_t *object,
           const place_t *place)
{
    const char *name = type == UP_HUMAN ? "humanUsers" : "machineUsers";
    const char *proto_name = type == UP_HUMAN ? "human_users" : "machine_users";
    const up_json_t *array, *user;

    UP_ERR(
        find(&array, decoder, object, place, name, proto_name, UP_JSON_ARRAY));
    place_t at = {place, up_json_member(object, name) ? name : proto_name, 0};
    for (apr_size_t i = 0; array && i < up_json_count(array); i++) {
        UP_ERR(element(&user, decoder, array, &at, i));
        UP_ERR(read_user(decoder, org, type, user, &at));
    }
    return NULL;
}

/* Read a membership in ORG, OBJECT at PLACE. */
static up_error_t *
read_member(decoder_t *decoder,
            const char *org,
            const up_json_t *object,
            const place_t *place)
{
    const up_json_t *roles;
    const char *user;

    UP_ERR(find_text(&user, decoder, object, place, "userId", "user_id"));
    UP_ERR(
        find(&roles, decoder, object, place, "roles", "roles", UP_JSON_ARRAY));
    skip_others(decoder, object, known_in_member);
    if (!roles || !up_json_count(roles)) {
        skip(decoder, "orgMembers", NO_ROLES, 1);
        return NULL;
    }

    apr_array_header_t *names = apr_array_make(
        decoder->pool, (int)up_json_count(roles), sizeof(const char *));
    place_t at = {place, "roles", 0};
    for (apr_size_t i = 0; i < up_json_count(roles); i++) {
        const up_json_t *role = up_json_element(roles, i);
        at.index = (int)i;
        if (up_json_type(role) != UP_JSON_STRING)
            return refuse(decoder, "%s must be a string",
                          path_of(&at, decoder->pool));
        APR_ARRAY_PUSH(names, const char *) = up_json_string(role);
    }
    add_item(decoder, UP_KIND_MEMBER, place)->item.as.member =
        (up_member_t){.org = org, .user = user, .roles = names};
    return NULL;
}

static up_error_t *
read_members(decoder_t *decoder,
             const char *org,
             const up_json_t *object,
             const place_t *place)
{
    const char *name = "orgMembers", *proto_name = "org_members";
    const up_json_t *array, *member;

    UP_ERR(
        find(&array, decoder, object, place, name, proto_name, UP_JSON_ARRAY));
    place_t at = {place, up_json_member(object, name) ? name : proto_name, 0};
    for (apr_size_t i = 0; array && i < up_json_count(array); i++) {
        UP_ERR(element(&member, decoder, array, &at, i));
        UP_ERR(read_member(decoder, org, member, &at));
    }
    return NULL;
}

/* Read the organisation OBJECT, at PLACE, and what is in it. */
static up_error_t *
read_org(decoder_t *decoder, const up_json_t *object, const place_t *place)
{
    place_t at_org = {place, "org", -1};
    const up_json_t *inner, *name = NULL;
    const char *id;

    UP_ERR(find_text(&id, decoder, object, place, "orgId", "org_id"));
    UP_ERR(find(&inner, decoder, object, place, "org", "org", UP_JSON_OBJECT));
    if (inner) {
        UP_ERR(find(&name, decoder, inner, &at_org, "name", "name",
                    UP_JSON_STRING));
        skip_others(decoder, inner, known_in_name);
    }
    skip_others(decoder, object, known_in_org);
    add_item(decoder, UP_KIND_ORG, place)->item.as.org =
        (up_org_t){id, name ? up_json_string(name) : ""};
    UP_ERR(read_users(decoder, id, UP_HUMAN, object, place));
    UP_ERR(read_users(decoder, id, UP_MACHINE, object, place));
    return read_members(decoder, id, object, place);
}

up_error_t *
up_zitadel_decode(const apr_array_header_t **items,
                  const apr_array_header_t **skipped,
                  const char *text,
                  apr_size_t length,
                  apr_time_t now,
                  apr_pool_t *pool)
{
    decoder_t decoder = {apr_array_make(pool, 64, sizeof(up_zitadel_item_t)),
                         apr_array_make(pool, 16, sizeof(up_zitadel_skipped_t)),
                         apr_hash_make(pool), now, pool};
    const place_t whole = {NULL, NULL, -1};
    place_t at = {&whole, "orgs", 0};
    const up_json_t *orgs, *org;
    up_json_t *object;

    UP_ERR(up_json_parse(&object, text, length, pool));
    UP_ERR(
        find(&orgs, &decoder, object, &whole, "orgs", "orgs", UP_JSON_ARRAY));
    if (!orgs)
        return refuse(&decoder, "the export has no orgs");
    skip_others(&decoder, object, known_at_top);
    for (apr_size_t i = 0; i < up_json_count(orgs); i++) {
        UP_ERR(element(&org, &decoder, orgs, &at, i));
        UP_ERR(read_org(&decoder, org, &at));
    }
    *items = decoder.items;
    *skipped = decoder.skipped;
    return NULL;
}
