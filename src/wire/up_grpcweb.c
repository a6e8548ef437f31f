/* up_grpcweb.c -- gRPC-Web: base64, and trailers in a frame. */
#include "wire/up_grpcweb.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <string.h>

#define FLAG_MESSAGE 0
#define FLAG_TRAILERS 0x80

/* The value of a digit of base64 (RFC 4648 4), or -1. */
static int
digit_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* Write the bytes that four characters at TEXT stand for at *AT, and step over
 * them; returns 0 if they are not base64. */
static int
decode_four(char **at, const char *text)
{
    int digits = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
    apr_uint32_t bits = 0;

    for (int i = 0; i < 4; i++) {
        int value = i < digits ? digit_value(text[i]) : 0;
        if (value < 0)
            return 0;
        bits = bits << 6 | (apr_uint32_t)value;
    }
    for (int i = 1; i < digits; i++)
        *(*at)++ = (char)(bits >> (24 - 8 * i) & 0xff);
    return 1;
}

/* Pieces need no looking for: each ends with its padding, at a multiple of
 * four characters. */
static up_error_t *
decode_base64(const char **bytes,
              apr_size_t *length,
              const char *text,
              apr_size_t size,
              apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, size / 4 * 3), *end = decoded;
    int valid = size % 4 == 0;

    for (apr_size_t i = 0; valid && i < size; i += 4)
        valid = decode_four(&end, text + i);
    if (!valid)
        return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                        "grpc-web: the body is not base64");
    *bytes = decoded;
    *length = (apr_size_t)(end - decoded);
    return NULL;
}

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
        UP_ERR(decode_base64(&body, &size, body, size, pool));
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
