/* up_lmdb_files.c -- an LMDB store's folder and files: who owns them, and how
 * they are made.
 *
 * Root opens the folder once, looks at what it opened, and makes the files with
 * the effective ids of the owner alone, by the descriptor: a path could lead
 * elsewhere by then, and in a folder that others may write to, a symlink in
 * place of a file could lead root to any file. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_account.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)
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

static apr_status_t
close_folder(void *folder)
{
    close((int)(apr_uintptr_t)folder);
    return APR_SUCCESS;
}

up_error_t *
up_lmdb_open_folder(int *folder,
                    struct stat *status,
                    const char *path,
                    int flags,
                    apr_pool_t *pool)
{
    *folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (*folder < 0 && errno == ENOENT)
        return NULL;
    if (*folder < 0 && (errno == ENOTDIR || errno == ELOOP))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "'%s' is not a folder, which an LMDB store needs",
                        path);
    if (*folder < 0)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot look at the LMDB store '%s'", path);
    apr_pool_cleanup_register(pool, (void *)(apr_uintptr_t)*folder,
                              close_folder, apr_pool_cleanup_null);
    if (fstat(*folder, status))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot look at the LMDB store '%s'", path);
    return NULL;
}

const char *
up_lmdb_held_path(int folder, apr_pool_t *pool)
{
    return apr_psprintf(pool, UP_LMDB_HELD "%d", folder);
}

/* The file NAME in FOLDER, which is at PATH, is a plain file of UID's that
 * nobody else may write to, or is not there. */
static up_error_t *
check_file(const char *name,
           int folder,
           const char *path,
           uid_t uid,
           apr_pool_t *pool)
{
    struct stat file;
    const char *fault = NULL;

    if (fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW)) {
        if (errno == ENOENT)
            return NULL;
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot look at '%s/%s'", path, name);
    }
    if (!S_ISREG(file.st_mode))
        fault = "is no plain file";
    else if (file.st_uid != uid)
        fault = "belongs to another user than its folder";
    else if (file.st_mode & OTHERS_WRITE)
        fault = "may be written to by others than its owner";
    if (!fault)
        return NULL;
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the file '%s/%s' of the LMDB store %s", path, name, fault);
}

up_error_t *
up_lmdb_check_folder(int folder,
                     const struct stat *status,
                     const char *path,
                     apr_pool_t *pool)
{
    if (status->st_mode & OTHERS_WRITE)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the folder '%s' of the LMDB store may be written to "
                        "by others than its owner; 'chmod go-w' ends that",
                        path);
    UP_ERR(check_file(UP_LMDB_DATA, folder, path, status->st_uid, pool));
    return check_file(UP_LMDB_LOCK, folder, path, status->st_uid, pool);
}

up_error_t *
up_lmdb_hold(const char **held,
             uid_t *uid,
             gid_t *gid,
             const char *location,
             apr_pool_t *pool)
{
    struct stat status;
    int folder;

    *held = location;
    *uid = NO_USER;
    *gid = NO_GROUP;
    UP_ERR(up_lmdb_open_folder(&folder, &status, location, 0, pool));
    if (folder < 0)
        return NULL;
    UP_ERR(up_lmdb_check_folder(folder, &status, location, pool));
    *held = up_lmdb_held_path(folder, pool);
    *uid = status.st_uid;
    *gid = status.st_gid;
    return NULL;
}

/* Give FOLDER, just made at PATH, to UID and GID. */
static up_error_t *
give_folder(int folder,
            const char *path,
            uid_t uid,
            gid_t gid,
            apr_pool_t *pool)
{
    if (!fchown(folder, uid, gid))
        return NULL;
    int why = errno;
    rmdir(path);
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(why),
                    "cannot give the folder '%s' to user %s", path,
                    up_account_name(uid, pool));
}

/* Fail if the folder PATH, which has STATUS, is not UID's. */
static up_error_t *
check_owner(const struct stat *status,
            const char *path,
            uid_t uid,
            apr_pool_t *pool)
{
    const char *name = up_account_name(uid, pool);

    if (status->st_uid == uid)
        return NULL;
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the folder '%s' belongs to user %s, but the LMDB "
                    "store in it is to be user %s's: give it away with "
                    "'chown -R %s', or name another folder",
                    path, up_account_name(status->st_uid, pool), name, name);
}

void
up_lmdb_flush_name(int folder)
{
    int parent = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (parent < 0)
        return;
    (void)fsync(parent);
    close(parent);
}

const char *
up_lmdb_without_slashes(const char *path, apr_pool_t *pool)
{
    apr_size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    return apr_pstrmemdup(pool, path, length);
}

/* Make the folder PATH for a store of UID and GID, unless it is there. Sets
 * *FOLDER to a descriptor that POOL closes, and *STATUS to what it is. Fails if
 * it belongs to another user, or if others may write to it. */
static up_error_t *
make_folder(int *folder,
            struct stat *status,
            const char *path,
            uid_t uid,
            gid_t gid,
            apr_pool_t *pool)
{
    int made = !mkdir(path, FOLDER_MODE);

    if (!made && errno != EEXIST)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot make the folder '%s' for the LMDB store", path);
    /* What was made is no symlink, unless something has taken its place. */
    UP_ERR(up_lmdb_open_folder(
        folder, status, made ? up_lmdb_without_slashes(path, pool) : path,
        made ? O_NOFOLLOW : 0, pool));
    if (*folder < 0)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the folder '%s' has just gone", path);
    if (made && geteuid() == 0) {
        UP_ERR(give_folder(*folder, path, uid, gid, pool));
        status->st_uid = uid;
    }
    if (made)
        up_lmdb_flush_name(*folder);
    UP_ERR(check_owner(status, path, uid, pool));
    return up_lmdb_check_folder(*folder, status, path, pool);
}

