/* up_lmdb_value.c -- the checksums of values. */
#include "store/lmdb/up_lmdb.h"
#include "store/lmdb/up_checksum.h"

#include <apr_atomic.h>
#include <string.h>

/* The mark and the checksum. */
#define FRONT (1 + UP_CHECKSUM_BYTES)

/* Of LENGTH bytes under KEY of DATABASE, whose number it begins with: a value
 * in another database is another. */
static apr_uint32_t
checksum(lmdb_database_t database,
         const MDB_val *key,
         const void *bytes,
         apr_size_t length)
{
    return up_checksum(up_checksum(database, key->mv_data, key->mv_size), bytes,
                       length);
}

MDB_val
up_lmdb_value(const lmdb_txn_t *txn,
              lmdb_database_t database,
              const MDB_val *key,
              const void *bytes,
              apr_size_t length,
              apr_pool_t *pool)
{
    MDB_val value = {length, (void *)bytes}; /* LMDB does not write it */

    if (!txn->marks)
        return value;
    unsigned char *marked = apr_palloc(pool, FRONT + length);
    marked[0] = UP_LMDB_MARK;
    up_checksum_write(marked + 1, checksum(database, key, bytes, length));
    if (length)
        memcpy(marked + FRONT, bytes, length);
    value.mv_size = FRONT + length;
    value.mv_data = marked;
    return value;
}

lmdb_damage_t
up_lmdb_value_read(MDB_val *bytes,
                   lmdb_store_t *store,
                   lmdb_database_t database,
                   const MDB_val *key,
                   const MDB_val *value)
{
    unsigned char *marked = value->mv_data;

    if (value->mv_size < FRONT || marked[0] != UP_LMDB_MARK) {
        *bytes = *value;
        return apr_atomic_read32(&store->all_marked) ? LMDB_UNMARKED
                                                     : LMDB_SOUND;
    }
    bytes->mv_data = marked + FRONT;
    bytes->mv_size = value->mv_size - FRONT;
    return checksum(database, key, bytes->mv_data, bytes->mv_size) ==
                   up_checksum_read(marked + 1)
               ? LMDB_SOUND
               : LMDB_CHANGED;
}

up_error_t *
up_lmdb_damaged(const char *what,
                const lmdb_store_t *store,
                lmdb_damage_t damage,
                apr_pool_t *pool)
{
    static const char *const faults[] = {
        [LMDB_SOUND] = "cannot be read",
        [LMDB_CHANGED] = "does not have its checksum",
        [LMDB_UNMARKED] = "has no checksum",
    };

    return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                    "the LMDB store '%s' is damaged: %s %s", store->path, what,
                    faults[damage]);
}
