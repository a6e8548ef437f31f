/* health_proto.c -- the request and the reply of gRPC's health check. */
#include "wire/up_health_proto.h"
#include "hex.h"
#include "tap.h"

static const struct {
    const char *name;
    const char *hex;
    const char *want;
} requests[] = {
    {"no bytes ask for the server", "", ""},
    {"a service's name", "0a06 612e622e4361", "a.b.Ca"},
    {"unknown fields are ignored", "1001 0a0141 1a00", "A"},
    {"a name as a varint is refused", "0801",
     "grpc: error unmarshalling request: service has another wire type"},
    {"a name that is not UTF-8 is refused", "0a01ff",
     "grpc: error unmarshalling request: service is not UTF-8"},
};

static void
test(apr_pool_t *pool)
{
    const char *bytes, *service;
    apr_size_t length;

    for (apr_size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        bytes = hex_read(&length, requests[i].hex, pool);
        up_error_t *err = up_health_proto_decode(&service, bytes, length, pool);
        is(err ? err->message : service, requests[i].want, "%s",
           requests[i].name);
    }

    up_health_proto_encode(&bytes, &length, 1, pool);
    is(hex_show(bytes, length, pool), "0801", "SERVING is 1");
    up_health_proto_encode(&bytes, &length, 0, pool);
    is(hex_show(bytes, length, pool), "0802", "NOT_SERVING is 2");
}

int
main(void)
{
    return run_test(test);
}
