/* up_checksum.c -- the checksum that is stored beside each value. */
#include "store/lmdb/up_checksum.h"

#include <zlib.h>

apr_uint32_t
up_checksum(apr_uint32_t start, const void *bytes, apr_size_t length)
{
    return (apr_uint32_t)crc32_z(start, bytes, length);
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
