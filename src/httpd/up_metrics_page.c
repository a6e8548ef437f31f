/* up_metrics_page.c -- what was counted, as Prometheus and as mod_status show
 * it. */
#include "httpd/up_metrics_page.h"
#include "httpd/up_config.h"
#include "httpd/up_metrics.h"
#include "httpd/up_protocol.h"
#include "httpd/up_stores.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mod_status.h>

APLOG_USE_MODULE(userprofile);

#define HANDLER "userprofile-metrics"
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static const char *const kind_names[UP_KINDS] = {
    [UP_KIND_ORG] = "org",       [UP_KIND_USER] = "user",
    [UP_KIND_MEMBER] = "member", [UP_KIND_TOKEN] = "token",
    [UP_KIND_EVENT] = "event",
};

/* The reasons for which AuthType UserProfile refuses a token. */
static const up_reason_t token_reasons[] = {UP_AUTH_HEADER_INVALID,
                                            UP_TOKEN_INVALID};
#define TOKEN_REASONS (int)(sizeof(token_reasons) / sizeof(token_reasons[0]))

/* A store, and what it says of itself. */
typedef struct store_t {
    const char *uri;
    int is_up; /* it could be asked */
    up_store_stat_t stat;
} store_t;

/* A list of stores that is being made for a request. */
typedef struct stores_t {
    request_rec *r;
    apr_array_header_t *list; /* of store_t */
} stores_t;

/* An up_stores_visit_t. */
static void
add_store(void *baton, const char *uri, up_store_t *opened)
{
    stores_t *stores = baton;
    request_rec *r = stores->r;
    store_t *store = apr_array_push(stores->list);

    *store = (store_t){.uri = uri};
    if (!opened)
        return;
    up_error_t *err = up_store_stat(&store->stat, opened, r->pool);
    store->is_up = !err;
    if (err)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "UP0031: no figures of the store '%s': %s", uri,
                      up_error_story(err, r->pool));
}

/* All stores, an array of store_t in R's pool. */
static const apr_array_header_t *
read_stores(request_rec *r)
{
    stores_t stores = {r, apr_array_make(r->pool, 2, sizeof(store_t))};

    up_stores_each(add_store, &stores);
    return stores.list;
}

/* The name of the protocol at P of up_protocols, which may be its end. */
static const char *
protocol_name(int p)
{
    return up_protocols[p] ? up_protocols[p]->name : "none";
}

static const char *
method_name(const up_method_t *method)
{
    return method ? method->name : "unknown";
}

/* How many calls ROW has. */
static apr_uint64_t
calls_of(const up_metrics_row_t *row)
{
    apr_uint64_t count = 0;

    for (int i = 0; i < UP_METRICS_BUCKETS; i++)
        count += row->bucket[i];
    return count;
}

/* How many errors have the name of REASON, of the COUNTS of each: some reasons
 * share one, and all are counted with the first of these; 0 for the others. */
static apr_uint64_t
count_by_name(const apr_uint64_t counts[UP_REASONS], int reason)
{
    const char *name = up_reason_info((up_reason_t)reason)->name;
    apr_uint64_t count = 0;

    for (int i = 0; i < UP_REASONS; i++) {
        if (strcmp(up_reason_info((up_reason_t)i)->name, name) != 0)
            continue;
        if (i < reason)
            return 0;
        count += counts[i];
    }
    return count;
}

/*
 * Prometheus' text format.
 */

/* Write what begins a family of samples. */
static void
begin_family(request_rec *r,
             const char *name,
             const char *type,
             const char *help)
{
    ap_rprintf(r, "# HELP userprofile_%s %s\n# TYPE userprofile_%s %s\n", name,
               help, name, type);
}

/* A family of one counter, without labels. */
static void
write_counter(request_rec *r,
              const char *name,
              const char *help,
              apr_uint64_t value)
{
    begin_family(r, name, "counter", help);
    ap_rprintf(r, "userprofile_%s %" APR_UINT64_T_FMT "\n", name, value);
}

/* MICROSECONDS as seconds, in POOL. */
static char *
seconds(apr_uint64_t microseconds, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%06d",
                        microseconds / APR_USEC_PER_SEC,
                        (int)(microseconds % APR_USEC_PER_SEC));
}

