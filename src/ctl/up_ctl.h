/*
 * up_ctl.h -- what the commands of userprofilectl share.
 *
 * A command is a function that returns an error or NULL; main() prints the
 * error and makes the exit code of it.
 */
#ifndef UP_CTL_H
#define UP_CTL_H

#include "ctl/up_ctl_options.h"
#include "store/up_store.h"

#define UP_CTL_TOOL "userprofilectl"

/* One run of the tool. */
typedef struct up_ctl_t {
    apr_pool_t *pool; /* lives as long as the process */
    up_ctl_line_t line;
    up_store_t *store; /* once up_ctl_open() was called */
} up_ctl_t;

/* Tell the administrator something that is no error: one sentence, printed
 * from FORMAT, on the standard error. */
void up_ctl_note(up_ctl_t *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Become the owner of the store, if this is root, and open it as CTL->store;
 * main() closes it. */
UP_MUST_CHECK up_error_t *up_ctl_open(up_ctl_t *ctl);

/* UP_CONFLICT unless CTL's open store has the organisation ORG. */
UP_MUST_CHECK up_error_t *up_ctl_require_org(up_ctl_t *ctl, const char *org);

/* How a list shows one item: set as many CELLS as the list has titles, in
 * POOL. */
typedef void (*up_ctl_cells_t)(const char **cells,
                               const up_item_t *item,
                               apr_pool_t *pool);

/* Print what FILTER lets pass of CTL's open store: a table with TITLES (ended
 * by NULL), or with --json, or if CELLS is NULL, a line of JSON each. */
UP_MUST_CHECK up_error_t *up_ctl_list(up_ctl_t *ctl,
                                      const up_filter_t *filter,
                                      const char *const *titles,
                                      up_ctl_cells_t cells);

/* The commands. */
up_error_t *up_ctl_init(up_ctl_t *ctl);
up_error_t *up_ctl_org_add(up_ctl_t *ctl);
up_error_t *up_ctl_org_list(up_ctl_t *ctl);
up_error_t *up_ctl_user_add(up_ctl_t *ctl);
up_error_t *up_ctl_user_get(up_ctl_t *ctl);
up_error_t *up_ctl_user_list(up_ctl_t *ctl);
up_error_t *up_ctl_user_remove(up_ctl_t *ctl);
up_error_t *up_ctl_member_add(up_ctl_t *ctl);
up_error_t *up_ctl_member_list(up_ctl_t *ctl);
up_error_t *up_ctl_member_remove(up_ctl_t *ctl);
up_error_t *up_ctl_token_add(up_ctl_t *ctl);
up_error_t *up_ctl_token_list(up_ctl_t *ctl);
up_error_t *up_ctl_token_revoke(up_ctl_t *ctl);
up_error_t *up_ctl_import(up_ctl_t *ctl);
up_error_t *up_ctl_export(up_ctl_t *ctl);
up_error_t *up_ctl_events(up_ctl_t *ctl);
up_error_t *up_ctl_stat(up_ctl_t *ctl);

#endif
