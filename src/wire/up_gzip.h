/* up_gzip.h -- reading gzip (RFC 1952). */
#ifndef UP_GZIP_H
#define UP_GZIP_H

#include "core/up_error.h"

/* Set *TEXT and *LENGTH, in POOL, to what the SIZE bytes at PACKED, one member
 * or more, inflate to. UP_BODY_TOO_LARGE if that is more than LIMIT bytes;
 * UP_BODY_INVALID if they are cut, damaged, or followed by anything else. */
UP_MUST_CHECK up_error_t *up_gzip_inflate(const char **text,
                                          apr_size_t *length,
                                          const char *packed,
                                          apr_uint32_t size,
                                          apr_size_t limit,
                                          apr_pool_t *pool);

#endif
