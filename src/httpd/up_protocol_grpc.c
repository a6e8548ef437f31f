/* up_protocol_grpc.c -- gRPC: frames, HTTP 200, and trailers that say how the
 * call went. */
#include "httpd/up_protocol_grpc.h"
#include "httpd/up_body.h"
#include "httpd/up_config.h"
#include "httpd/up_protocol.h"
#include "httpd/up_request.h"
#include "wire/up_grpc.h"
#include "wire/up_message.h"

#include <http_protocol.h>

/* google.rpc.Code.UNIMPLEMENTED */
#define UNIMPLEMENTED 12

static const char *const media_types[] = {"application/grpc",
                                          "application/grpc+proto", NULL};

static up_error_t *
read_message(ProtobufCMessage **message,
             const ProtobufCMessageDescriptor *type,
             request_rec *r)
{
    apr_size_t limit = up_config_max_body(up_config_of_dir(r)), size, length;
    const char *encoding = apr_table_get(r->headers_in, "grpc-encoding");
    const char *body, *bytes;

    UP_ERR(up_body_read(&body, &size, r, limit));
    UP_ERR(
        up_grpc_decode(&bytes, &length, body, size, encoding, limit, r->pool));
    return up_grpc_unpack(message, type, bytes, length, r->pool);
}

up_error_t *
up_protocol_grpc_timeout(apr_interval_time_t *timeout, request_rec *r)
{
    return up_grpc_timeout(
        timeout, apr_table_get(r->headers_in, "grpc-timeout"), r->pool);
}

void
up_protocol_grpc_begin(request_rec *r)
{
    r->status = HTTP_OK;
    r->status_line = NULL;
    up_protocol_no_range(r);
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
}

/* Set R's status and headers, without the trailers. */
static void
begin(request_rec *r)
{
    up_protocol_grpc_begin(r);
    up_protocol_headers(r);
    ap_set_content_type(r, up_request_known(r)->media_type);
}

static void
write_message(apr_bucket_brigade *brigade,
              request_rec *r,
              const ProtobufCMessage *answer,
              const up_call_t *call)
{
    apr_bucket_alloc_t *alloc = brigade->bucket_alloc;
    const char *message, *frame;
    apr_size_t length, size;

    begin(r);
    up_message_pack(&message, &length, answer, r->pool);
    up_grpc_encode(&frame, &size, message, length, r->pool);
    r->trailers_out = apr_table_overlay(r->pool, r->trailers_out,
                                        up_grpc_trailers(NULL, r->pool));
    APR_BRIGADE_INSERT_TAIL(
        brigade, apr_bucket_pool_create(frame, size, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
}

/* Without a message, the trailers are headers. */
static void
write_error(apr_bucket_brigade *brigade, request_rec *r, const up_error_t *err)
{
    const up_status_t *status = up_status_of(err, r->pool);

    begin(r);
    r->headers_out = apr_table_overlay(r->pool, r->headers_out,
                                       up_grpc_trailers(status, r->pool));
    if (status->code == UNIMPLEMENTED)
        apr_table_setn(r->headers_out, "grpc-accept-encoding",
                       UP_GRPC_ACCEPT_ENCODING);
    APR_BRIGADE_INSERT_TAIL(brigade,
                            apr_bucket_eos_create(brigade->bucket_alloc));
}

const up_protocol_t up_protocol_grpc = {
    .name = "grpc",
    .paths = UP_PATH_REST | UP_PATH_RPC,
    .media_types = media_types,
    .needs_http2 = 1,
    .hides_errors = 1,
    .read = read_message,
    .timeout = up_protocol_grpc_timeout,
    .write = write_message,
    .write_error = write_error,
};