static void
write_call(request_rec *r,
           int row,
           int protocol,
           const char *reason,
           apr_uint64_t count)
{
    const up_method_t *method;
    const up_service_t *service = up_metrics_row(&method, row);

    if (count)
        ap_rprintf(r,
                   "userprofile_calls_total{service=\"%s\",method=\"%s\","
                   "protocol=\"%s\",reason=\"%s\"} %" APR_UINT64_T_FMT "\n",
                   service->name, method_name(method), protocol_name(protocol),
                   reason, count);
}

/* Write the COUNTS of errors in ROW by PROTOCOL. */
static void
write_failures(request_rec *r,
               int row,
               int protocol,
               const apr_uint64_t counts[UP_REASONS])
{
    for (int i = 0; i < UP_REASONS; i++)
        write_call(r, row, protocol, up_reason_info((up_reason_t)i)->name,
                   count_by_name(counts, i));
}

static void
write_calls(request_rec *r, const up_metrics_t *metrics)
{
    const up_method_t *method;

    begin_family(r, "calls_total", "counter",
                 "Calls answered, by the reason of their error or OK.");
    for (int row = 0; up_metrics_row(&method, row); row++) {
        for (int p = 0; p < UP_METRICS_PROTOCOLS; p++) {
            write_call(r, row, p, "OK", metrics->row[row].answered[p]);
            write_failures(r, row, p, metrics->rest.failed[row][p]);
        }
    }
}

/* The upper bound of the bucket at I, in seconds. */
static const char *
bound_of(int i, apr_pool_t *pool)
{
    if (i == UP_METRICS_BUCKETS - 1)
        return "+Inf";
    char *text = seconds((apr_uint64_t)up_metrics_bounds[i], pool);
    char *end = text + strlen(text);
    while (end[-1] == '0')
        end--;
    end[end[-1] == '.' ? -1 : 0] = '\0';
    return text;
}

/* The histogram of ROW. */
static void
write_durations(request_rec *r, int row, const up_metrics_row_t *counts)
{
    const up_method_t *method;
    const up_service_t *service = up_metrics_row(&method, row);
    const char *labels = apr_psprintf(r->pool, "service=\"%s\",method=\"%s\"",
                                      service->name, method_name(method));
    apr_uint64_t count = 0;

    for (int i = 0; i < UP_METRICS_BUCKETS; i++) {
        count += counts->bucket[i];
        ap_rprintf(r,
                   "userprofile_call_duration_seconds_bucket{%s,le=\"%s\"} "
                   "%" APR_UINT64_T_FMT "\n",
                   labels, bound_of(i, r->pool), count);
    }
    ap_rprintf(r,
               "userprofile_call_duration_seconds_sum{%s} %s\n"
               "userprofile_call_duration_seconds_count{%s} "
               "%" APR_UINT64_T_FMT "\n",
               labels, seconds(counts->time, r->pool), labels, count);
}

/* URI as the value of a label. */
static const char *
label_of(const char *uri, apr_pool_t *pool)
{
    char *label = apr_palloc(pool, 2 * strlen(uri) + 1), *at = label;

    for (; *uri; uri++) {
        if (*uri == '"' || *uri == '\\' || *uri == '\n')
            *at++ = '\\';
        *at++ = *uri == '\n' ? 'n' : *uri;
    }
    *at = '\0';
    return label;
}

/* A sample of the family NAME; MORE are further labels. */
static void
write_of_store(request_rec *r,
               const char *name,
               const store_t *store,
               const char *more,
               apr_uint64_t value)
{
    ap_rprintf(r, "userprofile_%s{store=\"%s\"%s} %" APR_UINT64_T_FMT "\n",
               name, label_of(store->uri, r->pool), more, value);
}

/* NAME, such as "bytesUsed", as the name of a metric: store_bytes_used. */
static const char *
name_of_figure(const char *name, apr_pool_t *pool)
{
    static const char prefix[] = "store_";
    char *made = apr_palloc(pool, sizeof(prefix) + 2 * strlen(name)),
         *at = made;

    at = apr_cpystrn(at, prefix, sizeof(prefix));
    for (; *name; name++) {
        if (apr_isupper(*name))
            *at++ = '_';
        *at++ = (char)apr_tolower(*name);
    }
    *at = '\0';
    return made;
}

/* The figure of STORE called NAME, or NULL. */
static const up_store_figure_t *
find_figure(const store_t *store, const char *name)
{
    for (int i = 0; store->is_up && i < store->stat.figures->nelts; i++) {
        const up_store_figure_t *figure =
            &APR_ARRAY_IDX(store->stat.figures, i, up_store_figure_t);
        if (!strcmp(figure->name, name))
            return figure;
    }
    return NULL;
}

