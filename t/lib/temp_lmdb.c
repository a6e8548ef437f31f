/* temp_lmdb.c -- LMDB stores in the temporary folder, by name. */
#include "temp_lmdb.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
temp_lmdb_uri(const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "lmdb:", temp_path(name, pool), NULL);
}

up_error_t *
temp_lmdb_prepare(const char **identity,
                  const char *name,
                  uid_t uid,
                  apr_pool_t *pool)
{
    static const up_store_options_t scratch = {.no_sync = 1};
    int made;

    return up_store_prepare(identity, &made, temp_lmdb_uri(name, pool),
                            &scratch, uid, (gid_t)uid, pool, pool);
}

up_store_t *
temp_lmdb_make(const char *name,
               const up_store_options_t *options,
               apr_pool_t *pool)
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
    static const up_store_options_t scratch = {.no_sync = 1};
    static const mode_t masks[] = {0, 022, 077};
    const char *identity;
    int made;

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        const char *name = apr_psprintf(pool, "modes%d", (int)i);
        mode_t old = umask(masks[i]);
        must(up_store_prepare(&identity, &made, temp_lmdb_uri(name, pool),
                              &scratch, uid, gid, pool, pool));
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
