/* up_ctl_lines.h -- a file, line by line, in bounded memory. */
#ifndef UP_CTL_LINES_H
#define UP_CTL_LINES_H

#include "core/up_error.h"

/* No line is longer, in bytes. */
#define UP_CTL_LINE_MAX (1024 * 1024)

typedef struct up_ctl_lines_t up_ctl_lines_t;

/* Open the file at PATH, "-" for the standard input, as *LINES in POOL, which
 * closes it. */
UP_MUST_CHECK up_error_t *up_ctl_lines_open(up_ctl_lines_t **lines,
                                            const char *path,
                                            apr_pool_t *pool);

/* Set *LINE to the next line without its newline, and *LENGTH; they hold until
 * the next call. *LINE is NULL at the end. */
UP_MUST_CHECK up_error_t *up_ctl_lines_next(const char **line,
                                            apr_size_t *length,
                                            up_ctl_lines_t *lines,
                                            apr_pool_t *pool);

/* Set *SHA256, in POOL, to the hex digits of the SHA-256 of the whole file, of
 * which no more lines are wanted; to NULL if it did not end yet and what is
 * left of it may be long in coming, as from a pipe. */
UP_MUST_CHECK up_error_t *up_ctl_lines_sha256(const char **sha256,
                                              up_ctl_lines_t *lines,
                                              apr_pool_t *pool);

/* Set *TEXT and *LENGTH to all of LINES, of which none was read, in POOL. Fails
 * if they have more than MOST bytes. */
UP_MUST_CHECK up_error_t *up_ctl_lines_all(const char **text,
                                           apr_size_t *length,
                                           up_ctl_lines_t *lines,
                                           apr_size_t most,
                                           apr_pool_t *pool);

/* How many lines have been read. */
apr_uint64_t up_ctl_lines_number(const up_ctl_lines_t *lines);

#endif
