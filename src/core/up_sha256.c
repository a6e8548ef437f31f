/* up_sha256.c -- SHA-256 (FIPS 180-4); the names are the standard's. */
#include "core/up_sha256.h"

#include <string.h>

#define BLOCK 64
#define LENGTH_BYTES 8

static const apr_uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static apr_uint32_t
rotr(apr_uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* Take one BLOCK into the hash value H. */
static void
take_block(apr_uint32_t H[8], const unsigned char *block)
{
    apr_uint32_t W[64], v[8]; /* v: a, b, c, d, e, f, g, h */

    for (int t = 0; t < 16; t++, block += 4)
        W[t] = (apr_uint32_t)block[0] << 24 | (apr_uint32_t)block[1] << 16 |
               (apr_uint32_t)block[2] << 8 | block[3];
    for (int t = 16; t < 64; t++) {
        apr_uint32_t x = W[t - 15], y = W[t - 2];
        W[t] = (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10) + W[t - 7] +
               (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + W[t - 16];
    }

    memcpy(v, H, sizeof(v));
    for (int t = 0; t < 64; t++) {
        apr_uint32_t e = v[4], a = v[0];
        apr_uint32_t T1 = v[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
                          ((e & v[5]) ^ (~e & v[6])) + K[t] + W[t];
        apr_uint32_t T2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
                          ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += T1;
        v[0] = T1 + T2;
    }
    for (int i = 0; i < 8; i++)
        H[i] += v[i];
}

void
up_sha256(unsigned char hash[UP_SHA256_BYTES],
          const char *bytes,
          apr_size_t length)
{
    apr_uint32_t H[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    unsigned char end[2 * BLOCK] = {0};
    apr_size_t whole = length - length % BLOCK, rest = length % BLOCK;
    apr_uint64_t bits = 8 * (apr_uint64_t)length;

    for (apr_size_t i = 0; i < whole; i += BLOCK)
        take_block(H, (const unsigned char *)bytes + i);

    /* What is left, a one bit, zeroes, and the length. */
    apr_size_t size = rest + 1 + LENGTH_BYTES <= BLOCK ? BLOCK : 2 * BLOCK;
    memcpy(end, bytes + whole, rest);
    end[rest] = 0x80;
    for (apr_size_t i = 1; i <= LENGTH_BYTES; i++, bits >>= 8)
        end[size - i] = (unsigned char)bits;
    take_block(H, end);
    if (size > BLOCK)
        take_block(H, end + BLOCK);

    for (int i = 0; i < UP_SHA256_BYTES; i++)
        hash[i] = (unsigned char)(H[i / 4] >> (24 - 8 * (i % 4)));
}
