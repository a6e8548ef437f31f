/* up_body.h -- reading a request's body. */
#ifndef UP_BODY_H
#define UP_BODY_H

#include "core/up_error.h"

#include <httpd.h>

/* Read R's body, at most LIMIT bytes before and after it is decompressed,
 * through its input filters into R's pool: sets *BODY, NUL-terminated, and
 * *LENGTH. A Content-Encoding of gzip is undone. When the server's Timeout,
 * which otherwise counts for each read alone, has passed since the first read,
 * none is begun.
 *
 * BODY_TOO_LARGE, REQUEST_TIMEOUT; MEDIA_TYPE_UNSUPPORTED for another
 * Content-Encoding; BODY_INVALID for what is not gzip; or, with its HTTP
 * status, what httpd or a filter says of the body. After the first two nobody
 * waits for the rest of the body, and the connection ends. */
UP_MUST_CHECK up_error_t *up_body_read(const char **body,
                                       apr_size_t *length,
                                       request_rec *r,
                                       apr_size_t limit);

#endif
