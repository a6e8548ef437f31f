/* up_tokens.c -- bearer tokens; the one file with libcrypto. */
#include "service/up_tokens.h"
#include "service/up_access.h"

#include <apr_encode.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/evp.h>
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

/* libcrypto's SHA-256, fetched once: to look it up by its name costs more than
 * hashing a token. NULL if it cannot be had now. */
static const EVP_MD *
sha256_method(void)
{
    static EVP_MD *fetched; /* atomic; NULL: not yet */

    EVP_MD *method = __atomic_load_n(&fetched, __ATOMIC_ACQUIRE), *other = NULL;
    if (method)
        return method;
    method = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!method ||
        __atomic_compare_exchange_n(&fetched, &other, method, 0,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return method;
    EVP_MD_free(method); /* another thread was first */
    return other;
}

static up_error_t *
no_sha256(apr_pool_t *pool)
{
    return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                    "libcrypto cannot make a SHA-256, which each token needs");
}

up_error_t *
up_token_init(apr_pool_t *pool)
{
    return sha256_method() ? NULL : no_sha256(pool);
}

up_error_t *
up_token_hash(unsigned char sha256[UP_SHA256_BYTES],
              const char *text,
              apr_pool_t *pool)
{
    const EVP_MD *method = sha256_method();

    if (!method || !EVP_Digest(text, strlen(text), sha256, NULL, method, NULL))
        return no_sha256(pool);
    return NULL;
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

up_error_t *
up_token_check(const char **user,
               up_store_t *store,
               const char *text,
               apr_pool_t *result_pool,
               apr_pool_t *scratch_pool)
{
    unsigned char sha256[UP_SHA256_BYTES];
    const up_token_t *token;
    up_state_t state = UP_ACTIVE;
    int stored = 0;

    UP_ERR(up_token_hash(sha256, text, result_pool));
    UP_ERR(up_store_token(&token, &stored, &state, store, sha256, result_pool,
                          scratch_pool));
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
