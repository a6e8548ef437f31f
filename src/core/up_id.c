/* up_id.c -- ids of users and organisations. */
#include "core/up_id.h"
#include "core/up_utf8.h"

#include <string.h>

/* Unicode's general category Cc: C0, DEL and C1. */
static int
is_control(apr_uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

int
up_id_is_storable(const char *id)
{
    apr_size_t left = strlen(id);

    if (left < 1 || left > UP_ID_MAX_BYTES)
        return 0;
    while (left) {
        apr_uint32_t code_point = (unsigned char)*id;
        apr_size_t size = 1;
        if (code_point & 0x80) /* else it is ASCII, as most is */
            size = up_utf8_decode(&code_point, id, left);
        if (!size || is_control(code_point))
            return 0;
        id += size;
        left -= size;
    }
    return 1;
}

int
up_id_is_allowed(const char *id)
{
    return up_id_is_storable(id) && strcmp(id, ".") != 0 &&
           strcmp(id, "..") != 0;
}

int
up_id_has_slash(const char *id)
{
    return strchr(id, '/') != NULL;
}

apr_size_t
up_id_length(const char *id)
{
    apr_size_t length = strlen(id);

    up_utf8_count(&length, id, length);
    return length;
}
