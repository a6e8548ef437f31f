/* up_lmdb_env.c -- LMDB's environment: opening it, its databases, its size. */
#include "store/lmdb/up_lmdb.h"
#include "store/up_record.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#if SIZE_MAX < UINT64_MAX
#error "a store needs the address space of a 64-bit machine"
#endif

/* Of the keys and of record.proto; 0 says that it is no store of ours. */
#define FORMAT 1
#define NO_FORMAT 0

#define FILE_MODE 0600
#define NEW_MAP_SIZE (APR_UINT64_C(16) << 30)

/* Opening can fail while another process opens or closes (lmdb.h), and a
 * server's children start together. */
#define OPEN_PATIENCE apr_time_from_sec(1)
#define OPEN_PAUSE apr_time_from_msec(20)

static const char *const names[LMDB_DATABASES] = {
    [LMDB_META] = "meta",       [LMDB_ORG] = "org",
    [LMDB_PROFILE] = "profile", [LMDB_HOME] = "home",
    [LMDB_MEMBER] = "member",   [LMDB_TOKEN] = "token",
    [LMDB_EVENT] = "event",
};

#define META_KEY "store"

/* Below, what returns int returns LMDB's results. */

/* Have the disk keep room for the slots of all readers, as far as it can: LMDB
 * makes their file with a hole, and a process that takes a slot in it dies of
 * SIGBUS on a full disk. This comes before LMDB opens the file, whose locks
 * would go with the closing here. */
static void
allocate_slots(const lmdb_store_t *store, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, store->path, "/lock.mdb", NULL);
    struct stat status;

    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return; /* it is new, and the next one's to see to */
    if (!fstat(file, &status) && status.st_size)
        (void)fallocate(file, 0, 0, status.st_size);
    close(file);
}

static int
open_environment(lmdb_store_t *store)
{
    /* No reading ahead: its large folios make each write of a page in them cost
     * several times as much. */
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;

    if (store->options.no_sync)
        flags |= MDB_NOSYNC;

    int rc = mdb_env_create(&store->env);
    if (rc) {
        store->env = NULL;
        return rc;
    }
    rc = mdb_env_set_maxreaders(store->env, UP_STORE_READERS);
    if (!rc)
        rc = mdb_env_set_maxdbs(store->env, LMDB_DATABASES);
    if (!rc && store->options.map_size)
        rc = mdb_env_set_mapsize(store->env, store->options.map_size);
    if (!rc)
        rc = mdb_env_open(store->env, store->path, flags, FILE_MODE);
    return rc;
}

static int
put_meta(lmdb_store_t *store,
         MDB_txn *txn,
         const up_meta_t *meta,
         apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text(META_KEY), value;
    const char *bytes;

    up_meta_pack(&bytes, &value.mv_size, meta, pool);
    value.mv_data = (void *)bytes;
    return mdb_put(txn, store->database[LMDB_META], &key, &value, 0);
}

static int
get_meta(up_meta_t *meta, lmdb_store_t *store, MDB_txn *txn, apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text(META_KEY), value;

    int rc = mdb_get(txn, store->database[LMDB_META], &key, &value);
    if (!rc && !up_meta_unpack(meta, value.mv_data, value.mv_size, pool))
        rc = MDB_CORRUPTED;
    return rc;
}

/* Set *EMPTY to whether there is nothing at all in the environment: it is new,
 * or the making of a store in it, one transaction, was cut off. */
static int
look_inside(int *empty, MDB_txn *txn)
{
    MDB_stat stat;
    MDB_dbi names_of_all;

    int rc = mdb_dbi_open(txn, NULL, 0, &names_of_all);
    if (!rc)
        rc = mdb_stat(txn, names_of_all, &stat);
    *empty = !rc && !stat.ms_entries;
    return rc;
}

/* Read META, and open the databases if they are of our format. With FLAGS
 * MDB_CREATE, make what is not there, but nothing among what is not ours. */
