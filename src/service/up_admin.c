/* up_admin.c -- the commands of administrators, for every tool. */
#include "service/up_admin.h"
#include "core/up_id.h"
#include "service/up_access.h"
#include "service/up_tokens.h"
#include "service/up_user.h"

#include <apr_cstr.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <string.h>

/* A token's id is at least so many hex digits of its SHA-256. */
#define TOKEN_ID_MIN 16

/* What a batch does. */
typedef up_error_t *(*step_t)(up_batch_t *batch, void *baton, apr_pool_t *pool);

/* Take STEP in a batch of its own. If it fails the batch is given up at once,
 * since other writers wait for it. */
static up_error_t *
in_batch(up_store_t *store, step_t step, void *baton, apr_pool_t *pool)
{
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    apr_pool_create(&batch_pool, pool);
    UP_ERR(up_batch_begin(&batch, store, batch_pool));
    up_error_t *err = step(batch, baton, pool);
    if (err) {
        apr_pool_destroy(batch_pool);
        return err;
    }
    return up_batch_commit(batch);
}

/* Set *USER to the one with this ID in any organisation, or to NULL. */
static up_error_t *
find_user(const up_user_t **user,
          up_batch_t *batch,
          const char *id,
          apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_USER, .as.user.id = id};
    const up_item_t *item;

    UP_ERR(up_batch_get(&item, batch, &key, pool, pool));
    *user = item ? &item->as.user : NULL;
    return NULL;
}

/* UP_CONFLICT if the user ID was removed: it gets no new rights. */
static up_error_t *
refuse_removed(up_batch_t *batch, const char *id, apr_pool_t *pool)
{
    const up_user_t *user;

    UP_ERR(find_user(&user, batch, id, pool));
    if (user && user->state == UP_REMOVED)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS, "user '%s' is removed",
                        id);
    return NULL;
}

/* What is done to a user, and by whom. */
typedef struct user_command_t {
    up_item_t
        item; /* the user; its organisation and id name one that is there */
    const char *author;
    unsigned fields; /* of the profile, that are to be set */
    int sets_state;
    int erases;
} user_command_t;

/* Append an event of TYPE about USER. AFTER is the profile of a new user, or
 * NULL. */
static up_error_t *
append_event(up_batch_t *batch,
             up_event_type_t type,
             const up_user_t *user,
             const up_profile_t *after,
             const char *author,
             apr_pool_t *pool)
{
    up_item_t item = {
        .kind = UP_KIND_EVENT,
        .as.event = {.type = type,
                     .time = user->changed,
                     .org = user->org,
                     .user = user->id,
                     .author = author,
                     .sequence = user->sequence,
                     .after = after},
    };

    if (after)
        item.as.event.fields = up_profile_diff(up_profile_make(pool), after);
    return up_batch_put(batch, &item, pool);
}

static up_error_t *
add_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, item, pool, pool));
    if (there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' exists already", item->as.org.id);
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_add_org(up_store_t *store, const up_org_t *org, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_ORG, .as.org = *org};

    UP_ERR(up_admin_check(&item, 0, pool));
    return in_batch(store, add_org, &item, pool);
}

/* UP_CONFLICT unless the organisation of ORG's id is there. */
static up_error_t *
require_org(up_batch_t *batch, const up_item_t *org, apr_pool_t *pool)
{
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, org, pool, pool));
    if (!there)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "there is no organisation '%s'", org->as.org.id);
    return NULL;
}

static up_error_t *
rename_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;

    UP_ERR(require_org(batch, item, pool));
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_rename_org(up_store_t *store, const up_org_t *org, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_ORG, .as.org = *org};

    UP_ERR(up_admin_check(&item, 0, pool));
    return in_batch(store, rename_org, &item, pool);
}

/* What is in an organisation that is to be removed. */
typedef struct contents_t {
    apr_array_header_t *keys; /* of up_item_t: removed users, memberships */
    int users;                /* that are not removed */
} contents_t;

static up_error_t *
list_content(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    contents_t *contents = baton;
    up_item_t key = {.kind = item->kind};

    (void)pool;
    if (item->kind == UP_KIND_USER && item->as.user.state != UP_REMOVED) {
        contents->users++;
        return NULL;
    }
    apr_pool_t *keys_pool = contents->keys->pool;
    if (item->kind == UP_KIND_USER) {
        key.as.user.org = apr_pstrdup(keys_pool, item->as.user.org);
        key.as.user.id = apr_pstrdup(keys_pool, item->as.user.id);
    } else {
        key.as.member.org = apr_pstrdup(keys_pool, item->as.member.org);
        key.as.member.user = apr_pstrdup(keys_pool, item->as.member.user);
    }
    APR_ARRAY_PUSH(contents->keys, up_item_t) = key;
    return NULL;
}

typedef struct org_command_t {
    up_store_t *store;
    up_item_t org;
} org_command_t;

