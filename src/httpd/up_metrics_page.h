/*
 * up_metrics_page.h -- what was counted, as Prometheus and as mod_status show
 * it.
 */
#ifndef UP_METRICS_PAGE_H
#define UP_METRICS_PAGE_H

#include <httpd.h>

/* handler: "SetHandler userprofile-metrics", Prometheus' text format. */
int up_metrics_page_handle(request_rec *r);

/* status_hook of mod_status: our section of its page; FLAGS are AP_STATUS_*.
 */
int up_metrics_page_status(request_rec *r, int flags);

#endif
