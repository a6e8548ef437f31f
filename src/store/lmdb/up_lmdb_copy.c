/* up_lmdb_copy.c -- the folders and files of a copy: made aside, and put in
 * their place.
 *
 * Until it is whole, the data of a copy are called NEW, so that nobody can take
 * them for a store. A backup is then a folder that is renamed. What is restored
 * takes the place of the data in the store's folder, under LMDB's own lock:
 * there is no moment without a whole store, and the folder may be the root of a
 * file system, or one that the owner of the store cannot make anew. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW "new.mdb"
/* The second name of the data that are being replaced. */
#define OLD "old.mdb"
#define FILE_MODE 0600
#define NO_USER ((uid_t)-1)

static up_error_t *
failed(const char *what, const char *path, apr_pool_t *pool)
{
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                    "cannot %s '%s'", what, path);
}

/* Remove what there is of a copy that was given up. */
static apr_status_t
remove_aside(void *baton)
{
    const lmdb_copy_t *copy = baton;

    if (copy->file >= 0)
        close(copy->file);
    if (copy->folder >= 0) {
        if (copy->aside) {
            unlinkat(copy->folder, NEW, 0);
            unlinkat(copy->folder, OLD, 0);
        }
        close(copy->folder);
    }
    if (copy->aside)
        rmdir(copy->aside);
    return APR_SUCCESS;
}

/* Make the folder of COPY, from a TEMPLATE of mkdtemp(), and the empty file
 * that is to be its data, which FILLER may write if this is root. */
static up_error_t *
make_aside(lmdb_copy_t *copy, char *template, uid_t filler)
{
    if (!mkdtemp(template))
        return failed("make a folder for the copy, such as", template,
                      copy->pool);
    copy->aside = template;
    if (!copy->aside_name)
        copy->aside_name = template;
    apr_pool_cleanup_register(copy->pool, copy, remove_aside,
                              apr_pool_cleanup_null);
    copy->folder =
        open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (copy->folder < 0)
        return failed("open the folder", copy->aside_name, copy->pool);
    copy->file = openat(copy->folder, NEW,
                        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (copy->file < 0 || fchmod(copy->file, FILE_MODE) ||
        (geteuid() == 0 && fchown(copy->file, filler, (gid_t)-1)))
        return failed("make a file in", copy->aside_name, copy->pool);
    return NULL;
}

/* Begin COPY, a folder that is to be called PLACE, which must not exist. */
static up_error_t *
begin_folder(lmdb_copy_t *copy, const char *place, uid_t filler)
{
    struct stat status;

    copy->place = up_lmdb_without_slashes(place, copy->pool);
    if (!lstat(copy->place, &status))
        return up_error(copy->pool, UP_CONFLICT, APR_SUCCESS,
                        "'%s' exists: a copy of a store is made in a folder "
                        "that does not exist yet",
                        copy->place);
    return make_aside(
        copy, apr_pstrcat(copy->pool, copy->place, ".XXXXXX", NULL), filler);
}

/* Who has LMDB's lock of FILE, its lock file, in POOL: "process 4711
 * (apache2)". */
static const char *
user_of(int file, apr_pool_t *pool)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    if (fcntl(file, F_GETLK, &lock) || lock.l_type == F_UNLCK ||
        lock.l_pid <= 0)
        return "another process";
    return up_lmdb_process_name((unsigned)lock.l_pid, pool);
}

/* Set *FILE to the lock file of the store in FOLDER, which is at PATH, with
 * LMDB's lock of it: each process that has the store open shares that lock, and
 * one that opens it waits for this one. Fails with UP_CONFLICT if it is open.
 */
