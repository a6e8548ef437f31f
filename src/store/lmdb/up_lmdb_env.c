/* up_lmdb_env.c -- opening LMDB's environment, and what LMDB's results mean. */
#include "store/lmdb/up_lmdb.h"
#include "store/lmdb/up_record.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#if SIZE_MAX < UINT64_MAX
#error "a store needs the address space of a 64-bit machine"
#endif

/* Of the keys and of record.proto; 0 stands for files that are no store. */
#define FORMAT 1
#define NO_FORMAT 0

#define META_KEY "store"
#define FILE_MODE 0600

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

/* Whether LMDB's result RC means that there is no room. */
static int
is_full(int rc)
{
    return rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG;
}

static up_reason_t
reason_of(int rc)
{
    if (is_full(rc))
        return UP_STORE_FULL;
    switch (rc) {
    case MDB_PANIC:
    case MDB_MAP_RESIZED:
    case MDB_READERS_FULL:
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
        return UP_STORE_UNAVAILABLE;
    default: /* errno, or LMDB's word for a damaged file or a misuse of it */
        return rc > 0 ? UP_STORE_UNAVAILABLE : UP_INTERNAL;
    }
}

/* What to do about MDB_MAP_FULL. */
static const char *
remedy(const lmdb_store_t *store, apr_pool_t *pool)
{
    MDB_envinfo info;

    if (mdb_env_info(store->env, &info))
        return "";
    return apr_psprintf(pool,
                        "; set UserProfileMapSize to more than %" APR_SIZE_T_FMT
                        "M, and restart Apache gracefully",
                        info.me_mapsize >> 20);
}

up_error_t *
up_lmdb_error(int rc,
              const char *what,
              const lmdb_store_t *store,
              apr_pool_t *pool)
{
    if (rc > 0)
        return up_error(pool, reason_of(rc), APR_FROM_OS_ERROR(rc),
                        "cannot %s in the LMDB store '%s'", what, store->path);
    return up_error(pool, reason_of(rc), APR_SUCCESS,
                    "cannot %s in the LMDB store '%s': %s%s", what, store->path,
                    mdb_strerror(rc),
                    rc == MDB_MAP_FULL ? remedy(store, pool) : "");
}

int
up_lmdb_commit_handle(MDB_txn *txn)
{
    errno = 0;
    int rc = mdb_txn_commit(txn);
    return rc == EIO && errno != EIO ? ENOSPC : rc;
}

/* Below, what returns int returns LMDB's result. */

/* Allocate disk space for the slots of all readers, if possible: LMDB creates
 * the lock file with a hole, and on a full disk a process that takes a slot in
 * it dies of SIGBUS. This must come before LMDB opens the file, whose locks
 * this process would lose with close().
 *
 * fallocate() is Linux's. posix_fallocate() is no substitute: where the file
 * system has no such call, it writes into the file that others use. */
static void
allocate_slots(const lmdb_store_t *store, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, store->path, "/lock.mdb", NULL);
    struct stat status;

    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return; /* LMDB will create it; the next process allocates its slots */
    if (!fstat(file, &status) && status.st_size)
        (void)fallocate(file, 0, 0, status.st_size);
    close(file);
}

static int
open_environment(lmdb_store_t *store)
{
    /* Reading ahead would make large folios of the page cache, in which each
     * write of a page costs several times as much. */
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;

    if (!store->sync)
        flags |= MDB_NOSYNC;

    int rc = mdb_env_create(&store->env);
    if (rc) {
        store->env = NULL;
        return rc;
    }
    rc = mdb_env_set_maxreaders(store->env, UP_LMDB_READERS);
    if (!rc)
        rc = mdb_env_set_maxdbs(store->env, LMDB_DATABASES);
    if (!rc && store->map_size)
        rc = mdb_env_set_mapsize(store->env, store->map_size);
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

/* Set *META from the database meta, which is opened if it is there, or created
 * in an environment that is EMPTY if FLAGS have MDB_CREATE. */
static int
get_meta(up_meta_t *meta,
         lmdb_store_t *store,
         MDB_txn *txn,
         int empty,
         unsigned flags,
         apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text(META_KEY), value;
    MDB_dbi *database = &store->database[LMDB_META];

    int rc = mdb_dbi_open(txn, names[LMDB_META], empty ? flags : 0, database);
    if (!rc)
        rc = mdb_get(txn, *database, &key, &value);
    if (!rc && !up_meta_unpack(meta, value.mv_data, value.mv_size, pool))
        rc = MDB_CORRUPTED;
    return rc;
}

/* Set *META, and open the databases if it says that they have our format. If
 * FLAGS have MDB_CREATE, create what is missing; but nothing in an environment
 * that another program made, whose format is NO_FORMAT. */
static int
open_databases(up_meta_t *meta,
               lmdb_store_t *store,
               MDB_txn *txn,
               unsigned flags,
               apr_pool_t *pool)
{
    MDB_dbi unnamed; /* it has the names of the others */
    MDB_stat stat;

    int rc = mdb_dbi_open(txn, NULL, 0, &unnamed);
    if (!rc)
        rc = mdb_stat(txn, unnamed, &stat);
    if (rc)
        return rc;
    /* An environment is empty if it is new, or if the one transaction that
     * makes it a store was cut off. */
    int empty = !stat.ms_entries;
    rc = get_meta(meta, store, txn, empty, flags, pool);
    if (!empty && (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)) {
        meta->format = NO_FORMAT;
        return 0;
    }
    if (rc == MDB_NOTFOUND && flags & MDB_CREATE) {
        meta->format = FORMAT;
        meta->map_size = store->map_size;
        if (!store->map_size)
            meta->map_size = (apr_uint64_t)up_driver_option(&up_store_lmdb,
                                                            "map-size", NULL);
        rc = put_meta(store, txn, meta, pool);
    }
    if (!rc && meta->format != FORMAT)
        return 0;
    for (int i = LMDB_META + 1; i < LMDB_DATABASES && !rc; i++)
        rc = mdb_dbi_open(txn, names[i], flags, &store->database[i]);
    return rc;
}

/* open_databases() in a transaction of its own; the handles outlive it. */
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
    return up_lmdb_commit_handle(txn);
}

/* Record in *META the map size that STORE is opened with. */
static int
record_map_size(lmdb_store_t *store, up_meta_t *meta, apr_pool_t *pool)
{
    MDB_txn *txn;

    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc)
        return rc;
    meta->map_size = store->map_size;
    rc = put_meta(store, txn, meta, pool);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return up_lmdb_commit_handle(txn);
}

/* A map size that is asked for is recorded; where none is, the recorded one
 * applies. A full store must open all the same, or it could not be made
 * larger. */
static int
agree_on_map_size(lmdb_store_t *store, up_meta_t *meta, apr_pool_t *pool)
{
    MDB_envinfo info;

    if (store->map_size) {
        if (store->map_size == meta->map_size)
            return 0;
        int rc = record_map_size(store, meta, pool);
        return is_full(rc) ? 0 : rc;
    }
    int rc = mdb_env_info(store->env, &info);
    if (!rc && meta->map_size && meta->map_size != info.me_mapsize)
        rc = mdb_env_set_mapsize(store->env, meta->map_size);
    return rc;
}

/* Open STORE's environment, and its databases if *META has our format. */
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
