/* gzip.c -- reading gzip: what it takes, what it refuses, and how far it goes.
 */
#include "wire/up_gzip.h"
#include "tap.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define KIB 1024
#define MIB (1024 * KIB)

typedef struct bytes_t {
    const char *at;
    apr_size_t length;
} bytes_t;

static bytes_t
join(bytes_t a, bytes_t b, apr_pool_t *pool)
{
    char *both = apr_palloc(pool, a.length + b.length);

    memcpy(both, a.at, a.length);
    memcpy(both + a.length, b.at, b.length);
    return (bytes_t){both, a.length + b.length};
}

/* LENGTH bytes FILL, as one member of gzip. */
static bytes_t
member(char fill, apr_size_t length, apr_pool_t *pool)
{
    z_stream stream = {0};
    char *text = apr_palloc(pool, length);

    memset(text, fill, length);
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)) {
        printf("Bail out! zlib cannot deflate\n");
        exit(1);
    }
    apr_size_t room = deflateBound(&stream, length);
    char *packed = apr_palloc(pool, room);
    stream.next_in = (Bytef *)text;
    stream.avail_in = (uInt)length;
    stream.next_out = (Bytef *)packed;
    stream.avail_out = (uInt)room;
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return (bytes_t){packed, room - stream.avail_out};
}

/* BYTES with those at OFFSET from their end inverted. */
static bytes_t
damage(bytes_t bytes, apr_size_t offset, apr_pool_t *pool)
{
    char *copy = apr_pmemdup(pool, bytes.at, bytes.length);

    copy[bytes.length - offset] ^= 0x55;
    return (bytes_t){copy, bytes.length};
}

/* What BYTES inflate to below LIMIT: "LENGTH bytes", or the error. Each run is
 * in a pool of its own, from bytes in a block of their own, so that tools see
 * what is read beyond. */
static const char *
inflated(bytes_t bytes, apr_size_t limit, apr_pool_t *result_pool)
{
    char *block = malloc(bytes.length ? bytes.length : 1);
    apr_size_t length;
    const char *text;
    apr_pool_t *pool;

    apr_pool_create(&pool, result_pool);
    memcpy(block, bytes.at, bytes.length);
    up_error_t *err = up_gzip_inflate(&text, &length, block,
                                      (apr_uint32_t)bytes.length, limit, pool);
    const char *said =
        err ? apr_psprintf(result_pool, "%s: %s",
                           up_reason_info(err->reason)->name, err->message)
            : apr_psprintf(result_pool, "%d bytes, first %.1s, last %.1s",
                           (int)length, length ? text : "-",
                           length ? text + length - 1 : "-");
    free(block);
    apr_pool_destroy(pool);
    return said;
}

#define CUT "BODY_INVALID: it is cut off"
#define DAMAGED                                                                \
    "BODY_INVALID: it is not valid "                                           \
    "gzip"
#define TOO_LARGE "BODY_TOO_LARGE: it decompresses to more than the limit of "

static void
test_members(apr_pool_t *pool)
{
    bytes_t a = member('a', 10, pool), b = member('b', 5000, pool);
    bytes_t none = member('-', 0, pool), both = join(a, b, pool);

    is(inflated(a, KIB, pool), "10 bytes, first a, last a", "one member");
    is(inflated(none, KIB, pool), "0 bytes, first -, last -",
       "a member with nothing in it");
    is(inflated(both, 64 * KIB, pool), "5010 bytes, first a, last b",
       "two members are read as one text");
    is(inflated(join(none, join(a, none, pool), pool), KIB, pool),
       "10 bytes, first a, last a", "empty members around one");
    is(inflated(join(both, (bytes_t){"x", 1}, pool), 64 * KIB, pool), CUT,
       "one byte after the last member");
    is(inflated(join(a, (bytes_t){"garbage", 7}, pool), KIB, pool), DAMAGED,
       "garbage after a member");
    is(inflated(join(a, (bytes_t){"\0\0\0\0", 4}, pool), KIB, pool), DAMAGED,
       "zeros after a member");
}

static void
test_damage(apr_pool_t *pool)
{
    bytes_t a = member('a', 10, pool);
    bytes_t two = join(a, a, pool);
    int cut = 0;

    for (apr_size_t length = 0; length < a.length; length++)
        cut += !strcmp(inflated((bytes_t){a.at, length}, KIB, pool), CUT);
    is_number(cut, (long long)a.length, "cut off at any byte");
    is(inflated((bytes_t){two.at, two.length - 1}, KIB, pool), CUT,
       "cut off in the second member");
    is(inflated(damage(a, 1, pool), KIB, pool), DAMAGED, "a wrong length");
    is(inflated(damage(a, 5, pool), KIB, pool), DAMAGED, "a wrong checksum");
    is(inflated((bytes_t){"plain text", 10}, KIB, pool), DAMAGED, "no gzip");
    is(inflated((bytes_t){"\x78\x9c\x03\0\0\0\0\1", 8}, KIB, pool), DAMAGED,
       "zlib's own format");
}

static void
test_limit(apr_pool_t *pool)
{
    static const apr_size_t limits[] = {1, 4095, 4096, 4097, 64 * KIB, MIB};

    for (apr_size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        apr_size_t limit = limits[i];

        is(inflated(member('a', limit, pool), limit, pool),
           apr_psprintf(pool, "%d bytes, first a, last a", (int)limit),
           "as many bytes as the limit, %d", (int)limit);
        is(inflated(member('a', limit + 1, pool), limit, pool),
           apr_psprintf(pool, TOO_LARGE "%d bytes", (int)limit),
           "one byte more than the limit, %d", (int)limit);
    }

    bytes_t bomb = member('a', 64 * MIB, pool);
    ok(bomb.length < 64 * KIB, "64 MiB in %d bytes", (int)bomb.length);
    is(inflated(bomb, 64 * KIB, pool), TOO_LARGE "65536 bytes",
       "are refused at the limit");

    bytes_t half = member('a', 600, pool);
    is(inflated(join(half, half, pool), KIB, pool), TOO_LARGE "1024 bytes",
       "two members together over the limit");
}

static void
test(apr_pool_t *pool)
{
    test_members(pool);
    test_damage(pool);
    test_limit(pool);
}

int
main(void)
{
    return run_test(test);
}
