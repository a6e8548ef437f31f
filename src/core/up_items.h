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
    apr_time_t expires; /* 0: never */
} up_token_t;

/* What happened to a user. The numbers are stored; do not renumber. */
typedef enum up_event_type_t {
    UP_PROFILE_CHANGED,
    UP_USER_ADDED,
    UP_USER_REMOVED,
    UP_EVENT_TYPES
} up_event_type_t;

typedef struct up_event_t {
    apr_uint64_t number; /* given by the store; 0 before */
    up_event_type_t type;
    apr_time_t time;
    const char *org;
    const char *user;
    const char *author;         /* the caller's id; "" for the tool */
    apr_uint64_t sequence;      /* the user's, after it */
    unsigned fields;            /* changed: bit 1 << up_field_t each */
    const up_profile_t *before; /* of the changed fields, or NULL if none */
    const up_profile_t *after;
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

/* "active", "inactive" ...; "profile.changed" ...; for values below the
 * enum's last. */
const char *up_state_name(up_state_t state);
const char *up_event_type_name(up_event_type_t type);

/* Set *STATE to the one named NAME; returns 0 if there is none. */
int up_state_by_name(up_state_t *state, const char *name);

#endif
