/* up_ctl_lines.c -- a file, line by line, in bounded memory. */
#include "ctl/up_ctl_lines.h"
#include "service/up_sha256.h"

#include <apr_escape.h>
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
    up_sha256_t *hash; /* of what was read */
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
    return up_sha256_begin(&opened->hash, pool);
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
    UP_ERR(
        up_sha256_add(lines->hash, lines->buffer + lines->end, length, pool));
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

/* Whether LINES are a file on a disk; sets *INFO to what is known of it. */
static int
is_file(apr_finfo_t *info, const up_ctl_lines_t *lines)
{
    return !apr_file_info_get(info, APR_FINFO_TYPE | APR_FINFO_SIZE,
                              lines->file) &&
           info->filetype == APR_REG;
}

up_error_t *
up_ctl_lines_sha256(const char **sha256,
                    up_ctl_lines_t *lines,
                    apr_pool_t *pool)
{
    unsigned char bytes[UP_SHA256_BYTES];
    apr_finfo_t info;

    *sha256 = NULL;
    if (!lines->is_over && !is_file(&info, lines))
        return NULL;
    while (!lines->is_over) {
        lines->begin = lines->end;
        UP_ERR(fill(lines, pool));
    }
    UP_ERR(up_sha256_end(bytes, lines->hash, pool));
    *sha256 = apr_pescape_hex(pool, bytes, sizeof(bytes), 0);
    return NULL;
}

static up_error_t *
too_long(const up_ctl_lines_t *lines, apr_size_t most, apr_pool_t *pool)
{
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "'%s' is longer than %" APR_SIZE_T_FMT " MiB", lines->path,
                    most / (1024 * 1024));
}

up_error_t *
up_ctl_lines_all(const char **text,
                 apr_size_t *length,
                 up_ctl_lines_t *lines,
                 apr_size_t most,
                 apr_pool_t *pool)
{
    apr_size_t room = BUFFER_BYTES;
    apr_finfo_t info;

    if (is_file(&info, lines)) {
        if (info.size > (apr_off_t)most)
            return too_long(lines, most, pool);
        room = (apr_size_t)info.size + 1;
    }
    char *all = apr_palloc(pool, room);
    for (*length = 0; !lines->is_over; *length += lines->end) {
        lines->begin = lines->end;
        UP_ERR(fill(lines, pool));
        if (*length + lines->end > most)
            return too_long(lines, most, pool);
        while (*length + lines->end > room) {
            char *larger = apr_palloc(pool, room * 2);
            memcpy(larger, all, *length);
            all = larger;
            room *= 2;
        }
        memcpy(all + *length, lines->buffer, lines->end);
    }
    *text = all;
    return NULL;
}
