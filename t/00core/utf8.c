/* utf8.c -- which bytes are UTF-8, and how many code points they are. */
#include "tap.h"
#include "core/up_utf8.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    apr_size_t length;
    int count; /* -1: not UTF-8 */
    const char *name;
} rows[] = {
    {BYTES(""), 0, "no bytes are no code points"},
    {BYTES("Gigi"), 4, "ASCII counts bytes"},
    {BYTES("\0"), 1, "NUL is a code point"},
    {BYTES("\x7f"), 1, "DEL is one byte"},
    {BYTES("\xc2\x80"), 1, "U+0080, the first of two bytes"},
    {BYTES("\xdf\xbf"), 1, "U+07FF, the last of two bytes"},
    {BYTES("\xe0\xa0\x80"), 1, "U+0800, the first of three bytes"},
    {BYTES("\xed\x9f\xbf"), 1, "U+D7FF, before the surrogates"},
    {BYTES("\xee\x80\x80"), 1, "U+E000, after the surrogates"},
    {BYTES("\xef\xbf\xbf"), 1, "U+FFFF, the last of three bytes"},
    {BYTES("\xf0\x90\x80\x80"), 1, "U+10000, the first of four bytes"},
    {BYTES("\xf4\x8f\xbf\xbf"), 1, "U+10FFFF, the last of all"},
    {BYTES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), 5, "all lengths mixed"},
    {BYTES("e\xcc\x81"), 2, "a combining mark counts by itself"},
    {BYTES("\x80"), -1, "a continuation byte alone is refused"},
    {BYTES("\xc0\x80"), -1, "NUL in two bytes is refused"},
    {BYTES("\xc1\xbf"), -1, "DEL in two bytes is refused"},
    {BYTES("\xe0\x9f\xbf"), -1, "U+07FF in three bytes is refused"},
    {BYTES("\xf0\x8f\xbf\xbf"), -1, "U+FFFF in four bytes is refused"},
    {BYTES("\xed\xa0\x80"), -1, "U+D800, a surrogate, is refused"},
    {BYTES("\xed\xbf\xbf"), -1, "U+DFFF, a surrogate, is refused"},
    {BYTES("\xf4\x90\x80\x80"), -1, "U+110000 is refused"},
    {BYTES("\xf8\x88\x80\x80\x80"), -1, "five bytes are refused"},
    {BYTES("\xfe"), -1, "the byte FE is refused"},
    {BYTES("\xff"), -1, "the byte FF is refused"},
    {BYTES("\xc3"), -1, "two bytes cut after one are refused"},
    {BYTES("\xe2\x82"), -1, "three bytes cut after two are refused"},
    {BYTES("\xf0\x9f\x98"), -1, "four bytes cut after three are refused"},
    {BYTES("\xc3\x28"), -1, "a lead byte without continuation is refused"},
    {BYTES("\xe2\x82\x28"), -1, "a third byte that is ASCII is refused"},
    {BYTES("caf\xe9"), -1, "Latin-1 is refused"},
};

static const struct {
    const char *text;
    apr_size_t length, size;
    apr_uint32_t code_point;
} decoded[] = {
    {BYTES("Az"), 1, 'A'},
    {BYTES(""), 0, 0},
    {BYTES("\xc3\xa9z"), 2, 0xe9},
    {BYTES("\xe2\x82\xacz"), 3, 0x20ac},
    {BYTES("\xf0\x9f\x98\x80z"), 4, 0x1f600},
};

int
main(void)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_size_t count = 4711;
        int valid = up_utf8_count(&count, rows[i].text, rows[i].length);

        if (rows[i].count < 0)
            ok(!valid && count == 4711, "%s", rows[i].name);
        else
            ok(valid && count == (apr_size_t)rows[i].count, "%s", rows[i].name);
    }
    for (unsigned i = 0; i < sizeof(decoded) / sizeof(decoded[0]); i++) {
        apr_uint32_t code_point = 0;
        apr_size_t size =
            up_utf8_decode(&code_point, decoded[i].text, decoded[i].length);

        ok(size == decoded[i].size && code_point == decoded[i].code_point,
           "U+%04X is decoded from %d bytes", (unsigned)decoded[i].code_point,
           (int)decoded[i].size);
    }
    return done_testing();
}
