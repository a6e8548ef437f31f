/* up_sha256.c -- SHA-256; the one file with libcrypto. */
#include "service/up_sha256.h"

#include <openssl/evp.h>

struct up_sha256_t {
    EVP_MD_CTX *context;
};

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
                    "libcrypto cannot make a SHA-256");
}

up_error_t *
up_sha256_init(apr_pool_t *pool)
{
    return sha256_method() ? NULL : no_sha256(pool);
}

up_error_t *
up_sha256(unsigned char sha256[UP_SHA256_BYTES],
          const void *bytes,
          apr_size_t length,
          apr_pool_t *pool)
{
    const EVP_MD *method = sha256_method();

    if (!method || !EVP_Digest(bytes, length, sha256, NULL, method, NULL))
        return no_sha256(pool);
    return NULL;
}

static apr_status_t
free_context(void *baton)
{
    EVP_MD_CTX_free(baton);
    return APR_SUCCESS;
}

up_error_t *
up_sha256_begin(up_sha256_t **hash, apr_pool_t *pool)
{
    const EVP_MD *method = sha256_method();

    *hash = apr_palloc(pool, sizeof(**hash));
    (*hash)->context = EVP_MD_CTX_new();
    if (!(*hash)->context)
        return no_sha256(pool);
    apr_pool_cleanup_register(pool, (*hash)->context, free_context,
                              apr_pool_cleanup_null);
    if (!method || !EVP_DigestInit_ex2((*hash)->context, method, NULL))
        return no_sha256(pool);
    return NULL;
}

up_error_t *
up_sha256_add(up_sha256_t *hash,
              const void *bytes,
              apr_size_t length,
              apr_pool_t *pool)
{
    return EVP_DigestUpdate(hash->context, bytes, length) ? NULL
                                                          : no_sha256(pool);
}

up_error_t *
up_sha256_end(unsigned char sha256[UP_SHA256_BYTES],
              up_sha256_t *hash,
              apr_pool_t *pool)
{
    return EVP_DigestFinal_ex(hash->context, sha256, NULL) ? NULL
                                                           : no_sha256(pool);
}
