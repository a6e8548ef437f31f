/* up_checksum.c -- CRC-32C (RFC 3720, appendix B.4), the checksum that is
 * stored beside each value.
 *
 * Each GET checks five values. Processors have an instruction for this CRC; by
 * zlib's, which is another, it would cost a GET a tenth of its instructions. */
#include "store/lmdb/up_checksum.h"

#include <string.h>

/* Without the instruction: four bits at a time. */
static apr_uint32_t
update_by_table(apr_uint32_t crc, const unsigned char *at, apr_size_t length)
{
    static const apr_uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    for (; length; at++, length--) {
        crc ^= *at;
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return crc;
}

#ifdef __x86_64__

__attribute__((target("sse4.2"))) static apr_uint32_t
update_by_instruction(apr_uint32_t crc,
                      const unsigned char *at,
                      apr_size_t length)
{
    apr_uint64_t eight;

    for (; length >= sizeof(eight);
         at += sizeof(eight), length -= sizeof(eight)) {
        memcpy(&eight, at, sizeof(eight));
        crc = (apr_uint32_t)__builtin_ia32_crc32di(crc, eight);
    }
    for (; length; at++, length--)
        crc = __builtin_ia32_crc32qi(crc, *at);
    return crc;
}

#endif

apr_uint32_t
up_checksum(apr_uint32_t start, const void *bytes, apr_size_t length)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~update_by_instruction(~start, bytes, length);
#endif
    return up_checksum_by_table(start, bytes, length);
}

apr_uint32_t
up_checksum_by_table(apr_uint32_t start, const void *bytes, apr_size_t length)
{
    return ~update_by_table(~start, bytes, length);
}

void
up_checksum_write(unsigned char bytes[UP_CHECKSUM_BYTES], apr_uint32_t checksum)
{
    for (int i = 0; i < UP_CHECKSUM_BYTES; i++)
        bytes[i] = (unsigned char)(checksum >> 8 * i);
}

apr_uint32_t
up_checksum_read(const unsigned char bytes[UP_CHECKSUM_BYTES])
{
    apr_uint32_t checksum = 0;

    for (int i = 0; i < UP_CHECKSUM_BYTES; i++)
        checksum |= (apr_uint32_t)bytes[i] << 8 * i;
    return checksum;
}
