/* up_ctl_list.c -- lists: for people a table, for programs lines of JSON. */
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "wire/up_item_json.h"

#include <apr_strings.h>

/* No list has more columns. */
#define MAX_COLUMNS 8

typedef struct list_t {
    up_ctl_cells_t cells;
    up_ctl_table_t *table;
} list_t;

static up_error_t *
print_json(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const char *line;
    apr_size_t length;

    (void)baton;
    up_item_json_encode(&line, &length, item, pool);
    return up_ctl_print_line(line, pool);
}

static up_error_t *
print_row(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const list_t *list = baton;
    const char *cells[MAX_COLUMNS];

    list->cells(cells, item, pool);
    return up_ctl_table_row(list->table, cells, pool);
}

up_error_t *
up_ctl_list(up_ctl_t *ctl,
            const up_filter_t *filter,
            const char *const *titles,
            up_ctl_cells_t cells)
{
    list_t list = {cells, NULL};
    int columns = 0;

    if (!cells || ctl->line.option[UP_CTL_JSON])
        return up_store_each(ctl->store, filter, print_json, NULL, ctl->pool);

    while (titles[columns])
        columns++;
    list.table = up_ctl_table_make(columns, titles, ctl->pool);
    UP_ERR(up_store_each(ctl->store, filter, print_row, &list, ctl->pool));
    return up_ctl_table_end(list.table, ctl->pool);
}

up_error_t *
up_ctl_export(up_ctl_t *ctl)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_ORG | 1u << UP_KIND_USER |
                                   1u << UP_KIND_MEMBER | 1u << UP_KIND_TOKEN};

    UP_ERR(up_ctl_open(ctl));
    return up_ctl_list(ctl, &filter, NULL, NULL);
}
