/* up_status_proto.h -- google.rpc.Status as protobuf, for gRPC. */
#ifndef UP_STATUS_PROTO_H
#define UP_STATUS_PROTO_H

#include "wire/up_status.h"

/* Set *BYTES and *LENGTH, in POOL, to STATUS with its details, in the order
 * that they have in JSON. */
void up_status_proto_encode(const char **bytes,
                            apr_size_t *length,
                            const up_status_t *status,
                            apr_pool_t *pool);

#endif
