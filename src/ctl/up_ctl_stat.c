/* up_ctl_stat.c -- stat: how large the store is. */
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "wire/up_json_writer.h"

#include <apr_strings.h>

typedef struct figure_t {
    const char *label; /* for people */
    const char *name;  /* for programs */
    apr_uint64_t value;
} figure_t;

static up_error_t *
print_table(const char *driver,
            const figure_t *figures,
            apr_size_t count,
            apr_pool_t *pool)
{
    up_ctl_table_t *table = up_ctl_table_make(2, NULL, pool);
    const char *first[] = {"driver", driver};

    UP_ERR(up_ctl_table_row(table, first, pool));
    for (apr_size_t i = 0; i < count; i++) {
        const char *cells[] = {
            figures[i].label,
            apr_psprintf(pool, "%" APR_UINT64_T_FMT, figures[i].value)};
        UP_ERR(up_ctl_table_row(table, cells, pool));
    }
    return up_ctl_table_end(table, pool);
}

static up_error_t *
print_json(const char *driver,
           const figure_t *figures,
           apr_size_t count,
           apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);
    const char *line;
    apr_size_t length;

    up_json_begin_object(writer, NULL);
    up_json_write_string(writer, "driver", driver);
    for (apr_size_t i = 0; i < count; i++)
        up_json_write_number(writer, figures[i].name,
                             (apr_int64_t)figures[i].value);
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
    const figure_t figures[] = {
        {"organisations", "orgs", stat.count[UP_KIND_ORG]},
        {"users", "users", stat.count[UP_KIND_USER]},
        {"memberships", "members", stat.count[UP_KIND_MEMBER]},
        {"tokens", "tokens", stat.count[UP_KIND_TOKEN]},
        {"events", "events", stat.count[UP_KIND_EVENT]},
        {"last event", "lastEvent", stat.last_event},
        {"bytes used", "bytesUsed", stat.bytes_used},
        {"bytes at most", "bytesMax", stat.bytes_max},
        {"reader slots used", "readers", stat.readers},
        {"reader slots", "readersMax", stat.readers_max},
    };
    apr_size_t count = sizeof(figures) / sizeof(figures[0]);

    if (ctl->line.option[UP_CTL_JSON])
        return print_json(stat.driver, figures, count, ctl->pool);
    return print_table(stat.driver, figures, count, ctl->pool);
}
