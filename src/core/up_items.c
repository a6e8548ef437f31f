/* up_items.c -- what a store holds: names, and whether two of them are equal.
 */
#include "core/up_items.h"

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

static int
users_are_equal(const up_user_t *a, const up_user_t *b)
{
    if (strcmp(a->org, b->org) != 0 || strcmp(a->id, b->id) != 0 ||
        a->type != b->type || a->state != b->state ||
        a->sequence != b->sequence || a->created != b->created ||
        a->changed != b->changed || !a->profile != !b->profile)
        return 0;
    return !a->profile || !up_profile_diff(a->profile, b->profile);
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
    default:
        return 0;
    }
}
