/* up_protocol_rest.c -- REST: JSON, and the sequence as an entity tag. */
#include "httpd/up_body.h"
#include "httpd/up_protocol.h"
#include "httpd/up_config.h"
#include "wire/up_message.h"
#include "wire/up_status.h"

#include <apr_strings.h>

#define JSON "application/json"

static const char *const media_types[] = {JSON, NULL};

static up_error_t *
read_message(ProtobufCMessage **message,
             const ProtobufCMessageDescriptor *type,
             request_rec *r)
{
    const char *body;
    apr_size_t length;

    if (r->method_number == M_GET) {
        *message = up_message_make(type, r->pool);
        return NULL;
    }
    UP_ERR(up_body_read(&body, &length, r,
                        up_config_max_body(up_config_of_dir(r))));
    return up_message_from_json(message, type, body, length, r->pool);
}

static void
write_message(apr_bucket_brigade *brigade,
              request_rec *r,
              const ProtobufCMessage *answer,
              const up_call_t *call)
{
    const char *text;
    apr_size_t length;

    if (call->sequence)
        apr_table_setn(
            r->headers_out, "ETag",
            apr_pstrcat(r->pool, "\"",
                        apr_table_get(r->notes, "userprofile-sequence"), "\"",
                        NULL));
    if (call->unmodified) {
        r->status = HTTP_NOT_MODIFIED;
        up_protocol_headers(r);
        APR_BRIGADE_INSERT_TAIL(brigade,
                                apr_bucket_eos_create(brigade->bucket_alloc));
        return;
    }
    /* R's status is 200, or in an ErrorDocument the error's. */
    up_message_to_json(&text, &length, answer, r->pool);
    up_protocol_body(brigade, r, r->status, JSON, text, length);
}

static void
write_error(apr_bucket_brigade *brigade, request_rec *r, const up_error_t *err)
{
    const char *text;
    apr_size_t length;

    up_status_json(&text, &length, up_status_of(err, r->pool), r->pool);
    up_protocol_body(brigade, r, up_error_http(err), JSON, text, length);
}

const up_protocol_t up_protocol_rest = {
    .name = "rest",
    .paths = UP_PATH_REST,
    .media_types = media_types,
    .read = read_message,
    .write = write_message,
    .write_error = write_error,
};
