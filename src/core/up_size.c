/* up_size.c -- sizes as an administrator writes them. */
#include "core/up_size.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>

int
up_size_parse(apr_int64_t *size,
              const char *text,
              apr_int64_t least,
              apr_int64_t most)
{
    apr_int64_t unit = 1;
    char *end;

    if (!apr_isdigit(*text))
        return 0;
    errno = 0;
    apr_int64_t number = apr_strtoi64(text, &end, 10);
    if (errno)
        return 0;
    switch (apr_toupper(*end)) {
    case 'K':
        unit = 1 << 10;
        break;
    case 'M':
        unit = 1 << 20;
        break;
    case 'G':
        unit = 1 << 30;
        break;
    }
    if (unit > 1)
        end++;
    if (*end || number > most / unit || number * unit < least)
        return 0;
    *size = number * unit;
    return 1;
}
