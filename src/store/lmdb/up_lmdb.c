/* up_lmdb.c -- the LMDB driver, whose stores are each opened once in a
 * process. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_size.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <assert.h>
#include <errno.h>
#include <sys/stat.h>

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

static const up_driver_option_t lmdb_options[] = {
    {"map-size", "16G", "a size from 1M to 16384G, such as 16G",
     parse_map_size},
    {"sync", "full", "'full' or 'off'", parse_sync},
    {NULL, NULL, NULL, NULL},
};

void
up_lmdb_set_options(lmdb_store_t *store, const apr_table_t *options)
{
    if (options)
        store->map_size =
            (apr_size_t)up_driver_option(&up_store_lmdb, "map-size", options);
    store->sync = (int)up_driver_option(&up_store_lmdb, "sync", options);
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

    if (stat(store->path, &folder))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot open the LMDB store '%s'", store->path);
    if (stat(apr_pstrcat(pool, store->path, "/" UP_LMDB_DATA, NULL), &data))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot find an LMDB store in '%s'", store->path);
    store->device = folder.st_dev;
    store->inode = folder.st_ino;
    return NULL;
}

/* Set *STORE to the open one in LMDB's folder, or else open LMDB. */
static up_error_t *
share_or_open(up_store_t **store, lmdb_store_t *lmdb, apr_pool_t *pool)
{
    for (lmdb_store_t *other = open_stores; other; other = other->next_open) {
        if (other->device == lmdb->device && other->inode == lmdb->inode) {
            other->opened++;
            *store = &other->base;
            return NULL;
        }
    }
    UP_ERR(up_queue_make(&lmdb->updates, UP_LMDB_BATCH, up_lmdb_run_updates,
                         lmdb, pool));
    UP_ERR(up_lmdb_env_open(lmdb, pool));
    up_gate_init(&lmdb->gate);
    lmdb->opened = 1;
    lmdb->next_open = open_stores;
    open_stores = lmdb;
    *store = &lmdb->base;
    return NULL;
}

static up_error_t *
lmdb_open(up_store_t **store,
          const char *location,
          const apr_table_t *options,
          apr_pool_t *result_pool)
{
    lmdb_store_t *lmdb = apr_pcalloc(result_pool, sizeof(*lmdb));

    lmdb->base.driver = &up_store_lmdb;
    lmdb->path = apr_pstrdup(result_pool, location);
    up_lmdb_set_options(lmdb, options);
    UP_ERR(identify(lmdb, result_pool));
    pthread_mutex_lock(&list_mutex);
    up_error_t *err = share_or_open(store, lmdb, result_pool);
    pthread_mutex_unlock(&list_mutex);
    return err;
}

static void
lmdb_close(up_store_t *store)
{
    lmdb_store_t *lmdb = up_lmdb_downcast(store), **link = &open_stores;

    pthread_mutex_lock(&list_mutex);
    if (!--lmdb->opened) {
        while (*link != lmdb)
            link = &(*link)->next_open;
        *link = lmdb->next_open;
        up_lmdb_env_close(lmdb);
        up_gate_destroy(&lmdb->gate);
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
    .owner = up_lmdb_owner,
    .open = lmdb_open,
    .close = lmdb_close,
    .read = up_lmdb_read,
    .update = up_lmdb_update,
    .token = up_lmdb_token,
    .begin = up_lmdb_batch_begin,
    .put = up_lmdb_batch_put,
    .get = up_lmdb_batch_get,
    .remove = up_lmdb_batch_remove,
    .remove_rights = up_lmdb_batch_remove_rights,
    .commit = up_lmdb_batch_commit,
    .each = up_lmdb_each,
    .stat = up_lmdb_stat,
};
