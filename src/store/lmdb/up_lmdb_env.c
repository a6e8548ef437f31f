/* up_lmdb_env.c -- opening LMDB's environment, and what LMDB's results mean. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_clock.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#if SIZE_MAX < UINT64_MAX
#error "a store needs the address space of a 64-bit machine"
#endif

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

const char *
up_lmdb_database_name(lmdb_database_t database)
{
    return names[database];
}

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
    if (rc == EAGAIN)
        return up_error(pool, reason_of(rc), APR_SUCCESS,
                        "cannot %s in the LMDB store '%s': another process "
                        "with the process id %ld uses it, in another container "
                        "(PID namespace); all who use a store must share one",
                        what, store->path, (long)getpid());
    if (rc > 0)
        return up_error(pool, reason_of(rc), APR_FROM_OS_ERROR(rc),
                        "cannot %s in the LMDB store '%s'", what, store->path);
    return up_error(pool, reason_of(rc), APR_SUCCESS,
                    "cannot %s in the LMDB store '%s': %s%s", what, store->path,
                    mdb_strerror(rc),
                    rc == MDB_MAP_FULL ? remedy(store, pool) : "");
}

/* LMDB writes the meta page that makes a transaction valid last. If that fails,
 * the disk may have it all the same, and LMDB writes the page's old content
 * over it, but flushes neither. Without a flush, the next transaction would
 * write its pages over those that the meta page on the disk names, and a loss
 * of power then would leave a broken store. */
int
up_lmdb_commit_handle(MDB_txn *txn)
{
    MDB_env *env = mdb_txn_env(txn);
    unsigned flags = 0;

    errno = 0;
    int rc = mdb_txn_commit(txn);
    if (!rc)
        return 0;
    if (rc == EIO && errno != EIO)
        rc = ENOSPC;
    mdb_env_get_flags(env, &flags);
    if (!(flags & MDB_NOSYNC))
        (void)mdb_env_sync(env, 1); /* what is lost is lost already */
    return rc;
}

/* Below, what returns int returns LMDB's result. */

/* What is to be done with the lock file before LMDB opens it: LMDB's locks
 * would go when this process closes it again.
 *
 * Its map, which shows who holds the writer lock. And disk space for the slots
 * of all readers, if possible: LMDB creates the file with a hole, and on a full
 * disk a process that takes a slot in it dies of SIGBUS.
 *
 * fallocate() is Linux's. posix_fallocate() is no substitute: where the file
 * system has no such call, it writes into the file that others use. */
