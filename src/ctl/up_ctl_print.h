/* up_ctl_print.h -- the tool's output: lines, tables and lists. */
#ifndef UP_CTL_PRINT_H
#define UP_CTL_PRINT_H

#include "ctl/up_ctl_commands.h"
#include "store/up_store.h"

/* TEXT, or a copy of it in POOL that is safe on a terminal: control characters
 * and those that change the direction of writing are written as "\u001b", as in
 * JSON (so that JSON keeps its meaning), bytes that are not UTF-8 as "\xff". */
const char *up_ctl_printable(const char *text, apr_pool_t *pool);

/* Print SENTENCE on the standard error. */
void up_ctl_say(const char *sentence, apr_pool_t *pool);

/* Print TEXT, made printable, and a newline. Fails if it cannot be written. */
UP_MUST_CHECK up_error_t *up_ctl_print_line(const char *text, apr_pool_t *pool);

/* Flush the output; fails if any of it could not be written. */
UP_MUST_CHECK up_error_t *up_ctl_print_end(apr_pool_t *pool);

typedef struct up_ctl_table_t up_ctl_table_t;

/* A table in POOL with COLUMNS columns, and their TITLES unless that is NULL.
 * Its first rows are kept until their widths are known. On a terminal that is
 * too narrow, the longest cells are cut, which ends them with an ellipsis,
 * unless there are no titles. */
up_ctl_table_t *up_ctl_table_make(int columns,
                                  const char *const *titles,
                                  apr_pool_t *pool);

/* Add a row with CELLS. */
UP_MUST_CHECK up_error_t *up_ctl_table_row(up_ctl_table_t *table,
                                           const char *const *cells,
                                           apr_pool_t *scratch_pool);

/* Print the rows that TABLE still keeps. */
UP_MUST_CHECK up_error_t *up_ctl_table_end(up_ctl_table_t *table,
                                           apr_pool_t *scratch_pool);

/* Print ITEM as a line of JSON. */
UP_MUST_CHECK up_error_t *up_ctl_print_item(const up_item_t *item,
                                            apr_pool_t *pool);

/* How a list shows one item: set as many CELLS as the list has titles, in
 * POOL. */
typedef void (*up_ctl_cells_t)(const char **cells,
                               const up_item_t *item,
                               apr_pool_t *pool);

/* Which of the items that a filter lets pass are listed. */
typedef struct up_ctl_selection_t {
    int (*accepts)(const void *baton, const up_item_t *item);
    const void *baton;
    apr_uint64_t limit; /* no more than so many; 0: all */
} up_ctl_selection_t;

/* Print the items of CTL's open store that FILTER lets pass and SELECTION, or
 * NULL, accepts: a table with TITLES (ended by NULL), or with --json, or if
 * CELLS is NULL, a line of JSON each. */
UP_MUST_CHECK up_error_t *up_ctl_list(up_ctl_t *ctl,
                                      const up_filter_t *filter,
                                      const up_ctl_selection_t *selection,
                                      const char *const *titles,
                                      up_ctl_cells_t cells);

#endif
