/*
 * up_record.h -- what a store holds, as bytes: the messages of record.proto.
 *
 * The key fields of an item (an organisation's id; a user's organisation and
 * id; a membership's organisation and user; a token's SHA-256; an event's
 * number) are not part of its bytes.
 */
#ifndef UP_RECORD_H
#define UP_RECORD_H

#include "core/up_items.h"

/* What a store says of itself. */
typedef struct up_meta_t {
    apr_uint32_t format;
    apr_uint64_t map_size;
    int upgrading; /* format 2, but not all values have checksums yet */
} up_meta_t;

/* What ITEM's key fields name, for messages, in POOL: "user 'u' of
 * organisation 'o'". */
const char *up_record_name(const up_item_t *item, apr_pool_t *pool);

/* Set *BYTES and *LENGTH to ITEM without its key fields, in POOL. */
void up_record_pack(const char **bytes,
                    apr_size_t *length,
                    const up_item_t *item,
                    apr_pool_t *pool);

/* Set what is not a key field in ITEM, whose kind and key fields are set, from
 * the LENGTH bytes at BYTES, copied into POOL. UP_INTERNAL names what cannot be
 * read. */
UP_MUST_CHECK up_error_t *up_record_unpack(up_item_t *item,
                                           const void *bytes,
                                           apr_size_t length,
                                           apr_pool_t *pool);

/* Where a Profile of record.proto, MESSAGE, keeps the field with this NUMBER
 * of the table of fields. */
void *up_record_profile_member(void *message, unsigned number);

/* The same for what the store says of itself, with its checksum from format 2
 * on. up_meta_unpack returns 0 if it cannot be read. */
void up_meta_pack(const char **bytes,
                  apr_size_t *length,
                  const up_meta_t *meta,
                  apr_pool_t *pool);
int up_meta_unpack(up_meta_t *meta,
                   const void *bytes,
                   apr_size_t length,
                   apr_pool_t *pool);

#endif
