/* sha256.c -- SHA-256, by the examples of FIPS 180-4 and others. */
#include "core/up_sha256.h"
#include "tap.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <string.h>

/* Hashes by sha256sum. */
static const struct {
    const char *text;
    int times;
    const char *hash;
    const char *name;
} rows[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "no text"},
    {"abc", 1,
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "FIPS 180-4: one block"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
     "FIPS 180-4: two blocks"},
    {"a", 1000000,
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
     "FIPS 180-4: a million letters"},
    {"\xff\x80\x01", 100,
     "6e7707b4ded5d60bea712e3fff00cc33d180cae136360b08cd7b78f5f647aa32",
     "bytes above 127"},
    {"x", 55,
     "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072",
     "55 bytes"},
    {"x", 56,
     "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e",
     "56 bytes"},
    {"x", 63,
     "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2",
     "63 bytes"},
    {"x", 64,
     "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c",
     "64 bytes"},
    {"x", 65,
     "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9",
     "65 bytes"},
    {"x", 119,
     "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c",
     "119 bytes"},
    {"x", 120,
     "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98",
     "120 bytes"},
    {"x", 128,
     "24da1b81d0b16df6428eee73c69fcb2a93c76bc6df706f0c6670fe6bfe800464",
     "128 bytes"},
};

static void
test(apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char hash[UP_SHA256_BYTES];
        apr_size_t length = strlen(rows[i].text);
        char *text = apr_palloc(pool, length * (apr_size_t)rows[i].times + 1);
        for (int j = 0; j < rows[i].times; j++)
            memcpy(text + length * (apr_size_t)j, rows[i].text, length);
        up_sha256(hash, text, length * (apr_size_t)rows[i].times);
        is(apr_pescape_hex(pool, hash, sizeof(hash), 0), rows[i].hash, "%s",
           rows[i].name);
    }
}

int
main(void)
{
    return run_test(test);
}
