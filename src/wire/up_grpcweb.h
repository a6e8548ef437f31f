/*
 * up_grpcweb.h -- gRPC-Web: gRPC's frames for clients that cannot have HTTP/2
 * trailers, which therefore follow the message in a frame of their own. In
 * text mode, all of it is in base64.
 */
#ifndef UP_GRPCWEB_H
#define UP_GRPCWEB_H

#include "wire/up_grpc.h"

/* The same as up_grpc_decode(), for a BODY in base64 if IS_TEXT: one piece or
 * more, each with its padding; UP_MESSAGE_INVALID if it is not. */
UP_MUST_CHECK up_error_t *up_grpcweb_decode(const char **message,
                                            apr_size_t *length,
                                            const char *body,
                                            apr_size_t size,
                                            int is_text,
                                            const char *encoding,
                                            apr_size_t limit,
                                            apr_pool_t *pool);

/* Set *BODY and *SIZE, in POOL, to the answer of a call: the frame of LENGTH
 * bytes at MESSAGE (NULL: no such frame) and that of the trailers that say how
 * it ended, STATUS (NULL: well); in base64 if IS_TEXT. */
void up_grpcweb_encode(const char **body,
                       apr_size_t *size,
                       int is_text,
                       const char *message,
                       apr_size_t length,
                       const up_status_t *status,
                       apr_pool_t *pool);

#endif
