/* up_items.c -- the names of what a store holds. */
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
