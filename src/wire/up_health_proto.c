/* up_health_proto.c -- grpc.health.v1.Health/Check, its request and reply. */
#include "wire/up_health_proto.h"
#include "grpc/health/v1/health.pb-c.h"
#include "wire/up_message.h"

up_error_t *
up_health_proto_decode(const char **service,
                       const char *bytes,
                       apr_size_t length,
                       apr_pool_t *pool)
{
    ProtobufCMessage *message;

    UP_ERR(up_message_unpack(
        &message, &grpc__health__v1__health_check_request__descriptor, bytes,
        length, pool));
    *service = ((const Grpc__Health__V1__HealthCheckRequest *)message)->service;
    return NULL;
}

void
up_health_proto_encode(const char **bytes,
                       apr_size_t *length,
                       int is_serving,
                       apr_pool_t *pool)
{
    Grpc__Health__V1__HealthCheckResponse reply =
        GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    reply.status =
        GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    if (is_serving)
        reply.status =
            GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    up_message_pack(bytes, length, &reply.base, pool);
}
