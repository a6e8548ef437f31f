/*
 * up_request.h -- what we know of a request.
 */
#ifndef UP_REQUEST_H
#define UP_REQUEST_H

#include "service/up_access.h"

#include <httpd.h>

typedef struct up_route_t up_route_t;

/* How a request's body, and its answer, are written; a bit each. */
typedef enum up_shape_t {
    UP_SHAPE_JSON = 1,
    UP_SHAPE_GRPC = 2,
    UP_SHAPE_WEB = 4,     /* gRPC-Web */
    UP_SHAPE_WEB_TEXT = 8 /* the same in base64 */
} up_shape_t;

typedef struct up_request_t {
    int ours;                /* its path is one that we serve */
    int asked;               /* whether OURS is known by now */
    const char *user;        /* the id in the path, or NULL */
    up_shape_t shape;        /* of the body and the answer; JSON if refused */
    const char *media_type;  /* the same by its name; NULL if none was chosen */
    const up_route_t *route; /* once method and media type fit one */
    up_error_t *refusal;     /* of ours, raised before the handler */
} up_request_t;

/* What we know of R; made at the first call, lives as long as R. */
up_request_t *up_request_of(request_rec *r);

/* The same without making it: one that knows nothing where none was made. For
 * hooks that see every request of the site. */
const up_request_t *up_request_known(const request_rec *r);

/* Note R's caller for the log; AUTH_HEADER_MISSING if it has none. Asked before
 * its body is read. */
UP_MUST_CHECK up_error_t *up_request_require_caller(request_rec *r);

/* Set *CALL to what R asks of its server's store, or fail as up_stores_get. */
UP_MUST_CHECK up_error_t *up_request_call(up_call_t *call, request_rec *r);

/* Leave a note for the access log. VALUE, which lives as long as R, may be
 * NULL: nothing is noted. */
void up_request_note(request_rec *r, const char *name, const char *value);

/* Note SEQUENCE as "userprofile-sequence"; returns it as text. */
const char *up_request_note_sequence(request_rec *r, apr_uint64_t sequence);

#endif
