/* raw_lmdb.c -- the records of an LMDB store as they are in its databases. */
#include "raw_lmdb.h"
#include "store/lmdb/up_record.h"
#include "temp_folder.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes before a value of format 2, and how it begins. */
#define FRONT 5
#define MARK 0x07

static const char *const names[] = {"meta",   "org",   "profile", "home",
                                    "member", "token", "event"};

#define NAMES (sizeof(names) / sizeof(names[0]))

static void
must_be_0(int rc, const char *name)
{
    if (!rc)
        return;
    printf("Bail out! %s: %s\n", name, mdb_strerror(rc));
    exit(1);
}

static MDB_txn *
begin(MDB_env **env, const char *name, unsigned flags, apr_pool_t *pool)
{
    MDB_txn *txn;

    must_be_0(mdb_env_create(env), name);
    must_be_0(mdb_env_set_maxdbs(*env, NAMES), name);
    must_be_0(mdb_env_open(*env, temp_path(name, pool), 0, 0600), name);
    must_be_0(mdb_txn_begin(*env, NULL, flags, &txn), name);
    return txn;
}

static MDB_val
copy(const MDB_val *bytes, apr_pool_t *pool)
{
    MDB_val twin = {bytes->mv_size, NULL};

    twin.mv_data = apr_pmemdup(pool, bytes->mv_data, bytes->mv_size);
    return twin;
}

apr_array_header_t *
raw_lmdb_read(const char *name, apr_pool_t *pool)
{
    apr_array_header_t *records = apr_array_make(pool, 8, sizeof(raw_record_t));
    MDB_env *env;
    MDB_txn *txn = begin(&env, name, MDB_RDONLY, pool);

    for (size_t i = 0; i < NAMES; i++) {
        MDB_cursor *cursor;
        MDB_val key, value;
        MDB_dbi dbi;
        must_be_0(mdb_dbi_open(txn, names[i], 0, &dbi), name);
        must_be_0(mdb_cursor_open(txn, dbi, &cursor), name);
        while (!mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
            APR_ARRAY_PUSH(records, raw_record_t) =
                (raw_record_t){names[i], copy(&key, pool), copy(&value, pool)};
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return records;
}

void
raw_lmdb_write(const char *name,
               const apr_array_header_t *records,
               apr_pool_t *pool)
{
    MDB_env *env;
    MDB_txn *txn = begin(&env, name, 0, pool);

    for (int i = 0; i < records->nelts; i++) {
        raw_record_t *record = &APR_ARRAY_IDX(records, i, raw_record_t);
        MDB_dbi dbi;
        must_be_0(mdb_dbi_open(txn, record->database, 0, &dbi), name);
        must_be_0(mdb_put(txn, dbi, &record->key, &record->value, 0), name);
    }
    must_be_0(mdb_txn_commit(txn), name);
    mdb_env_close(env);
}

static int
is_meta(const raw_record_t *record)
{
    return !strcmp(record->database, "meta");
}

static int
is_marked(const raw_record_t *record)
{
    const unsigned char *bytes = record->value.mv_data;

    return record->value.mv_size >= FRONT && bytes[0] == MARK;
}

static void
downgrade_meta(raw_record_t *record, apr_pool_t *pool)
{
    const char *bytes;
    up_meta_t meta;

    must_be_0(!up_meta_unpack(&meta, record->value.mv_data,
                              record->value.mv_size, pool),
              "meta");
    meta.format = 1;
    meta.upgrading = 0;
    up_meta_pack(&bytes, &record->value.mv_size, &meta, pool);
    record->value.mv_data = (void *)bytes;
}

void
raw_lmdb_downgrade(const char *name, apr_pool_t *pool)
{
    apr_array_header_t *records = raw_lmdb_read(name, pool);

    for (int i = 0; i < records->nelts; i++) {
        raw_record_t *record = &APR_ARRAY_IDX(records, i, raw_record_t);
        if (is_meta(record)) {
            downgrade_meta(record, pool);
        } else if (is_marked(record)) {
            record->value.mv_size -= FRONT;
            record->value.mv_data = (char *)record->value.mv_data + FRONT;
        }
    }
    raw_lmdb_write(name, records, pool);
}

void
raw_lmdb_count(int *marked, int *plain, const char *name, apr_pool_t *pool)
{
    const apr_array_header_t *records = raw_lmdb_read(name, pool);

    *marked = *plain = 0;
    for (int i = 0; i < records->nelts; i++) {
        const raw_record_t *record = &APR_ARRAY_IDX(records, i, raw_record_t);
        if (is_meta(record))
            continue;
        *marked += is_marked(record);
        *plain += !is_marked(record);
    }
}

int
raw_lmdb_format(const char *name, apr_pool_t *pool)
{
    const apr_array_header_t *records = raw_lmdb_read(name, pool);
    const raw_record_t *meta = &APR_ARRAY_IDX(records, 0, raw_record_t);
    const unsigned char *bytes = meta->value.mv_data;

    return is_meta(meta) && meta->value.mv_size >= 2 && bytes[0] == 8 ? bytes[1]
                                                                      : -1;
}

long long
raw_lmdb_size(const char *name, apr_pool_t *pool)
{
    MDB_env *env;
    MDB_envinfo info;
    MDB_stat stat;
    MDB_txn *txn = begin(&env, name, MDB_RDONLY, pool);

    must_be_0(mdb_env_info(env, &info), name);
    must_be_0(mdb_env_stat(env, &stat), name);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return (long long)(info.me_last_pgno + 1) * stat.ms_psize;
}
