/* program.c -- the program that a test is. */
#include "program.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
program_path(apr_pool_t *pool)
{
    char path[4096];
    /* valgrind answers for the program that it runs here, not in exec(). */
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path));

    if (length <= 0 || (size_t)length == sizeof(path))
        exit(1);
    return apr_pstrmemdup(pool, path, (apr_size_t)length);
}

const char *
program_name(apr_pool_t *pool)
{
    char name[32] = "";
    FILE *file = fopen("/proc/self/comm", "r");

    if (!file || !fgets(name, sizeof(name), file) || fclose(file))
        exit(1);
    return apr_pstrmemdup(pool, name, strcspn(name, "\n"));
}