static up_error_t *
lock_store(int *file, int folder, const char *path, apr_pool_t *pool)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    struct stat owner, status;
    up_error_t *err = NULL;

    *file = openat(folder, UP_LMDB_LOCK,
                   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (*file < 0)
        return failed("open the lock file of the LMDB store", path, pool);
    if (fstat(folder, &owner) || fstat(*file, &status) ||
        (geteuid() == 0 && status.st_uid != owner.st_uid &&
         fchown(*file, owner.st_uid, owner.st_gid)))
        err = failed("give away the lock file of the LMDB store", path, pool);
    else if (!S_ISREG(status.st_mode))
        err = up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                       "the lock file of the LMDB store '%s' is no plain file",
                       path);
    else if (fcntl(*file, F_SETLK, &lock) && errno != EACCES && errno != EAGAIN)
        err = failed("lock the LMDB store", path, pool);
    else if (fcntl(*file, F_SETLK, &lock))
        err = up_error(pool, UP_CONFLICT, APR_SUCCESS,
                       "the LMDB store '%s' is in use by %s: stop the server, "
                       "and all else that has it open, before a backup takes "
                       "its place",
                       path, user_of(*file, pool));
    if (err)
        close(*file);
    return err;
}

/* Begin COPY, whose data are to take the place of those in its store's folder,
 * which is at PATH and has STATUS. The folder aside is in that folder, and is
 * to keep the old ones. */
static up_error_t *
begin_in_store(lmdb_copy_t *copy,
               const char *path,
               const struct stat *status,
               uid_t filler)
{
    apr_time_exp_t now;
    int lock;

    apr_time_exp_gmt(&now, apr_time_now());
    const char *name =
        apr_psprintf(copy->pool, "replaced-%d-%02d-%02d.XXXXXX",
                     now.tm_year + 1900, now.tm_mon + 1, now.tm_mday);
    copy->place = up_lmdb_without_slashes(path, copy->pool);
    UP_ERR(up_lmdb_check_folder(copy->store, status, path, copy->pool));
    UP_ERR(lock_store(&lock, copy->store, copy->place, copy->pool));
    close(lock);
    char *template =
        apr_pstrcat(copy->pool, up_lmdb_held_path(copy->store, copy->pool), "/",
                    name, NULL);
    copy->aside_name = apr_pstrcat(copy->pool, copy->place, "/", name, NULL);
    UP_ERR(make_aside(copy, template, filler));
    copy->aside_name =
        apr_pstrcat(copy->pool, copy->place, strrchr(template, '/'), NULL);
    return NULL;
}

/* Set *SOURCE to the location to fill a copy from, that of the store at PATH,
 * STATUS to what its folder is, and *FILLER to who is to do that. */
static up_error_t *
find_source(const char **source,
            struct stat *status,
            uid_t *filler,
            const char *path,
            apr_pool_t *pool)
{
    gid_t gid;

    *source = path;
    *filler = geteuid();
    if (stat(path, status))
        return failed("find the LMDB store", path, pool);
    if (geteuid() != 0)
        return NULL;
    UP_ERR(up_lmdb_hold(source, filler, &gid, path, pool));
    if (*filler == NO_USER || stat(*source, status))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' has just gone", path);
    return NULL;
}

up_error_t *
up_lmdb_copy_begin(up_copy_t **base,
                   const char **source,
                   up_copy_kind_t kind,
                   const char *location,
                   const char *folder,
                   apr_pool_t *pool)
{
    lmdb_copy_t *copy = apr_pcalloc(pool, sizeof(*copy));
    struct stat from, to;
    uid_t filler;

    copy->base.driver = &up_store_lmdb;
    copy->folder = copy->file = copy->store = -1;
    copy->pool = pool;
    *base = &copy->base;
    UP_ERR(find_source(source, &from, &filler,
                       kind == UP_BACKUP ? location : folder, pool));
    if (kind == UP_BACKUP)
        return begin_folder(copy, folder, filler);
    UP_ERR(up_lmdb_open_folder(&copy->store, &to, location, 0, pool));
    if (copy->store < 0)
        return begin_folder(copy, location, filler);
    if (from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                        "'%s' is the store itself, and no backup of it",
                        folder);
    return begin_in_store(copy, location, &to, filler);
}

/* Give the new data, and FOLDER if that is one, to UID and GID, if this is
 * root, with MODE; and flush them. */
static up_error_t *
settle(const lmdb_copy_t *copy, uid_t uid, gid_t gid, mode_t mode)
{
    if ((geteuid() == 0 &&
         (fchown(copy->file, uid, gid) || fchown(copy->folder, uid, gid))) ||
        fchmod(copy->file, mode) || fsync(copy->file) || fsync(copy->folder))
        return failed("flush the copy in", copy->aside_name, copy->pool);
    return NULL;
}

