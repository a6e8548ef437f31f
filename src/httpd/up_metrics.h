/*
 * up_metrics.h -- what is counted of all calls, by all children.
 *
 * The counts are in memory that the children share and that the parent keeps
 * through restarts: they never go back while the parent lives, unless a restart
 * loads a build of this module that counts something else.
 */
#ifndef UP_METRICS_H
#define UP_METRICS_H

#include "core/up_error.h"
#include "httpd/up_request.h"
#include "store/up_store.h"

#include <httpd.h>

/* A row for each method, and one for each service's calls of no method of it.
 */
#define UP_METRICS_ROWS 32

/* Those of up_protocols, in its order, and none. */
#define UP_METRICS_PROTOCOLS 5

/* Of the histogram; the last one has no upper bound. */
#define UP_METRICS_BUCKETS 12

/* The upper bounds of all buckets but the last one, in microseconds. */
extern const apr_interval_time_t up_metrics_bounds[UP_METRICS_BUCKETS - 1];

/* What is counted of every call. */
typedef struct up_metrics_row_t {
    apr_uint64_t answered[UP_METRICS_PROTOCOLS]; /* without an error */
    apr_uint64_t bucket[UP_METRICS_BUCKETS]; /* calls that took as long, with
                                              * and without an error */
    apr_uint64_t time;                       /* of all these, in microseconds */
} up_metrics_row_t;

/* What is counted of fewer. */
typedef struct up_metrics_rest_t {
    apr_uint64_t failed[UP_METRICS_ROWS][UP_METRICS_PROTOCOLS][UP_REASONS];
    apr_uint64_t tokens[UP_REASONS]; /* refused, by AuthType UserProfile */
    up_store_counters_t stores;      /* all of them */
} up_metrics_rest_t;

/* What has been counted. */
typedef struct up_metrics_t {
    up_metrics_row_t row[UP_METRICS_ROWS];
    up_metrics_rest_t rest;
} up_metrics_t;

/* post_config: find the memory of the counts, or make it. If that cannot be
 * had, it is logged, and nothing is counted. */
void up_metrics_prepare(server_rec *main);

/* log_transaction: count R if it is a call. */
int up_metrics_count(request_rec *r);

/* Count a token that AuthType UserProfile has refused for REASON. */
void up_metrics_count_token(up_reason_t reason);

/* Where the stores count; NULL if nothing is counted. */
up_store_counters_t *up_metrics_of_stores(void);

/* Set *METRICS to the sums of what was counted. Returns 0 if nothing is. */
int up_metrics_read(up_metrics_t *metrics);

/* The service of ROW, and *METHOD, NULL for what is no method of the service.
 * NULL if there is no such row; then there is none after it either. */
const up_service_t *up_metrics_row(const up_method_t **method, int row);

#endif
