/* base64.c -- base64: in pieces, each with its padding, and without. */
#include "wire/up_base64.h"
#include "hex.h"
#include "tap.h"

#include <apr_strings.h>
#include <string.h>

static const struct {
    const char *name, *text;
    const char *hex; /* NULL: refused */
} rows[] = {
    {"nothing", "", ""},
    {"three bytes", "YWJj", "616263"},
    {"two bytes", "YWI=", "6162"},
    {"one byte", "YQ==", "61"},
    {"each digit of the alphabet",
     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
     "00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29aabb2dbaf"
     "c31cb3d35db7e39ebbf3dfbf"},
    {"zero bytes", "AAAA", "000000"},
    {"pieces of one and two bytes", "YQ==YmM=", "616263"},
    {"a piece without padding before one with", "YWJjZA==", "61626364"},
    {"a piece with padding before one without", "YQ==YmNk", "61626364"},
    {"many pieces", "YQ==Yg==Yw==ZA==", "61626364"},
    {"no padding", "YQ", NULL},
    {"one character of padding where two are due", "YQ=", NULL},
    {"one digit", "Y", NULL},
    {"one digit and padding", "Y===", NULL},
    {"one digit after a piece", "YWJjZ", NULL},
    {"five digits and padding", "YWJjZ===", NULL},
    {"padding alone", "====", NULL},
    {"padding after a whole piece", "YWJj====", NULL},
    {"one character of padding too many", "YWI==", NULL},
    {"three characters of padding too many", "YQ=====", NULL},
    {"a digit after padding", "YQ=Y", NULL},
    {"padding before digits", "=YQ=", NULL},
    {"the alphabet of URLs: -", "-_AA", NULL},
    {"the alphabet of URLs: _", "AA_A", NULL},
    {"a blank", "YW Jj", NULL},
    {"a line end", "YWJj\n", NULL},
    {"a byte that is not ASCII", "YWJ\xe9", NULL},
    {"a comma between pieces", "YWJj,YWJj", NULL},
};

static const struct {
    const char *hex, *text;
} unpadded[] = {
    {"", ""},           {"61", "YQ"},    {"6162", "YWI"},
    {"616263", "YWJj"}, {"fbff", "+/8"}, {"000000", "AAAA"},
};

static const char *
decoded(const char *text, apr_size_t size, apr_pool_t *pool)
{
    const char *bytes;
    apr_size_t length;
    up_error_t *err = up_base64_decode(&bytes, &length, text, size, pool);

    if (!err)
        return hex_show(bytes, length, pool);
    return err->reason == UP_MESSAGE_INVALID ? err->message : "another reason";
}

static void
test(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        is(decoded(rows[i].text, strlen(rows[i].text), pool),
           rows[i].hex ? rows[i].hex : "the body is not base64", "decoding %s",
           rows[i].name);
    is(decoded("YW\0j", 4, pool), "the body is not base64", "decoding NUL");
    is(decoded("YWJjZGVm", 4, pool), "616263",
       "what follows the size is not read");

    for (apr_size_t i = 0; i < sizeof(unpadded) / sizeof(*unpadded); i++) {
        apr_size_t length;
        const char *bytes = hex_read(&length, unpadded[i].hex, pool);
        is(up_base64_unpadded(bytes, length, pool), unpadded[i].text,
           "%d bytes without padding", (int)length);
    }
}

int
main(void)
{
    return run_test(test);
}
