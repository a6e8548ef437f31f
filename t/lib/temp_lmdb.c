/* temp_lmdb.c -- LMDB stores in the temporary folder, by name. */
#include "temp_lmdb.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
temp_lmdb_uri(const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "lmdb:", temp_path(name, pool), NULL);
}

const apr_table_t *
temp_lmdb_options(const char *map_size, const char *sync, apr_pool_t *pool)
{
    apr_table_t *options = apr_table_make(pool, 2);

    if (map_size)
        apr_table_set(options, "map-size", map_size);
    if (sync)
        apr_table_set(options, "sync", sync);
    return options;
}

const apr_table_t *
temp_lmdb_scratch(apr_pool_t *pool)
{
    return temp_lmdb_options(NULL, "off", pool);
}

long long
temp_lmdb_figure(up_store_t *store, const char *name)
{
    long long value = -1;
    up_store_stat_t stat;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    must(up_store_stat(&stat, store, pool));
    for (int i = 0; i < stat.figures->nelts; i++) {
        const up_store_figure_t *figure =
            &APR_ARRAY_IDX(stat.figures, i, up_store_figure_t);
        if (!strcmp(figure->name, name))
            value = (long long)figure->value;
    }
    apr_pool_destroy(pool);
    return value;
}

up_error_t *
temp_lmdb_prepare(const char **identity,
                  const char *name,
                  uid_t uid,
                  apr_pool_t *pool)
{
    int made;

    return up_store_prepare(identity, &made, temp_lmdb_uri(name, pool),
                            temp_lmdb_scratch(pool), uid, (gid_t)uid, pool,
                            pool);
}

up_store_t *
temp_lmdb_make(const char *name, const apr_table_t *options, apr_pool_t *pool)
{
    const char *identity, *uri = temp_lmdb_uri(name, pool);
    int made;
    up_store_t *store;

    must(up_store_prepare(&identity, &made, uri, options, geteuid(), getegid(),
                          pool, pool));
    must(up_store_open(&store, uri, options, pool));
    return store;
}

void
is_reason(const up_error_t *err, const char *reason, const char *name)
{
    is(reason_of(err), reason, "%s", name);
    if (err)
        printf("# %s\n", err->message);
}

const char *
owner_and_mode(const char *path, apr_pool_t *pool)
{
    struct stat status;

    if (lstat(path, &status))
        return "absent";
    return apr_psprintf(pool, "%lu:%lu %03o", (unsigned long)status.st_uid,
                        (unsigned long)status.st_gid,
                        (unsigned)status.st_mode & 0777);
}

void
check_new_files(uid_t uid, gid_t gid, apr_pool_t *pool)
{
    static const mode_t masks[] = {0, 022, 077};
    const char *identity;
    int made;

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        const char *name = apr_psprintf(pool, "modes%d", (int)i);
        mode_t old = umask(masks[i]);
        must(up_store_prepare(&identity, &made, temp_lmdb_uri(name, pool),
                              temp_lmdb_scratch(pool), uid, gid, pool, pool));
        umask(old);
        const char *path = temp_path(name, pool);
        const char *own = apr_psprintf(pool, "%lu:%lu", (unsigned long)uid,
                                       (unsigned long)gid);
        is(owner_and_mode(path, pool), apr_pstrcat(pool, own, " 700", NULL),
           "umask %03o: a new folder is its owner's alone", (unsigned)masks[i]);
        is(owner_and_mode(apr_pstrcat(pool, path, "/data.mdb", NULL), pool),
           apr_pstrcat(pool, own, " 600", NULL),
           "umask %03o: data.mdb is its owner's alone", (unsigned)masks[i]);
        is(owner_and_mode(apr_pstrcat(pool, path, "/lock.mdb", NULL), pool),
           apr_pstrcat(pool, own, " 600", NULL),
           "umask %03o: lock.mdb is its owner's alone", (unsigned)masks[i]);
    }
}
