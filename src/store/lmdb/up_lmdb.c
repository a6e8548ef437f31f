/* up_lmdb.c -- the LMDB driver, whose stores are each opened once in a
 * process. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_clock.h"
#include "core/up_size.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (APR_INT64_C(1) << 20)
#define GIB (APR_INT64_C(1) << 30)

/* The stores that this process has open. A second environment in the same
 * folder would drop the locks of the first one (lmdb.h). The mutex is held
 * while a store is opened or closed. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static lmdb_store_t *open_stores;

lmdb_store_t *
up_lmdb_downcast(up_store_t *store)
{
    assert(store->driver == &up_store_lmdb);
    return (lmdb_store_t *)store;
}

static int
parse_map_size(apr_int64_t *bytes, const char *value)
{
    return up_size_parse(bytes, value, MIB, 16384 * GIB);
}

static int
parse_sync(apr_int64_t *on, const char *value)
{
    *on = apr_cstr_casecmp(value, "full") == 0;
    return *on || apr_cstr_casecmp(value, "off") == 0;
}

static int
parse_timeout(apr_int64_t *seconds, const char *value)
{
    char *end;

    errno = 0;
    *seconds = apr_strtoi64(value, &end, 10);
    return apr_isdigit(*value) && !*end && !errno && *seconds >= 1 &&
           *seconds <= 3600;
}

static const up_driver_option_t lmdb_options[] = {
    {"map-size", "16G", "a size from 1M to 16384G, such as 16G",
     parse_map_size},
    {"sync", "full", "'full' or 'off'", parse_sync},
    {"timeout", "10", "a number of seconds from 1 to 3600", parse_timeout},
    {NULL, NULL, NULL, NULL},
};

/* The path of FOLDER, in POOL; that of one that is held open is what it was
 * when it was opened, unless it was moved. */
static const char *
path_for_people(const char *folder, apr_pool_t *pool)
{
    char path[APR_PATH_MAX];

    if (strncmp(folder, UP_LMDB_HELD, strlen(UP_LMDB_HELD)) != 0)
        return folder;
    ssize_t length = readlink(folder, path, sizeof(path));
    return length < 0 ? folder : apr_pstrmemdup(pool, path, (apr_size_t)length);
}

void
up_lmdb_set_path(lmdb_store_t *store, const char *folder, apr_pool_t *pool)
{
    store->folder = apr_pstrdup(pool, folder);
    store->path = path_for_people(store->folder, pool);
    store->data_path = apr_pstrcat(pool, folder, "/" UP_LMDB_DATA, NULL);
    store->lock_path = apr_pstrcat(pool, folder, "/" UP_LMDB_LOCK, NULL);
}

void
up_lmdb_set_options(lmdb_store_t *store, const apr_table_t *options)
{
    if (options)
        store->map_size =
            (apr_size_t)up_driver_option(&up_store_lmdb, "map-size", options);
    store->sync = (int)up_driver_option(&up_store_lmdb, "sync", options);
    store->timeout =
        apr_time_from_sec(up_driver_option(&up_store_lmdb, "timeout", options));
}

static const char *
lmdb_shortage(int processes, int threads, apr_pool_t *pool)
{
    if ((apr_int64_t)processes * threads <= UP_LMDB_READERS)
        return NULL;
    return apr_psprintf(pool, "more than the %d readers that an LMDB store has",
                        UP_LMDB_READERS);
}

/* Set the device and inode of STORE's folder. Fails if there is no store in
 * it: LMDB would create one. */
static up_error_t *
identify(lmdb_store_t *store, apr_pool_t *pool)
{
    struct stat folder, data;

    if (stat(store->folder, &folder))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot open the LMDB store '%s'", store->path);
    if (stat(store->data_path, &data))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot find an LMDB store in '%s'", store->path);
    store->device = folder.st_dev;
    store->inode = folder.st_ino;
    return NULL;
}

/* The open store in LMDB's folder, or NULL. */
static lmdb_store_t *
find_open(const lmdb_store_t *lmdb)
{
    lmdb_store_t *other = open_stores;

    while (other &&
           (other->device != lmdb->device || other->inode != lmdb->inode))
        other = other->next_open;
    return other;
}

/* Set *STORE to the open one in LMDB's folder, or else open LMDB. Errors are in
 * its own pool. */
static up_error_t *
share_or_open(lmdb_store_t **store, lmdb_store_t *lmdb)
{
    UP_ERR(identify(lmdb, lmdb->pool));
    *store = find_open(lmdb);
    if (*store)
        return NULL;
    UP_ERR(up_queue_make(&lmdb->writer, UP_LMDB_BATCH, up_lmdb_run_writer, lmdb,
                         lmdb->pool));
    UP_ERR(up_lmdb_env_open(lmdb, lmdb->pool));
    up_gate_init(&lmdb->gate);
    pthread_mutex_init(&lmdb->ended_lock, NULL);
    apr_pool_create(&lmdb->writer_pool, lmdb->pool);
    lmdb->next_open = open_stores;
    open_stores = *store = lmdb;
    if (lmdb->is_size_unrecorded)
        up_queue_poke(lmdb->writer);
    return NULL;
}

