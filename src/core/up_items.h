/*
 * up_items.h -- what a store holds: organisations, users, memberships,
 * tokens and events.
 *
 * Text is never NULL unless it says so. Times are UTC, in microseconds.
 */
#ifndef UP_ITEMS_H
#define UP_ITEMS_H

#include "core/up_profile.h"

#include <apr_time.h>

#define UP_SHA256_BYTES 32

/* The largest sequence of a user. A user that has it cannot be changed any
 * longer, since an import refuses a larger one. */
#define UP_SEQUENCE_MAX APR_UINT64_C(9223372036854775807)

/* The largest number of an event that an import takes: many more may follow. */
#define UP_EVENT_NUMBER_MAX APR_UINT64_C(1000000000000000000)

typedef enum up_user_type_t { UP_HUMAN, UP_MACHINE } up_user_type_t;

/* The numbers are stored; do not renumber. */
typedef enum up_state_t {
    UP_ACTIVE,
    UP_INACTIVE,
    UP_LOCKED,
    UP_INITIAL,
    UP_REMOVED,
    UP_STATES
} up_state_t;

typedef struct up_org_t {
    const char *id;
    const char *name; /* "" if none was given */
} up_org_t;

typedef struct up_user_t {
    const char *org;
    const char *id; /* unique in the whole store */
    up_user_type_t type;
    up_state_t state;
    apr_uint64_t sequence; /* 1 at creation, one more for each change */
    apr_time_t created;
    apr_time_t changed;
    const up_profile_t *profile; /* NULL for a machine user */
} up_user_t;

typedef struct up_member_t {
    const char *org; /* "" is the instance */
    const char *user;
    const apr_array_header_t *roles; /* of const char *; at least one */
} up_member_t;

typedef struct up_token_t {
    unsigned char sha256[UP_SHA256_BYTES]; /* of the token's text */
    const char *user;
    apr_time_t created;
    apr_time_t expires; /* 0: never; it is, once the token is revoked */
    apr_time_t revoked; /* 0: it is not. The record of a token that was revoked
                         * stays, so that no import makes it valid again */
} up_token_t;

/* What happened. The numbers are stored; do not renumber. */
typedef enum up_event_type_t {
    UP_PROFILE_CHANGED,
    UP_USER_ADDED,
    UP_USER_REMOVED,
    UP_USER_ACTIVATED, /* this one and those that follow: a new state */
    UP_USER_DEACTIVATED,
    UP_USER_LOCKED,
    UP_USER_INITIALISED, /* the last new state */
    UP_USER_ERASED,
    UP_ORG_ADDED,
    UP_ORG_RENAMED,
    UP_ORG_REMOVED,
    UP_MEMBER_ADDED,
    UP_MEMBER_CHANGED,
    UP_MEMBER_REMOVED,
    UP_TOKEN_ADDED,
    UP_TOKEN_REVOKED,
    UP_STORE_IMPORTED,
    UP_EVENTS_PRUNED,
    UP_EVENT_TYPES
} up_event_type_t;

typedef struct up_event_t {
    apr_uint64_t number; /* given by the store; 0 before */
    up_event_type_t type;
    apr_time_t time;
    const char *org;       /* "" if it is about none */
    const char *user;      /* "" if it is about none */
    const char *author;    /* the caller's id; "tool:" and the name of the user
                            * who ran the tool */
    apr_uint64_t sequence; /* the user's, after it; 0: it did not change */
    unsigned fields;       /* changed: bit 1 << up_field_t each */
    const up_profile_t *before; /* of the changed fields, or NULL if none */
    const up_profile_t *after;
    const char *detail; /* what else is to be said, no value of a profile: the
                         * name of an organisation, the roles of a membership,
                         * the id of a token, the counts of an import; or "" */
} up_event_t;

typedef enum up_kind_t {
    UP_KIND_ORG,
    UP_KIND_USER,
    UP_KIND_MEMBER,
    UP_KIND_TOKEN,
    UP_KIND_EVENT,
    UP_KINDS
} up_kind_t;

/* One of what a store holds; also one line of an import or export. */
typedef struct up_item_t {
    up_kind_t kind;
    union {
        up_org_t org;
        up_user_t user;
        up_member_t member;
        up_token_t token;
        up_event_t event;
    } as;
} up_item_t;

/* What a source of items says of one; the rest has its default. */
typedef struct up_given_t {
    unsigned fields; /* of a human's profile, empty ones too */
    int created;     /* whether it has that date; */
    int changed;     /* or this one */
} up_given_t;

/* "active", "inactive" ...; "profile.changed" ...; for values below the
 * enum's last. */
const char *up_state_name(up_state_t state);
const char *up_event_type_name(up_event_type_t type);

/* Set *STATE, or *TYPE, to the one named NAME; returns 0 if there is none. */
int up_state_by_name(up_state_t *state, const char *name);
int up_event_type_by_name(up_event_type_t *type, const char *name);

/* Whether A and B say the same. */
int up_items_are_equal(const up_item_t *a, const up_item_t *b);

/* A copy of ITEM in POOL, text included. */
up_item_t *up_item_copy(const up_item_t *item, apr_pool_t *pool);

#endif
