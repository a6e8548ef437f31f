/* up_utf8.c -- counting characters. */
#include "core/up_utf8.h"

/* By the lead byte: how long, which bits are its own, the least code point
 * that needs this length. */
static const struct {
    unsigned char mask, lead, bits;
    apr_uint32_t least;
} forms[] = {
    {0x80, 0x00, 0x7f, 0},
    {0xe0, 0xc0, 0x1f, 0x80},
    {0xf0, 0xe0, 0x0f, 0x800},
    {0xf8, 0xf0, 0x07, 0x10000},
};

apr_size_t
up_utf8_decode(apr_uint32_t *code_point, const char *text, apr_size_t length)
{
    const unsigned char *byte = (const unsigned char *)text;
    apr_size_t form = 0;

    if (!length)
        return 0;
    while (form < 4 && (byte[0] & forms[form].mask) != forms[form].lead)
        form++;
    if (form == 4 || length <= form)
        return 0;

    apr_uint32_t value = byte[0] & forms[form].bits;
    for (apr_size_t i = 1; i <= form; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (byte[i] & 0x3f);
    }
    if (value < forms[form].least || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code_point = value;
    return form + 1;
}

int
up_utf8_count(apr_size_t *code_points, const char *text, apr_size_t length)
{
    apr_size_t count = 0;

    while (length) {
        apr_uint32_t code_point;
        apr_size_t size = 1;
        if (*text & 0x80) /* else it is ASCII, as most is */
            size = up_utf8_decode(&code_point, text, length);
        if (!size)
            return 0;
        text += size;
        length -= size;
        count++;
    }
    *code_points = count;
    return 1;
}
