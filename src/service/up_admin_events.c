/* up_admin_events.c -- old events are removed. */
#include "service/up_admin.h"
#include "core/up_time.h"
#include "service/up_admin_batch.h"

#include <apr_strings.h>

/* So many events are removed in a batch, for which other writers wait, and so
 * many are looked at in one read. */
#define REMOVED_AT_ONCE 1000
#define SEEN_AT_ONCE 20000

/* One portion of the work. */
typedef struct portion_t {
    apr_time_t before;
    apr_uint64_t last;           /* the number of the store's last event */
    apr_uint64_t seen_to;        /* up to this number, all are looked at */
    int seen, is_over;           /* so many; there are no more */
    apr_array_header_t *numbers; /* of apr_uint64_t: those to be removed */
} portion_t;

/* An up_visit_t; it ends the iteration by an error of its own. */
static up_error_t *
look(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;
    portion_t *portion = baton;

    if (event->number >= portion->last)
        portion->is_over = 1;
    if (portion->is_over || portion->seen == SEEN_AT_ONCE ||
        portion->numbers->nelts == REMOVED_AT_ONCE)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS, "enough is seen");
    portion->seen++;
    portion->seen_to = event->number;
    if (event->time < portion->before)
        APR_ARRAY_PUSH(portion->numbers, apr_uint64_t) = event->number;
    return NULL;
}

static up_error_t *
remove_events(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const portion_t *portion = baton;
    int found;

    for (int i = 0; i < portion->numbers->nelts; i++) {
        up_item_t key = {.kind = UP_KIND_EVENT};
        key.as.event.number = APR_ARRAY_IDX(portion->numbers, i, apr_uint64_t);
        UP_ERR(up_batch_remove(&found, batch, &key, pool));
    }
    return NULL;
}

/* What is said of the pruning. */
typedef struct pruning_t {
    const char *detail, *author;
} pruning_t;

static up_error_t *
append_event(up_batch_t *batch, void *baton, apr_pool_t *pool)
{
    const pruning_t *pruning = baton;

    return up_admin_append(batch,
                           &(up_event_t){.type = UP_EVENTS_PRUNED,
                                         .author = pruning->author,
                                         .detail = pruning->detail},
                           pool);
}

/* Remove what PORTION finds from where the one before it ended. */
static up_error_t *
remove_portion(portion_t *portion, up_store_t *store, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_EVENT,
                          .after = portion->seen_to};

    portion->seen = 0;
    portion->numbers =
        apr_array_make(pool, REMOVED_AT_ONCE, sizeof(apr_uint64_t));
    up_error_t *err = up_store_each(store, &filter, look, portion, pool);
    int is_enough = portion->is_over || portion->seen == SEEN_AT_ONCE ||
                    portion->numbers->nelts == REMOVED_AT_ONCE;
    if (err && !is_enough)
        return err;
    if (!err)
        portion->is_over = 1;
    return portion->numbers->nelts
               ? up_admin_in_batch(store, remove_events, portion, pool)
               : NULL;
}

up_error_t *
up_admin_prune_events(apr_uint64_t *removed,
                      up_store_t *store,
                      apr_time_t before,
                      const char *author,
                      apr_pool_t *pool)
{
    portion_t portion = {.before = before};
    up_store_stat_t stat;
    apr_pool_t *iterpool;

    *removed = 0;
    UP_ERR(up_store_stat(&stat, store, pool));
    portion.last = stat.last_event;
    apr_pool_create(&iterpool, pool);
    while (!portion.is_over) {
        apr_pool_clear(iterpool);
        up_error_t *err = remove_portion(&portion, store, iterpool);
        if (err)
            return up_error_wrap(pool, err,
                                 "%" APR_UINT64_T_FMT " events were removed",
                                 *removed);
        *removed += (apr_uint64_t)portion.numbers->nelts;
    }
    apr_pool_destroy(iterpool);
    if (!*removed)
        return NULL;
    pruning_t pruning = {apr_psprintf(pool,
                                      "before=%s removed=%" APR_UINT64_T_FMT,
                                      up_time_format(before, pool), *removed),
                         author};
    return up_admin_in_batch(store, append_event, &pruning, pool);
}
