/* up_api_health.c -- grpc.health.v1.Health: whether a service can be called
 * now. */
#include "api/up_api.h"
#include "grpc/health/v1/health.pb-c.h"
#include "service/up_health.h"

typedef Grpc__Health__V1__HealthCheckRequest request_t;
typedef Grpc__Health__V1__HealthCheckResponse response_t;

#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING                                                            \
    GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING

static up_error_t *
check(const ProtobufCMessage **answer,
      up_call_t *call,
      const ProtobufCMessage *message)
{
    const char *service = ((const request_t *)message)->service;
    response_t *response = apr_palloc(call->pool, sizeof(*response));

    if (*service && !up_service_by_name(service))
        return up_error(call->pool, UP_SERVICE_UNKNOWN, APR_SUCCESS,
                        "the health of a service that is not served here");
    call->trouble = up_health_check(call);
    grpc__health__v1__health_check_response__init(response);
    response->status = call->trouble ? NOT_SERVING : SERVING;
    *answer = &response->base;
    return NULL;
}

static const up_method_t methods[] = {
    {"Check", NULL, NULL, NULL,
     &grpc__health__v1__health_check_request__descriptor, 1, check},
};

const up_service_t up_service_health = {
    "grpc.health.v1.Health", sizeof(methods) / sizeof(methods[0]), methods};
