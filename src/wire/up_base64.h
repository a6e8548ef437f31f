/* up_base64.h -- base64 (RFC 4648 4) as gRPC-Web and details of errors use it.
 */
#ifndef UP_BASE64_H
#define UP_BASE64_H

#include "core/up_error.h"

/* LENGTH bytes at BYTES in base64 without padding, in POOL. */
const char *up_base64_unpadded(const char *bytes,
                               apr_size_t length,
                               apr_pool_t *pool);

/* Set *BYTES and *LENGTH, in POOL, to what the SIZE bytes at TEXT stand for:
 * one piece of base64 or more, each with its padding. UP_MESSAGE_INVALID if
 * they are no such thing. */
UP_MUST_CHECK up_error_t *up_base64_decode(const char **bytes,
                                           apr_size_t *length,
                                           const char *text,
                                           apr_size_t size,
                                           apr_pool_t *pool);

#endif
