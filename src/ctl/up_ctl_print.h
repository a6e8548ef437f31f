/* up_ctl_print.h -- what the tool prints: lines, and tables of them. */
#ifndef UP_CTL_PRINT_H
#define UP_CTL_PRINT_H

#include "core/up_error.h"

/* TEXT, or a copy of it in POOL in which nothing steers a terminal: control
 * characters and those that turn the direction of writing are "\u001b", as in
 * JSON (so that JSON stays what it was), bytes that are not UTF-8 "\xff". */
const char *up_ctl_printable(const char *text, apr_pool_t *pool);

/* Print TEXT, made printable, and a newline. An error if the output takes no
 * more. */
UP_MUST_CHECK up_error_t *up_ctl_print_line(const char *text, apr_pool_t *pool);

/* Print what is still buffered; an error if not all of the output could be
 * written. */
UP_MUST_CHECK up_error_t *up_ctl_print_end(apr_pool_t *pool);

typedef struct up_ctl_table_t up_ctl_table_t;

/* A table in POOL with COLUMNS columns, and their TITLES unless that is NULL.
 * Its first rows are kept until their widths are known. */
up_ctl_table_t *up_ctl_table_make(int columns,
                                  const char *const *titles,
                                  apr_pool_t *pool);

/* Add a row with CELLS. */
UP_MUST_CHECK up_error_t *up_ctl_table_row(up_ctl_table_t *table,
                                           const char *const *cells,
                                           apr_pool_t *scratch_pool);

/* Print what TABLE still keeps. */
UP_MUST_CHECK up_error_t *up_ctl_table_end(up_ctl_table_t *table,
                                           apr_pool_t *scratch_pool);

#endif
