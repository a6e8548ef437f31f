/*
 * up_error_filter.h -- JSON in place of httpd's error pages, for our paths.
 */
#ifndef UP_ERROR_FILTER_H
#define UP_ERROR_FILTER_H

#include <httpd.h>

/* Register the filter. */
void up_error_filter_register(void);

/* insert_error_filter: replace the body of R's error, unless R is not ours or
 * an ErrorDocument of the site applies. */
void up_error_filter_insert(request_rec *r);

#endif
