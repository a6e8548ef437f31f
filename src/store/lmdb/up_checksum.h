/* up_checksum.h -- the checksum that is stored beside each value. */
#ifndef UP_CHECKSUM_H
#define UP_CHECKSUM_H

#include <apr.h>

/* How many bytes a stored checksum takes. */
#define UP_CHECKSUM_BYTES 4

/* The CRC-32C of the LENGTH bytes at BYTES, going on from START, which is that
 * of what comes before them, or any number to begin with. */
apr_uint32_t up_checksum(apr_uint32_t start,
                         const void *bytes,
                         apr_size_t length);

/* The same without the processor's instruction for it, for machines that have
 * none. */
apr_uint32_t up_checksum_by_table(apr_uint32_t start,
                                  const void *bytes,
                                  apr_size_t length);

/* Write CHECKSUM to BYTES, the least significant byte first; read it. */
void up_checksum_write(unsigned char bytes[UP_CHECKSUM_BYTES],
                       apr_uint32_t checksum);
apr_uint32_t up_checksum_read(const unsigned char bytes[UP_CHECKSUM_BYTES]);

#endif
