/*
 * fuzz_record.c -- the bytes that a store keeps.
 *
 * The input's first byte picks the kind of item, or what the store says of
 * itself; the rest is a value. One that is accepted is the same when it was
 * written and read again, and does not point into the bytes that it was read
 * from; one that is refused is the store's fault.
 */
#include "store/lmdb/up_record.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int condition)
{
    if (!condition)
        abort();
}

static up_item_t
key_of(up_kind_t kind)
{
    up_item_t item = {.kind = kind};

    switch (kind) {
    case UP_KIND_ORG:
        item.as.org.id = "O";
        break;
    case UP_KIND_USER:
        item.as.user.org = "O";
        item.as.user.id = "U";
        break;
    case UP_KIND_MEMBER:
        item.as.member.org = "O";
        item.as.member.user = "U";
        break;
    case UP_KIND_TOKEN:
        break;
    default:
        item.as.event.number = 7;
        break;
    }
    return item;
}

/* Read ITEM from a copy of the LENGTH bytes at BYTES that is gone then. */
static up_error_t *
unpack(up_item_t *item, const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    char *copy = malloc(length ? length : 1);

    check(copy != NULL);
    memcpy(copy, bytes, length);
    up_error_t *err = up_record_unpack(item, copy, length, pool);
    free(copy);
    return err;
}

static void
check_item(up_kind_t kind,
           const void *bytes,
           apr_size_t length,
           apr_pool_t *pool)
{
    up_item_t item = key_of(kind), again = key_of(kind);
    const char *packed, *same;
    apr_size_t packed_length, same_length;

    up_error_t *err = unpack(&item, bytes, length, pool);
    if (err) {
        check(err->reason == UP_INTERNAL);
        return;
    }
    up_record_pack(&packed, &packed_length, &item, pool);
    check(!unpack(&again, packed, packed_length, pool));
    up_record_pack(&same, &same_length, &again, pool);
    check(same_length == packed_length && !memcmp(same, packed, same_length));
}

static void
check_meta(const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    up_meta_t meta, again;
    const char *packed;

    if (!up_meta_unpack(&meta, bytes, length, pool))
        return;
    up_meta_pack(&packed, &length, &meta, pool);
    check(up_meta_unpack(&again, packed, length, pool) &&
          again.format == meta.format && again.map_size == meta.map_size &&
          again.upgrading == meta.upgrading);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;

    if (!size)
        return 0;
    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_create(&pool, root);
    int kind = data[0] % (UP_KINDS + 1);
    if (kind < UP_KINDS)
        check_item((up_kind_t)kind, data + 1, size - 1, pool);
    else
        check_meta(data + 1, size - 1, pool);
    apr_pool_destroy(pool);
    return 0;
}
