/* up_ctl_events.c -- events: listed, followed, and removed. */
#include "core/up_time.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "service/up_admin.h"
#include "wire/up_item_json.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

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

/* What EVENT says beside its type: the JSON names of the changed fields, or its
 * detail. */
static const char *
what(const up_event_t *event, apr_pool_t *pool)
{
    apr_array_header_t *names =
        apr_array_make(pool, UP_FIELDS, sizeof(const char *));

    for (int i = 0; i < UP_FIELDS; i++) {
        if (event->fields & UP_FIELD_BIT(i))
            APR_ARRAY_PUSH(names, const char *) =
                up_field_info((up_field_t)i)->json;
    }
    return names->nelts ? apr_array_pstrcat(pool, names, ' ') : event->detail;
}

static const char *
text_or_dash(const char *text)
{
    return *text ? text : "-";
}

static const char *
number_text(apr_uint64_t number, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT, number);
}

static void
event_cells(const char **cells, const up_item_t *item, apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;

    cells[0] = number_text(event->number, pool);
    cells[1] = up_time_format(event->time, pool);
    cells[2] = up_event_type_name(event->type);
    cells[3] = text_or_dash(event->org);
    cells[4] = text_or_dash(event->user);
    cells[5] = event->sequence ? number_text(event->sequence, pool) : "-";
    cells[6] = text_or_dash(event->author);
    cells[7] = what(event, pool);
}

static const char *const titles[] = {"NUMBER",   "TIME", "TYPE", "ORG", "USER",
                                     "SEQUENCE", "BY",   "WHAT", NULL};

#define COLUMNS 8

/* How wide the columns are at least where the rows are not known yet. */
static const int usual_widths[COLUMNS] = {8, 27, 16, 10, 10, 8, 10, 0};

static int
is_about(const void *baton, const up_item_t *item)
{
    const char *user = baton;

    return !user || !strcmp(item->as.event.user, user);
}

/* So many events are read at once: none is printed while the store is read. */
#define PORTION 1000

/* How often the store is asked for further events, in milliseconds, and after
 * how many times it is seen whether it is still in its place. */
#define PAUSE 200
#define LOOKS 5

typedef struct follower_t {
    up_ctl_t *ctl;
    const char *user; /* NULL: the events about every user */
    apr_uint64_t last;
    const char
        *identity; /* of the store in its place; NULL: it cannot be told */
    int seen;      /* in this portion */
    apr_array_header_t *rows; /* of const char **: what is to be printed, the
                               * cells of a table or one line */
    up_ctl_table_t *table;    /* NULL: lines of JSON */
} follower_t;

static volatile sig_atomic_t is_ended;

static void
note_signal(int signal)
{
    (void)signal;
    is_ended = 1;
}

/* What is to be printed of ITEM, in POOL. */
static const char **
row_of(const follower_t *follower, const up_item_t *item, apr_pool_t *pool)
{
    const char **row = apr_pcalloc(pool, COLUMNS * sizeof(*row));
    apr_size_t length;

    if (!follower->table) {
        up_item_json_encode(&row[0], &length, item, pool);
        return row;
    }
    event_cells(row, item, pool);
    for (int i = 0; i < COLUMNS; i++)
        row[i] = apr_pstrdup(pool, row[i]);
    return row;
}

/* An up_visit_t; it ends a portion by an error of its own. */
static up_error_t *
collect(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    follower_t *follower = baton;

    if (follower->seen == PORTION)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS, "the portion is full");
    follower->seen++;
    follower->last = item->as.event.number;
    if (is_about(follower->user, item))
        APR_ARRAY_PUSH(follower->rows, const char **) =
            row_of(follower, item, follower->rows->pool);
    return NULL;
}

/* Print what was collected, each event at once, but for the first ones of a
 * table, from which its columns have their widths. */
static up_error_t *
show(const follower_t *follower, apr_pool_t *pool)
{
    for (int i = 0; i < follower->rows->nelts && !is_ended; i++) {
        const char **row = APR_ARRAY_IDX(follower->rows, i, const char **);
        if (follower->table)
            UP_ERR(up_ctl_table_row(follower->table, row, pool));
        else
            UP_ERR(up_ctl_print_line(row[0], pool));
        UP_ERR(up_ctl_print_end(pool));
    }
    if (follower->table)
        UP_ERR(up_ctl_table_end(follower->table, pool));
    return up_ctl_print_end(pool);
}

