/* file_bytes.c -- whole files in memory. */
#include "file_bytes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bytes_t
slurp(const char *path, apr_pool_t *pool)
{
    bytes_t bytes = {NULL, 0};
    struct stat status;
    int file = open(path, O_RDONLY);

    if (file < 0 || fstat(file, &status))
        exit(1);
    bytes.length = (size_t)status.st_size;
    bytes.at = apr_palloc(pool, bytes.length);
    if (read(file, bytes.at, bytes.length) != status.st_size)
        exit(1);
    close(file);
    return bytes;
}

void
spew(const char *path, bytes_t bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (file < 0 ||
        write(file, bytes.at, bytes.length) != (ssize_t)bytes.length)
        exit(1);
    close(file);
}
