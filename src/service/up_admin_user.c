/* up_admin_user.c -- the commands about users. */
#include "service/up_admin.h"
#include "core/up_id.h"
#include "service/up_admin_batch.h"
#include "service/up_user.h"

#include <string.h>

/* What is done to a user, and by whom. */
typedef struct user_command_t {
    up_item_t
        item; /* the user; its organisation and id name one that is there */
    const char *author;
    unsigned fields; /* of the profile, that are to be set */
    int sets_state;
    int erases;
} user_command_t;

/* Append an event of TYPE about USER, as it is after that. PROFILE is that of a
 * new user, or NULL. */
static up_error_t *
append_event(up_batch_t *batch,
             up_event_type_t type,
             const up_user_t *user,
             const up_profile_t *profile,
             const char *author,
             apr_pool_t *pool)
{
    up_event_t event = {.type = type,
                        .time = user->changed,
                        .org = user->org,
                        .user = user->id,
                        .author = author,
                        .sequence = user->sequence,
                        .after = profile};

    if (profile)
        event.fields = up_profile_diff(up_profile_make(pool), profile);
    return up_admin_append(batch, &event, pool);
}

static up_error_t *
add_user(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const user_command_t *command = baton;
    const up_user_t *user = &command->item.as.user, *there;

    UP_ERR(up_admin_find_user(&there, batch, user->id, pool));
    if (there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' %s a user '%s' already", there->org,
                        there->state == UP_REMOVED ? "had" : "has", user->id);
    UP_ERR(up_batch_put(batch, &command->item, pool));
    return append_event(batch, UP_USER_ADDED, user, user->profile,
                        command->author, pool);
}

up_error_t *
up_admin_add_user(up_store_t *store,
                  const up_user_t *user,
                  const char *author,
                  apr_pool_t *pool)
{
    user_command_t command = {.item = {.kind = UP_KIND_USER, .as.user = *user},
                              .author = author};
    up_user_t *added = &command.item.as.user;
    unsigned fields = 0;

    added->state = UP_ACTIVE;
    added->sequence = 1;
    added->created = added->changed = apr_time_now();
    if (user->profile)
        fields = up_profile_diff(up_profile_make(pool), user->profile);
    UP_ERR(up_admin_check(&command.item, fields, pool));
    return up_admin_in_batch(store, add_user, &command, pool);
}

up_error_t *
up_admin_get_user(const up_user_t **user,
                  up_store_t *store,
                  const char *org,
                  const char *id,
                  apr_pool_t *pool)
{
    up_view_t *view;

    *user = NULL;
    if (!up_id_is_storable(org) || !up_id_is_storable(id))
        return NULL;
    up_query_t query = {.wanted = org, .user = id};
    UP_ERR(up_store_read(&view, store, &query, pool, pool));
    *user = view->user;
    return NULL;
}

static up_error_t *
refuse_stranger(const char *org, const char *id, apr_pool_t *pool)
{
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "organisation '%s' has no user '%s'", org, id);
}

/* Set *USER to the one that KEY names by organisation and id, which must be
 * there. */
static up_error_t *
get_user(const up_user_t **user,
         up_batch_t *batch,
         const up_user_t *key,
         apr_pool_t *pool)
{
    UP_ERR(up_admin_find_user(user, batch, key->id, pool));
    if (!*user || strcmp((*user)->org, key->org) != 0)
        return refuse_stranger(key->org, key->id, pool);
    return NULL;
}

/* Set the profile of AFTER, which is a copy of BEFORE, as COMMAND says, and
 * append the event. */
