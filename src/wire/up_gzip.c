/* up_gzip.c -- reading gzip; the one file with zlib. */
#include "wire/up_gzip.h"

#define ZLIB_CONST /* what is read is const */
#include <zlib.h>

#include <limits.h>
#include <string.h>

/* zlib's largest window, and that gzip is expected. */
#define WINDOW_BITS (15 + 16)

/* Room to begin with: a request that is not made to be large fits. */
#define FIRST_SIZE 4096

typedef struct output_t {
    char *bytes;
    apr_size_t size;
    apr_size_t most; /* bytes that it may grow to */
    apr_pool_t *pool;
} output_t;

/* Make room in OUTPUT, which is full; returns 0 if it is as large as it may
 * become. */
static int
grow(z_stream *stream, output_t *output)
{
    if (output->size == output->most)
        return 0;

    apr_size_t size = output->size ? 2 * output->size : FIRST_SIZE;
    if (size > output->most)
        size = output->most;
    char *bytes = apr_palloc(output->pool, size);
    if (output->size)
        memcpy(bytes, output->bytes, output->size);
    stream->next_out = (Bytef *)bytes + output->size;
    stream->avail_out = (uInt)(size - output->size);
    output->bytes = bytes;
    output->size = size;
    return 1;
}

/* Inflate all members; returns what zlib says, or Z_BUF_ERROR with no room
 * left if OUTPUT is too small. */
static int
inflate_members(z_stream *stream, output_t *output)
{
    int rc = Z_OK;

    while (rc == Z_OK) {
        if (!stream->avail_out && !grow(stream, output))
            return Z_BUF_ERROR;
        rc = inflate(stream, Z_NO_FLUSH);
        if (rc == Z_STREAM_END && stream->avail_in)
            rc = inflateReset(stream);
    }
    return rc;
}

up_error_t *
up_gzip_inflate(const char **text,
                apr_size_t *length,
                const char *packed,
                apr_uint32_t size,
                apr_size_t limit,
                apr_pool_t *pool)
{
    z_stream stream = {0};
    output_t output = {0};

    /* One byte more than allowed, so that what is too long shows; zlib counts
     * in unsigned int. */
    output.most = limit < UINT_MAX ? limit + 1 : UINT_MAX;
    output.pool = pool;
    stream.next_in = (const Bytef *)packed;
    stream.avail_in = size;

    int rc = inflateInit2(&stream, WINDOW_BITS);
    if (rc == Z_OK) {
        rc = inflate_members(&stream, &output);
        inflateEnd(&stream);
    }
    if (rc == Z_MEM_ERROR)
        return up_error(pool, UP_INTERNAL, APR_ENOMEM,
                        "cannot decompress gzip");

    apr_size_t used = output.size - stream.avail_out;
    if (used == output.most)
        return up_error(pool, UP_BODY_TOO_LARGE, APR_SUCCESS,
                        "it decompresses to more than the limit of "
                        "%" APR_SIZE_T_FMT " bytes",
                        limit);
    if (rc != Z_STREAM_END)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS, "it is %s",
                        rc == Z_BUF_ERROR ? "cut off" : "not valid gzip");
    *text = output.bytes;
    *length = used;
    return NULL;
}
