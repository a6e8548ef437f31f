/* up_ctl_lines.c -- a file, line by line, in bounded memory. */
#include "ctl/up_ctl_lines.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>

/* The longest line, its newline, and enough to read at once beside it. */
#define BUFFER_BYTES (UP_CTL_LINE_MAX + 256 * 1024)

struct up_ctl_lines_t {
    const char *path;
    apr_file_t *file;
    char *buffer;
    apr_size_t begin, end; /* what of the buffer is not handed out yet */
    int is_over;           /* the file has no more than that */
    apr_uint64_t number;
};

up_error_t *
up_ctl_lines_open(up_ctl_lines_t **lines, const char *path, apr_pool_t *pool)
{
    up_ctl_lines_t *opened = apr_pcalloc(pool, sizeof(*opened));
    apr_status_t rv;

    if (!strcmp(path, "-"))
        rv = apr_file_open_stdin(&opened->file, pool);
    else
        rv = apr_file_open(&opened->file, path, APR_FOPEN_READ, APR_OS_DEFAULT,
                           pool);
    if (rv)
        return up_error(pool, UP_CONFLICT, rv, "cannot open '%s'", path);
    opened->path = path;
    opened->buffer = apr_palloc(pool, BUFFER_BYTES);
    *lines = opened;
    return NULL;
}

/* Read more of the file behind what is in the buffer. */
static up_error_t *
fill(up_ctl_lines_t *lines, apr_pool_t *pool)
{
    apr_size_t length;

    memmove(lines->buffer, lines->buffer + lines->begin,
            lines->end - lines->begin);
    lines->end -= lines->begin;
    lines->begin = 0;

    length = BUFFER_BYTES - lines->end;
    apr_status_t rv =
        apr_file_read(lines->file, lines->buffer + lines->end, &length);
    if (rv && rv != APR_EOF)
        return up_error(pool, UP_CONFLICT, rv, "cannot read '%s'", lines->path);
    lines->end += length;
    lines->is_over = rv == APR_EOF;
    return NULL;
}

up_error_t *
up_ctl_lines_next(const char **line,
                  apr_size_t *length,
                  up_ctl_lines_t *lines,
                  apr_pool_t *pool)
{
    apr_size_t seen = 0;

    for (;;) {
        const char *begin = lines->buffer + lines->begin;
        apr_size_t left = lines->end - lines->begin;
        const char *newline = memchr(begin + seen, '\n', left - seen);

        *length = newline ? (apr_size_t)(newline - begin) : left;
        *line = *length || newline ? begin : NULL;
        if (*length > UP_CTL_LINE_MAX)
            return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                            "it is longer than %d bytes", UP_CTL_LINE_MAX);
        if (newline || lines->is_over) {
            lines->number += *line != NULL;
            lines->begin += *length + (newline != NULL);
            return NULL;
        }
        seen = left;
        UP_ERR(fill(lines, pool));
    }
}

apr_uint64_t
up_ctl_lines_number(const up_ctl_lines_t *lines)
{
    return lines->number;
}
