/* up_admin_token.c -- the commands about tokens. */
#include "service/up_admin.h"
#include "service/up_admin_batch.h"
#include "service/up_tokens.h"

#include <apr_cstr.h>
#include <apr_escape.h>
#include <string.h>

/* A token's id is at least so many hex digits of its SHA-256. */
#define TOKEN_ID_MIN 16

static up_error_t *
add_token(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    up_item_t *item = baton;

    UP_ERR(up_admin_refuse_removed(batch, item->as.token.user, pool));
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
    return up_admin_in_batch(store, add_token, &item, pool);
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
    return up_admin_in_batch(store, remove_token, &item, pool);
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

    return up_admin_in_batch(store, remove_tokens, &revocation, pool);
}
