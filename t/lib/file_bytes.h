/* file_bytes.h -- whole files in memory. */
#ifndef FILE_BYTES_H
#define FILE_BYTES_H

#include <apr_pools.h>

typedef struct bytes_t {
    unsigned char *at;
    size_t length;
} bytes_t;

/* What the file at PATH has, in POOL. Ends the program if it cannot be read. */
bytes_t slurp(const char *path, apr_pool_t *pool);

/* Make BYTES what the file at PATH has, or end the program. */
void spew(const char *path, bytes_t bytes);

#endif