static up_error_t *
lmdb_open(up_store_t **store,
          const char *location,
          const apr_table_t *options,
          apr_pool_t *result_pool)
{
    lmdb_store_t *found = NULL;
    apr_pool_t *pool;

    /* Without a parent: it has to stay where the writer cannot be ended. */
    apr_status_t rv = apr_pool_create_unmanaged_ex(
        &pool, apr_pool_abort_get(result_pool), NULL);
    if (rv)
        return up_error(result_pool, UP_STORE_UNAVAILABLE, rv,
                        "cannot make a pool for the LMDB store '%s'", location);
    lmdb_store_t *lmdb = apr_pcalloc(pool, sizeof(*lmdb));
    lmdb->base.driver = &up_store_lmdb;
    lmdb->pool = pool;
    up_lmdb_set_path(lmdb, location, pool);
    up_lmdb_set_options(lmdb, options);
    pthread_mutex_lock(&list_mutex);
    up_error_t *err = share_or_open(&found, lmdb);
    if (found)
        found->opened++;
    pthread_mutex_unlock(&list_mutex);
    if (err)
        err = up_error_copy(err, result_pool);
    if (found != lmdb)
        apr_pool_destroy(pool);
    if (!err)
        *store = &found->base;
    return err;
}

static apr_uint64_t
lmdb_stamp(const up_store_t *store)
{
    const lmdb_store_t *lmdb = (const lmdb_store_t *)store;
    const apr_uint64_t parts[] = {lmdb->data.device, lmdb->data.inode,
                                  lmdb->lock.device, lmdb->lock.inode};
    apr_uint64_t stamp = 1;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        stamp = (stamp ^ parts[i]) * APR_UINT64_C(1099511628211); /* FNV-1 */
    return stamp ? stamp : 1;
}

/* End the writer of LMDB, which nobody uses. Returns 0 if it waits for a lock
 * that another process does not let go. */
static int
stop_writer(lmdb_store_t *lmdb)
{
    apr_time_t since = up_queue_waits_since(lmdb->writer, NULL);
    apr_interval_time_t left = lmdb->timeout - (since ? up_clock() - since : 0);

    return up_queue_stop(lmdb->writer, left > 0 ? left : 0);
}

static void
lmdb_close(up_store_t *store)
{
    lmdb_store_t *lmdb = up_lmdb_downcast(store), **link = &open_stores;

    pthread_mutex_lock(&list_mutex);
    /* A store whose writer cannot be ended stays open, for the next opening. */
    if (!--lmdb->opened && stop_writer(lmdb)) {
        while (*link != lmdb)
            link = &(*link)->next_open;
        *link = lmdb->next_open;
        up_lmdb_env_close(lmdb);
        pthread_mutex_destroy(&lmdb->ended_lock);
        up_gate_destroy(&lmdb->gate);
        apr_pool_destroy(lmdb->pool);
    }
    pthread_mutex_unlock(&list_mutex);
}

const up_store_driver_t up_store_lmdb = {
    .scheme = "lmdb",
    .options = lmdb_options,
    .check = up_lmdb_check,
    .shortage = lmdb_shortage,
    .prepare = up_lmdb_prepare,
    .inspect = up_lmdb_inspect,
    .hold = up_lmdb_hold,
    .open = lmdb_open,
    .stamp = lmdb_stamp,
    .close = lmdb_close,
    .set_wait = up_lmdb_set_wait,
    .probe = up_lmdb_probe,
    .read = up_lmdb_read,
    .update = up_lmdb_update,
    .token = up_lmdb_token,
    .begin = up_lmdb_batch_begin,
    .expect = up_lmdb_batch_expect,
    .put = up_lmdb_batch_put,
    .get = up_lmdb_batch_get,
    .last_event = up_lmdb_batch_last_event,
    .remove = up_lmdb_batch_remove,
    .remove_rights = up_lmdb_batch_remove_rights,
    .erase_events = up_lmdb_batch_erase_events,
    .commit = up_lmdb_batch_commit,
    .each = up_lmdb_each,
    .stat = up_lmdb_stat,
    .upgrade = up_lmdb_upgrade,
    .filling = up_lmdb_filling,
    .check_store = up_lmdb_check_store,
    .copy_begin = up_lmdb_copy_begin,
    .copy_fill = up_lmdb_copy_fill,
    .copy_finish = up_lmdb_copy_finish,
};