static int
visit_lock_file(lmdb_store_t *store)
{
    struct stat status;

    int file = open(store->lock_path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return 0; /* LMDB will create it; the next process visits it */
    int rc = up_lmdb_lock_await_setup(file, store);
    if (!rc && !fstat(file, &status) && status.st_size) {
        (void)fallocate(file, 0, 0, status.st_size);
        up_lmdb_lock_map(store, file, status.st_size);
    }
    close(file);
    return rc;
}

/* Open STORE's environment, at PATH, with MORE flags. */
static int
open_environment(lmdb_store_t *store, const char *path, unsigned more)
{
    /* Reading ahead would make large folios of the page cache, in which each
     * write of a page costs several times as much. */
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | more;

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
        rc = mdb_env_open(store->env, path, flags, FILE_MODE);
    return rc;
}

/* Open STORE's environment in its folder. On a file system that is read-only
 * there can be no locks, nor anybody who writes. */
static int
open_folder(lmdb_store_t *store)
{
    int rc = visit_lock_file(store);
    if (!rc)
        rc = open_environment(store, store->folder, 0);
    store->read_only = rc == EROFS;
    if (!store->read_only)
        return rc;
    up_lmdb_env_close(store);
    return open_environment(store, store->folder, MDB_RDONLY);
}

int
up_lmdb_get_meta(up_meta_t *meta, const lmdb_txn_t *txn, apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text(META_KEY), value;

    int rc =
        mdb_get(txn->handle, txn->store->database[LMDB_META], &key, &value);
    if (!rc && !up_meta_unpack(meta, value.mv_data, value.mv_size, pool))
        rc = MDB_CORRUPTED;
    return rc;
}

int
up_lmdb_put_meta(const lmdb_txn_t *txn, const up_meta_t *meta, apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text(META_KEY), value;
    const char *bytes;

    up_meta_pack(&bytes, &value.mv_size, meta, pool);
    value.mv_data = (void *)bytes;
    return mdb_put(txn->handle, txn->store->database[LMDB_META], &key, &value,
                   0);
}

static int
is_known(const up_meta_t *meta)
{
    return meta->format == UP_LMDB_FORMAT || meta->format == UP_LMDB_FORMAT_1;
}

/* META is what STORE says of itself. Once each value has a checksum, that
 * stays so. */
static void
adopt_format(lmdb_store_t *store, const up_meta_t *meta)
{
    if (meta->format == UP_LMDB_FORMAT && !meta->upgrading)
        apr_atomic_set32(&store->all_marked, 1);
}

/* Set *META from the database meta, which is opened if it is there, or created
 * in an environment that is EMPTY if FLAGS have MDB_CREATE. */
static int
get_meta(up_meta_t *meta,
         const lmdb_txn_t *txn,
         int empty,
         unsigned flags,
         apr_pool_t *pool)
{
    int rc = mdb_dbi_open(txn->handle, names[LMDB_META], empty ? flags : 0,
                          &txn->store->database[LMDB_META]);

    return rc ? rc : up_lmdb_get_meta(meta, txn, pool);
}

/* Set *META, and open the databases if it says that they have a format that is
 * known. If FLAGS have MDB_CREATE, create what is missing; but nothing in an
 * environment that another program made, whose format is UP_LMDB_NO_FORMAT. */
static int
open_databases(up_meta_t *meta,
               const lmdb_txn_t *txn,
               unsigned flags,
               apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;
    MDB_dbi unnamed; /* it has the names of the others */
    MDB_stat stat;

    int rc = mdb_dbi_open(txn->handle, NULL, 0, &unnamed);
    if (!rc)
        rc = mdb_stat(txn->handle, unnamed, &stat);
    if (rc)
        return rc;
    /* An environment is empty if it is new, or if the one transaction that
     * makes it a store was cut off. */
    int empty = !stat.ms_entries;
    rc = get_meta(meta, txn, empty, flags, pool);
    if (!empty && (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)) {
        meta->format = UP_LMDB_NO_FORMAT;
        return 0;
    }
    if (rc == MDB_NOTFOUND && flags & MDB_CREATE) {
        meta->format = UP_LMDB_FORMAT;
        meta->map_size = store->map_size;
        if (!store->map_size)
            meta->map_size = (apr_uint64_t)up_driver_option(&up_store_lmdb,
                                                            "map-size", NULL);
        rc = up_lmdb_put_meta(txn, meta, pool);
    }
    if (!rc && !is_known(meta))
        return 0;
    for (int i = LMDB_META + 1; i < LMDB_DATABASES && !rc; i++)
        rc = mdb_dbi_open(txn->handle, names[i], flags, &store->database[i]);
    return rc;
}

/* open_databases() in a transaction of its own; the handles outlive it. */
static int
load_databases(up_meta_t *meta,
               lmdb_store_t *store,
               unsigned flags,
               apr_pool_t *pool)
{
    lmdb_txn_t txn = {.store = store};

    int rc = flags & MDB_CREATE ? up_lmdb_lock_await(store) : 0;
    if (!rc)
        rc = mdb_txn_begin(store->env, NULL,
                           flags & MDB_CREATE ? 0 : MDB_RDONLY, &txn.handle);
    if (rc)
        return rc;
    rc = open_databases(meta, &txn, flags, pool);
    if (rc) {
        mdb_txn_abort(txn.handle);
        return rc;
    }
    return up_lmdb_commit_handle(txn.handle);
}

up_error_t *
up_lmdb_record_map_size(lmdb_txn_t *txn, apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;
    up_meta_t meta = {0};

    store->is_size_unrecorded = 0;
    int rc = up_lmdb_get_meta(&meta, txn, pool);
    meta.map_size = store->map_size;
    if (!rc)
        rc = up_lmdb_put_meta(txn, &meta, pool);
    if (!rc)
        return up_lmdb_commit(txn, pool);
    up_lmdb_abort(txn);
    return up_lmdb_error(rc, "record the map size", store, pool);
}

/* Open STORE's environment, and its databases if *META has a known format. */
static int
open_and_load(up_meta_t *meta, lmdb_store_t *store, apr_pool_t *pool)
{
    int rc = open_folder(store);

    if (!rc)
        rc = load_databases(meta, store, 0, pool);
    if (rc == MDB_NOTFOUND) /* its making was cut off */
        rc = load_databases(meta, store, MDB_CREATE, pool);
    return rc;
}

/* A map size that is asked for is recorded, by the writer, because the writer
 * lock may not be free now; where none is, the recorded one applies. A store
 * that is opened again is so because a write failed, which may have been this
 * one: it is not tried again. */
static int
agree_on_map_size(lmdb_store_t *store, const up_meta_t *meta)
{
    MDB_envinfo info;

    if (store->map_size) {
        store->is_size_unrecorded = store->map_size != meta->map_size &&
                                    !store->read_only && !store->data.inode;
        return 0;
    }
    int rc = mdb_env_info(store->env, &info);
    if (!rc && meta->map_size && meta->map_size != info.me_mapsize)
        rc = mdb_env_set_mapsize(store->env, meta->map_size);
    return rc;
}

/* STORE could not be opened because of RC. */
static up_error_t *
unopened(int rc, const lmdb_store_t *store, apr_pool_t *pool)
{
    up_error_t *err = up_lmdb_error(rc, "open what is", store, pool);

    err->reason = UP_STORE_UNAVAILABLE;
    return err;
}

static up_error_t *
refuse_format(const up_meta_t *meta,
              const lmdb_store_t *store,
              apr_pool_t *pool)
{
    if (meta->format == UP_LMDB_NO_FORMAT)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB files in '%s' are not of a store of "
                        "profiles, and are left alone: name another folder",
                        store->path);
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the store '%s' has format %u, this version reads formats "
                    "1 to %d",
                    store->path, meta->format, UP_LMDB_FORMAT);
}

