/* up_admin_check.c -- whether an item may be stored. */
#include "service/up_admin.h"
#include "service/up_access.h"
#include "core/up_id.h"
#include "core/up_utf8.h"

#include <apr_strings.h>
#include <string.h>

/* No membership has more roles than this. */
#define MAX_ROLES 100

#define MAX_ORG_NAME 200

static up_error_t *
check_id(const char *what, const char *id, apr_pool_t *pool)
{
    if (up_id_is_allowed(id))
        return NULL;
    return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                    "%s must be 1 to %d bytes of UTF-8 without control "
                    "characters, and neither . nor ..",
                    what, UP_ID_MAX_BYTES);
}

static up_error_t *
check_org(const up_org_t *org, apr_pool_t *pool)
{
    apr_size_t length;

    UP_ERR(check_id("the id of an organisation", org->id, pool));
    if (up_utf8_count(&length, org->name, strlen(org->name)) &&
        length <= MAX_ORG_NAME)
        return NULL;
    return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                    "the name of organisation '%s' must be at most %d "
                    "characters of UTF-8",
                    org->id, MAX_ORG_NAME);
}

/* FIELD_INVALID that names every field of VIOLATIONS, not empty. */
static up_error_t *
refuse_profile(const up_user_t *user,
               const apr_array_header_t *violations,
               apr_pool_t *pool)
{
    const char *list = "";

    for (int i = 0; i < violations->nelts; i++) {
        const up_violation_t *violation =
            &APR_ARRAY_IDX(violations, i, up_violation_t);
        list = apr_pstrcat(pool, list, i ? "; " : "", violation->field, ": ",
                           violation->description, NULL);
    }
    up_error_t *err =
        up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                 "the profile of user '%s' is invalid: %s", user->id, list);
    err->violations = violations;
    return err;
}

/* Check the profile of the human USER, of which FIELDS were given, and make it
 * complete and canonical. */
static up_error_t *
check_profile(up_user_t *user, unsigned fields, apr_pool_t *pool)
{
    apr_array_header_t *violations =
        apr_array_make(pool, 1, sizeof(up_violation_t));
    up_profile_t complete = *user->profile;
    const up_profile_t *valid;

    if (!(fields & UP_FIELD_BIT(UP_DISPLAY_NAME)))
        complete.text[UP_DISPLAY_NAME] =
            apr_pstrcat(pool, complete.text[UP_FIRST_NAME], " ",
                        complete.text[UP_LAST_NAME], NULL);
    for (int i = 0; i < UP_FIELDS; i++) {
        const char *text = complete.text[i];
        apr_size_t length;
        if (!up_utf8_count(&length, text, strlen(text)))
            APR_ARRAY_PUSH(violations, up_violation_t) = (up_violation_t){
                up_field_info((up_field_t)i)->json, "value must be UTF-8"};
    }
    up_profile_validate(&valid, violations, &complete, UP_ALL_FIELDS,
                        UP_RULES_STORED, NULL, "", pool);
    if (violations->nelts)
        return refuse_profile(user, violations, pool);
    user->profile = valid;
    return NULL;
}

/* Whether USER, a human, is removed and has no profile left. */
static int
is_erased(const up_user_t *user, apr_pool_t *pool)
{
    return user->state == UP_REMOVED &&
           !up_profile_diff(user->profile, up_profile_make(pool));
}

static up_error_t *
check_user(up_user_t *user, unsigned fields, apr_pool_t *pool)
{
    UP_ERR(check_id("the id of a user", user->id, pool));
    UP_ERR(check_id("the organisation of a user", user->org, pool));
    if ((user->type == UP_HUMAN) != (user->profile != NULL))
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "user '%s' must be either human, with a profile, or a "
                        "machine, without one",
                        user->id);
    if (!user->profile || is_erased(user, pool))
        return NULL;
    return check_profile(user, fields, pool);
}

static up_error_t *
check_member(const up_member_t *member, apr_pool_t *pool)
{
    UP_ERR(check_id("the user of a membership", member->user, pool));
    if (*member->org)
        UP_ERR(check_id("the organisation of a membership", member->org, pool));
    if (member->roles->nelts < 1 || member->roles->nelts > MAX_ROLES)
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "the membership of user '%s' must have 1 to %d roles",
                        member->user, MAX_ROLES);
    for (int i = 0; i < member->roles->nelts; i++) {
        const char *role = APR_ARRAY_IDX(member->roles, i, const char *);
        if (!up_role_name_is_valid(role))
            return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                            "a role of user '%s' must be " UP_ROLE_NAME_RULE,
                            member->user);
    }
    return NULL;
}

static up_error_t *
check_token(const up_token_t *token, apr_pool_t *pool)
{
    UP_ERR(check_id("the user of a token", token->user, pool));
    if (token->expires < 0)
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "a token of user '%s' must expire after 1970 began",
                        token->user);
    return NULL;
}

/* An id of an event, which may be "". */
static up_error_t *
check_id_or_none(const char *what, const char *id, apr_pool_t *pool)
{
    return *id && !up_id_is_storable(id) ? check_id(what, id, pool) : NULL;
}

/* Check the FIELDS of *PROFILE, which the event NUMBER has as NAME, and make
 * them canonical. */
static up_error_t *
check_values(const up_profile_t **profile,
             unsigned fields,
             const char *name,
             apr_uint64_t number,
             apr_pool_t *pool)
{
    apr_array_header_t *violations =
        apr_array_make(pool, 1, sizeof(up_violation_t));
    const up_profile_t *valid;

    if (!*profile)
        return NULL;
    up_profile_validate(&valid, violations, *profile, fields, UP_RULES_STORED,
                        NULL, "", pool);
    if (violations->nelts) {
        const up_violation_t *first =
            &APR_ARRAY_IDX(violations, 0, up_violation_t);
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "%s of event %" APR_UINT64_T_FMT " is invalid: %s: %s",
                        name, number, first->field, first->description);
    }
    *profile = valid;
    return NULL;
}

static up_error_t *
check_event(up_event_t *event, apr_pool_t *pool)
{
    UP_ERR(check_id_or_none("the organisation of an event", event->org, pool));
    UP_ERR(check_id_or_none("the user of an event", event->user, pool));
    UP_ERR(check_values(&event->before, event->fields, "before", event->number,
                        pool));
    return check_values(&event->after, event->fields, "after", event->number,
                        pool);
}

up_error_t *
up_admin_check(up_item_t *item, unsigned fields, apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        return check_org(&item->as.org, pool);
    case UP_KIND_USER:
        return check_user(&item->as.user, fields, pool);
    case UP_KIND_MEMBER:
        return check_member(&item->as.member, pool);
    case UP_KIND_TOKEN:
        return check_token(&item->as.token, pool);
    case UP_KIND_EVENT:
        return check_event(&item->as.event, pool);
    case UP_KINDS:
        break;
    }
    return NULL;
}
