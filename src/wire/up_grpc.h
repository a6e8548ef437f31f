/*
 * up_grpc.h -- gRPC's frames, trailers and timeouts.
 *
 * A frame is a flag byte, the length in 4 bytes, big-endian, and the message.
 */
#ifndef UP_GRPC_H
#define UP_GRPC_H

#include "wire/up_message.h"
#include "wire/up_status.h"

#include <apr_time.h>

/* The bytes of a frame before its message. */
#define UP_GRPC_HEADER 5

/* The value of grpc-accept-encoding: how requests may be compressed. */
#define UP_GRPC_ACCEPT_ENCODING "identity,gzip"

/* Set *MESSAGE and *LENGTH to the message in the one frame that the SIZE bytes
 * at BODY are; inflated, in POOL, if it is compressed by ENCODING, the value
 * of grpc-encoding (NULL or "": none), else it points into BODY.
 * UP_UNIMPLEMENTED for an encoding that is not known, UP_BODY_TOO_LARGE for a
 * message of more than LIMIT bytes, UP_MESSAGE_INVALID for no frame, a cut
 * one, bytes after it, or a flag that does not fit. */
UP_MUST_CHECK up_error_t *up_grpc_decode(const char **message,
                                         apr_size_t *length,
                                         const char *body,
                                         apr_size_t size,
                                         const char *encoding,
                                         apr_size_t limit,
                                         apr_pool_t *pool);

/* As up_message_unpack(), for the message of a frame. */
UP_MUST_CHECK up_error_t *up_grpc_unpack(ProtobufCMessage **message,
                                         const ProtobufCMessageDescriptor *type,
                                         const char *bytes,
                                         apr_size_t length,
                                         apr_pool_t *pool);

/* Write a frame of LENGTH bytes at BYTES, with FLAG, at AT, where there is
 * room for it; returns where it ends. */
char *up_grpc_write_frame(char *at,
                          unsigned char flag,
                          const char *bytes,
                          apr_size_t length);

/* Set *BODY and *SIZE, in POOL, to the frame of LENGTH bytes at MESSAGE. */
void up_grpc_encode(const char **body,
                    apr_size_t *size,
                    const char *message,
                    apr_size_t length,
                    apr_pool_t *pool);

/* The trailers of a call that ended with STATUS (NULL: well), a new table in
 * POOL, sorted by name: grpc-message (percent-encoded), grpc-status,
 * grpc-status-details-bin (base64 without padding); only grpc-status if it
 * ended well. */
apr_table_t *up_grpc_trailers(const up_status_t *status, apr_pool_t *pool);

/* Set *TIMEOUT to the time that VALUE, of grpc-timeout, gives a call; to -1, no
 * limit, if VALUE is NULL. UP_BODY_INVALID names the header if VALUE is
 * malformed. */
UP_MUST_CHECK up_error_t *up_grpc_timeout(apr_interval_time_t *timeout,
                                          const char *value,
                                          apr_pool_t *pool);

#endif
