/* up_body.c -- reading a request's body. */
#include "httpd/up_body.h"
#include "core/up_clock.h"
#include "httpd/up_request.h"
#include "wire/up_gzip.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

/* Bytes that are read at a time, and the buffer's first size if the length is
 * not known. */
#define CHUNK 8192

typedef struct buffer_t {
    char *bytes;
    apr_size_t length, size;
} buffer_t;

static up_error_t *
too_large(apr_pool_t *pool, apr_size_t limit)
{
    return up_error(pool, UP_BODY_TOO_LARGE, APR_SUCCESS,
                    "the body is larger than the limit of %" APR_SIZE_T_FMT
                    " bytes",
                    limit);
}

/* R's Content-Length; 0 if it has none. */
static apr_off_t
announced(const request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t length;

    if (!header || !ap_parse_strict_length(&length, header))
        return 0;
    return length;
}

static up_error_t *
append(buffer_t *buffer,
       const char *bytes,
       apr_size_t length,
       apr_size_t limit,
       apr_pool_t *pool)
{
    if (length > limit - buffer->length)
        return too_large(pool, limit);
    if (buffer->length + length > buffer->size) {
        apr_size_t size = 2 * buffer->size + length;
        char *larger = apr_palloc(pool, size);
        memcpy(larger, buffer->bytes, buffer->length);
        buffer->bytes = larger;
        buffer->size = size;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    return NULL;
}

/* The error for RV, the status of a read of R's body that failed. */
static up_error_t *
unreadable(request_rec *r, apr_status_t rv)
{
    int http = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);

    return up_request_foreign(r, http);
}

/* Append the data of BRIGADE to BUFFER; set *END if the body ends there. */
static up_error_t *
take(buffer_t *buffer,
     int *end,
     apr_bucket_brigade *brigade,
     request_rec *r,
     apr_size_t limit)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *bytes;
        apr_size_t length;

        if (APR_BUCKET_IS_EOS(bucket)) {
            *end = 1;
            return NULL;
        }
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        apr_status_t rv =
            apr_bucket_read(bucket, &bytes, &length, APR_BLOCK_READ);
        if (rv)
            return unreadable(r, rv);
        UP_ERR(append(buffer, bytes, length, limit, r->pool));
    }
    return NULL;
}

/* As up_body_read(), but without decompressing. */
static up_error_t *
read_all(const char **body,
         apr_size_t *length,
         request_rec *r,
         apr_size_t limit)
{
    apr_time_t deadline = up_clock() + r->server->timeout;
    apr_off_t expected = announced(r);
    int end = 0;

    if (expected > (apr_off_t)limit)
        return too_large(r->pool, limit);
    buffer_t buffer = {.size = expected ? (apr_size_t)expected : CHUNK};
    buffer.bytes = apr_palloc(r->pool, buffer.size);

    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (!end) {
        apr_status_t rv =
            ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES,
                           APR_BLOCK_READ, CHUNK);
        if (rv)
            return unreadable(r, rv);
        UP_ERR(take(&buffer, &end, brigade, r, limit));
        apr_brigade_cleanup(brigade);
        if (!end && up_clock() > deadline)
            return up_error(r->pool, UP_REQUEST_TIMEOUT, APR_SUCCESS,
                            "the body did not arrive within %d seconds",
                            (int)apr_time_sec(r->server->timeout));
    }
    apr_brigade_destroy(brigade);
    *body = buffer.bytes;
    *length = buffer.length;
    return NULL;
}

/* Undo ENCODING, the Content-Encoding that R's body still has, or NULL. */
static up_error_t *
decode(const char **body,
       apr_size_t *length,
       const char *encoding,
       request_rec *r,
       apr_size_t limit)
{
    if (!encoding || !*encoding || !ap_cstr_casecmp(encoding, "identity"))
        return NULL;
    /* RFC 9110 8.4.1.3: x-gzip is the same. */
    if (ap_cstr_casecmp(encoding, "gzip") != 0 &&
        ap_cstr_casecmp(encoding, "x-gzip") != 0)
        return up_error(r->pool, UP_MEDIA_TYPE_UNSUPPORTED, APR_SUCCESS,
                        "the Content-Encoding of the body is none of those "
                        "accepted: identity, gzip");
    if (*length > APR_UINT32_MAX)
        return too_large(r->pool, limit);
    up_error_t *err = up_gzip_inflate(body, length, *body,
                                      (apr_uint32_t)*length, limit, r->pool);
    return err ? up_error_wrap(r->pool, err, "cannot decompress the body")
               : NULL;
}

up_error_t *
up_body_read(const char **body,
             apr_size_t *length,
             request_rec *r,
             apr_size_t limit)
{
    const char *encoding = apr_table_get(r->headers_in, "Content-Encoding");
    up_error_t *err = read_all(body, length, r, limit);

    /* A filter that has decoded the body has removed the header. A trailer
     * cannot add one. */
    if (encoding)
        encoding = apr_table_get(r->headers_in, "Content-Encoding");

    /* Without this httpd reads the rest of the body before the next request,
     * however slowly it comes, unless the status is one such as 413; that of an
     * RPC is 200. In HTTP/2 it concerns the stream alone. */
    if (err && !err->http)
        r->connection->keepalive = AP_CONN_CLOSE;
    return err ? err : decode(body, length, encoding, r, limit);
}