/* The family of FIGURE, one of the store at FIRST of STORES, unless a store
 * before that one has it too. */
static void
write_figure(request_rec *r,
             const apr_array_header_t *stores,
             int first,
             const up_store_figure_t *figure)
{
    const char *name = name_of_figure(figure->name, r->pool);

    for (int i = 0; i < first; i++) {
        if (find_figure(&APR_ARRAY_IDX(stores, i, store_t), figure->name))
            return;
    }
    begin_family(r, name, "gauge",
                 apr_psprintf(r->pool, "Of a store: %s.", figure->label));
    for (int i = first; i < stores->nelts; i++) {
        const store_t *store = &APR_ARRAY_IDX(stores, i, store_t);
        const up_store_figure_t *own = find_figure(store, figure->name);
        if (own)
            write_of_store(r, name, store, "", own->value);
    }
}

static void
write_stores(request_rec *r, const apr_array_header_t *stores)
{
    begin_family(r, "store_up", "gauge",
                 "Whether the child that answers could ask the store.");
    for (int i = 0; i < stores->nelts; i++) {
        const store_t *store = &APR_ARRAY_IDX(stores, i, store_t);
        write_of_store(r, "store_up", store, "", (apr_uint64_t)store->is_up);
    }
    begin_family(r, "store_items", "gauge", "What a store holds, by kind.");
    for (int i = 0; i < stores->nelts; i++) {
        const store_t *store = &APR_ARRAY_IDX(stores, i, store_t);
        for (int k = 0; store->is_up && k < UP_KINDS; k++)
            write_of_store(r, "store_items", store,
                           apr_psprintf(r->pool, ",kind=\"%s\"", kind_names[k]),
                           store->stat.count[k]);
    }
    for (int i = 0; i < stores->nelts; i++) {
        const store_t *store = &APR_ARRAY_IDX(stores, i, store_t);
        for (int k = 0; store->is_up && k < store->stat.figures->nelts; k++)
            write_figure(
                r, stores, i,
                &APR_ARRAY_IDX(store->stat.figures, k, up_store_figure_t));
    }
}

int
up_metrics_page_handle(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    r->allowed |= AP_METHOD_BIT << M_GET;
    if (r->method_number != M_GET)
        return HTTP_METHOD_NOT_ALLOWED;

    up_metrics_t *metrics = apr_palloc(r->pool, sizeof(*metrics));
    if (!up_metrics_read(metrics)) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            "UP0032: no metrics: nothing is counted, as no server has "
            "'UserProfile On', or for lack of memory to share");
        return HTTP_SERVICE_UNAVAILABLE;
    }
    ap_set_content_type(r, CONTENT_TYPE);
    if (r->header_only)
        return OK;

    const up_method_t *method;
    begin_family(r, "info", "gauge", "The version of mod_userprofile.");
    ap_rprintf(r, "userprofile_info{version=\"%s\"} 1\n", UP_VERSION);
    write_calls(r, metrics);
    begin_family(r, "call_duration_seconds", "histogram",
                 "How long calls took, from their header fields to the end of "
                 "their answer.");
    for (int row = 0; up_metrics_row(&method, row); row++) {
        if (calls_of(&metrics->row[row]))
            write_durations(r, row, &metrics->row[row]);
    }
    begin_family(r, "tokens_refused_total", "counter",
                 "Tokens that AuthType UserProfile has refused, by reason.");
    for (int i = 0; i < TOKEN_REASONS; i++)
        ap_rprintf(r,
                   "userprofile_tokens_refused_total{reason=\"%s\"} "
                   "%" APR_UINT64_T_FMT "\n",
                   up_reason_info(token_reasons[i])->name,
                   metrics->rest.tokens[token_reasons[i]]);
    write_counter(r, "changes_total", "Changes made in stores.",
                  metrics->rest.stores.changes);
    write_counter(r, "batches_total", "Transactions that changes were made in.",
                  metrics->rest.stores.batches);
    begin_family(r, "flush_seconds_total", "counter",
                 "How long the commits of all these transactions took.");
    ap_rprintf(r, "userprofile_flush_seconds_total %s\n",
               seconds(metrics->rest.stores.flush_time, r->pool));
    write_stores(r, read_stores(r));
    return OK;
}

/*
 * mod_status.
 */

/* What the section says of all calls. */
typedef struct totals_t {
    apr_uint64_t calls, errors, time, tokens;
} totals_t;

