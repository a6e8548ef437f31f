/* up_health_proto.h -- grpc.health.v1.Health/Check, its request and reply. */
#ifndef UP_HEALTH_PROTO_H
#define UP_HEALTH_PROTO_H

#include "core/up_error.h"

/* Set *SERVICE, in POOL, to the name in LENGTH bytes of a HealthCheckRequest,
 * "" for the whole server. UP_MESSAGE_INVALID by the rules of
 * up_message_unpack(). */
UP_MUST_CHECK up_error_t *up_health_proto_decode(const char **service,
                                                 const char *bytes,
                                                 apr_size_t length,
                                                 apr_pool_t *pool);

/* Set *BYTES and *LENGTH, in POOL, to a HealthCheckResponse: SERVING or
 * NOT_SERVING. */
void up_health_proto_encode(const char **bytes,
                            apr_size_t *length,
                            int is_serving,
                            apr_pool_t *pool);

#endif