/* Print the events that came since the last portion. */
static up_error_t *
show_portion(follower_t *follower, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_EVENT,
                          .after = follower->last};

    follower->seen = 0;
    follower->rows = apr_array_make(pool, 16, sizeof(const char **));
    up_error_t *err =
        up_store_each(follower->ctl->store, &filter, collect, follower, pool);
    if (err && follower->seen < PORTION)
        return err;
    return show(follower, pool);
}

/* Wait until there may be more events; returns 0 if nobody reads the output any
 * longer. */
static int
wait_for_more(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};

    return poll(&output, 1, PAUSE) <= 0 ||
           !(output.revents & (POLLERR | POLLHUP | POLLNVAL));
}

/* What is open stays open if another store is put in its place:
 * UP_STORE_REPLACED then. */
static up_error_t *
check_place(const follower_t *follower, apr_pool_t *pool)
{
    const char *uri = follower->ctl->uri, *identity;

    if (!follower->identity)
        return NULL;
    UP_ERR(up_store_inspect(&identity, uri, geteuid(), pool));
    if (identity && !strcmp(identity, follower->identity))
        return NULL;
    return up_error(pool, UP_STORE_REPLACED, APR_SUCCESS,
                    "the store '%s' was replaced or moved away; the last event "
                    "of it that was read is %" APR_UINT64_T_FMT,
                    uri, follower->last);
}

static up_error_t *
follow(follower_t *follower, apr_pool_t *pool)
{
    struct sigaction action = {.sa_handler = note_signal};
    apr_pool_t *iterpool;
    int looks = 0;

    UP_ERR(up_store_inspect(&follower->identity, follower->ctl->uri, geteuid(),
                            pool));

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    apr_pool_create(&iterpool, pool);
    do {
        apr_pool_clear(iterpool);
        up_error_t *err = show_portion(follower, iterpool);
        if (!err && ++looks % LOOKS == 0)
            err = check_place(follower, iterpool);
        if (err && APR_STATUS_IS_EPIPE(err->status)) {
            up_ctl_print_discard();
            return NULL;
        }
        if (err)
            return err;
    } while (!is_ended && (follower->seen == PORTION || wait_for_more()));
    return NULL;
}

/* Numbers beyond the store's last event are those of another store. */
static up_error_t *
check_start(const follower_t *follower, apr_pool_t *pool)
{
    up_store_stat_t stat;

    UP_ERR(up_store_stat(&stat, follower->ctl->store, pool));
    if (follower->last <= stat.last_event)
        return NULL;
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "the last event of this store is %" APR_UINT64_T_FMT
                    ", so that none can follow %" APR_UINT64_T_FMT
                    "; was the store replaced by an older one?",
                    stat.last_event, follower->last);
}

up_error_t *
up_ctl_events(up_ctl_t *ctl)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_EVENT};
    const char *user = ctl->line.option[UP_CTL_USER];
    up_ctl_selection_t selection = {is_about, user, 0};

    UP_ERR(read_after(&filter.after, ctl));
    UP_ERR(up_ctl_open(ctl));
    if (!ctl->line.option[UP_CTL_FOLLOW])
        return up_ctl_list(ctl, &filter, &selection, titles, event_cells);

    follower_t follower = {.ctl = ctl, .user = user, .last = filter.after};
    if (!ctl->line.option[UP_CTL_JSON]) {
        follower.table = up_ctl_table_make(COLUMNS, titles, ctl->pool);
        for (int i = 0; i < COLUMNS; i++)
            up_ctl_table_widen(follower.table, i, usual_widths[i]);
    }
    UP_ERR(check_start(&follower, ctl->pool));
    return follow(&follower, ctl->pool);
}

/* Set *BEFORE to the time in --before, a date or a time of a date. */
static up_error_t *
read_before(apr_time_t *before, up_ctl_t *ctl)
{
    const char *text = ctl->line.option[UP_CTL_BEFORE];

    if (!text)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "events prune needs --before, the date up to "
                              "which events are removed");
    if (up_time_parse(before, text) ||
        up_time_parse(before, apr_pstrcat(ctl->pool, text, "T00:00:00Z", NULL)))
        return NULL;
    return up_ctl_misused(&ctl->line, ctl->pool,
                          "--before must be a date like 2026-01-31 or a time "
                          "like 2026-01-31T12:00:00Z");
}

up_error_t *
up_ctl_events_prune(up_ctl_t *ctl)
{
    apr_uint64_t removed;
    apr_time_t before;

    UP_ERR(read_before(&before, ctl));
    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_admin_prune_events(&removed, ctl->store, before, ctl->author,
                                 ctl->pool));
    return up_ctl_print_line(
        apr_psprintf(ctl->pool, "events removed: %" APR_UINT64_T_FMT, removed),
        ctl->pool);
}
