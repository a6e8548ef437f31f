/* temp_folder.c -- a folder that is removed when the test is over. */
#include "temp_folder.h"

#include <apr_strings.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];
static pid_t maker;

static int
remove_one(const char *path,
           const struct stat *status,
           int type,
           struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static void
remove_all(void)
{
    const char *keep = getenv("KEEP");

    if (getpid() == maker && !(keep && *keep))
        nftw(folder, remove_one, 10, FTW_DEPTH | FTW_PHYS);
}

const char *
temp_path(const char *name, apr_pool_t *pool)
{
    const char *parent = getenv("TMPDIR");

    if (!maker) {
        apr_snprintf(folder, sizeof(folder), "%s/up-test-XXXXXX",
                     parent ? parent : "/tmp");
        if (!mkdtemp(folder) || chmod(folder, 0755)) {
            printf("Bail out! cannot make a folder %s\n", folder);
            exit(1);
        }
        maker = getpid();
        atexit(remove_all);
    }
    return apr_pstrcat(pool, folder, "/", name, NULL);
}
