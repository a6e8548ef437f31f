/* up_tokens.c -- bearer tokens. */
#include "service/up_tokens.h"
#include "service/up_access.h"
#include "service/up_sha256.h"

#include <apr_encode.h>
#include <apr_escape.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define RANDOM_BYTES 32

int
up_token_is_well_formed(const char *text)
{
    const char *end = text;

    while (*end && (apr_isalnum(*end) || strchr("-._~+/", *end)))
        end++;
    return end > text && !end[strspn(end, "=")];
}

up_error_t *
up_token_init(apr_pool_t *pool)
{
    return up_sha256_init(pool);
}

up_error_t *
up_token_hash(unsigned char sha256[UP_SHA256_BYTES],
              const char *text,
              apr_pool_t *pool)
{
    up_error_t *err = up_sha256(sha256, text, strlen(text), pool);

    return err ? up_error_wrap(pool, err, "cannot hash a token") : NULL;
}

const char *
up_token_id(const unsigned char sha256[UP_SHA256_BYTES], apr_pool_t *pool)
{
    return apr_pescape_hex(pool, sha256, UP_TOKEN_ID_LENGTH / 2, 0);
}

up_error_t *
up_token_generate(const char **text, apr_pool_t *pool)
{
    unsigned char random[RANDOM_BYTES];

    apr_status_t rv = apr_generate_random_bytes(random, sizeof(random));
    if (rv)
        return up_error(pool, UP_INTERNAL, rv, "no random bytes can be had");
    *text = apr_pstrcat(pool, "up_",
                        apr_pencode_base64_binary(pool, random, sizeof(random),
                                                  APR_ENCODE_BASE64URL, NULL),
                        NULL);
    return NULL;
}

/* As up_token_check(), of the token with this SHA256, by a look-up that may lag
 * or not. */
static up_error_t *
check(const char **user,
      up_store_t *store,
      int may_lag,
      const unsigned char sha256[UP_SHA256_BYTES],
      apr_pool_t *result_pool,
      apr_pool_t *scratch_pool)
{
    const up_token_t *token;
    up_state_t state = UP_ACTIVE;
    int stored = 0;

    UP_ERR(up_store_token(&token, &stored, &state, store, may_lag, sha256,
                          result_pool, scratch_pool));
    if (!token)
        return up_error(result_pool, UP_TOKEN_INVALID, APR_SUCCESS,
                        "the token is unknown");
    if (token->expires && token->expires <= apr_time_now())
        return up_error(result_pool, UP_TOKEN_INVALID, APR_SUCCESS,
                        "the token of user '%s' has expired", token->user);
    if (stored && up_caller_is_barred(state))
        return up_error(result_pool, UP_TOKEN_INVALID, APR_SUCCESS,
                        "user '%s', whose token it is, is %s", token->user,
                        up_state_name(state));
    *user = token->user;
    return NULL;
}

up_error_t *
up_token_check(const char **user,
               up_store_t *store,
               int may_lag,
               const char *text,
               apr_pool_t *result_pool,
               apr_pool_t *scratch_pool)
{
    unsigned char sha256[UP_SHA256_BYTES];

    UP_ERR(up_token_hash(sha256, text, result_pool));
    if (may_lag && up_store_may_lag(store) &&
        !check(user, store, 1, sha256, result_pool, scratch_pool))
        return NULL;
    return check(user, store, 0, sha256, result_pool, scratch_pool);
}
