/* up_metrics_shown.h -- what every page says of what was counted. */
#ifndef UP_METRICS_SHOWN_H
#define UP_METRICS_SHOWN_H

#include "httpd/up_metrics.h"
#include "store/up_store.h"

#include <httpd.h>

/* The reasons for which AuthType UserProfile refuses a token. */
#define UP_METRICS_TOKEN_REASONS 2
extern const up_reason_t up_metrics_token_reasons[UP_METRICS_TOKEN_REASONS];

/* A store, and what it says of itself. */
typedef struct up_metrics_store_t {
    const char *uri;
    int is_up; /* it could be asked */
    up_store_stat_t stat;
} up_metrics_store_t;

/* All stores, an array of up_metrics_store_t in R's pool. One that cannot be
 * asked is logged. */
const apr_array_header_t *up_metrics_stores(request_rec *r);

/* How many calls ROW has. */
apr_uint64_t up_metrics_calls(const up_metrics_row_t *row);

/* How many errors have the name of REASON, of the COUNTS of each: some reasons
 * share one, and all are counted with the first of these; 0 for the others. */
apr_uint64_t up_metrics_by_name(const apr_uint64_t counts[UP_REASONS],
                                int reason);

/* MICROSECONDS as seconds, in POOL. */
char *up_metrics_seconds(apr_uint64_t microseconds, apr_pool_t *pool);

#endif
