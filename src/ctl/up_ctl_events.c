/* up_ctl_events.c -- events: the changes of users. */
#include "core/up_time.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>

/* Set *AFTER to the number in --after, 0 without it. */
static up_error_t *
read_after(apr_uint64_t *after, up_ctl_t *ctl)
{
    const char *text = ctl->line.option[UP_CTL_AFTER];
    char *end;

    *after = 0;
    if (!text)
        return NULL;
    errno = 0;
    apr_int64_t number = apr_strtoi64(text, &end, 10);
    if (!apr_isdigit(*text) || *end || errno)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "--after must be the number of an event");
    *after = (apr_uint64_t)number;
    return NULL;
}

/* The JSON names of the changed fields. */
static const char *
field_names(const up_event_t *event, apr_pool_t *pool)
{
    apr_array_header_t *names =
        apr_array_make(pool, UP_FIELDS, sizeof(const char *));

    for (int i = 0; i < UP_FIELDS; i++) {
        if (event->fields & UP_FIELD_BIT(i))
            APR_ARRAY_PUSH(names, const char *) =
                up_field_info((up_field_t)i)->json;
    }
    return apr_array_pstrcat(pool, names, ' ');
}

static void
event_cells(const char **cells, const up_item_t *item, apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;

    cells[0] = apr_psprintf(pool, "%" APR_UINT64_T_FMT, event->number);
    cells[1] = up_time_format(event->time, pool);
    cells[2] = up_event_type_name(event->type);
    cells[3] = event->org;
    cells[4] = event->user;
    cells[5] = apr_psprintf(pool, "%" APR_UINT64_T_FMT, event->sequence);
    cells[6] = *event->author ? event->author : "-";
    cells[7] = field_names(event, pool);
}

up_error_t *
up_ctl_events(up_ctl_t *ctl)
{
    static const char *const titles[] = {"NUMBER", "TIME",   "TYPE",
                                         "ORG",    "USER",   "SEQUENCE",
                                         "BY",     "FIELDS", NULL};
    up_filter_t filter = {.kinds = 1u << UP_KIND_EVENT};

    UP_ERR(read_after(&filter.after, ctl));
    UP_ERR(up_ctl_open(ctl));
    return up_ctl_list(ctl, &filter, NULL, titles, event_cells);
}
