/* up_lmdb_files.c -- an LMDB store's folder: who owns it, and how it is made.
 *
 * As root, files are made with the effective ids of the folder's owner: in a
 * folder that others can write, a symlink in place of a file would otherwise
 * lead root astray. */
#include "store/up_lmdb.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define NEW_MAP_SIZE (APR_UINT64_C(16) << 30)

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

/* Set *EXISTS and STATUS to what PATH is. */
static up_error_t *
look_at(int *exists, struct stat *status, const char *path, apr_pool_t *pool)
{
    *exists = stat(path, status) == 0;
    if (*exists || errno == ENOENT)
        return NULL;
    return up_error(pool, UP_STORE_UNAVAILABLE, errno,
                    "cannot look at the LMDB store '%s'", path);
}

up_error_t *
up_lmdb_owner(uid_t *uid, gid_t *gid, const char *location, apr_pool_t *pool)
{
    struct stat status;
    int exists;

    UP_ERR(up_lmdb_check(location, pool));
    UP_ERR(look_at(&exists, &status, location, pool));
    *uid = exists ? status.st_uid : (uid_t)-1;
    *gid = exists ? status.st_gid : (gid_t)-1;
    return NULL;
}

/* Make the folder PATH for UID and GID. */
static up_error_t *
make_folder(const char *path, uid_t uid, gid_t gid, apr_pool_t *pool)
{
    if (mkdir(path, FOLDER_MODE))
        return up_error(pool, UP_STORE_UNAVAILABLE, errno,
                        "cannot make the folder '%s' for the LMDB store", path);
    if (geteuid() == 0 && uid != (uid_t)-1 && lchown(path, uid, gid)) {
        int why = errno;
        rmdir(path);
        return up_error(pool, UP_STORE_UNAVAILABLE, why,
                        "cannot give the folder '%s' to user %ld", path,
                        (long)uid);
    }
    return NULL;
}

static up_error_t *
check_folder(const char *path,
             const struct stat *status,
             uid_t uid,
             apr_pool_t *pool)
{
    if (!S_ISDIR(status->st_mode))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' is not a folder", path);
    if (geteuid() == 0 && uid != (uid_t)-1 && status->st_uid != uid)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the folder '%s' of the LMDB store belongs to user "
                        "%ld; 'chown -R %ld' would give it to the server's",
                        path, (long)status->st_uid, (long)uid);
    return NULL;
}

/* Open the store, which makes its files, and close it again. */
static up_error_t *
make_files(const char *path,
           const up_store_options_t *options,
           apr_pool_t *scratch_pool)
{
    up_store_options_t new_options = *options;
    up_store_t *store;

    if (!new_options.map_size)
        new_options.map_size = NEW_MAP_SIZE;
    UP_ERR(up_lmdb_create(&store, path, &new_options, scratch_pool));
    up_lmdb_close(store);
    return NULL;
}

/* The same as the owner of the folder, if this process is root. */
static up_error_t *
make_files_as(uid_t uid,
              gid_t gid,
              const char *path,
              const up_store_options_t *options,
              apr_pool_t *scratch_pool)
{
    uid_t old_uid = geteuid();
    gid_t old_gid = getegid();

    if (old_uid != 0 || uid == (uid_t)-1 || uid == 0)
        return make_files(path, options, scratch_pool);

    if (setegid(gid))
        return up_error(scratch_pool, UP_STORE_UNAVAILABLE, errno,
                        "cannot act as group %ld", (long)gid);
    up_error_t *err;
    if (seteuid(uid)) {
        err = up_error(scratch_pool, UP_STORE_UNAVAILABLE, errno,
                       "cannot act as user %ld", (long)uid);
    } else {
        err = make_files(path, options, scratch_pool);
        if (seteuid(old_uid))
            abort(); /* going on as someone else would be worse */
    }
    if (setegid(old_gid))
        abort();
    return err;
}

up_error_t *
up_lmdb_prepare(const char **identity,
                const char *location,
                const up_store_options_t *options,
                uid_t uid,
                gid_t gid,
                apr_pool_t *result_pool,
                apr_pool_t *scratch_pool)
{
    struct stat status, data;
    int exists, has_data;

    UP_ERR(up_lmdb_check(location, result_pool));
    UP_ERR(look_at(&exists, &status, location, result_pool));
    if (!exists) {
        UP_ERR(make_folder(location, uid, gid, result_pool));
        UP_ERR(look_at(&exists, &status, location, result_pool));
    }
    UP_ERR(check_folder(location, &status, uid, result_pool));
    UP_ERR(look_at(&has_data, &data,
                   apr_pstrcat(scratch_pool, location, "/data.mdb", NULL),
                   result_pool));
    if (!has_data)
        UP_ERR(make_files_as(uid, gid, location, options, result_pool));
    *identity = apr_psprintf(
        result_pool, "lmdb:%" APR_UINT64_T_FMT ":%" APR_UINT64_T_FMT,
        (apr_uint64_t)status.st_dev, (apr_uint64_t)status.st_ino);
    return NULL;
}
