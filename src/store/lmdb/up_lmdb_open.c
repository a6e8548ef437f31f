/* up_lmdb_open.c -- opening and closing an LMDB store, once in a process. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <errno.h>
#include <sys/stat.h>

/* What is open in this process. A second environment of the same folder would
 * take the first one's locks away (lmdb.h). The mutex is held by whoever opens
 * or closes. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static lmdb_store_t *open_stores;

/* Find out which folder STORE's is, and that there is a store in it: LMDB would
 * make one. */
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

/* Set *STORE to the one of LMDB's folder that is open, or else open LMDB. */
static up_error_t *
share_or_open(up_store_t **store, lmdb_store_t *lmdb, apr_pool_t *pool)
{
    for (lmdb_store_t *other = open_stores; other; other = other->next_open) {
        if (other->device == lmdb->device && other->inode == lmdb->inode) {
            other->shares++;
            *store = &other->base;
            return NULL;
        }
    }
    UP_ERR(up_queue_make(&lmdb->updates, UP_LMDB_BATCH, up_lmdb_run_updates,
                         lmdb, pool));
    UP_ERR(up_lmdb_env_open(lmdb, pool));
    up_gate_init(&lmdb->gate);
    lmdb->shares = 1;
    lmdb->next_open = open_stores;
    open_stores = lmdb;
    *store = &lmdb->base;
    return NULL;
}

up_error_t *
up_lmdb_open(up_store_t **store,
             const char *location,
             const up_store_options_t *options,
             apr_pool_t *result_pool)
{
    lmdb_store_t *lmdb = apr_pcalloc(result_pool, sizeof(*lmdb));

    lmdb->base.driver = &up_store_lmdb;
    lmdb->path = apr_pstrdup(result_pool, location);
    lmdb->options = *options;
    UP_ERR(identify(lmdb, result_pool));
    pthread_mutex_lock(&list_mutex);
    up_error_t *err = share_or_open(store, lmdb, result_pool);
    pthread_mutex_unlock(&list_mutex);
    return err;
}

static void
close_last(lmdb_store_t *lmdb)
{
    lmdb_store_t **link = &open_stores;

    while (*link != lmdb)
        link = &(*link)->next_open;
    *link = lmdb->next_open;
    up_lmdb_env_close(lmdb);
    up_gate_destroy(&lmdb->gate);
}

void
up_lmdb_close(up_store_t *store)
{
    lmdb_store_t *lmdb = up_lmdb_downcast(store);

    pthread_mutex_lock(&list_mutex);
    if (!--lmdb->shares)
        close_last(lmdb);
    pthread_mutex_unlock(&list_mutex);
}
