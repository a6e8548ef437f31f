/* root_lmdb.c -- what root does to a folder that is to be another user's. */
#include "ctl/up_ctl.h"
#include "store_items.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* Where the next folder that is made is to be a symlink to, as soon as it is
 * made. The driver calls the executable's function rather than the C
 * library's. */
static const char *lure;

__attribute__((visibility("default"))) int
mkdir(const char *path, mode_t mode)
{
    int failed = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

    if (failed || !lure)
        return failed;
    char bare[1024];
    apr_cpystrn(bare, path, sizeof(bare));
    for (size_t end = strlen(bare); bare[end - 1] == '/'; end--)
        bare[end - 1] = '\0';
    if (rmdir(bare) || symlink(lure, bare))
        exit(1);
    lure = NULL;
    return 0;
}

/* A folder that is moved away as soon as a file in it is to be opened, where
 * to, and the one that takes its place. */
static const char *moved, *moved_to, *moved_in;

/* How many supplementary groups this process had as it opened the file last. */
static int groups_then;

/* Likewise instead of the C library's. */
__attribute__((visibility("default"))) int
open(const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (strstr(path, "/lock.mdb")) {
        groups_then = getgroups(0, NULL);
        uid_t uid = geteuid();
        if (moved && (seteuid(0) || rename(moved, moved_to) ||
                      rename(moved_in, moved) || seteuid(uid)))
            exit(1);
        moved = NULL;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static const char *
treasure_of_root(apr_pool_t *pool)
{
    const char *treasure = temp_path("treasure", pool);

    mkdir(treasure, 0700);
    return treasure;
}

static void
is_root_again(const char *name)
{
    is_number(geteuid(), 0, "%s: root is root again", name);
    is_number(getegid(), 0, "%s: root has its group again", name);
}

static void
new_stores(apr_pool_t *pool)
{
    check_new_files(NOBODY, NOBODY, pool);
    is_root_again("root makes a store for somebody");
}

static void
folders_of_others(apr_pool_t *pool)
{
    const char *identity = NULL;

    mkdir(temp_path("roots", pool), 0700);
    is_reason(temp_lmdb_prepare(&identity, "roots", NOBODY, pool),
              "STORE_UNAVAILABLE", "a folder of another user is refused");
    ok(!identity, "a folder of another user has no identity");
    is(owner_and_mode(temp_path("roots/data.mdb", pool), pool), "absent",
       "nothing is made in a folder of another user");
    is_root_again("a folder of another user");
}

/* A folder that others own may have a symlink where root would make a file. */
static void
traps_inside(apr_pool_t *pool)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    const char *identity, *treasure = treasure_of_root(pool);

    for (int i = 0; i < 2; i++) {
        const char *trap = apr_psprintf(pool, "trap%d", i);
        const char *target = apr_psprintf(pool, "%s/%s", treasure, names[i]);
        const char *link =
            apr_psprintf(pool, "%s/%s", temp_path(trap, pool), names[i]);
        mkdir(temp_path(trap, pool), 0700);
        if (chown(temp_path(trap, pool), NOBODY, NOBODY) ||
            symlink(target, link))
            exit(1);
        is_reason(temp_lmdb_prepare(&identity, trap, NOBODY, pool),
                  "STORE_UNAVAILABLE",
                  "a symlink in place of a file is refused");
        is(owner_and_mode(target, pool), "absent",
           "root does not follow a symlink in place of %s", names[i]);
        is_root_again(names[i]);
    }
}

/* A data file of another user than its folder's. */
static void
foreign_data(apr_pool_t *pool)
{
    const char *identity, *data = temp_path("foreign/data.mdb", pool);

    must(temp_lmdb_prepare(&identity, "foreign", NOBODY, pool));
    if (chown(data, 0, 0))
        exit(1);
    const up_error_t *err =
        temp_lmdb_prepare(&identity, "foreign", NOBODY, pool);
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the file '%s' of the LMDB store belongs to another user "
                    "than its folder",
                    data),
       "a file of another user in the folder is refused");
    is_root_again("a file of another user");
}

/* In a folder that others may write, they can replace a folder that root has
 * just made before root gives it away. */
static void
traps_outside(apr_pool_t *pool)
{
    static const char *const names[] = {"swapped", "swapped_too/"};
    const char *identity, *treasure = treasure_of_root(pool);

    for (int i = 0; i < 2; i++) {
        lure = treasure;
        is_reason(temp_lmdb_prepare(&identity, names[i], NOBODY, pool),
                  "STORE_UNAVAILABLE",
                  "a symlink in place of the new folder is refused");
        is(owner_and_mode(treasure, pool), "0:0 700",
           "root does not give away the folder that %s leads to", names[i]);
        is_root_again(names[i]);
    }
}

/* A file of root's that is to stay as it is, in POOL. */
static const char *
new_target(const char *name, apr_pool_t *pool)
{
    const char *path = temp_path(name, pool);
    int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    if (file < 0 || write(file, "root's", 6) != 6 || close(file))
        exit(1);
    return path;
}

static void
is_untouched(const char *path, const char *name)
{
    char bytes[16] = "";
    int file = open(path, O_RDONLY);
    struct stat status;

    if (file < 0 || fstat(file, &status) || read(file, bytes, 15) < 0 ||
        close(file))
        exit(1);
    ok(status.st_size == 6 && !strcmp(bytes, "root's"),
       "%s: the file is as it was", name);
}

