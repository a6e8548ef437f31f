/* up_sha256.h -- SHA-256, by libcrypto. Each function fails with UP_INTERNAL,
 * in POOL, if libcrypto cannot make one. */
#ifndef UP_SHA256_H
#define UP_SHA256_H

#include "core/up_items.h"

/* Make libcrypto ready, once per process, before there are threads and
 * requests: its first use takes thousands of allocations, and one of them that
 * fails may leave it unusable. After a failure, each hash tries again. */
UP_MUST_CHECK up_error_t *up_sha256_init(apr_pool_t *pool);

/* Set SHA256 to that of the LENGTH bytes at BYTES. */
UP_MUST_CHECK up_error_t *up_sha256(unsigned char sha256[UP_SHA256_BYTES],
                                    const void *bytes,
                                    apr_size_t length,
                                    apr_pool_t *pool);

/* The same of bytes that come in parts. */
typedef struct up_sha256_t up_sha256_t;

UP_MUST_CHECK up_error_t *up_sha256_begin(up_sha256_t **hash, apr_pool_t *pool);
UP_MUST_CHECK up_error_t *up_sha256_add(up_sha256_t *hash,
                                        const void *bytes,
                                        apr_size_t length,
                                        apr_pool_t *pool);
UP_MUST_CHECK up_error_t *up_sha256_end(unsigned char sha256[UP_SHA256_BYTES],
                                        up_sha256_t *hash,
                                        apr_pool_t *pool);

#endif
