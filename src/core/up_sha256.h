/* up_sha256.h -- SHA-256 (FIPS 180-4). It takes no memory, so it cannot fail:
 * libcrypto, which fails for ever if memory is short at its first use, has to
 * be asked for every hash whether it worked. */
#ifndef UP_SHA256_H
#define UP_SHA256_H

#include <apr.h>

#define UP_SHA256_BYTES 32

/* Set HASH to the SHA-256 of the LENGTH bytes at BYTES. */
void up_sha256(unsigned char hash[UP_SHA256_BYTES],
               const char *bytes,
               apr_size_t length);

#endif
