/* up_body.h -- reading a request's body. */
#ifndef UP_BODY_H
#define UP_BODY_H

#include "core/up_error.h"

#include <httpd.h>

/* Read R's body, at most LIMIT bytes, through its input filters into R's pool:
 * sets *BODY, NUL-terminated, and *LENGTH. When the server's Timeout, which
 * otherwise counts for each read alone, has passed since the first read, none
 * is begun.
 *
 * Two kinds of failure: BODY_TOO_LARGE or REQUEST_TIMEOUT, after which nobody
 * waits for the rest of the body, and the connection ends; or *STATUS is set
 * (it is OK otherwise) to what httpd or a filter says of the body, to be
 * returned by the handler. */
UP_MUST_CHECK up_error_t *up_body_read(const char **body,
                                       apr_size_t *length,
                                       int *status,
                                       request_rec *r,
                                       apr_size_t limit);

#endif