/* Open STORE. Sets *AGAIN to whether it may be worth another try. */
static up_error_t *
try_open(int *again, lmdb_store_t *store, apr_pool_t *pool)
{
    up_meta_t meta = {0};

    *again = 0;
    if (store->data.inode) /* it was open before */
        UP_ERR(up_lmdb_watch_files(store, pool));
    UP_ERR(up_lmdb_check_data(store, pool));
    int rc = open_and_load(&meta, store, pool);
    if (!rc && store->data.inode && store->sync && !store->read_only)
        rc = mdb_env_sync(store->env, 1); /* see up_lmdb_commit_handle() */
    if (!rc && is_known(&meta))
        rc = agree_on_map_size(store, &meta);
    if (!rc)
        rc = mdb_reader_check(store->env, NULL);
    up_error_t *err =
        rc ? unopened(rc, store, pool) : up_lmdb_watch_begin(store, pool);
    if (err) {
        *again = rc != EACCES && rc != ENOENT;
    } else if (!is_known(&meta)) {
        *again = 0;
        err = refuse_format(&meta, store, pool);
    } else {
        adopt_format(store, &meta);
        return NULL;
    }
    up_lmdb_env_close(store);
    return err;
}

up_error_t *
up_lmdb_env_open(lmdb_store_t *store, apr_pool_t *pool)
{
    apr_time_t last_try = up_clock() + OPEN_PATIENCE;
    int again;

    up_error_t *err = try_open(&again, store, pool);
    while (err && again && up_clock() < last_try) {
        apr_sleep(OPEN_PAUSE);
        err = try_open(&again, store, pool);
    }
    return err;
}

up_error_t *
up_lmdb_env_begin(lmdb_store_t *store, const char *path, apr_pool_t *pool)
{
    up_meta_t meta = {0};

    int rc = open_environment(store, path, MDB_NOSUBDIR | MDB_NOLOCK);
    if (!rc)
        rc = load_databases(&meta, store, MDB_CREATE, pool);
    return rc ? unopened(rc, store, pool) : NULL;
}

up_error_t *
up_lmdb_env_make(lmdb_store_t *store, const char *path, apr_pool_t *pool)
{
    up_error_t *err = up_lmdb_env_begin(store, path, pool);
    int rc = err ? 0 : mdb_env_sync(store->env, 1);

    up_lmdb_env_close(store);
    return rc ? unopened(rc, store, pool) : err;
}

void
up_lmdb_env_close(lmdb_store_t *store)
{
    up_lmdb_forget_ended(store);
    if (store->env)
        mdb_env_close(store->env);
    store->env = NULL;
    up_lmdb_lock_unmap(store);
}

up_error_t *
up_lmdb_begun(lmdb_txn_t *txn, int due, apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;
    up_meta_t meta;
    int rc;

    if (due || txn->writes)
        UP_ERR(up_lmdb_watch_txn(txn, pool));
    txn->marks = (int)apr_atomic_read32(&store->all_marked);
    if (txn->marks || (!due && !txn->writes))
        return NULL;
    rc = up_lmdb_get_meta(&meta, txn, pool);
    if (rc)
        return up_lmdb_error(rc, "read the format", store, pool);
    txn->marks = meta.format >= UP_LMDB_FORMAT;
    adopt_format(store, &meta);
    return NULL;
}
