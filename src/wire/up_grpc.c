/* up_grpc.c -- gRPC's frames, trailers and timeouts. */
#include "wire/up_grpc.h"
#include "wire/up_base64.h"
#include "wire/up_gzip.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* The flag byte of a frame. */
#define FLAG_PLAIN 0
#define FLAG_COMPRESSED 1

#define MAX_TIMEOUT_DIGITS 8

/* What the header of a frame says. */
typedef struct frame_t {
    unsigned char flag;
    apr_uint32_t length;
} frame_t;

static up_error_t *
read_frame(frame_t *frame,
           const char *body,
           apr_size_t size,
           apr_size_t limit,
           apr_pool_t *pool)
{
    const unsigned char *header = (const unsigned char *)body;

    if (!size)
        return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                        "grpc: the request has no message");
    if (size < UP_GRPC_HEADER)
        return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                        "grpc: the frame is cut off in its header");

    frame->flag = header[0];
    frame->length = (apr_uint32_t)header[1] << 24 |
                    (apr_uint32_t)header[2] << 16 |
                    (apr_uint32_t)header[3] << 8 | header[4];
    if (frame->length > limit)
        return up_error(pool, UP_BODY_TOO_LARGE, APR_SUCCESS,
                        "grpc: the message has %u bytes, the limit is "
                        "%" APR_SIZE_T_FMT,
                        frame->length, limit);
    if (frame->length > size - UP_GRPC_HEADER)
        return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                        "grpc: the frame is cut off in its message");
    if (frame->length < size - UP_GRPC_HEADER)
        return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                        "grpc: bytes follow the one message of the request");
    return NULL;
}

static up_error_t *
inflate_message(const char **message,
                apr_size_t *length,
                const char *packed,
                apr_uint32_t size,
                apr_size_t limit,
                apr_pool_t *pool)
{
    up_error_t *err =
        up_gzip_inflate(message, length, packed, size, limit, pool);

    if (err)
        err = up_error_wrap(pool, err, "grpc: cannot decompress the message");
    if (err && err->reason == UP_BODY_INVALID)
        err->reason = UP_MESSAGE_INVALID;
    return err;
}

up_error_t *
up_grpc_decode(const char **message,
               apr_size_t *length,
               const char *body,
               apr_size_t size,
               const char *encoding,
               apr_size_t limit,
               apr_pool_t *pool)
{
    int is_gzip = encoding && !strcmp(encoding, "gzip");
    frame_t frame = {0};

    if (!is_gzip && encoding && *encoding && strcmp(encoding, "identity") != 0)
        return up_error(pool, UP_UNIMPLEMENTED, APR_SUCCESS,
                        "grpc: this grpc-encoding is not supported; accepted "
                        "are " UP_GRPC_ACCEPT_ENCODING);
    UP_ERR(read_frame(&frame, body, size, limit, pool));

    if (frame.flag > FLAG_COMPRESSED)
        return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                        "grpc: the frame's flag byte is %d, neither 0 nor 1",
                        frame.flag);
    if (frame.flag == FLAG_COMPRESSED && !is_gzip)
        return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                        "grpc: the frame is marked as compressed, but "
                        "grpc-encoding names no compression");

    body += UP_GRPC_HEADER;
    if (frame.flag == FLAG_COMPRESSED)
        return inflate_message(message, length, body, frame.length, limit,
                               pool);
    *message = body;
    *length = frame.length;
    return NULL;
}

char *
up_grpc_write_frame(char *at,
                    unsigned char flag,
                    const char *bytes,
                    apr_size_t length)
{
    *at++ = (char)flag;
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (char)(length >> shift & 0xff);
    memcpy(at, bytes, length);
    return at + length;
}

void
up_grpc_encode(const char **body,
               apr_size_t *size,
               const char *message,
               apr_size_t length,
               apr_pool_t *pool)
{
    char *frame = apr_palloc(pool, UP_GRPC_HEADER + length);

    *size =
        (apr_size_t)(up_grpc_write_frame(frame, FLAG_PLAIN, message, length) -
                     frame);
    *body = frame;
}

/* TEXT as grpc-message carries it: each "%", and each byte that is not
 * printable ASCII, as "%" and two hex digits. */
static const char *
percent_encode(const char *text, apr_pool_t *pool)
{
    static const char hex[] = "0123456789ABCDEF";
    char *encoded = apr_palloc(pool, 3 * strlen(text) + 1), *at = encoded;

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte <= 0x7e && byte != '%') {
            *at++ = *text;
            continue;
        }
        *at++ = '%';
        *at++ = hex[byte >> 4];
        *at++ = hex[byte & 0xf];
    }
    *at = '\0';
    return encoded;
}

up_error_t *
up_grpc_unpack(ProtobufCMessage **message,
               const ProtobufCMessageDescriptor *type,
               const char *bytes,
               apr_size_t length,
               apr_pool_t *pool)
{
    up_error_t *err = up_message_unpack(message, type, bytes, length, pool);

    return err ? up_error_wrap(pool, err, "grpc: error unmarshalling request")
               : NULL;
}

apr_table_t *
up_grpc_trailers(const up_status_t *status, apr_pool_t *pool)
{
    apr_table_t *trailers = apr_table_make(pool, 3);
    const char *bytes;
    apr_size_t length;

    if (!status) {
        apr_table_setn(trailers, "grpc-status", "0");
        return trailers;
    }
    up_status_proto(&bytes, &length, status, pool);
    apr_table_setn(trailers, "grpc-message",
                   percent_encode(status->message, pool));
    apr_table_setn(trailers, "grpc-status", apr_itoa(pool, status->code));
    apr_table_setn(trailers, "grpc-status-details-bin",
                   up_base64_unpadded(bytes, length, pool));
    return trailers;
}

/* The units of grpc-timeout, each TIMES / OVER microseconds. */
static const struct {
    char letter;
    apr_int64_t times, over;
} units[] = {
    {'H', APR_INT64_C(3600000000), 1},
    {'M', 60000000, 1},
    {'S', 1000000, 1},
    {'m', 1000, 1},
    {'u', 1, 1},
    {'n', 1, 1000},
};

up_error_t *
up_grpc_timeout(apr_interval_time_t *timeout,
                const char *value,
                apr_pool_t *pool)
{
    apr_int64_t count = 0;
    int digits = 0;

    *timeout = -1;
    if (!value)
        return NULL;
    for (; digits < MAX_TIMEOUT_DIGITS && apr_isdigit(value[digits]); digits++)
        count = 10 * count + (value[digits] - '0');

    const char *unit = value + digits;
    for (apr_size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (digits && unit[0] == units[i].letter && !unit[1]) {
            *timeout = count * units[i].times / units[i].over;
            return NULL;
        }
    }
    return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                    "grpc-timeout is not 1 to %d digits and one of H, M, S, "
                    "m, u and n",
                    MAX_TIMEOUT_DIGITS);
}
