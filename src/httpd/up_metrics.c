/* up_metrics.c -- what is counted of all calls, by all children.
 *
 * What every call is counted in is there many times, and each thread has one of
 * these slots: adding up in a cache line that no other core writes to takes a
 * few nanoseconds. With more threads than slots some share one; so all adding
 * is atomic, a slot has no owner, and there is nothing to give back when a
 * child ends or is killed. */
#include "httpd/up_metrics.h"
#include "core/up_clock.h"
#include "httpd/up_config.h"
#include "httpd/up_protocol.h"
#include "httpd/up_route.h"

#include <apr_shm.h>
#include <http_config.h>
#include <http_log.h>

APLOG_USE_MODULE(userprofile);

#define SLOTS 128
#define CACHE_LINE 64

/* By which the parent finds a retained_t again after a restart, which may load
 * another build of this module. The number is that of the struct's form. */
#define RETAINED "mod_userprofile-metrics-1"

typedef struct slot_t {
    up_metrics_row_t row[UP_METRICS_ROWS];
} __attribute__((aligned(CACHE_LINE))) slot_t;

/* The memory that all children share. */
typedef struct shared_t {
    apr_uint32_t threads; /* atomic: how many have taken a slot */
    up_metrics_rest_t rest;
    slot_t slot[SLOTS];
} shared_t;

/* What the parent keeps. */
typedef struct retained_t {
    apr_size_t size;
    apr_uint64_t layout;
    apr_shm_t *memory;
} retained_t;

const apr_interval_time_t up_metrics_bounds[UP_METRICS_BUCKETS - 1] = {
    100,    300,    1000,    3000,    10000,   30000,
    100000, 300000, 1000000, 3000000, 10000000};

static shared_t *shared;                    /* NULL: nothing is counted */
static __thread up_metrics_row_t *own_rows; /* this thread's slot */

const up_service_t *
up_metrics_row(const up_method_t **method, int row)
{
    for (int s = 0; up_services[s]; s++) {
        int methods = up_services[s]->methods;
        if (row <= methods) {
            *method = row < methods ? &up_services[s]->method[row] : NULL;
            return up_services[s];
        }
        row -= methods + 1;
    }
    return NULL;
}

/* The row of REQUEST, as up_metrics_row() has it. */
static int
row_of(const up_request_t *request)
{
    const up_service_t *service = request->service;
    int row = request->method ? (int)(request->method - service->method)
                              : service->methods;

    for (int s = 0; up_services[s] != service; s++)
        row += up_services[s]->methods + 1;
    return row;
}

static int
protocol_of(const up_request_t *request)
{
    int p = 0;

    while (up_protocols[p] && up_protocols[p] != request->protocol)
        p++;
    return p;
}

/* Add TEXT to a hash (FNV-1a). */
static apr_uint64_t
hash(apr_uint64_t value, const char *text)
{
    do
        value = (value ^ (unsigned char)*text) * APR_UINT64_C(1099511628211);
    while (*text++);
    return value;
}

/* A number that tells apart what counts mean: another one where a method, a
 * protocol, a reason or a bucket is another. */
static apr_uint64_t
layout_of_counts(void)
{
    apr_uint64_t value = APR_UINT64_C(14695981039346656037);
    const up_service_t *service;
    const up_method_t *method;

    for (int row = 0; (service = up_metrics_row(&method, row)) != NULL; row++) {
        value = hash(value, service->name);
        value = hash(value, method ? method->name : "");
    }
    for (int p = 0; up_protocols[p]; p++)
        value = hash(value, up_protocols[p]->name);
    for (int i = 0; i < UP_REASONS; i++)
        value = hash(value, up_reason_info((up_reason_t)i)->name);
    for (int i = 0; i < UP_METRICS_BUCKETS - 1; i++)
        value = value * 31 + (apr_uint64_t)up_metrics_bounds[i];
    return value;
}

/* The first cache line that begins in MEMORY: APR keeps a few bytes before what
 * it gives. */
static void *
align(const apr_shm_t *memory)
{
    return (void *)APR_ALIGN((apr_uintptr_t)apr_shm_baseaddr_get(memory),
                             CACHE_LINE);
}

