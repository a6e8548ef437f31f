/* up_rpc_reply.c -- answers as gRPC and gRPC-Web give them. */
#include "httpd/up_rpc_reply.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"
#include "wire/up_grpcweb.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_filter.h>

/* A custom response; the error filter replaces it. */
static char claimed[] = "\"";

/* google.rpc.Code.UNIMPLEMENTED */
#define UNIMPLEMENTED 12

void
up_rpc_reply_claim_errors(request_rec *r)
{
    core_request_config *core = ap_get_core_module_config(r->request_config);
    char **strings = apr_palloc(r->pool, RESPONSE_CODES * sizeof(char *));

    /* What ap_custom_response() does, for every status at once. */
    for (int i = 0; i < RESPONSE_CODES; i++)
        strings[i] = claimed;
    core->response_code_strings = strings;
}

/* The body of R's answer in gRPC: the message's frame, or nothing. */
static void
encode_grpc(const char **body,
            apr_size_t *size,
            request_rec *r,
            const char *message,
            apr_size_t length,
            const up_status_t *status)
{
    apr_table_t *trailers = up_grpc_trailers(status, r->pool);

    *size = 0;
    if (message) {
        up_grpc_encode(body, size, message, length, r->pool);
        r->trailers_out = apr_table_overlay(r->pool, r->trailers_out, trailers);
    } else {
        r->headers_out = apr_table_overlay(r->pool, r->headers_out, trailers);
    }
    if (status && status->code == UNIMPLEMENTED)
        apr_table_setn(r->headers_out, "grpc-accept-encoding",
                       UP_GRPC_ACCEPT_ENCODING);
}

/* Set R's status and headers and append its body and end to BRIGADE: MESSAGE
 * (NULL: none) and STATUS (NULL: it went well). */
static void
fill(apr_bucket_brigade *brigade,
     request_rec *r,
     const char *message,
     apr_size_t length,
     const up_status_t *status)
{
    const up_request_t *request = up_request_known(r);
    up_shape_t shape = request->shape;
    const char *body;
    apr_size_t size;

    r->status = HTTP_OK;
    r->status_line = NULL;
    up_reply_whole(r);
    up_reply_common_headers(r->headers_out);
    ap_set_content_type(r, request->media_type);
    /* Answers are never compressed: clients did not ask gRPC's way. */
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");

    if (shape == UP_SHAPE_GRPC)
        encode_grpc(&body, &size, r, message, length, status);
    else
        up_grpcweb_encode(&body, &size, shape == UP_SHAPE_WEB_TEXT, message,
                          length, status, r->pool);
    if (size)
        APR_BRIGADE_INSERT_TAIL(
            brigade,
            apr_bucket_pool_create(body, size, r->pool, brigade->bucket_alloc));
    if (shape != UP_SHAPE_GRPC)
        ap_set_content_length(r, (apr_off_t)size);
    APR_BRIGADE_INSERT_TAIL(brigade,
                            apr_bucket_eos_create(brigade->bucket_alloc));
}

static int
reply(request_rec *r,
      const char *message,
      apr_size_t length,
      const up_status_t *status)
{
    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);

    fill(brigade, r, message, length, status);
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

int
up_rpc_reply(request_rec *r, const char *message, apr_size_t length)
{
    return reply(r, message, length, NULL);
}

int
up_rpc_reply_status(request_rec *r, const up_status_t *status)
{
    return reply(r, NULL, 0, status);
}

void
up_rpc_fill_status(apr_bucket_brigade *brigade,
                   request_rec *r,
                   const up_status_t *status)
{
    fill(brigade, r, NULL, 0, status);
}
