/* up_protocol_connect.c -- Connect: a message, in JSON or protobuf, is the
 * whole body; an error is JSON. */
#include "httpd/up_body.h"
#include "httpd/up_config.h"
#include "httpd/up_protocol.h"
#include "httpd/up_request.h"
#include "wire/up_connect.h"
#include "wire/up_message.h"
#include "wire/up_status.h"

#define JSON "application/json"

static const char *const media_types[] = {JSON, "application/proto", NULL};

static up_error_t *
read_body(const char **body, apr_size_t *length, request_rec *r)
{
    up_error_t *err =
        up_body_read(body, length, r, up_config_max_body(up_config_of_dir(r)));

    /* An unknown Content-Encoding, for which Connect has a code. */
    if (err && err->reason == UP_MEDIA_TYPE_UNSUPPORTED)
        err->reason = UP_UNIMPLEMENTED;
    return err;
}

static up_error_t *
read_message(ProtobufCMessage **message,
             const ProtobufCMessageDescriptor *type,
             request_rec *r)
{
    const char *version =
        apr_table_get(r->headers_in, "Connect-Protocol-Version");
    const char *body;
    apr_size_t length;

    if (version && strcmp(version, "1") != 0)
        return up_error(r->pool, UP_BODY_INVALID, APR_SUCCESS,
                        "Connect-Protocol-Version must be 1");
    UP_ERR(read_body(&body, &length, r));
    if (!strcmp(up_request_known(r)->media_type, JSON))
        return up_connect_read_json(message, type, body, length, r->pool);
    return up_connect_unpack(message, type, body, length, r->pool);
}

static up_error_t *
read_timeout(apr_interval_time_t *timeout, request_rec *r)
{
    return up_connect_timeout(
        timeout, apr_table_get(r->headers_in, "Connect-Timeout-Ms"), r->pool);
}

static void
write_body(apr_bucket_brigade *brigade,
           request_rec *r,
           int status,
           const char *media_type,
           const char *body,
           apr_size_t length)
{
    apr_table_setn(r->headers_out, "Accept-Encoding", "gzip");
    up_protocol_body(brigade, r, status, media_type, body, length);
}

static void
write_message(apr_bucket_brigade *brigade,
              request_rec *r,
              const ProtobufCMessage *answer,
              const up_call_t *call)
{
    const char *media_type = up_request_known(r)->media_type, *body;
    apr_size_t length;

    if (!strcmp(media_type, JSON))
        up_message_to_json(&body, &length, answer, r->pool);
    else
        up_message_pack(&body, &length, answer, r->pool);
    write_body(brigade, r, HTTP_OK, media_type, body, length);
}

static void
write_error(apr_bucket_brigade *brigade, request_rec *r, const up_error_t *err)
{
    const up_status_t *status = up_status_of(err, r->pool);
    int http = err->http ? err->http : up_connect_http(status->code);
    const char *text;
    apr_size_t length;

    up_connect_error(&text, &length, status, r->pool);
    r->status_line = NULL;
    write_body(brigade, r, http, JSON, text, length);
}

const up_protocol_t up_protocol_connect = {
    .name = "connect",
    .paths = UP_PATH_RPC,
    .media_types = media_types,
    .hides_errors = 1,
    .read = read_message,
    .timeout = read_timeout,
    .write = write_message,
    .write_error = write_error,
};
