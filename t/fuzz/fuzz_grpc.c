/*
 * fuzz_grpc.c -- a gRPC request, from its frame to the message.
 *
 * Of the input's first byte, bits 0 and 2 pick the request and bit 1 the
 * encoding; the rest is the body. A message that is accepted can be framed
 * again, and reads the same.
 */
#include "wire/up_grpc.h"
#include "wire/up_message.h"
#include "zitadel/management.pb-c.h"
#include "zitadel/user/v2/user_service.pb-c.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 4096

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* By bits 0 and 2. */
static const ProtobufCMessageDescriptor *const types[] = {
    &zitadel__management__v1__get_human_profile_request__descriptor,
    &zitadel__management__v1__update_human_profile_request__descriptor,
    &zitadel__user__v2__update_human_user_request__descriptor,
    &zitadel__user__v2__update_user_request__descriptor,
};

static void
check(const ProtobufCMessageDescriptor *type,
      const char *bytes,
      apr_size_t length,
      apr_pool_t *pool)
{
    ProtobufCMessage *message, *again;
    const char *body, *reread, *same;
    apr_size_t size, same_length;

    if (up_grpc_unpack(&message, type, bytes, length, pool))
        return;
    up_message_pack(&bytes, &length, message, pool);
    up_grpc_encode(&body, &size, bytes, length, pool);
    if (up_grpc_decode(&reread, &same_length, body, size, NULL, length, pool) ||
        same_length != length ||
        up_grpc_unpack(&again, type, reread, length, pool))
        abort();
    up_message_pack(&same, &same_length, again, pool);
    if (same_length != length || memcmp(same, bytes, length) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const char *message;
    apr_size_t length;
    apr_pool_t *pool;

    if (!size)
        return 0;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!up_grpc_decode(&message, &length, (const char *)data + 1, size - 1,
                        data[0] & 2 ? "gzip" : NULL, LIMIT, pool)) {
        if (length > LIMIT)
            abort();
        check(types[(data[0] & 1) | (data[0] >> 1 & 2)], message, length, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
