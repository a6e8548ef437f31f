/* up_connect.c -- Connect's errors, their HTTP statuses, and its timeouts. */
#include "wire/up_connect.h"
#include "wire/up_base64.h"
#include "wire/up_json_writer.h"

#include <string.h>

#define MAX_TIMEOUT_DIGITS 10

/* By google.rpc.Code. */
static const struct {
    const char *name;
    int http;
} codes[] = {
    {"ok", 200},
    {"canceled", 499},
    {"unknown", 500},
    {"invalid_argument", 400},
    {"deadline_exceeded", 504},
    {"not_found", 404},
    {"already_exists", 409},
    {"permission_denied", 403},
    {"resource_exhausted", 429},
    {"failed_precondition", 400},
    {"aborted", 409},
    {"out_of_range", 400},
    {"unimplemented", 501},
    {"internal", 500},
    {"unavailable", 503},
    {"data_loss", 500},
    {"unauthenticated", 401},
};

up_error_t *
up_connect_read_json(ProtobufCMessage **message,
                     const ProtobufCMessageDescriptor *type,
                     const char *text,
                     apr_size_t length,
                     apr_pool_t *pool)
{
    apr_size_t blank = 0;

    while (blank < length && strchr(" \t\r\n", text[blank]) && text[blank])
        blank++;
    if (blank == length)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "the body is empty; a message without fields is {}");
    return up_message_from_json(message, type, text, length, pool);
}

up_error_t *
up_connect_unpack(ProtobufCMessage **message,
                  const ProtobufCMessageDescriptor *type,
                  const char *bytes,
                  apr_size_t length,
                  apr_pool_t *pool)
{
    up_error_t *err = up_message_unpack(message, type, bytes, length, pool);

    if (err && err->reason == UP_MESSAGE_INVALID) {
        err = up_error_wrap(pool, err, "the body is no message");
        err->reason = UP_BODY_INVALID;
    }
    return err;
}

void
up_connect_error(const char **text,
                 apr_size_t *length,
                 const up_status_t *status,
                 apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);

    up_json_begin_object(writer, NULL);
    up_json_write_string(writer, "code", codes[status->code].name);
    up_json_write_string(writer, "message", status->message);
    up_json_begin_array(writer, "details");
    for (int i = 0; i < status->details->nelts; i++) {
        const ProtobufCMessage *detail =
            APR_ARRAY_IDX(status->details, i, const ProtobufCMessage *);
        const char *bytes;
        apr_size_t size;

        up_message_pack(&bytes, &size, detail, pool);
        up_json_begin_object(writer, NULL);
        up_json_write_string(writer, "type", detail->descriptor->name);
        up_json_write_string(writer, "value",
                             up_base64_unpadded(bytes, size, pool));
        up_json_begin_object(writer, "debug");
        up_message_write_members(writer, detail, pool);
        up_json_end_object(writer);
        up_json_end_object(writer);
    }
    up_json_end_array(writer);
    up_json_end_object(writer);
    up_json_writer_text(text, length, writer);
}

int
up_connect_http(int code)
{
    return codes[code].http;
}

up_error_t *
up_connect_timeout(apr_interval_time_t *timeout,
                   const char *value,
                   apr_pool_t *pool)
{
    apr_int64_t count = 0;
    apr_size_t digits = value ? strspn(value, "0123456789") : 0;

    *timeout = -1;
    if (!value)
        return NULL;
    if (!digits || digits > MAX_TIMEOUT_DIGITS || value[digits])
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "Connect-Timeout-Ms is not 1 to %d digits",
                        MAX_TIMEOUT_DIGITS);
    for (; *value; value++)
        count = 10 * count + (*value - '0');
    *timeout = apr_time_from_msec(count);
    return NULL;
}
