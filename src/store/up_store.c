/* up_store.c -- finds the driver for a URI, and hands calls on to it. */
#include "store/up_store.h"
#include "store/up_store_driver.h"

#include <apr_strings.h>
#include <string.h>

static const up_store_driver_t *const drivers[] = {
    &up_store_lmdb,
#ifdef UP_POSTGRESQL
    &up_store_postgresql,
#endif
};

/* The driver for URI, or NULL. */
static const up_store_driver_t *
find_driver(const char *uri)
{
    for (apr_size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        apr_size_t length = strlen(drivers[i]->scheme);
        if (!strncmp(uri, drivers[i]->scheme, length) && uri[length] == ':')
            return drivers[i];
    }
    return NULL;
}

/* URI without a password that it may have, in POOL. */
static const char *
shown(const char *uri, apr_pool_t *pool)
{
    const char *at = strrchr(uri, '@');

    if (!at && !strstr(uri, "password"))
        return uri;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, uri, strcspn(uri, ":")),
                       ":...", NULL);
}

/* Set *DRIVER and *LOCATION to what URI says. */
static up_error_t *
resolve(const up_store_driver_t **driver,
        const char **location,
        const char *uri,
        apr_pool_t *pool)
{
    *driver = find_driver(uri);
    if (*driver) {
        *location = uri + strlen((*driver)->scheme) + 1;
        return NULL;
    }
#ifndef UP_POSTGRESQL
    if (!strncmp(uri, "postgresql:", strlen("postgresql:")))
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "the driver for PostgreSQL is not built in: build "
                        "again where libpq's headers are (libpq-dev)");
#endif
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "'%s' is not the URI of a store, such as lmdb:/var/lib/"
                    "apache2/userprofile or postgresql://host/database",
                    shown(uri, pool));
}

/* DRIVER's option NAME, or NULL. */
static const up_driver_option_t *
find_option(const up_store_driver_t *driver, const char *name)
{
    const up_driver_option_t *option = driver->options;

    while (option->name && strcmp(option->name, name) != 0)
        option++;
    return option->name ? option : NULL;
}

static up_error_t *
check_value(const up_driver_option_t *option,
            const char *value,
            apr_pool_t *pool)
{
    apr_int64_t number;

    if (option->parse(&number, value))
        return NULL;
    return up_error(pool, UP_CONFLICT, APR_SUCCESS, "'%s' is not %s", value,
                    option->right);
}

/* Whether another driver has an option NAME: a server may have stores of both,
 * and an option of one means nothing to the other. */
static int
is_anothers(const char *name)
{
    for (apr_size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (find_option(drivers[i], name))
            return 1;
    }
    return 0;
}

static up_error_t *
check_options(const up_store_driver_t *driver,
              const apr_table_t *options,
              apr_pool_t *pool)
{
    if (!options)
        return NULL;

    const apr_array_header_t *entries = apr_table_elts(options);
    for (int i = 0; i < entries->nelts; i++) {
        apr_table_entry_t entry = APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        const up_driver_option_t *option = find_option(driver, entry.key);
        if (!option && is_anothers(entry.key))
            continue;
        if (!option)
            return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                            "the driver '%s' has no option '%s'",
                            driver->scheme, entry.key);
        up_error_t *err = check_value(option, entry.val, pool);
        if (err)
            return up_error_wrap(pool, err, "option '%s'", entry.key);
    }
    return NULL;
}

apr_int64_t
up_driver_option(const up_store_driver_t *driver,
                 const char *name,
                 const apr_table_t *options)
{
    const up_driver_option_t *option = find_option(driver, name);
    const char *value = options ? apr_table_get(options, name) : NULL;
    apr_int64_t number = 0;

    option->parse(&number, value ? value : option->otherwise);
    return number;
}

up_error_t *
up_store_check_uri(const char *uri, apr_pool_t *pool)
{
    const up_store_driver_t *driver;
    const char *location;

    UP_ERR(resolve(&driver, &location, uri, pool));
    return driver->check(location, pool);
}

up_error_t *
up_store_check_option(const char *name, const char *value, apr_pool_t *pool)
{
    int known = 0;

    for (apr_size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        const up_driver_option_t *option = find_option(drivers[i], name);
        if (option)
            UP_ERR(check_value(option, value, pool));
        known |= option != NULL;
    }
    return known ? NULL
                 : up_error(pool, UP_CONFLICT, APR_SUCCESS,
                            "no store has an option '%s'", name);
}

