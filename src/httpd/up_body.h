/* up_body.h -- reading a request's body. */
#ifndef UP_BODY_H
#define UP_BODY_H

#include "core/up_error.h"

#include <httpd.h>

/* Read R's body, at most LIMIT bytes before and after it is decompressed,
 * through its input filters into R's pool: sets *BODY and *LENGTH. A
 * Content-Encoding of gzip is undone. No read is begun when the server's
 * Timeout, which otherwise counts for each read alone, has passed since the
 * first one.
 *
 * Fails with BODY_TOO_LARGE, REQUEST_TIMEOUT, MEDIA_TYPE_UNSUPPORTED (another
 * Content-Encoding), BODY_INVALID (not gzip), or the HTTP status that httpd or
 * an input filter gives. After the first two the rest of the body is not read,
 * and the connection ends. */
UP_MUST_CHECK up_error_t *up_body_read(const char **body,
                                       apr_size_t *length,
                                       request_rec *r,
                                       apr_size_t limit);

#endif