static up_error_t *
remove_org(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const org_command_t *command = baton;
    const char *id = command->org.as.org.id;
    up_filter_t filter = {.kinds = 1u << UP_KIND_USER | 1u << UP_KIND_MEMBER,
                          .org = id};
    contents_t contents = {apr_array_make(pool, 16, sizeof(up_item_t)), 0};
    int found;

    UP_ERR(require_org(batch, &command->org, pool));
    /* While the batch is open, nobody else changes what is read here. */
    UP_ERR(
        up_store_each(command->store, &filter, list_content, &contents, pool));
    if (contents.users)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' has users that are not removed: %d",
                        id, contents.users);
    for (int i = 0; i < contents.keys->nelts; i++)
        UP_ERR(up_batch_remove(
            &found, batch, &APR_ARRAY_IDX(contents.keys, i, up_item_t), pool));
    return up_batch_remove(&found, batch, &command->org, pool);
}

up_error_t *
up_admin_remove_org(up_store_t *store, const char *id, apr_pool_t *pool)
{
    org_command_t command = {store, {.kind = UP_KIND_ORG, .as.org.id = id}};

    if (!up_id_is_storable(id))
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "there is no organisation '%s'", id);
    return in_batch(store, remove_org, &command, pool);
}

static up_error_t *
add_user(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const user_command_t *command = baton;
    const up_user_t *user = &command->item.as.user, *there;

    UP_ERR(find_user(&there, batch, user->id, pool));
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
    return in_batch(store, add_user, &command, pool);
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
    UP_ERR(find_user(user, batch, key->id, pool));
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
    up_item_t event = {.kind = UP_KIND_EVENT};

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
    event.as.event =
        *up_user_profile_event(before, user, changed, command->author, pool);
    return up_batch_put(batch, &event, pool);
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
    UP_ERR(refuse_removed(batch, wanted->id, pool));
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
    return in_batch(store, set_user, &command, pool);
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
        UP_ERR(up_batch_remove_rights(batch, key->id, pool));
        UP_ERR(append_event(batch, UP_USER_REMOVED, &after.as.user, NULL,
                            command->author, pool));
    }
    if (command->erases) {
        if (before->profile)
            after.as.user.profile = up_profile_make(pool);
        UP_ERR(up_batch_erase_events(batch, key->id, pool));
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
    return in_batch(store, remove_user, &command, pool);
}

static int
has_role(const apr_array_header_t *roles, const char *role)
{
    for (int i = 0; i < roles->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(roles, i, const char *), role))
            return 1;
    }
    return 0;
}

static up_error_t *
set_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;

    UP_ERR(refuse_removed(batch, item->as.member.user, pool));
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_set_member(up_store_t *store,
                    const up_member_t *member,
                    apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_MEMBER, .as.member = *member};

    UP_ERR(up_admin_check(&item, 0, pool));
    return in_batch(store, set_member, &item, pool);
}

static up_error_t *
add_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;
    up_member_t *member = &item->as.member;
    const apr_array_header_t *more = member->roles;
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, item, pool, pool));
    apr_array_header_t *all = apr_array_make(pool, more->nelts, sizeof(char *));
    if (there)
        apr_array_cat(all, there->as.member.roles);
    for (int i = 0; i < more->nelts; i++) {
        const char *role = APR_ARRAY_IDX(more, i, const char *);
        if (!has_role(all, role))
            APR_ARRAY_PUSH(all, const char *) = role;
    }
    member->roles = all;
    UP_ERR(up_admin_check(item, 0, pool));
    return set_member(batch, item, pool);
}

up_error_t *
up_admin_add_member(up_store_t *store,
                    const up_member_t *member,
                    apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_MEMBER, .as.member = *member};

    UP_ERR(up_admin_check(&item, 0, pool));
    return in_batch(store, add_member, &item, pool);
}

/* Take the roles of the membership ITEM out of the array BATON; its places are
 * NULL then. */
static up_error_t *
take_known(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_array_header_t *unknown = baton;

    (void)pool;
    for (int i = 0; i < unknown->nelts; i++) {
        const char **role = &APR_ARRAY_IDX(unknown, i, const char *);
        if (*role && has_role(item->as.member.roles, *role))
            *role = NULL;
    }
    return NULL;
}

up_error_t *
up_admin_unknown_role(const char **role,
                      up_store_t *store,
                      const apr_array_header_t *roles,
                      apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_MEMBER};
    apr_array_header_t *unknown =
        apr_array_make(pool, roles->nelts, sizeof(const char *));

    *role = NULL;
    for (int i = 0; i < roles->nelts; i++) {
        const char *name = APR_ARRAY_IDX(roles, i, const char *);
        if (!up_role_permissions(NULL, name))
            APR_ARRAY_PUSH(unknown, const char *) = name;
    }
    if (unknown->nelts)
        UP_ERR(up_store_each(store, &filter, take_known, unknown, pool));
    for (int i = unknown->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(unknown, i, const char *);
        if (name)
            *role = name;
    }
    return NULL;
}

