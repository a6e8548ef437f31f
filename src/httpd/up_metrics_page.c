/* up_metrics_page.c -- what was counted, in Prometheus' text format. */
#include "httpd/up_metrics_page.h"
#include "httpd/up_config.h"
#include "httpd/up_metrics_shown.h"
#include "httpd/up_protocol.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

APLOG_USE_MODULE(userprofile);

#define HANDLER "userprofile-metrics"
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static const char *const kind_names[UP_KINDS] = {
    [UP_KIND_ORG] = "org",       [UP_KIND_USER] = "user",
    [UP_KIND_MEMBER] = "member", [UP_KIND_TOKEN] = "token",
    [UP_KIND_EVENT] = "event",
};

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
                   up_metrics_by_name(counts, i));
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
    char *text = up_metrics_seconds((apr_uint64_t)up_metrics_bounds[i], pool);
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
               labels, up_metrics_seconds(counts->time, r->pool), labels,
               count);
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
               const up_metrics_store_t *store,
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
find_figure(const up_metrics_store_t *store, const char *name)
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
        if (find_figure(&APR_ARRAY_IDX(stores, i, up_metrics_store_t),
                        figure->name))
            return;
    }
    begin_family(r, name, "gauge",
                 apr_psprintf(r->pool, "Of a store: %s.", figure->label));
    for (int i = first; i < stores->nelts; i++) {
        const up_metrics_store_t *store =
            &APR_ARRAY_IDX(stores, i, up_metrics_store_t);
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
        const up_metrics_store_t *store =
            &APR_ARRAY_IDX(stores, i, up_metrics_store_t);
        write_of_store(r, "store_up", store, "", (apr_uint64_t)store->is_up);
    }
    begin_family(r, "store_items", "gauge", "What a store holds, by kind.");
    for (int i = 0; i < stores->nelts; i++) {
        const up_metrics_store_t *store =
            &APR_ARRAY_IDX(stores, i, up_metrics_store_t);
        for (int k = 0; store->is_up && k < UP_KINDS; k++)
            write_of_store(r, "store_items", store,
                           apr_psprintf(r->pool, ",kind=\"%s\"", kind_names[k]),
                           store->stat.count[k]);
    }
    for (int i = 0; i < stores->nelts; i++) {
        const up_metrics_store_t *store =
            &APR_ARRAY_IDX(stores, i, up_metrics_store_t);
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
    ap_allow_standard_methods(r, MERGE_ALLOW, M_GET, -1);
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
        if (up_metrics_calls(&metrics->row[row]))
            write_durations(r, row, &metrics->row[row]);
    }
    begin_family(r, "tokens_refused_total", "counter",
                 "Tokens that AuthType UserProfile has refused, by reason.");
    for (int i = 0; i < UP_METRICS_TOKEN_REASONS; i++)
        ap_rprintf(r,
                   "userprofile_tokens_refused_total{reason=\"%s\"} "
                   "%" APR_UINT64_T_FMT "\n",
                   up_reason_info(up_metrics_token_reasons[i])->name,
                   metrics->rest.tokens[up_metrics_token_reasons[i]]);
    write_counter(r, "changes_total", "Changes made in stores.",
                  metrics->rest.stores.changes);
    write_counter(r, "batches_total", "Transactions that changes were made in.",
                  metrics->rest.stores.batches);
    begin_family(r, "flush_seconds_total", "counter",
                 "How long the commits of all these transactions took.");
    ap_rprintf(r, "userprofile_flush_seconds_total %s\n",
               up_metrics_seconds(metrics->rest.stores.flush_time, r->pool));
    write_stores(r, up_metrics_stores(r));
    return OK;
}