static up_error_t *
set_profile(up_batch_t *batch,
            up_item_t *after,
            const up_user_t *before,
            const user_command_t *command,
            apr_pool_t *pool)
{
    up_user_t *user = &after->as.user;

    if (before->type != UP_HUMAN)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' is a machine, which has no profile",
                        before->id);
    up_profile_t *merged = up_profile_copy(before->profile, pool);
    up_profile_assign(merged, command->item.as.user.profile, command->fields);
    user->profile = merged;
    UP_ERR(up_admin_check(after, UP_ALL_FIELDS, pool));
    unsigned changed = up_profile_diff(before->profile, user->profile);
    if (!changed)
        return NULL;
    UP_ERR(up_user_touch(user, pool));
    return up_admin_append(
        batch,
        up_user_profile_event(before, user, changed, command->author, pool),
        pool);
}

static up_error_t *
set_user(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    static const up_event_type_t events[UP_STATES] = {
        [UP_ACTIVE] = UP_USER_ACTIVATED, [UP_INACTIVE] = UP_USER_DEACTIVATED,
        [UP_LOCKED] = UP_USER_LOCKED,    [UP_INITIAL] = UP_USER_INITIALISED,
        [UP_REMOVED] = UP_USER_REMOVED,
    };
    const user_command_t *command = baton;
    const up_user_t *wanted = &command->item.as.user, *before;

    UP_ERR(get_user(&before, batch, wanted, pool));
    UP_ERR(up_admin_refuse_removed(batch, wanted->id, pool));
    up_item_t after = {.kind = UP_KIND_USER, .as.user = *before};
    up_user_t *user = &after.as.user;
    if (command->fields)
        UP_ERR(set_profile(batch, &after, before, command, pool));
    if (command->sets_state && user->state != wanted->state) {
        user->state = wanted->state;
        UP_ERR(up_user_touch(user, pool));
        UP_ERR(append_event(batch, events[user->state], user, NULL,
                            command->author, pool));
    }
    return user->sequence == before->sequence
               ? NULL
               : up_batch_put(batch, &after, pool);
}

up_error_t *
up_admin_set_user(up_store_t *store,
                  const up_user_t *user,
                  unsigned fields,
                  int sets_state,
                  const char *author,
                  apr_pool_t *pool)
{
    user_command_t command = {.item = {.kind = UP_KIND_USER, .as.user = *user},
                              .author = author,
                              .fields = fields,
                              .sets_state = sets_state};

    if (!up_id_is_storable(user->id))
        return refuse_stranger(user->org, user->id, pool);
    return up_admin_in_batch(store, set_user, &command, pool);
}

static up_error_t *
remove_user(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const user_command_t *command = baton;
    const up_user_t *key = &command->item.as.user, *before;

    UP_ERR(get_user(&before, batch, key, pool));
    if (before->state == UP_REMOVED && !command->erases)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' is removed already", key->id);

    up_item_t after = {.kind = UP_KIND_USER, .as.user = *before};
    if (before->state != UP_REMOVED) {
        after.as.user.state = UP_REMOVED;
        UP_ERR(up_user_touch(&after.as.user, pool));
        UP_ERR(up_batch_remove_rights(batch, key->id, after.as.user.changed,
                                      pool));
        UP_ERR(append_event(batch, UP_USER_REMOVED, &after.as.user, NULL,
                            command->author, pool));
    }
    if (command->erases) {
        if (before->profile)
            after.as.user.profile = up_profile_make(pool);
        UP_ERR(up_batch_erase_events(batch, key->id, pool));
        UP_ERR(up_admin_append(batch,
                               &(up_event_t){.type = UP_USER_ERASED,
                                             .org = key->org,
                                             .user = key->id,
                                             .author = command->author},
                               pool));
    }
    return up_batch_put(batch, &after, pool);
}

up_error_t *
up_admin_remove_user(up_store_t *store,
                     const char *org,
                     const char *id,
                     int erases,
                     const char *author,
                     apr_pool_t *pool)
{
    user_command_t command = {
        .item = {.kind = UP_KIND_USER, .as.user = {.org = org, .id = id}},
        .author = author,
        .erases = erases};

    if (!up_id_is_storable(id))
        return refuse_stranger(org, id, pool);
    return up_admin_in_batch(store, remove_user, &command, pool);
}