int
up_store_option_differs(const char *uri,
                        const char *name,
                        const apr_table_t *a,
                        const apr_table_t *b)
{
    const up_store_driver_t *driver = find_driver(uri);

    return driver && find_option(driver, name) &&
           up_driver_option(driver, name, a) !=
               up_driver_option(driver, name, b);
}

const char *
up_store_shortage(const char *uri, int processes, int threads, apr_pool_t *pool)
{
    const up_store_driver_t *driver = find_driver(uri);

    return driver ? driver->shortage(processes, threads, pool) : NULL;
}

up_error_t *
up_store_prepare(const char **identity,
                 int *made,
                 const char *uri,
                 const apr_table_t *options,
                 uid_t uid,
                 gid_t gid,
                 apr_pool_t *result_pool,
                 apr_pool_t *scratch_pool)
{
    const up_store_driver_t *driver;
    const char *location;

    UP_ERR(resolve(&driver, &location, uri, result_pool));
    UP_ERR(check_options(driver, options, result_pool));
    return driver->prepare(identity, made, location, options, uid, gid,
                           result_pool, scratch_pool);
}

up_error_t *
up_store_inspect(const char **identity,
                 const char *uri,
                 uid_t uid,
                 apr_pool_t *pool)
{
    const up_store_driver_t *driver;
    const char *location;

    *identity = NULL;
    UP_ERR(resolve(&driver, &location, uri, pool));
    return driver->inspect(identity, location, uid, pool);
}

up_error_t *
up_store_hold(const char **held,
              uid_t *uid,
              gid_t *gid,
              const char *uri,
              apr_pool_t *pool)
{
    const up_store_driver_t *driver;
    const char *location;

    UP_ERR(resolve(&driver, &location, uri, pool));
    UP_ERR(driver->hold(&location, uid, gid, location, pool));
    *held = apr_pstrcat(pool, driver->scheme, ":", location, NULL);
    return NULL;
}

up_error_t *
up_store_open(up_store_t **store,
              const char *uri,
              const apr_table_t *options,
              apr_pool_t *result_pool)
{
    const up_store_driver_t *driver;
    const char *location;

    UP_ERR(resolve(&driver, &location, uri, result_pool));
    UP_ERR(check_options(driver, options, result_pool));
    return driver->open(store, location, options, result_pool);
}

apr_uint64_t
up_store_stamp(const up_store_t *store)
{
    return store->driver->stamp(store);
}

void
up_store_close(up_store_t *store)
{
    store->driver->close(store);
}

void
up_store_set_wait(up_store_t *store,
                  apr_interval_time_t timeout,
                  up_store_tell_t *tell,
                  void *baton)
{
    store->driver->set_wait(store, timeout, tell, baton);
}

up_error_t *
up_store_probe(apr_uint32_t *episode, up_store_t *store, apr_pool_t *pool)
{
    return store->driver->probe(episode, store, pool);
}

up_error_t *
up_store_filling(const char **warning, up_store_t *store, apr_pool_t *pool)
{
    return store->driver->filling(warning, store, pool);
}

void
up_store_count(up_store_t *store, up_store_counters_t *counters)
{
    __atomic_store_n(&store->counters, counters, __ATOMIC_RELEASE);
}

void
up_driver_count(up_store_t *store, unsigned changes, apr_interval_time_t time)
{
    up_store_counters_t *counters =
        __atomic_load_n(&store->counters, __ATOMIC_ACQUIRE);

    if (!counters)
        return;
    __atomic_fetch_add(&counters->changes, changes, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counters->batches, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counters->flush_time, (apr_uint64_t)time,
                       __ATOMIC_RELAXED);
}

int
up_store_may_lag(const up_store_t *store)
{
    return store->may_lag;
}

up_error_t *
up_store_read(up_view_t **view,
              up_store_t *store,
              const up_query_t *query,
              apr_pool_t *result_pool,
              apr_pool_t *scratch_pool)
{
    return store->driver->read(view, store, query, result_pool, scratch_pool);
}

up_error_t *
up_store_update(const up_user_t **after,
                up_store_t *store,
                const char *org,
                const char *user,
                up_decide_t decide,
                void *baton,
                apr_pool_t *result_pool,
                apr_pool_t *scratch_pool)
{
    return store->driver->update(after, store, org, user, NULL, decide, baton,
                                 result_pool, scratch_pool);
}

up_error_t *
up_store_update_seen(const up_user_t **after,
                     up_store_t *store,
                     const up_user_t *seen,
                     up_decide_t decide,
                     void *baton,
                     apr_pool_t *result_pool,
                     apr_pool_t *scratch_pool)
{
    return store->driver->update(after, store, seen->org, seen->id, seen,
                                 decide, baton, result_pool, scratch_pool);
}

