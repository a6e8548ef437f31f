/* hex.c -- bytes as a test writes them down and shows them. */
#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

/* The value of the hex digit at TEXT; ends the test if it is none. */
static int
digit_value(const char *text)
{
    const char *found = *text ? strchr(digits, *text) : NULL;

    if (!found) {
        printf("Bail out! not hex: %s\n", text);
        exit(1);
    }
    return (int)(found - digits);
}

const char *
hex_read(apr_size_t *length, const char *text, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, strlen(text) / 2 + 1), *end = bytes;

    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        int high = digit_value(text++), low = digit_value(text++);
        *end++ = (char)(high << 4 | low);
    }
    *length = (apr_size_t)(end - bytes);
    return bytes;
}

const char *
hex_show(const char *bytes, apr_size_t length, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * length + 1), *at = text;

    for (apr_size_t i = 0; i < length; i++) {
        *at++ = digits[(unsigned char)bytes[i] >> 4];
        *at++ = digits[bytes[i] & 0xf];
    }
    *at = '\0';
    return text;
}
