/* root_lmdb.c -- what root does to a folder that is to be another user's. */
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

static void
test(apr_pool_t *pool)
{
    new_stores(pool);
    folders_of_others(pool);
    traps_inside(pool);
    traps_outside(pool);
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