/* Rename COPY's folder to its place, where there is nothing. */
static int
rename_folder(const lmdb_copy_t *copy)
{
    struct stat status;

    if (!renameat2(AT_FDCWD, copy->aside, AT_FDCWD, copy->place,
                   RENAME_NOREPLACE))
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* The file system cannot; an empty folder is all that rename() would
     * replace. */
    if (!lstat(copy->place, &status)) {
        errno = EEXIST;
        return -1;
    }
    return rename(copy->aside, copy->place);
}

static up_error_t *
finish_folder(lmdb_copy_t *copy, uid_t uid, gid_t gid)
{
    UP_ERR(settle(copy, uid, gid, FILE_MODE));
    if (renameat(copy->folder, NEW, copy->folder, UP_LMDB_DATA) ||
        fsync(copy->folder) || rename_folder(copy)) {
        up_error_t *err = failed("make the folder", copy->place, copy->pool);
        unlinkat(copy->folder, UP_LMDB_DATA, 0);
        return err;
    }
    copy->aside = NULL;
    up_lmdb_flush_name(copy->folder);
    return NULL;
}

/* Put COPY's data in the place of the store's, which nobody has open and which
 * have STATUS; or, if STATUS is NULL, in the store's folder, which has none.
 * The old ones keep a name that is not one of a store's data until they are no
 * longer in use. */
static up_error_t *
exchange(const char **kept, lmdb_copy_t *copy, const struct stat *status)
{
    struct stat folder;

    if (fstat(copy->store, &folder))
        return failed("look at", copy->place, copy->pool);
    UP_ERR(settle(copy, status ? status->st_uid : folder.st_uid,
                  status ? status->st_gid : folder.st_gid,
                  status ? status->st_mode & 0777 : FILE_MODE));
    if (status && (linkat(copy->store, UP_LMDB_DATA, copy->folder, OLD, 0) ||
                   fsync(copy->folder)))
        return failed("keep the data of the LMDB store", copy->place,
                      copy->pool);
    if (renameat(copy->folder, NEW, copy->store, UP_LMDB_DATA))
        return failed("put the new data into the LMDB store", copy->place,
                      copy->pool);
    if (status) {
        copy->aside = NULL; /* it stays */
        *kept = copy->aside_name;
    }
    if (fsync(copy->store))
        return failed("flush the new data of the LMDB store", copy->place,
                      copy->pool);
    if (status && (renameat(copy->folder, OLD, copy->folder, UP_LMDB_DATA) ||
                   fsync(copy->folder)))
        return failed("rename '" OLD "' to '" UP_LMDB_DATA "' in",
                      copy->aside_name, copy->pool);
    return NULL;
}

/* Make LOCK, LMDB's lock file, which this process has locked, one that is not
 * set up. A process that begins to open the store now waits until it is not
 * locked any longer, and then would go by what it says of the old data; so it
 * tries again. */
static up_error_t *
spoil_lock(int lock, const lmdb_copy_t *copy, apr_pool_t *pool)
{
    static const char no_magic[4];

    if (pwrite(lock, no_magic, sizeof(no_magic), 0) != sizeof(no_magic))
        return failed("write to the lock file of the LMDB store", copy->place,
                      pool);
    return NULL;
}

up_error_t *
up_lmdb_copy_finish(const char **kept,
                    up_copy_t *base,
                    uid_t uid,
                    gid_t gid,
                    apr_pool_t *pool)
{
    lmdb_copy_t *copy = (lmdb_copy_t *)base;
    up_error_t *err;
    struct stat data;
    int lock;

    *kept = NULL;
    if (copy->store < 0)
        return finish_folder(copy, uid, gid);
    UP_ERR(lock_store(&lock, copy->store, copy->place, pool));
    int missing =
        fstatat(copy->store, UP_LMDB_DATA, &data, AT_SYMLINK_NOFOLLOW);
    if (missing && errno != ENOENT)
        err = failed("look at the data of the LMDB store", copy->place, pool);
    else
        err = spoil_lock(lock, copy, pool);
    if (!err)
        err = exchange(kept, copy, missing ? NULL : &data);
    close(lock);
    return err;
}
