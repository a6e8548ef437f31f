/*
 * fuzz_grpc.c -- a gRPC request, from its frame to the profile.
 *
 * Of the input's first byte, bit 0 picks the call and bit 1 the encoding; the
 * rest is the body. What is accepted can be encoded again, and reads the same.
 */
#include "wire/up_grpc.h"
#include "wire/up_message.h"
#include "wire/up_profile_proto.h"
#include "zitadel/management.pb-c.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 4096

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Decode the LENGTH bytes at BYTES as what the call takes; returns 0 if they
 * are refused. */
static int
decode(const char **user,
       const up_profile_t **profile,
       int is_update,
       const char *bytes,
       apr_size_t length,
       apr_pool_t *pool)
{
    *profile = up_profile_make(pool);
    return is_update ? !up_profile_proto_decode_update(user, profile, bytes,
                                                       length, pool)
                     : !up_profile_proto_decode_get(user, bytes, length, pool);
}

/* A request that says the same; one of a read has no other field. */
static void
encode(const char **bytes,
       apr_size_t *length,
       const char *user,
       const up_profile_t *profile,
       apr_pool_t *pool)
{
    Zitadel__Management__V1__UpdateHumanProfileRequest request =
        ZITADEL__MANAGEMENT__V1__UPDATE_HUMAN_PROFILE_REQUEST__INIT;

    request.user_id = (char *)user;
    request.first_name = (char *)profile->text[UP_FIRST_NAME];
    request.last_name = (char *)profile->text[UP_LAST_NAME];
    request.nick_name = (char *)profile->text[UP_NICK_NAME];
    request.display_name = (char *)profile->text[UP_DISPLAY_NAME];
    request.preferred_language = (char *)profile->text[UP_PREFERRED_LANGUAGE];
    request.gender = (Zitadel__User__V1__Gender)profile->gender;
    up_message_pack(bytes, length, &request.base, pool);
}

static void
check(int is_update, const char *message, apr_size_t length, apr_pool_t *pool)
{
    const up_profile_t *profile, *again;
    const char *user, *same, *bytes, *body, *reread;
    apr_size_t size, reread_length;

    if (!decode(&user, &profile, is_update, message, length, pool))
        return;
    encode(&bytes, &length, user, profile, pool);
    up_grpc_encode(&body, &size, bytes, length, pool);
    if (up_grpc_decode(&reread, &reread_length, body, size, NULL, length,
                       pool) ||
        reread_length != length ||
        !decode(&same, &again, is_update, reread, length, pool) ||
        strcmp(same, user) != 0 || up_profile_diff(again, profile))
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
        check(data[0] & 1, message, length, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
