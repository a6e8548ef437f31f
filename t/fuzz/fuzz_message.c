/*
 * fuzz_message.c -- the JSON form and the protobuf form of a request agree.
 *
 * Of the input's first byte, the lowest bit picks JSON, and the others one of
 * the methods; the rest is a request of that method. A request that is accepted
 * is the same when it was written and read again, in either form; one that is
 * refused is the client's fault, in a sentence that can be answered.
 */
#include "api/up_api.h"
#include "wire/up_json.h"
#include "wire/up_message.h"
#include "wire/up_status.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The request type of the method NUMBER, counted through all services. */
static const ProtobufCMessageDescriptor *
pick_type(int number)
{
    int count = 0;

    for (int i = 0; up_services[i]; i++)
        count += up_services[i]->methods;
    number %= count;
    for (int i = 0; number >= 0; i++) {
        if (number < up_services[i]->methods)
            return up_services[i]->method[number].request;
        number -= up_services[i]->methods;
    }
    return NULL;
}

static up_error_t *
decode(ProtobufCMessage **message,
       const ProtobufCMessageDescriptor *type,
       int is_json,
       const char *bytes,
       apr_size_t length,
       apr_pool_t *pool)
{
    return is_json ? up_message_from_json(message, type, bytes, length, pool)
                   : up_message_unpack(message, type, bytes, length, pool);
}

/* Abort unless MESSAGE, written and read in the form that IS_JSON says, is
 * still the one whose LENGTH bytes are BYTES. */
static void
check_form(const ProtobufCMessage *message,
           int is_json,
           const char *bytes,
           apr_size_t length,
           apr_pool_t *pool)
{
    ProtobufCMessage *again;
    const char *form = bytes, *same;
    apr_size_t form_length = length, same_length;

    if (is_json)
        up_message_to_json(&form, &form_length, message, pool);
    if (decode(&again, message->descriptor, is_json, form, form_length, pool))
        abort();
    up_message_pack(&same, &same_length, again, pool);
    if (same_length != length || memcmp(same, bytes, length) != 0)
        abort();
}

static void
check_refusal(const up_error_t *err, apr_pool_t *pool)
{
    up_json_t *status;
    const char *text;
    apr_size_t length;

    up_status_json(&text, &length, up_status_of(err, pool), pool);
    if ((err->reason != UP_BODY_INVALID && err->reason != UP_MESSAGE_INVALID) ||
        up_json_parse(&status, text, length, pool))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    ProtobufCMessage *message;
    apr_pool_t *pool;

    if (!size)
        return 0;
    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
        up_json_init();
    }
    apr_pool_create(&pool, root);

    up_error_t *err = decode(&message, pick_type(data[0] >> 1), data[0] & 1,
                             (const char *)data + 1, size - 1, pool);
    if (err) {
        check_refusal(err, pool);
    } else {
        const char *bytes;
        apr_size_t length;
        up_message_pack(&bytes, &length, message, pool);
        check_form(message, 0, bytes, length, pool);
        check_form(message, 1, bytes, length, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
