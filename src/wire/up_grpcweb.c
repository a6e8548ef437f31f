/* up_grpcweb.c -- gRPC-Web: base64, and trailers in a frame. */
#include "wire/up_grpcweb.h"
#include "wire/up_base64.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <string.h>

#define FLAG_MESSAGE 0
#define FLAG_TRAILERS 0x80

up_error_t *
up_grpcweb_decode(const char **message,
                  apr_size_t *length,
                  const char *body,
                  apr_size_t size,
                  int is_text,
                  const char *encoding,
                  apr_size_t limit,
                  apr_pool_t *pool)
{
    if (is_text)
        UP_ERR(up_base64_decode(&body, &size, body, size, pool));
    return up_grpc_decode(message, length, body, size, encoding, limit, pool);
}

/* STATUS' trailers as lines, in POOL. */
static const char *
trailer_lines(const up_status_t *status, apr_pool_t *pool)
{
    const apr_array_header_t *trailers =
        apr_table_elts(up_grpc_trailers(status, pool));
    const char *lines = "";

    for (int i = 0; i < trailers->nelts; i++) {
        const apr_table_entry_t *trailer =
            &APR_ARRAY_IDX(trailers, i, apr_table_entry_t);
        lines = apr_pstrcat(pool, lines, trailer->key, ": ", trailer->val,
                            "\r\n", NULL);
    }
    return lines;
}

void
up_grpcweb_encode(const char **body,
                  apr_size_t *size,
                  int is_text,
                  const char *message,
                  apr_size_t length,
                  const up_status_t *status,
                  apr_pool_t *pool)
{
    const char *lines = trailer_lines(status, pool);
    apr_size_t lines_length = strlen(lines);
    char *frames = apr_palloc(pool, 2 * UP_GRPC_HEADER + length + lines_length);
    char *end = frames;

    if (message)
        end = up_grpc_write_frame(end, FLAG_MESSAGE, message, length);
    end = up_grpc_write_frame(end, FLAG_TRAILERS, lines, lines_length);
    *size = (apr_size_t)(end - frames);
    *body = frames;
    if (is_text)
        *body = apr_pencode_base64_binary(pool, (const unsigned char *)frames,
                                          (apr_ssize_t)*size, APR_ENCODE_NONE,
                                          size);
}
