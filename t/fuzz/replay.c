/* replay.c -- a fuzz target as a test: feeds it every file of the folders that
 * are its arguments, or of the corpus with its own name below the working
 * directory; one TAP point per folder. */
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feed the file at PATH; returns 0 if it cannot be read. */
static int
feed(const char *path, apr_off_t size, apr_pool_t *pool)
{
    apr_file_t *file;
    /* Apart, and of the exact size, for the sanitizers. */
    uint8_t *data = malloc(size ? (size_t)size : 1);
    int whole = 0;

    if (data && !apr_file_open(&file, path, APR_READ, 0, pool)) {
        whole = !apr_file_read_full(file, data, (apr_size_t)size, NULL);
        apr_file_close(file);
    }
    if (whole)
        LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return whole;
}

/* How many files of FOLDER were fed; -1 if one, or FOLDER, cannot be read. */
static int
feed_all(const char *folder, apr_pool_t *pool)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    int count = 0;

    if (apr_dir_open(&dir, folder, pool))
        return -1;
    while (!apr_dir_read(&info, APR_FINFO_DIRENT, dir)) {
        if (info.name[0] == '.')
            continue;
        const char *path = apr_pstrcat(pool, folder, "/", info.name, NULL);
        if (apr_stat(&info, path, APR_FINFO_SIZE, pool) ||
            !feed(path, info.size, pool))
            return -1;
        count++;
    }
    apr_dir_close(dir);
    return count;
}

/* "t/fuzz/corpus/fuzz_x" for ".../fuzz_x.t". */
static const char *
own_corpus(const char *program, apr_pool_t *pool)
{
    const char *name = apr_filepath_name_get(program);
    const char *dot = strrchr(name, '.');
    int length = dot ? (int)(dot - name) : (int)strlen(name);

    return apr_psprintf(pool, "t/fuzz/corpus/%.*s", length, name);
}

/* Print one test point for FOLDER; returns whether it was ok. */
static int
replay(int number, const char *folder, apr_pool_t *pool)
{
    int count = feed_all(folder, pool);

    if (count < 0)
        printf("not ok %d - %s cannot be read\n", number, folder);
    else
        printf("%s %d - %d files of %s\n", count ? "ok" : "not ok", number,
               count, folder);
    fflush(stdout);
    return count > 0;
}

int
main(int argc, char **argv)
{
    apr_pool_t *pool;
    int failed = 0;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    for (int i = 1; i < argc; i++)
        failed += !replay(i, argv[i], pool);
    if (argc < 2)
        failed = !replay(1, own_corpus(argv[0], pool), pool);
    printf("1..%d\n", argc < 2 ? 1 : argc - 1);
    return failed > 0;
}
