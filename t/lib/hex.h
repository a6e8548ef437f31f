/* hex.h -- bytes as a test writes them down and shows them. */
#ifndef HEX_H
#define HEX_H

#include <apr_pools.h>

/* The bytes that TEXT stands for, in POOL: lower-case hex digits, with blanks
 * between bytes. Sets *LENGTH; ends the test where TEXT is something else. */
const char *hex_read(apr_size_t *length, const char *text, apr_pool_t *pool);

/* LENGTH bytes at BYTES as hex digits, in POOL. */
const char *hex_show(const char *bytes, apr_size_t length, apr_pool_t *pool);

#endif