/* Make STORE's data in the empty file ASIDE, and give that its name in FOLDER,
 * the store's. Sets *MADE to whether no other process did so meanwhile. The
 * name comes last, so that after a crash there is a whole store or none. */
static up_error_t *
make_data(int *made,
          lmdb_store_t *store,
          int folder,
          const char *aside,
          apr_pool_t *pool)
{
    UP_ERR(up_lmdb_env_make(store, aside, pool));
    int rc = link(aside, store->data_path) ? errno : 0;
    *made = rc == 0;
    if (rc == EEXIST)
        return NULL;
    if (!rc && fsync(folder))
        rc = errno;
    if (rc)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(rc),
                        "cannot make the LMDB file '%s/" UP_LMDB_DATA "'",
                        store->path);
    return NULL;
}

/* Make a store in FOLDER, which is at PATH, unless there is one. Sets *MADE to
 * whether there was none. */
static up_error_t *
make_files(int *made,
           int folder,
           const char *path,
           const apr_table_t *options,
           apr_pool_t *pool)
{
    lmdb_store_t store = {0};
    struct stat data;

    *made = 0;
    if (!fstatat(folder, UP_LMDB_DATA, &data, AT_SYMLINK_NOFOLLOW))
        return NULL;
    int as_root = geteuid() == 0 || getuid() == 0;
    up_lmdb_set_path(&store, as_root ? up_lmdb_held_path(folder, pool) : path,
                     pool);
    store.path = path;
    up_lmdb_set_options(&store, options);
    char *aside = apr_pstrcat(pool, store.data_path, ".XXXXXX", NULL);
    int file = mkstemp(aside);
    if (file < 0)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot make a file in '%s'", path);
    close(file);
    up_error_t *err = make_data(made, &store, folder, aside, pool);
    unlink(aside);
    UP_ERR(err);
    UP_ERR(up_lmdb_env_open(&store, pool)); /* this makes the lock file */
    up_lmdb_env_close(&store);
    return NULL;
}

/* Become UID and GID, and a member of these COUNT GROUPS, in effect. */
static int
become(uid_t uid, gid_t gid, int count, const gid_t *groups)
{
    return setgroups((size_t)count, groups) || setegid(gid) || seteuid(uid);
}

/* Call make_files(), as UID and GID alone if this process is root. */
static up_error_t *
make_files_as(int *made,
              uid_t uid,
              gid_t gid,
              int folder,
              const char *path,
              const apr_table_t *options,
              apr_pool_t *pool)
{
    up_error_t *err = NULL;
    gid_t own_gid = getegid();

    if (geteuid() != 0 || uid == 0)
        return make_files(made, folder, path, options, pool);

    int count = getgroups(0, NULL);
    gid_t *groups = apr_palloc(pool, (apr_size_t)(count + 1) * sizeof(gid_t));
    count = getgroups(count, groups);
    if (count < 0 || become(uid, gid, 0, NULL))
        err = up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                       "cannot act as user %s to make the LMDB store '%s'",
                       up_account_name(uid, pool), path);
    else
        err = make_files(made, folder, path, options, pool);
    if (seteuid(0) || become(0, own_gid, count < 0 ? 0 : count, groups))
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
    apr_pool_t *pool;
    int folder;

    UP_ERR(up_lmdb_check(location, result_pool));
    apr_pool_create(&pool, scratch_pool); /* closes the folder */
    up_error_t *err = make_folder(&folder, &status, location, owner, gid, pool);
    if (!err)
        err = make_files_as(made, owner, gid, folder, location, options, pool);
    if (err)
        err = up_error_copy(err, result_pool);
    apr_pool_destroy(pool);
    UP_ERR(err);
    *identity = identify(&status, result_pool);
    return NULL;
}

/* Fail if there is no folder in which PATH could be made. */
static up_error_t *
inspect_parent(const char *path, apr_pool_t *pool)
{
    const char *slash = path + strlen(path);
    struct stat status;

    while (slash > path && slash[-1] == '/')
        slash--;
    while (slash > path && slash[-1] != '/')
        slash--;
    const char *parent = apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
    if (stat(parent, &status) && errno == ENOENT)
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
    uid_t user = geteuid();
    struct stat status;
    int folder;

    *identity = NULL;
    UP_ERR(up_lmdb_check(location, pool));
    if (stat(location, &status) && errno == EACCES)
        return NULL; /* a server started by root may see it */
    /* O_PATH needs no right to read the folder. */
    UP_ERR(up_lmdb_open_folder(&folder, &status, location, O_PATH, pool));
    if (folder < 0)
        return inspect_parent(location, pool);
    *identity = identify(&status, pool);
    /* The server may be started by this user too, and is if it has no other. */
    if (user != 0 && (uid == NO_USER || status.st_uid == user))
        uid = user;
    UP_ERR(check_owner(&status, location, uid, pool));
    if (user != 0 && status.st_uid != user)
        return NULL; /* its files may be out of this user's sight */
    return up_lmdb_check_folder(folder, &status, location, pool);
}
