/* up_size.h -- sizes as an administrator writes them: "64M". */
#ifndef UP_SIZE_H
#define UP_SIZE_H

#include <apr.h>

/* Set *SIZE from TEXT: digits, and perhaps K, M or G for the powers of 1024.
 * Returns 0 if TEXT is no such thing, or not from LEAST to MOST. */
int up_size_parse(apr_int64_t *size,
                  const char *text,
                  apr_int64_t least,
                  apr_int64_t most);

#endif