void
up_metrics_prepare(server_rec *main)
{
    apr_pool_t *pool = main->process->pool;
    apr_uint64_t layout = layout_of_counts();
    retained_t *retained = ap_retained_data_get(RETAINED);
    const up_method_t *method;

    ap_assert(!up_metrics_row(&method, UP_METRICS_ROWS));
    ap_assert(!up_protocols[UP_METRICS_PROTOCOLS - 1]);
    if (!retained)
        retained = ap_retained_data_create(RETAINED, sizeof(*retained));
    if (retained->memory &&
        (retained->size != sizeof(shared_t) || retained->layout != layout)) {
        /* Children of the former build keep theirs. */
        apr_shm_destroy(retained->memory);
        retained->memory = NULL;
    }
    if (!retained->memory) {
        apr_status_t rv = apr_shm_create(
            &retained->memory, sizeof(shared_t) + CACHE_LINE, NULL, pool);
        if (rv) {
            retained->memory = NULL;
            ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main,
                         "UP0030: cannot share memory among the children; no "
                         "calls are counted");
            return;
        }
        memset(align(retained->memory), 0, sizeof(shared_t));
        retained->size = sizeof(shared_t);
        retained->layout = layout;
    }
    shared = align(retained->memory);
}

static void
add(apr_uint64_t *sum, apr_uint64_t more)
{
    __atomic_fetch_add(sum, more, __ATOMIC_RELAXED);
}

/* The slot of this thread. */
static up_metrics_row_t *
rows_of_thread(void)
{
    if (!own_rows) {
        apr_uint32_t turn =
            __atomic_fetch_add(&shared->threads, 1, __ATOMIC_RELAXED);
        own_rows = shared->slot[turn % SLOTS].row;
    }
    return own_rows;
}

/* What went wrong with R, a call; NULL: nothing. */
static const up_reason_info_t *
reason_of(request_rec *r, const up_request_t *request)
{
    if (!request->reason && ap_is_HTTP_ERROR(r->status))
        /* Another module's error, and the site has a document for it. */
        return up_reason_info(up_request_foreign(r, r->status)->reason);
    return request->reason;
}

int
up_metrics_count(request_rec *r)
{
    /* An internal redirect may have led to us. */
    while (r && !up_request_known(r)->is_ours)
        r = r->next;
    if (!r || !shared)
        return DECLINED;

    const up_request_t *request = up_request_known(r);
    if (request->is_preflight)
        return DECLINED; /* a browser's question, no call */
    const up_reason_info_t *reason = reason_of(r, request);
    if (!reason && !up_route_is_handled(r))
        return DECLINED; /* it was sent elsewhere */
    int index = row_of(request), protocol = protocol_of(request);
    up_metrics_row_t *row = &rows_of_thread()[index];
    if (reason)
        add(&shared->rest.failed[index][protocol][reason - up_reason_info(0)],
            1);
    else
        add(&row->answered[protocol], 1);

    apr_interval_time_t time = up_clock() - request->began;
    int bucket = 0;
    while (bucket < UP_METRICS_BUCKETS - 1 && time > up_metrics_bounds[bucket])
        bucket++;
    add(&row->time, (apr_uint64_t)time);
    add(&row->bucket[bucket], 1);
    return DECLINED;
}

void
up_metrics_count_token(up_reason_t reason)
{
    if (shared)
        add(&shared->rest.tokens[reason], 1);
}

up_store_counters_t *
up_metrics_of_stores(void)
{
    return shared ? &shared->rest.stores : NULL;
}

/* Add the counts of which the SIZE bytes at FROM are made to those at SUMS. */
static void
add_counts(void *sums, const void *from, apr_size_t size)
{
    const apr_uint64_t *count = from;
    apr_uint64_t *sum = sums;

    for (apr_size_t i = 0; i < size / sizeof(*sum); i++)
        sum[i] += __atomic_load_n(&count[i], __ATOMIC_RELAXED);
}

int
up_metrics_read(up_metrics_t *metrics)
{
    memset(metrics, 0, sizeof(*metrics));
    if (!shared)
        return 0;
    add_counts(&metrics->rest, &shared->rest, sizeof(metrics->rest));
    for (int i = 0; i < SLOTS; i++)
        add_counts(metrics->row, shared->slot[i].row, sizeof(metrics->row));
    return 1;
}
