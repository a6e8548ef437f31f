/* up_admin_token.c -- the commands about tokens. */
#include "service/up_admin.h"
#include "service/up_admin_batch.h"
#include "service/up_tokens.h"

#include <apr_cstr.h>
#include <apr_escape.h>
#include <string.h>

/* What is done to tokens, and by whom. */
typedef struct token_command_t {
    up_store_t *store;
    up_item_t item; /* the token; its SHA-256 names one that is there */
    const char *author;
} token_command_t;

/* Append an event of TYPE about TOKEN. */
static up_error_t *
append_event(up_batch_t *batch,
             up_event_type_t type,
             const up_token_t *token,
             const char *author,
             apr_pool_t *pool)
{
    return up_admin_append(
        batch,
        &(up_event_t){.type = type,
                      .user = token->user,
                      .author = author,
                      .detail = up_token_id(token->sha256, pool)},
        pool);
}

static up_error_t *
add_token(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const token_command_t *command = baton;
    const up_token_t *token = &command->item.as.token;

    UP_ERR(up_admin_refuse_removed(batch, token->user, pool));
    UP_ERR(up_batch_put(batch, &command->item, pool));
    return append_event(batch, UP_TOKEN_ADDED, token, command->author, pool);
}

up_error_t *
up_admin_add_token(const char **text,
                   up_store_t *store,
                   const char *user,
                   apr_time_t expires,
                   const char *author,
                   apr_pool_t *pool)
{
    token_command_t command = {store,
                               {.kind = UP_KIND_TOKEN,
                                .as.token = {.user = user,
                                             .created = apr_time_now(),
                                             .expires = expires}},
                               author};

    UP_ERR(up_admin_check(&command.item, 0, pool));
    UP_ERR(up_token_generate(text, pool));
    UP_ERR(up_token_hash(command.item.as.token.sha256, *text, pool));
    return up_admin_in_batch(store, add_token, &command, pool);
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

    if (item->as.token.revoked)
        return NULL;
    if (memcmp(sha256, search->sha256, UP_SHA256_BYTES) != 0 &&
        (!search->prefix ||
         apr_cstr_casecmpn(hex, search->prefix, strlen(search->prefix)) != 0))
        return NULL;
    memcpy(search->item->as.token.sha256, sha256, UP_SHA256_BYTES);
    search->found++;
    return NULL;
}

/* Revoke the token that KEY names, unless that was done meanwhile: set *DONE to
 * whether it was not. */
static up_error_t *
end_token(int *done,
          up_batch_t *batch,
          const up_item_t *key,
          const char *author,
          apr_pool_t *pool)
{
    const up_item_t *there;

    UP_ERR(up_batch_get(&there, batch, key, pool, pool));
    *done = there && !there->as.token.revoked;
    if (!*done)
        return NULL;
    up_item_t revoked = *there;
    revoked.as.token.expires = 0;
    revoked.as.token.revoked = apr_time_now();
    UP_ERR(up_batch_put(batch, &revoked, pool));
    return append_event(batch, UP_TOKEN_REVOKED, &revoked.as.token, author,
                        pool);
}

static up_error_t *
revoke_token(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const token_command_t *command = baton;
    int done;

    UP_ERR(end_token(&done, batch, &command->item, command->author, pool));
    if (!done)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "the token was revoked meanwhile");
    return NULL;
}

up_error_t *
up_admin_revoke_token(up_store_t *store,
                      const char *name,
                      const char *author,
                      apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    token_command_t command = {store, {.kind = UP_KIND_TOKEN}, author};
    search_t search = {.item = &command.item};

    UP_ERR(up_token_hash(search.sha256, name, pool));
    if (strlen(name) >= UP_TOKEN_ID_LENGTH)
        search.prefix = name;
    UP_ERR(up_store_each(store, &filter, match_token, &search, pool));
    if (search.found > 1)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "more than one token has this id");
    if (!search.found)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "no token has this id or text; an id has %d hex digits "
                        "or more",
                        UP_TOKEN_ID_LENGTH);
    return up_admin_in_batch(store, revoke_token, &command, pool);
}

typedef struct revocation_t {
    const char *user;
    apr_array_header_t *tokens; /* of up_item_t: keys of the user's */
} revocation_t;

static up_error_t *
list_token(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const revocation_t *revocation = baton;

    (void)pool;
    if (!item->as.token.revoked &&
        !strcmp(item->as.token.user, revocation->user)) {
        up_item_t *key = apr_array_push(revocation->tokens);
        *key = (up_item_t){.kind = UP_KIND_TOKEN};
        memcpy(key->as.token.sha256, item->as.token.sha256, UP_SHA256_BYTES);
    }
    return NULL;
}

static up_error_t *
revoke_tokens(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const token_command_t *command = baton;
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    revocation_t revocation = {command->item.as.token.user,
                               apr_array_make(pool, 4, sizeof(up_item_t))};
    int done;

    /* While the batch is open, nobody else adds one. */
    UP_ERR(
        up_store_each(command->store, &filter, list_token, &revocation, pool));
    if (!revocation.tokens->nelts)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' has no token", revocation.user);
    for (int i = 0; i < revocation.tokens->nelts; i++)
        UP_ERR(end_token(&done, batch,
                         &APR_ARRAY_IDX(revocation.tokens, i, up_item_t),
                         command->author, pool));
    return NULL;
}

up_error_t *
up_admin_revoke_tokens(up_store_t *store,
                       const char *user,
                       const char *author,
                       apr_pool_t *pool)
{
    token_command_t command = {
        store, {.kind = UP_KIND_TOKEN, .as.token.user = user}, author};

    return up_admin_in_batch(store, revoke_tokens, &command, pool);
}
