/* raw_lmdb.h -- the records of an LMDB store as they are in its databases, for
 * tests that look behind the driver. The store is closed meanwhile. */
#ifndef RAW_LMDB_H
#define RAW_LMDB_H

#include "store/lmdb/up_record.h"

#include <lmdb.h>

typedef struct raw_record_t {
    const char *database; /* "profile" */
    MDB_val key, value;
} raw_record_t;

/* All records of the store NAME, in POOL: an array of raw_record_t. Ends the
 * program if they cannot be read. */
apr_array_header_t *raw_lmdb_read(const char *name, apr_pool_t *pool);

/* Put RECORDS, of raw_record_t, in place of those with their keys. */
void raw_lmdb_write(const char *name,
                    const apr_array_header_t *records,
                    apr_pool_t *pool);

/* Make the store NAME one of format 1: no value has a checksum. */
void raw_lmdb_downgrade(const char *name, apr_pool_t *pool);

/* How many values of the store NAME have checksums, and how many have none,
 * without those of the database meta. */
void raw_lmdb_count(int *marked,
                    int *plain,
                    const char *name,
                    apr_pool_t *pool);

/* The first two bytes of what the store NAME says of itself: 8 and its format,
 * as every version reads it. */
int raw_lmdb_format(const char *name, apr_pool_t *pool);

/* How many bytes the file of the store NAME has if it has all pages that LMDB
 * has taken. */
long long raw_lmdb_size(const char *name, apr_pool_t *pool);

#endif
