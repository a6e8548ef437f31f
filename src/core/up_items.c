/* up_items.c -- what a store holds: names, copies, and whether two of them are
 * equal. */
#include "core/up_items.h"

#include <apr_strings.h>
#include <string.h>

static const char *const states[UP_STATES] = {
    [UP_ACTIVE] = "active",   [UP_INACTIVE] = "inactive",
    [UP_LOCKED] = "locked",   [UP_INITIAL] = "initial",
    [UP_REMOVED] = "removed",
};

static const char *const event_types[UP_EVENT_TYPES] = {
    [UP_PROFILE_CHANGED] = "profile.changed",
    [UP_USER_ADDED] = "user.added",
    [UP_USER_REMOVED] = "user.removed",
    [UP_USER_ACTIVATED] = "user.activated",
    [UP_USER_DEACTIVATED] = "user.deactivated",
    [UP_USER_LOCKED] = "user.locked",
    [UP_USER_INITIALISED] = "user.initialised",
    [UP_USER_ERASED] = "user.erased",
    [UP_ORG_ADDED] = "org.added",
    [UP_ORG_RENAMED] = "org.renamed",
    [UP_ORG_REMOVED] = "org.removed",
    [UP_MEMBER_ADDED] = "member.added",
    [UP_MEMBER_CHANGED] = "member.changed",
    [UP_MEMBER_REMOVED] = "member.removed",
    [UP_TOKEN_ADDED] = "token.added",
    [UP_TOKEN_REVOKED] = "token.revoked",
    [UP_STORE_IMPORTED] = "store.imported",
    [UP_EVENTS_PRUNED] = "events.pruned",
};

const char *
up_state_name(up_state_t state)
{
    return states[state];
}

const char *
up_event_type_name(up_event_type_t type)
{
    return event_types[type];
}

int
up_state_by_name(up_state_t *state, const char *name)
{
    for (int i = 0; i < UP_STATES; i++) {
        if (!strcmp(states[i], name)) {
            *state = (up_state_t)i;
            return 1;
        }
    }
    return 0;
}

int
up_event_type_by_name(up_event_type_t *type, const char *name)
{
    for (int i = 0; i < UP_EVENT_TYPES; i++) {
        if (!strcmp(event_types[i], name)) {
            *type = (up_event_type_t)i;
            return 1;
        }
    }
    return 0;
}

/* Whether A and B, either of which may be NULL, are equal. */
static int
profiles_are_equal(const up_profile_t *a, const up_profile_t *b)
{
    return a && b ? !up_profile_diff(a, b) : a == b;
}

static int
users_are_equal(const up_user_t *a, const up_user_t *b)
{
    return !strcmp(a->org, b->org) && !strcmp(a->id, b->id) &&
           a->type == b->type && a->state == b->state &&
           a->sequence == b->sequence && a->created == b->created &&
           a->changed == b->changed &&
           profiles_are_equal(a->profile, b->profile);
}

static int
members_are_equal(const up_member_t *a, const up_member_t *b)
{
    if (strcmp(a->org, b->org) != 0 || strcmp(a->user, b->user) != 0 ||
        a->roles->nelts != b->roles->nelts)
        return 0;
    for (int i = 0; i < a->roles->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(a->roles, i, const char *),
                   APR_ARRAY_IDX(b->roles, i, const char *)) != 0)
            return 0;
    }
    return 1;
}

static int
tokens_are_equal(const up_token_t *a, const up_token_t *b)
{
    return !memcmp(a->sha256, b->sha256, UP_SHA256_BYTES) &&
           !strcmp(a->user, b->user) && a->created == b->created &&
           a->expires == b->expires && a->revoked == b->revoked;
}

static int
events_are_equal(const up_event_t *a, const up_event_t *b)
{
    return a->number == b->number && a->type == b->type && a->time == b->time &&
           !strcmp(a->org, b->org) && !strcmp(a->user, b->user) &&
           !strcmp(a->author, b->author) && a->sequence == b->sequence &&
           a->fields == b->fields && profiles_are_equal(a->before, b->before) &&
           profiles_are_equal(a->after, b->after) &&
           !strcmp(a->detail, b->detail);
}

int
up_items_are_equal(const up_item_t *a, const up_item_t *b)
{
    if (a->kind != b->kind)
        return 0;
    switch (a->kind) {
    case UP_KIND_ORG:
        return !strcmp(a->as.org.id, b->as.org.id) &&
               !strcmp(a->as.org.name, b->as.org.name);
    case UP_KIND_USER:
        return users_are_equal(&a->as.user, &b->as.user);
    case UP_KIND_MEMBER:
        return members_are_equal(&a->as.member, &b->as.member);
    case UP_KIND_TOKEN:
        return tokens_are_equal(&a->as.token, &b->as.token);
    case UP_KIND_EVENT:
        return events_are_equal(&a->as.event, &b->as.event);
    case UP_KINDS:
        break;
    }
    return 0;
}

static const up_profile_t *
copy_profile(const up_profile_t *profile, apr_pool_t *pool)
{
    return profile ? up_profile_copy(profile, pool) : NULL;
}

static const apr_array_header_t *
copy_texts(const apr_array_header_t *texts, apr_pool_t *pool)
{
    apr_array_header_t *copy = apr_array_copy(pool, texts);

    for (int i = 0; i < copy->nelts; i++)
        APR_ARRAY_IDX(copy, i, const char *) =
            apr_pstrdup(pool, APR_ARRAY_IDX(copy, i, const char *));
    return copy;
}

static void
copy_event(up_event_t *event, apr_pool_t *pool)
{
    event->org = apr_pstrdup(pool, event->org);
    event->user = apr_pstrdup(pool, event->user);
    event->author = apr_pstrdup(pool, event->author);
    event->detail = apr_pstrdup(pool, event->detail);
    event->before = copy_profile(event->before, pool);
    event->after = copy_profile(event->after, pool);
}

up_item_t *
up_item_copy(const up_item_t *item, apr_pool_t *pool)
{
    up_item_t *copy = apr_pmemdup(pool, item, sizeof(*item));

    switch (item->kind) {
    case UP_KIND_ORG:
        copy->as.org.id = apr_pstrdup(pool, item->as.org.id);
        copy->as.org.name = apr_pstrdup(pool, item->as.org.name);
        break;
    case UP_KIND_USER:
        copy->as.user.org = apr_pstrdup(pool, item->as.user.org);
        copy->as.user.id = apr_pstrdup(pool, item->as.user.id);
        copy->as.user.profile = copy_profile(item->as.user.profile, pool);
        break;
    case UP_KIND_MEMBER:
        copy->as.member.org = apr_pstrdup(pool, item->as.member.org);
        copy->as.member.user = apr_pstrdup(pool, item->as.member.user);
        copy->as.member.roles = copy_texts(item->as.member.roles, pool);
        break;
    case UP_KIND_TOKEN:
        copy->as.token.user = apr_pstrdup(pool, item->as.token.user);
        break;
    case UP_KIND_EVENT:
        copy_event(&copy->as.event, pool);
        break;
    case UP_KINDS:
        break;
    }
    return copy;
}