static totals_t
sum_up(const up_metrics_t *metrics)
{
    totals_t totals = {0};
    const up_method_t *method;

    for (int row = 0; up_metrics_row(&method, row); row++) {
        totals.calls += calls_of(&metrics->row[row]);
        totals.time += metrics->row[row].time;
        for (int p = 0; p < UP_METRICS_PROTOCOLS; p++) {
            for (int i = 0; i < UP_REASONS; i++)
                totals.errors += metrics->rest.failed[row][p][i];
        }
    }
    for (int i = 0; i < TOKEN_REASONS; i++)
        totals.tokens += metrics->rest.tokens[token_reasons[i]];
    return totals;
}

/* A line of the section: LABEL for people, NAME for programs. */
static void
write_line(request_rec *r,
           int flags,
           const char *label,
           const char *name,
           const char *value)
{
    if (flags & AP_STATUS_SHORT)
        ap_rprintf(r, "UserProfile%s: %s\n", name, value);
    else
        ap_rprintf(r, "<dt>%s: %s</dt>\n", label, value);
}

static void
write_number(request_rec *r,
             int flags,
             const char *label,
             const char *name,
             apr_uint64_t value)
{
    write_line(r, flags, label, name,
               apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, value));
}

/* The section's table of errors: how often each reason was one. */
static void
write_reasons(request_rec *r, int flags, const up_metrics_t *metrics)
{
    apr_uint64_t counts[UP_REASONS] = {0};
    const up_method_t *method;

    for (int row = 0; up_metrics_row(&method, row); row++) {
        for (int p = 0; p < UP_METRICS_PROTOCOLS; p++) {
            for (int i = 0; i < UP_REASONS; i++)
                counts[i] += metrics->rest.failed[row][p][i];
        }
    }
    for (int i = 0; i < UP_REASONS; i++) {
        const char *name = up_reason_info((up_reason_t)i)->name;
        apr_uint64_t count = count_by_name(counts, i);
        if (count)
            write_number(r, flags, name,
                         apr_pstrcat(r->pool, "Error-", name, NULL), count);
    }
}

/* What the section says of STORE, the one NUMBER, from 1. */
static void
write_store(request_rec *r, int flags, int number, const store_t *store)
{
    const char *uri = store->uri;
    const char *prefix = apr_psprintf(r->pool, "Store%d", number);

    if (!(flags & AP_STATUS_SHORT))
        uri = ap_escape_html(r->pool, uri);
    write_line(r, flags, "Store", prefix, uri);
    write_line(r, flags, "It can be asked",
               apr_pstrcat(r->pool, prefix, "-Up", NULL),
               store->is_up ? "yes" : "no");
    for (int i = 0; store->is_up && i < store->stat.figures->nelts; i++) {
        const up_store_figure_t *figure =
            &APR_ARRAY_IDX(store->stat.figures, i, up_store_figure_t);
        write_number(r, flags, figure->label,
                     apr_pstrcat(r->pool, prefix, "-", figure->name, NULL),
                     figure->value);
    }
}

int
up_metrics_page_status(request_rec *r, int flags)
{
    up_metrics_t *metrics = apr_palloc(r->pool, sizeof(*metrics));

    if (!up_metrics_read(metrics))
        return DECLINED;
    totals_t totals = sum_up(metrics);
    const up_store_counters_t *changes = &metrics->rest.stores;
    const apr_array_header_t *stores = read_stores(r);

    if (!(flags & AP_STATUS_SHORT))
        ap_rputs("<hr />\n<h1>User Profiles</h1>\n<dl>\n", r);
    write_line(r, flags, "Version of mod_userprofile", "Version", UP_VERSION);
    write_number(r, flags, "Calls", "Calls", totals.calls);
    write_line(r, flags, "Seconds that they took", "CallSeconds",
               seconds(totals.time, r->pool));
    write_number(r, flags, "Calls with an error", "Errors", totals.errors);
    write_reasons(r, flags, metrics);
    write_number(r, flags, "Refused tokens", "TokensRefused", totals.tokens);
    write_number(r, flags, "Changes", "Changes", changes->changes);
    write_number(r, flags, "Transactions that they were made in", "Batches",
                 changes->batches);
    write_line(r, flags, "Seconds that the commits of these took",
               "FlushSeconds", seconds(changes->flush_time, r->pool));
    for (int i = 0; i < stores->nelts; i++)
        write_store(r, flags, i + 1, &APR_ARRAY_IDX(stores, i, store_t));
    if (!(flags & AP_STATUS_SHORT))
        ap_rputs("</dl>\n", r);
    return OK;
}
