/* up_utf8.h -- counting characters. */
#ifndef UP_UTF8_H
#define UP_UTF8_H

#include <apr.h>

/* Decode one code point of UTF-8 (RFC 3629: no surrogates, nothing over
 * U+10FFFF, no overlong form) from the LENGTH bytes at TEXT into *CODE_POINT.
 * Returns how many bytes it took, or 0 if there is no valid one. */
apr_size_t up_utf8_decode(apr_uint32_t *code_point,
                          const char *text,
                          apr_size_t length);

/* Set *CODE_POINTS to the number of code points in the LENGTH bytes at TEXT.
 * Returns 0, and leaves *CODE_POINTS alone, if they are not UTF-8. */
int up_utf8_count(apr_size_t *code_points, const char *text, apr_size_t length);

#endif