/* The item BATON names the membership by organisation and user. */
static up_error_t *
remove_member(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;
    const up_member_t *member = &item->as.member;
    int found = 0;

    if (up_id_is_storable(member->user) &&
        (!*member->org || up_id_is_storable(member->org)))
        UP_ERR(up_batch_remove(&found, batch, item, pool));
    if (found)
        return NULL;
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "user '%s' is no member of %s%s%s", member->user,
                    *member->org ? "organisation '" : "the instance",
                    member->org, *member->org ? "'" : "");
}

up_error_t *
up_admin_remove_member(up_store_t *store,
                       const char *org,
                       const char *user,
                       apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_MEMBER,
                      .as.member = {.org = org, .user = user}};

    return in_batch(store, remove_member, &item, pool);
}

static up_error_t *
add_token(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;

    UP_ERR(refuse_removed(batch, item->as.token.user, pool));
    return up_batch_put(batch, item, pool);
}

up_error_t *
up_admin_add_token(const char **text,
                   up_store_t *store,
                   const char *user,
                   apr_time_t expires,
                   apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_TOKEN,
                      .as.token = {.user = user,
                                   .created = apr_time_now(),
                                   .expires = expires}};

    UP_ERR(up_admin_check(&item, 0, pool));
    UP_ERR(up_token_generate(text, pool));
    UP_ERR(up_token_hash(item.as.token.sha256, *text, pool));
    return in_batch(store, add_token, &item, pool);
}

/* The search for a token by the beginning of its SHA-256 or by its text. */
typedef struct search_t {
    const char *prefix;                    /* of hex digits; NULL: it is none */
    unsigned char sha256[UP_SHA256_BYTES]; /* of the text */
    up_item_t *item;                       /* the last one found */
    int found;
} search_t;

static up_error_t *
match_token(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    search_t *search = baton;
    const unsigned char *sha256 = item->as.token.sha256;
    const char *hex = apr_pescape_hex(pool, sha256, UP_SHA256_BYTES, 0);

    if (memcmp(sha256, search->sha256, UP_SHA256_BYTES) != 0 &&
        (!search->prefix ||
         apr_cstr_casecmpn(hex, search->prefix, strlen(search->prefix)) != 0))
        return NULL;
    memcpy(search->item->as.token.sha256, sha256, UP_SHA256_BYTES);
    search->found++;
    return NULL;
}

static up_error_t *
remove_token(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;
    int found;

    UP_ERR(up_batch_remove(&found, batch, item, pool));
    if (!found)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "the token was revoked meanwhile");
    return NULL;
}

up_error_t *
up_admin_revoke_token(up_store_t *store, const char *name, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    up_item_t item = {.kind = UP_KIND_TOKEN};
    search_t search = {.item = &item};

    UP_ERR(up_token_hash(search.sha256, name, pool));
    if (strlen(name) >= TOKEN_ID_MIN)
        search.prefix = name;
    UP_ERR(up_store_each(store, &filter, match_token, &search, pool));
    if (search.found > 1)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "more than one token has this id");
    if (!search.found)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "no token has this id or text; an id has %d hex digits "
                        "or more",
                        TOKEN_ID_MIN);
    return in_batch(store, remove_token, &item, pool);
}

typedef struct revocation_t {
    up_store_t *store;
    const char *user;
    apr_array_header_t *tokens; /* of up_item_t: keys of the user's */
} revocation_t;

static up_error_t *
list_token(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const revocation_t *revocation = baton;

    (void)pool;
    if (!strcmp(item->as.token.user, revocation->user)) {
        up_item_t *key = apr_array_push(revocation->tokens);
        *key = (up_item_t){.kind = UP_KIND_TOKEN};
        memcpy(key->as.token.sha256, item->as.token.sha256, UP_SHA256_BYTES);
    }
    return NULL;
}

static up_error_t *
remove_tokens(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    revocation_t *revocation = baton;
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    int found;

    /* While the batch is open, nobody else adds one. */
    UP_ERR(up_store_each(revocation->store, &filter, list_token, revocation,
                         pool));
    if (!revocation->tokens->nelts)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' has no token", revocation->user);
    for (int i = 0; i < revocation->tokens->nelts; i++)
        UP_ERR(up_batch_remove(&found, batch,
                               &APR_ARRAY_IDX(revocation->tokens, i, up_item_t),
                               pool));
    return NULL;
}

up_error_t *
up_admin_revoke_tokens(up_store_t *store, const char *user, apr_pool_t *pool)
{
    revocation_t revocation = {store, user,
                               apr_array_make(pool, 4, sizeof(up_item_t))};

    return in_batch(store, remove_tokens, &revocation, pool);
}
