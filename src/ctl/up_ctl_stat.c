/* up_ctl_stat.c -- stat: how large the store is. */
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "wire/up_json_writer.h"

#include <apr_strings.h>

static up_error_t *
print_table(const char *driver,
            const apr_array_header_t *figures,
            apr_pool_t *pool)
{
    up_ctl_table_t *table = up_ctl_table_make(2, NULL, pool);
    const char *first[] = {"driver", driver};

    UP_ERR(up_ctl_table_row(table, first, pool));
    for (int i = 0; i < figures->nelts; i++) {
        up_store_figure_t figure = APR_ARRAY_IDX(figures, i, up_store_figure_t);
        const char *cells[] = {
            figure.label,
            apr_psprintf(pool, "%" APR_UINT64_T_FMT, figure.value)};
        UP_ERR(up_ctl_table_row(table, cells, pool));
    }
    return up_ctl_table_end(table, pool);
}

static up_error_t *
print_json(const char *driver,
           const apr_array_header_t *figures,
           apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);
    const char *line;
    apr_size_t length;

    up_json_begin_object(writer, NULL);
    up_json_write_string(writer, "driver", driver);
    for (int i = 0; i < figures->nelts; i++) {
        up_store_figure_t figure = APR_ARRAY_IDX(figures, i, up_store_figure_t);
        up_json_write_number(writer, figure.name, (apr_int64_t)figure.value);
    }
    up_json_end_object(writer);
    up_json_writer_text(&line, &length, writer);
    return up_ctl_print_line(line, pool);
}

up_error_t *
up_ctl_stat(up_ctl_t *ctl)
{
    up_store_stat_t stat;

    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_store_stat(&stat, ctl->store, ctl->pool));
    const up_store_figure_t own[] = {
        {"organisations", "orgs", stat.count[UP_KIND_ORG]},
        {"users", "users", stat.count[UP_KIND_USER]},
        {"memberships", "members", stat.count[UP_KIND_MEMBER]},
        {"tokens", "tokens", stat.count[UP_KIND_TOKEN]},
        {"events", "events", stat.count[UP_KIND_EVENT]},
        {"last event", "lastEvent", stat.last_event},
    };
    apr_array_header_t *figures =
        apr_array_make(ctl->pool, 10, sizeof(up_store_figure_t));
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        APR_ARRAY_PUSH(figures, up_store_figure_t) = own[i];
    apr_array_cat(figures, stat.figures);

    if (ctl->line.option[UP_CTL_JSON])
        return print_json(stat.driver, figures, ctl->pool);
    return print_table(stat.driver, figures, ctl->pool);
}