static int
open_databases(up_meta_t *meta,
               lmdb_store_t *store,
               MDB_txn *txn,
               unsigned flags,
               apr_pool_t *pool)
{
    MDB_dbi *database = store->database;
    int empty;

    int rc = look_inside(&empty, txn);
    if (!rc)
        rc = mdb_dbi_open(txn, names[LMDB_META], empty ? flags : 0,
                          &database[LMDB_META]);
    if (!rc)
        rc = get_meta(meta, store, txn, pool);
    if (!empty && (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)) {
        meta->format = NO_FORMAT;
        return 0;
    }
    if (rc == MDB_NOTFOUND && flags & MDB_CREATE) {
        meta->format = FORMAT;
        meta->map_size =
            store->options.map_size ? store->options.map_size : NEW_MAP_SIZE;
        rc = put_meta(store, txn, meta, pool);
    }
    if (!rc && meta->format != FORMAT)
        return 0;
    for (int i = LMDB_META + 1; i < LMDB_DATABASES && !rc; i++)
        rc = mdb_dbi_open(txn, names[i], flags, &database[i]);
    return rc;
}

/* Do the same in a transaction of its own, whose end keeps the handles. */
static int
load_databases(up_meta_t *meta,
               lmdb_store_t *store,
               unsigned flags,
               apr_pool_t *pool)
{
    MDB_txn *txn;

    int rc = mdb_txn_begin(store->env, NULL,
                           flags & MDB_CREATE ? 0 : MDB_RDONLY, &txn);
    if (rc)
        return rc;
    rc = open_databases(meta, store, txn, flags, pool);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return up_lmdb_end(txn);
}

static int
record_map_size(lmdb_store_t *store, up_meta_t *meta, apr_pool_t *pool)
{
    MDB_txn *txn;

    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc)
        return rc;
    meta->map_size = store->options.map_size;
    rc = put_meta(store, txn, meta, pool);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return up_lmdb_end(txn);
}

/* Whoever asks for no size gets the recorded one; another one is recorded. A
 * full store must open all the same, or it could not be made larger. */
static int
agree_on_map_size(lmdb_store_t *store, up_meta_t *meta, apr_pool_t *pool)
{
    MDB_envinfo info;

    if (store->options.map_size) {
        if (store->options.map_size == meta->map_size)
            return 0;
        int rc = record_map_size(store, meta, pool);
        return up_lmdb_is_full(rc) ? 0 : rc;
    }
    int rc = mdb_env_info(store->env, &info);
    if (!rc && meta->map_size && meta->map_size != info.me_mapsize)
        rc = mdb_env_set_mapsize(store->env, meta->map_size);
    return rc;
}

/* Open all there is to open; *META says which format it has. */
static int
try_open(up_meta_t *meta, lmdb_store_t *store, apr_pool_t *pool)
{
    allocate_slots(store, pool);
    int rc = open_environment(store);
    if (!rc)
        rc = load_databases(meta, store, 0, pool);
    if (rc == MDB_NOTFOUND) /* new, or its making was cut off */
        rc = load_databases(meta, store, MDB_CREATE, pool);
    if (!rc && meta->format == FORMAT)
        rc = agree_on_map_size(store, meta, pool);
    if (!rc)
        rc = mdb_reader_check(store->env, NULL);
    if (rc)
        up_lmdb_env_close(store);
    return rc;
}

up_error_t *
up_lmdb_env_open(lmdb_store_t *store, apr_pool_t *pool)
{
    apr_time_t last_try = apr_time_now() + OPEN_PATIENCE;
    up_meta_t meta = {0};

    int rc = try_open(&meta, store, pool);
    while (rc && rc != EACCES && rc != ENOENT && apr_time_now() < last_try) {
        apr_sleep(OPEN_PAUSE);
        rc = try_open(&meta, store, pool);
    }
    if (rc) {
        up_error_t *err = up_lmdb_error(rc, "open what is", store, pool);
        err->reason = UP_STORE_UNAVAILABLE;
        return err;
    }
    if (meta.format == FORMAT)
        return NULL;
    up_lmdb_env_close(store);
    if (meta.format == NO_FORMAT)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB files in '%s' are not of a store of "
                        "profiles, and are left alone: name another folder",
                        store->path);
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the store '%s' has format %u, this version reads format "
                    "%d",
                    store->path, meta.format, FORMAT);
}

void
up_lmdb_env_close(lmdb_store_t *store)
{
    if (store->env)
        mdb_env_close(store->env);
    store->env = NULL;
}
