/* up_lmdb_files.c -- an LMDB store's folder and files: who owns them, and how
 * they are made.
 *
 * Root makes the files with the effective ids of the folder's owner: in a
 * folder that others can write to, a symlink in place of a file could otherwise
 * lead root to any file. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define NO_USER ((uid_t)-1)
#define NO_GROUP ((gid_t)-1)

up_error_t *
up_lmdb_check(const char *location, apr_pool_t *pool)
{
    if (location[0] == '/')
        return NULL;
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "'lmdb:%s' does not name a folder by its absolute path, "
                    "such as lmdb:/var/lib/apache2/userprofile",
                    location);
}

/* Set *EXISTS, and *STATUS if PATH exists. */
static up_error_t *
stat_path(int *exists, struct stat *status, const char *path, apr_pool_t *pool)
{
    *exists = stat(path, status) == 0;
    if (*exists || errno == ENOENT)
        return NULL;
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                    "cannot look at the LMDB store '%s'", path);
}

up_error_t *
up_lmdb_owner(uid_t *uid, gid_t *gid, const char *location, apr_pool_t *pool)
{
    struct stat status;
    int exists;

    UP_ERR(stat_path(&exists, &status, location, pool));
    *uid = exists ? status.st_uid : NO_USER;
    *gid = exists ? status.st_gid : NO_GROUP;
    return NULL;
}

/* Give the folder PATH, just made, to UID and GID. Fails if something else has
 * taken its place meanwhile. */
static up_error_t *
give_folder(const char *path, uid_t uid, gid_t gid, apr_pool_t *pool)
{
    apr_size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--; /* with a slash at its end, a symlink would be followed */
    int folder = open(apr_pstrmemdup(pool, path, length),
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int failed = folder < 0 || fchown(folder, uid, gid);
    int why = errno;

    if (folder >= 0)
        close(folder);
    if (!failed)
        return NULL;
    rmdir(path);
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(why),
                    "cannot give the folder '%s' to user %lu", path,
                    (unsigned long)uid);
}

/* Flush the names in the folder PATH; returns 0 or what errno says. */
static int
flush_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = folder < 0 || fsync(folder) ? errno : 0;

    if (folder >= 0)
        close(folder);
    return rc;
}

/* Make the folder PATH for a store of UID and GID, unless it is there, and set
 * *STATUS to its own. Fails if it belongs to another user. */
static up_error_t *
make_folder(struct stat *status,
            const char *path,
            uid_t uid,
            gid_t gid,
            apr_pool_t *pool)
{
    int exists;

    if (!mkdir(path, FOLDER_MODE)) {
        if (geteuid() == 0)
            UP_ERR(give_folder(path, uid, gid, pool));
        /* A parent that cannot be read, but written to, is not flushed. */
        (void)flush_folder(apr_pstrcat(pool, path, "/..", NULL));
    } else if (errno != EEXIST) {
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot make the folder '%s' for the LMDB store", path);
    }
    UP_ERR(stat_path(&exists, status, path, pool));
    if (!exists || !S_ISDIR(status->st_mode))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "'%s' is not a folder, which an LMDB store needs",
                        path);
    if (status->st_uid != uid)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the folder '%s' belongs to user %lu, but the LMDB "
                        "store in it is to be user %lu's: give it away with "
                        "'chown -R %lu', or name another folder",
                        path, (unsigned long)status->st_uid, (unsigned long)uid,
                        (unsigned long)uid);
    return NULL;
}

/* Make STORE's data in the empty file ASIDE, and give that its name. Sets *MADE
 * to whether no other process did so meanwhile. The name comes last, so that
 * after a crash there is a whole store or none. */
static up_error_t *
make_data(int *made, lmdb_store_t *store, const char *aside, apr_pool_t *pool)
{
    UP_ERR(up_lmdb_env_make(store, aside, pool));
    int rc = link(aside, store->data_path) ? errno : 0;
    *made = rc == 0;
    if (rc == EEXIST)
        return NULL;
    if (!rc)
        rc = flush_folder(store->path);
    if (rc)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(rc),
                        "cannot make the LMDB file '%s'", store->data_path);
    return NULL;
}

/* Make a store in the folder PATH, unless there is one. Sets *MADE to whether
 * there was none. */
static up_error_t *
make_files(int *made,
           const char *path,
           const apr_table_t *options,
           apr_pool_t *pool)
{
    lmdb_store_t store = {0};
    struct stat data;
    int exists;

    up_lmdb_set_path(&store, path, pool);
    up_lmdb_set_options(&store, options);
    UP_ERR(stat_path(&exists, &data, store.data_path, pool));
    *made = 0;
    if (exists)
        return NULL;
    char *aside = apr_pstrcat(pool, store.data_path, ".XXXXXX", NULL);
    int file = mkstemp(aside);
    if (file < 0)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot make a file in '%s'", path);
    close(file);
    up_error_t *err = make_data(made, &store, aside, pool);
    unlink(aside);
    UP_ERR(err);
    UP_ERR(up_lmdb_env_open(&store, pool)); /* this makes the lock file */
    up_lmdb_env_close(&store);
    return NULL;
}

/* Call make_files(), as UID and GID if this process is root. */
static up_error_t *
make_files_as(int *made,
              uid_t uid,
              gid_t gid,
              const char *path,
              const apr_table_t *options,
              apr_pool_t *pool)
{
    uid_t own_uid = geteuid();
    gid_t own_gid = getegid();
    up_error_t *err = NULL;

    if (own_uid != 0 || uid == 0)
        return make_files(made, path, options, pool);

    if (setegid(gid) || seteuid(uid))
        err = up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                       "cannot act as user %lu to make the LMDB store '%s'",
                       (unsigned long)uid, path);
    else
        err = make_files(made, path, options, pool);
    if (seteuid(own_uid) || setegid(own_gid))
        abort(); /* to go on with the ids of another user would be worse */
    return err;
}

up_error_t *
up_lmdb_prepare(const char **identity,
                int *made,
                const char *location,
                const apr_table_t *options,
                uid_t uid,
                gid_t gid,
                apr_pool_t *result_pool,
                apr_pool_t *scratch_pool)
{
    uid_t owner = geteuid() == 0 ? uid : geteuid();
    struct stat status;

    (void)scratch_pool;
    UP_ERR(up_lmdb_check(location, result_pool));
    UP_ERR(make_folder(&status, location, owner, gid, result_pool));
    UP_ERR(make_files_as(made, owner, gid, location, options, result_pool));
    *identity = apr_psprintf(
        result_pool, "lmdb:%" APR_UINT64_T_FMT ":%" APR_UINT64_T_FMT,
        (apr_uint64_t)status.st_dev, (apr_uint64_t)status.st_ino);
    return NULL;
}
