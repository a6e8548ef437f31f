/*
 * fuzz_grpcweb.c -- a gRPC-Web request, and a reply with whatever it holds.
 *
 * Of the input's first byte, bit 0 picks text mode; the rest is the body. A
 * message that is accepted can be sent again in either mode. Then the rest is
 * an error's message: the trailers must say just that.
 */
#include "wire/up_grpcweb.h"

#include <apr_encode.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 4096

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check(int condition)
{
    if (!condition)
        abort();
}

static void
check_request(int is_text, const char *body, apr_size_t size, apr_pool_t *pool)
{
    const char *message, *again;
    apr_size_t length, same;

    if (up_grpcweb_decode(&message, &length, body, size, is_text, NULL, LIMIT,
                          pool))
        return;
    up_grpc_encode(&body, &size, message, length, pool);
    check(!up_grpcweb_decode(&again, &same, body, size, 0, NULL, LIMIT, pool));
    check(same == length && !memcmp(again, message, length));

    body = apr_pencode_base64_binary(pool, (const unsigned char *)body,
                                     (apr_ssize_t)size, APR_ENCODE_NONE, &size);
    check(!up_grpcweb_decode(&again, &same, body, size, 1, NULL, LIMIT, pool));
    check(same == length && !memcmp(again, message, length));
}

/* What TEXT, percent-encoded and LENGTH bytes long, stands for. */
static const char *
percent_decode(const char *text, apr_size_t length, apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, length + 1), *at = decoded;
    const char *end = text + length;

    for (; text < end; text++) {
        check(*text >= 0x20 && *text <= 0x7e);
        if (*text != '%') {
            *at++ = *text;
            continue;
        }
        check(end - text > 2);
        *at++ = (char)strtol(apr_pstrmemdup(pool, text + 1, 2), NULL, 16);
        text += 2;
    }
    *at = '\0';
    return decoded;
}

static void
check_reply(const char *text, apr_pool_t *pool)
{
    static const char label[] = "grpc-message: ", next[] = "\r\ngrpc-status: 3";
    up_status_t *status = up_status_of(
        up_error(pool, UP_BODY_INVALID, APR_SUCCESS, "%s", text), pool);
    const char *body;
    apr_size_t size;

    up_grpcweb_encode(&body, &size, 0, NULL, 0, status, pool);
    body = apr_pstrmemdup(pool, body + UP_GRPC_HEADER, size - UP_GRPC_HEADER);
    check(!strncmp(body, label, strlen(label)));
    body += strlen(label);
    const char *end = strstr(body, next);
    check(end != NULL);
    check(!strcmp(percent_decode(body, (apr_size_t)(end - body), pool), text));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    apr_pool_t *pool;

    if (!size)
        return 0;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    const char *body = (const char *)data + 1;
    check_request(data[0] & 1, body, size - 1, pool);
    check_reply(apr_pstrmemdup(pool, body, size - 1), pool);
    apr_pool_destroy(pool);
    return 0;
}