/* A folder NAME of UID's with MODE, which has a symlink LINK to TARGET. */
static void
new_trap(const char *name,
         uid_t uid,
         mode_t mode,
         const char *link,
         const char *target,
         apr_pool_t *pool)
{
    const char *path = temp_path(name, pool);

    if (mkdir(path, 0700) || chmod(path, mode) || chown(path, uid, (gid_t)uid))
        exit(1);
    if (link && symlink(target, apr_pstrcat(pool, path, "/", link, NULL)))
        exit(1);
}

/* What root would do in a folder of its own, it would do as root. */
static void
traps_of_root(apr_pool_t *pool)
{
    static const struct {
        const char *name, *link;
        uid_t uid;
        mode_t mode;
    } rows[] = {
        {"a symlink to a file as lock.mdb", "lock.mdb", 0, 0700},
        {"a symlink to a file as data.mdb", "data.mdb", 0, 0700},
        {"a folder that all may write to", NULL, 0, 0777},
        {"a folder like /tmp", NULL, 0, 01777},
        {"a folder that a group may write to", NULL, 0, 0770},
        {"another user's folder that all may write to", NULL, NOBODY, 0777},
        {"another user's symlink", "lock.mdb", NOBODY, 0700},
    };
    const char *identity, *held;
    uid_t uid;
    gid_t gid;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *target = new_target("target", pool);
        const char *trap = apr_psprintf(pool, "root_trap%d", (int)i);
        new_trap(trap, rows[i].uid, rows[i].mode, rows[i].link, target, pool);
        is_reason(temp_lmdb_prepare(&identity, trap, rows[i].uid, pool),
                  "STORE_UNAVAILABLE",
                  apr_pstrcat(pool, rows[i].name, ": is refused", NULL));
        is_reason(
            up_store_hold(&held, &uid, &gid, temp_lmdb_uri(trap, pool), pool),
            "STORE_UNAVAILABLE",
            apr_pstrcat(pool, rows[i].name, ": is not held", NULL));
        is_untouched(target, rows[i].name);
        is_root_again(rows[i].name);
    }
}

/* Whoever may write to the folder above can put another folder in the place of
 * one that was looked at. */
static void
swapped_folders(apr_pool_t *pool)
{
    const char *identity, *held;
    const char *target = new_target("target", pool);
    up_store_t *store;
    uid_t uid;
    gid_t gid;

    for (int i = 0; i < 2; i++) {
        const char *name = apr_psprintf(pool, "honest%d", i);
        const char *trap = apr_psprintf(pool, "dishonest%d", i);
        new_trap(name, i ? NOBODY : 0, 0700, NULL, NULL, pool);
        new_trap(trap, NOBODY, 0777, "lock.mdb", target, pool);
        moved_to = temp_path(apr_pstrcat(pool, name, "-before", NULL), pool);
        moved_in = temp_path(trap, pool);
        moved = temp_path(name, pool);
        must(temp_lmdb_prepare(&identity, name, i ? NOBODY : 0, pool));
        is_untouched(target, "a folder swapped before its files are made");
        ok(!moved, "the folder was swapped");
        is_root_again("a swapped folder");
    }

    up_store_close(temp_lmdb_make("held", temp_lmdb_scratch(pool), pool));
    new_trap("dishonest", NOBODY, 0777, "lock.mdb", target, pool);
    must(up_store_hold(&held, &uid, &gid, temp_lmdb_uri("held", pool), pool));
    if (rename(temp_path("held", pool), temp_path("held-before", pool)) ||
        rename(temp_path("dishonest", pool), temp_path("held", pool)))
        exit(1);
    must(up_store_open(&store, held, NULL, pool));
    put_org(store, "O1");
    up_store_close(store);
    is_untouched(target, "a folder swapped before it is opened");
    must(up_store_open(&store, temp_lmdb_uri("held-before", pool), NULL, pool));
    is_number(count_items(store, UP_KIND_ORG, pool), 1,
              "the store that was held is the one that is opened");
    up_store_close(store);
}

/* A group of root's may write to files that the owner may not. */
static void
groups_of_root(apr_pool_t *pool)
{
    static const gid_t groups[] = {0, 4242};
    const char *identity;
    int status;

    if (setgroups(2, groups))
        exit(1);
    groups_then = -1;
    must(temp_lmdb_prepare(&identity, "groups", NOBODY, pool));
    is_number(groups_then, 0, "root makes files without groups of its own");
    is_number(getgroups(0, NULL), 2, "root has its groups again");
    is_root_again("groups");

    pid_t child = fork();
    if (!child) {
        up_ctl_t ctl = {.pool = pool};
        ctl.line.option[UP_CTL_STORE] = temp_lmdb_uri("groups", pool);
        must(up_ctl_open(&ctl));
        _exit(getuid() == NOBODY && getgid() == NOBODY &&
                      getgroups(0, NULL) == 0
                  ? 0
                  : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(1);
    is_number(status, 0, "the tool becomes the owner and keeps no group");
}

static void
test(apr_pool_t *pool)
{
    new_stores(pool);
    folders_of_others(pool);
    traps_inside(pool);
    foreign_data(pool);
    traps_outside(pool);
    traps_of_root(pool);
    swapped_folders(pool);
    groups_of_root(pool);
}

int
main(void)
{
    if (geteuid() != 0) {
        printf("Bail out! this test must run as root\n");
        return 1;
    }
    return run_test(test);
}
