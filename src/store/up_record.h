/*
 * up_record.h -- records as the bytes that a store keeps (record.proto).
 *
 * Unpacking copies everything into POOL. What stands in an item's key is not
 * in its bytes: the key fields of ITEM are set before, and left alone, but for
 * an event's organisation and user, which are in its bytes.
 */
#ifndef UP_RECORD_H
#define UP_RECORD_H

#include "core/up_records.h"

/* Set *BYTES and *LENGTH, in POOL, to the value of ITEM. */
void up_record_pack(void **bytes,
                    apr_size_t *length,
                    const up_item_t *item,
                    apr_pool_t *pool);

/* Set ITEM, whose kind and key fields are set already, from LENGTH bytes at
 * BYTES. UP_INTERNAL names the kind and the key of a record that is broken. */
UP_MUST_CHECK up_error_t *up_record_unpack(up_item_t *item,
                                           const void *bytes,
                                           apr_size_t length,
                                           apr_pool_t *pool);

#endif