up_error_t *
up_store_token(const up_token_t **token,
               int *owner_stored,
               up_state_t *owner_state,
               up_store_t *store,
               int may_lag,
               const unsigned char sha256[UP_SHA256_BYTES],
               apr_pool_t *result_pool,
               apr_pool_t *scratch_pool)
{
    return store->driver->token(token, owner_stored, owner_state, store,
                                may_lag, sha256, result_pool, scratch_pool);
}

up_error_t *
up_batch_begin(up_batch_t **batch, up_store_t *store, apr_pool_t *pool)
{
    return store->driver->begin(batch, store, pool);
}

up_error_t *
up_batch_put(up_batch_t *batch, const up_item_t *item, apr_pool_t *scratch_pool)
{
    return batch->store->driver->put(batch, item, scratch_pool);
}

up_error_t *
up_batch_expect(up_batch_t *batch,
                const up_item_t *const *items,
                int count,
                apr_pool_t *scratch_pool)
{
    return batch->store->driver->expect(batch, items, count, scratch_pool);
}

up_error_t *
up_batch_last_event(apr_uint64_t *number,
                    up_batch_t *batch,
                    apr_pool_t *scratch_pool)
{
    return batch->store->driver->last_event(number, batch, scratch_pool);
}

up_error_t *
up_batch_get(const up_item_t **item,
             up_batch_t *batch,
             const up_item_t *key,
             apr_pool_t *result_pool,
             apr_pool_t *scratch_pool)
{
    return batch->store->driver->get(item, batch, key, result_pool,
                                     scratch_pool);
}

up_error_t *
up_batch_remove(int *found,
                up_batch_t *batch,
                const up_item_t *key,
                apr_pool_t *scratch_pool)
{
    return batch->store->driver->remove(found, batch, key, scratch_pool);
}

up_error_t *
up_batch_remove_rights(up_batch_t *batch,
                       const char *user,
                       apr_time_t now,
                       apr_pool_t *scratch_pool)
{
    return batch->store->driver->remove_rights(batch, user, now, scratch_pool);
}

up_error_t *
up_batch_erase_events(up_batch_t *batch,
                      const char *user,
                      apr_pool_t *scratch_pool)
{
    return batch->store->driver->erase_events(batch, user, scratch_pool);
}

up_error_t *
up_batch_commit(up_batch_t *batch)
{
    return batch->store->driver->commit(batch);
}

up_error_t *
up_store_each(up_store_t *store,
              const up_filter_t *filter,
              up_visit_t visit,
              void *baton,
              apr_pool_t *scratch_pool)
{
    return store->driver->each(store, filter, visit, baton, scratch_pool);
}

up_error_t *
up_store_stat(up_store_stat_t *stat, up_store_t *store, apr_pool_t *result_pool)
{
    return store->driver->stat(stat, store, result_pool);
}

up_error_t *
up_store_upgrade(apr_uint64_t *changed,
                 up_store_t *store,
                 apr_pool_t *scratch_pool)
{
    return store->driver->upgrade(changed, store, scratch_pool);
}

up_error_t *
up_store_check(up_store_t *store,
               const up_check_t *check,
               apr_pool_t *scratch_pool)
{
    return store->driver->check_store(store, check, scratch_pool);
}

up_error_t *
up_copy_begin(up_copy_t **copy,
              const char **source,
              up_copy_kind_t kind,
              const char *uri,
              const char *folder,
              apr_pool_t *pool)
{
    const up_store_driver_t *driver;
    const char *location;

    UP_ERR(resolve(&driver, &location, uri, pool));
    UP_ERR(driver->check(location, pool));
    UP_ERR(driver->copy_begin(copy, &location, kind, location, folder, pool));
    *source = apr_pstrcat(pool, driver->scheme, ":", location, NULL);
    return NULL;
}

up_error_t *
up_copy_fill(apr_uint64_t *damaged,
             up_copy_t *copy,
             up_store_t *source,
             up_progress_t progress,
             void *baton,
             apr_pool_t *scratch_pool)
{
    return copy->driver->copy_fill(damaged, copy, source, progress, baton,
                                   scratch_pool);
}

up_error_t *
up_copy_finish(const char **kept,
               up_copy_t *copy,
               uid_t uid,
               gid_t gid,
               apr_pool_t *pool)
{
    return copy->driver->copy_finish(kept, copy, uid, gid, pool);
}
