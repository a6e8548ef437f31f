/* checksum.c -- the checksum of stored values is CRC-32C, by the processor's
 * instruction and without it. */
#include "store/lmdb/up_checksum.h"
#include "tap.h"

#include <string.h>

/* RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
static void
known_values(void)
{
    unsigned char bytes[32];

    is_number(up_checksum(0, "123456789", 9), 0xe3069283,
              "the CRC-32C of \"123456789\" is the catalogue's");
    memset(bytes, 0, sizeof(bytes));
    is_number(up_checksum(0, bytes, sizeof(bytes)), 0x8a9136aa,
              "the CRC-32C of 32 zeros is RFC 3720's");
    memset(bytes, 0xff, sizeof(bytes));
    is_number(up_checksum(0, bytes, sizeof(bytes)), 0x62a8ab43,
              "the CRC-32C of 32 ones is RFC 3720's");
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    is_number(up_checksum(0, bytes, sizeof(bytes)), 0x46dd794e,
              "the CRC-32C of 0 to 31 is RFC 3720's");
    is_number(up_checksum(7, bytes, 0), 7, "no bytes change nothing");
}

/* Machines with and without the instruction share a store. */
static void
both_ways(void)
{
    unsigned char bytes[100];
    int differ = 0, apart = 0;

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (unsigned from = 0; from < 9; from++) {
        for (unsigned length = 0; from + length <= sizeof(bytes); length++) {
            apr_uint32_t whole = up_checksum(from, bytes + from, length);
            unsigned half = length / 2;
            differ += whole != up_checksum_by_table(from, bytes + from, length);
            apart += whole != up_checksum(up_checksum(from, bytes + from, half),
                                          bytes + from + half, length - half);
        }
    }
    is_number(differ, 0,
              "the instruction and the table agree for each length and place");
    is_number(apart, 0, "two parts have the checksum of the whole");
}

static void
written(void)
{
    unsigned char bytes[UP_CHECKSUM_BYTES];

    up_checksum_write(bytes, 0x01020304);
    is_number(bytes[0], 4, "the least significant byte is written first");
    is_number(up_checksum_read(bytes), 0x01020304,
              "a checksum that was written is read");
}

int
main(void)
{
    known_values();
    both_ways();
    written();
    return done_testing();
}
