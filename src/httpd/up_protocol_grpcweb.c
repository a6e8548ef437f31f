/* up_protocol_grpcweb.c -- gRPC-Web: gRPC over any HTTP, whose trailers are a
 * frame of the body. */
#include "httpd/up_body.h"
#include "httpd/up_config.h"
#include "httpd/up_protocol.h"
#include "httpd/up_protocol_grpc.h"
#include "httpd/up_request.h"
#include "wire/up_grpcweb.h"
#include "wire/up_message.h"

static const char text_type[] = "application/grpc-web-text";

static const char *const media_types[] = {
    "application/grpc-web", "application/grpc-web+proto", text_type,
    "application/grpc-web-text+proto", NULL};

/* Whether R's body, and its answer, are in base64. */
static int
is_text(const request_rec *r)
{
    return !strncmp(up_request_known(r)->media_type, text_type,
                    sizeof(text_type) - 1);
}

static up_error_t *
read_message(ProtobufCMessage **message,
             const ProtobufCMessageDescriptor *type,
             request_rec *r)
{
    apr_size_t limit = up_config_max_body(up_config_of_dir(r)), size, length;
    const char *encoding = apr_table_get(r->headers_in, "grpc-encoding");
    const char *body, *bytes;

    UP_ERR(up_body_read(&body, &size, r, limit));
    UP_ERR(up_grpcweb_decode(&bytes, &length, body, size, is_text(r), encoding,
                             limit, r->pool));
    return up_grpc_unpack(message, type, bytes, length, r->pool);
}

/* Append the frames of MESSAGE (NULL: none) and of the trailers that say how
 * the call ended, STATUS (NULL: well). */
static void
write_frames(apr_bucket_brigade *brigade,
             request_rec *r,
             const char *message,
             apr_size_t length,
             const up_status_t *status)
{
    const char *body;
    apr_size_t size;

    up_grpcweb_encode(&body, &size, is_text(r), message, length, status,
                      r->pool);
    up_protocol_grpc_begin(r);
    up_protocol_body(brigade, r, HTTP_OK, up_request_known(r)->media_type, body,
                     size);
}

static void
write_message(apr_bucket_brigade *brigade,
              request_rec *r,
              const ProtobufCMessage *answer,
              const up_call_t *call)
{
    const char *message;
    apr_size_t length;

    up_message_pack(&message, &length, answer, r->pool);
    write_frames(brigade, r, message, length, NULL);
}

static void
write_error(apr_bucket_brigade *brigade, request_rec *r, const up_error_t *err)
{
    write_frames(brigade, r, NULL, 0, up_status_of(err, r->pool));
}

const up_protocol_t up_protocol_grpcweb = {
    .name = "grpc-web",
    .paths = UP_PATH_REST | UP_PATH_RPC,
    .media_types = media_types,
    .hides_errors = 1,
    .read = read_message,
    .timeout = up_protocol_grpc_timeout,
    .write = write_message,
    .write_error = write_error,
};
