/* up_lmdb_watch.c -- whether the files of an open store are still those that
 * were opened.
 *
 * A process goes on with a file that was removed or replaced, and would
 * acknowledge changes that nobody finds again. With another lock file, two
 * processes would write at once. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_clock.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Set *FILE to the one at PATH; returns 0 or what errno says. */
static int
identify(lmdb_file_t *file, const char *path)
{
    struct stat status;

    if (stat(path, &status))
        return errno;
    *file = (lmdb_file_t){status.st_dev, status.st_ino,
                          (apr_uint64_t)status.st_size};
    return 0;
}

static up_error_t *
replaced(const lmdb_store_t *store,
         const char *name,
         const char *how,
         int rc,
         apr_pool_t *pool)
{
    return up_error(
        pool, UP_STORE_REPLACED, APR_FROM_OS_ERROR(rc),
        "the LMDB store '%s' is not used any longer, because '%s/%s' "
        "%s while it was open: put the file back in its place, or "
        "have a graceful restart open what is there now",
        store->path, store->path, name, how);
}

up_error_t *
up_lmdb_watch_begin(lmdb_store_t *store, apr_pool_t *pool)
{
    lmdb_file_t data = {0}, lock = {0};
    struct stat status;
    int file = -1;

    int rc = identify(&data, store->data_path);
    if (!rc && !store->read_only)
        rc = identify(&lock, store->lock_path);
    if (!rc)
        rc = mdb_env_get_fd(store->env, &file);
    if (!rc)
        rc = fstat(file, &status) ? errno : 0;
    if (rc)
        return up_lmdb_error(rc, "find the files that were opened", store,
                             pool);
    if (status.st_dev != data.device || status.st_ino != data.inode)
        return replaced(store, UP_LMDB_DATA, "was replaced", 0, pool);
    store->data = data;
    store->lock = lock;
    return NULL;
}

/* Compare the file NAME, at PATH, with what it was, OPENED. */
static up_error_t *
compare(const lmdb_store_t *store,
        const char *name,
        const char *path,
        lmdb_file_t *opened,
        apr_pool_t *pool)
{
    /* Before it is looked at: it may be growing. */
    apr_uint64_t size = apr_atomic_read64(&opened->size);
    lmdb_file_t file = {0};

    int rc = identify(&file, path);
    if (rc == ENOENT)
        return replaced(store, name, "was removed", 0, pool);
    if (rc)
        return replaced(store, name, "became unreachable", rc, pool);
    if (file.device != opened->device || file.inode != opened->inode)
        return replaced(store, name, "was replaced", 0, pool);
    if (file.size < size)
        return replaced(store, name, "was cut off", 0, pool);
    apr_atomic_set64(&opened->size, file.size);
    return NULL;
}

up_error_t *
up_lmdb_watch_files(lmdb_store_t *store, apr_pool_t *pool)
{
    up_error_t *err =
        compare(store, UP_LMDB_DATA, store->data_path, &store->data, pool);

    if (!err && !store->read_only)
        err =
            compare(store, UP_LMDB_LOCK, store->lock_path, &store->lock, pool);
    if (err)
        apr_atomic_set32(&store->replaced, 1);
    return err;
}

int
up_lmdb_watch_is_due(lmdb_store_t *store)
{
    apr_uint32_t second = (apr_uint32_t)apr_time_sec(up_clock());
    apr_uint32_t last = apr_atomic_read32(&store->watched);

    if (apr_atomic_read32(&store->replaced))
        return 1;
    return last != second &&
           apr_atomic_cas32(&store->watched, second, last) == last;
}

up_error_t *
up_lmdb_watch_txn(const lmdb_txn_t *txn, apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;
    apr_size_t seen = mdb_txn_id(txn->handle) - (txn->writes ? 1 : 0);
    MDB_envinfo info;

    mdb_env_info(store->env, &info);
    int goes_back = info.me_last_txnid < seen;
    apr_atomic_set32(&store->replaced, goes_back ? 1 : 0);
    return goes_back ? replaced(store, UP_LMDB_DATA, "was overwritten", 0, pool)
                     : NULL;
}
