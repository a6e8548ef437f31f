/* up_metrics_status.c -- what was counted, on mod_status's page. */
#include "httpd/up_metrics_page.h"
#include "httpd/up_config.h"
#include "httpd/up_metrics_shown.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <mod_status.h>

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
        totals.calls += up_metrics_calls(&metrics->row[row]);
        totals.time += metrics->row[row].time;
        for (int p = 0; p < UP_METRICS_PROTOCOLS; p++) {
            for (int i = 0; i < UP_REASONS; i++)
                totals.errors += metrics->rest.failed[row][p][i];
        }
    }
    for (int i = 0; i < UP_METRICS_TOKEN_REASONS; i++)
        totals.tokens += metrics->rest.tokens[up_metrics_token_reasons[i]];
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
        apr_uint64_t count = up_metrics_by_name(counts, i);
        if (count)
            write_number(r, flags, name,
                         apr_pstrcat(r->pool, "Error-", name, NULL), count);
    }
}

/* What the section says of STORE, the one NUMBER, from 1. */
static void
write_store(request_rec *r,
            int flags,
            int number,
            const up_metrics_store_t *store)
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
    const apr_array_header_t *stores = up_metrics_stores(r);

    if (!(flags & AP_STATUS_SHORT))
        ap_rputs("<hr />\n<h1>User Profiles</h1>\n<dl>\n", r);
    write_line(r, flags, "Version of mod_userprofile", "Version", UP_VERSION);
    write_number(r, flags, "Calls", "Calls", totals.calls);
    write_line(r, flags, "Seconds that they took", "CallSeconds",
               up_metrics_seconds(totals.time, r->pool));
    write_number(r, flags, "Calls with an error", "Errors", totals.errors);
    write_reasons(r, flags, metrics);
    write_number(r, flags, "Refused tokens", "TokensRefused", totals.tokens);
    write_number(r, flags, "Changes", "Changes", changes->changes);
    write_number(r, flags, "Transactions that they were made in", "Batches",
                 changes->batches);
    write_line(r, flags, "Seconds that the commits of these took",
               "FlushSeconds",
               up_metrics_seconds(changes->flush_time, r->pool));
    for (int i = 0; i < stores->nelts; i++)
        write_store(r, flags, i + 1,
                    &APR_ARRAY_IDX(stores, i, up_metrics_store_t));
    if (!(flags & AP_STATUS_SHORT))
        ap_rputs("</dl>\n", r);
    return OK;
}
