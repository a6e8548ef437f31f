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

/* Fail if PATH, which is STATUS if it EXISTS, is no folder of UID. */
static up_error_t *
check_folder(int exists,
             const struct stat *status,
             const char *path,
             uid_t uid,
             apr_pool_t *pool)
{
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
    } else if (errno != EEXIST) {
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot make the folder '%s' for the LMDB store", path);
    }
    UP_ERR(stat_path(&exists, status, path, pool));
    return check_folder(exists, status, path, uid, pool);
}

/* Make a store in the folder PATH, unless there is one. Sets *MADE to whether
 * there was none. */
static up_error_t *
make_files(int *made,
           const char *path,
           const apr_table_t *options,
           apr_pool_t *pool)
{
    lmdb_store_t store = {.path = path};
    struct stat data;
    int exists;

    UP_ERR(stat_path(&exists, &data,
                     apr_pstrcat(pool, path, "/" UP_LMDB_DATA, NULL), pool));
    *made = !exists;
    if (exists)
        return NULL;
    up_lmdb_set_options(&store, options);
    UP_ERR(up_lmdb_env_open(&store, pool));
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

/* The identity of the store in the folder that is STATUS. */
static const char *
identify(const struct stat *status, apr_pool_t *pool)
{
    return apr_psprintf(pool, "lmdb:%" APR_UINT64_T_FMT ":%" APR_UINT64_T_FMT,
                        (apr_uint64_t)status->st_dev,
                        (apr_uint64_t)status->st_ino);
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
    *identity = identify(&status, result_pool);
    return NULL;
}

/* Fail if there is no folder in which PATH could be made. */
static up_error_t *
inspect_parent(const char *path, apr_pool_t *pool)
{
    const char *slash = path + strlen(path);
    struct stat status;
    int exists;

    while (slash > path && slash[-1] == '/')
        slash--;
    while (slash > path && slash[-1] != '/')
        slash--;
    const char *parent = apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
    UP_ERR(stat_path(&exists, &status, parent, pool));
    if (!exists)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' cannot be made, as there is no "
                        "folder '%s'",
                        path, parent);
    return NULL;
}

up_error_t *
up_lmdb_inspect(const char **identity,
                const char *location,
                uid_t uid,
                apr_pool_t *pool)
{
    struct stat status;
    int exists;

    *identity = NULL;
    UP_ERR(up_lmdb_check(location, pool));
    if (stat(location, &status) && errno == EACCES)
        return NULL; /* a server started by root may see it */
    UP_ERR(stat_path(&exists, &status, location, pool));
    if (!exists)
        return inspect_parent(location, pool);
    *identity = identify(&status, pool);
    /* The server may be started by this user too, and is if it has no other. */
    if (geteuid() != 0 && (uid == NO_USER || status.st_uid == geteuid()))
        uid = geteuid();
    return check_folder(exists, &status, location, uid, pool);
}
