/* up_record_meta.c -- what a store says of itself, to bytes and back. */
#include "store/lmdb/up_checksum.h"
#include "store/lmdb/up_record.h"
#include "wire/up_message.h"
#include "wire/up_protobuf.h"

#include <string.h>

#include "store/lmdb/record.pb-c.h"

/* The format that has checksums. */
#define FORMAT_2 2

/* The field of the checksum, as bytes: its tag, and itself. */
#define CHECKSUM_FIELD (1 + UP_CHECKSUM_BYTES)
#define CHECKSUM_TAG (15 << 3 | PROTOBUF_C_WIRE_TYPE_32BIT)

void
up_meta_pack(const char **bytes,
             apr_size_t *length,
             const up_meta_t *meta,
             apr_pool_t *pool)
{
    Userprofile__Store__Meta message = USERPROFILE__STORE__META__INIT;

    message.format = meta->format;
    message.map_size = meta->map_size;
    message.upgrading = meta->upgrading;
    up_message_pack(bytes, length, &message.base, pool);
    if (meta->format < FORMAT_2)
        return;
    unsigned char *whole = apr_palloc(pool, *length + CHECKSUM_FIELD);
    memcpy(whole, *bytes, *length);
    whole[*length] = CHECKSUM_TAG;
    up_checksum_write(whole + *length + 1, up_checksum(0, *bytes, *length));
    *bytes = (const char *)whole;
    *length += CHECKSUM_FIELD;
}

/* Whether the LENGTH bytes at BYTES end with their checksum. */
static int
has_checksum(const unsigned char *bytes, apr_size_t length)
{
    if (length < CHECKSUM_FIELD)
        return 0;
    length -= CHECKSUM_FIELD;
    return bytes[length] == CHECKSUM_TAG &&
           up_checksum_read(bytes + length + 1) ==
               up_checksum(0, bytes, length);
}

int
up_meta_unpack(up_meta_t *meta,
               const void *bytes,
               apr_size_t length,
               apr_pool_t *pool)
{
    ProtobufCAllocator allocator = up_protobuf_allocator(pool);
    const Userprofile__Store__Meta *message =
        userprofile__store__meta__unpack(&allocator, length, bytes);

    if (!message)
        return 0;
    meta->format = message->format;
    meta->map_size = message->map_size;
    meta->upgrading = message->upgrading;
    if (meta->format > FORMAT_2) /* it is not known what else is there */
        return 1;
    if (meta->format < FORMAT_2 && !message->checksum)
        return 1;
    return has_checksum(bytes, length);
}
