/*
 * up_tokens.h -- bearer tokens: 256 random bits, of which a store keeps only
 * the SHA-256.
 */
#ifndef UP_TOKENS_H
#define UP_TOKENS_H

#include "store/up_store.h"

/* A token of fewer characters can be guessed. */
#define UP_TOKEN_LENGTH_MIN 16

/* How many hex digits a token's id has. */
#define UP_TOKEN_ID_LENGTH 16

/* Make ready what tokens need, as up_sha256_init() does. */
UP_MUST_CHECK up_error_t *up_token_init(apr_pool_t *pool);

/* Whether TEXT can be sent as a bearer token: RFC 6750's b64token. */
int up_token_is_well_formed(const char *text);

/* Set SHA256 to that of TEXT, a token as its bearer sends it. Fails with
 * UP_INTERNAL, in POOL. */
UP_MUST_CHECK up_error_t *up_token_hash(unsigned char sha256[UP_SHA256_BYTES],
                                        const char *text,
                                        apr_pool_t *pool);

/* The id of the token with this SHA256, by which people and events name it, in
 * POOL: the first hex digits of its SHA-256. */
const char *up_token_id(const unsigned char sha256[UP_SHA256_BYTES],
                        apr_pool_t *pool);

/* Set *TEXT, in POOL, to a new token: "up_" and 256 random bits in base64url
 * without padding. */
UP_MUST_CHECK up_error_t *up_token_generate(const char **text,
                                            apr_pool_t *pool);

/* Set *USER, in RESULT_POOL, to the user that the token TEXT speaks for. If the
 * look-up MAY_LAG, as up_store_may_lag() says, a token that was revoked since
 * may be taken; none is refused for being new. TOKEN_INVALID if it is unknown
 * or expired, or if its user is removed, locked or inactive. */
UP_MUST_CHECK up_error_t *up_token_check(const char **user,
                                         up_store_t *store,
                                         int may_lag,
                                         const char *text,
                                         apr_pool_t *result_pool,
                                         apr_pool_t *scratch_pool);

#endif
