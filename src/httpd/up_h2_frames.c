/* up_h2_frames.c -- keeps mod_http2's empty DATA frames from gRPC's clients. */
#include "httpd/up_h2_frames.h"
#include "httpd/up_config.h"

#include <apr_buckets.h>
#include <http_connection.h>
#include <http_protocol.h>
#include <util_filter.h>

#define FILTER "USERPROFILE_H2_FRAMES"

/* RFC 9113 4.1: length (3 bytes), type, flags, stream (4 bytes). */
#define HEADER_BYTES 9
#define TYPE_DATA 0x0
#define FLAG_END_STREAM 0x1

/* Where in the stream of frames the connection is. */
typedef struct progress_t {
    unsigned char header[HEADER_BYTES];
    apr_size_t header_length;  /* how much of the next header was seen */
    apr_size_t payload_length; /* how much of the frame is still to come */
} progress_t;

static apr_size_t
payload_length(const unsigned char *header)
{
    return (apr_size_t)header[0] << 16 | (apr_size_t)header[1] << 8 | header[2];
}

static int
is_empty_data(const unsigned char *header)
{
    return !payload_length(header) && header[3] == TYPE_DATA &&
           !(header[4] & FLAG_END_STREAM);
}

/* Take the bytes of a header at the start of BUCKET, which is then split, so
 * that it has nothing else; sets *WHOLE to whether all of a header is in it. */
static apr_status_t
take_header(int *whole, progress_t *progress, apr_bucket *bucket)
{
    apr_size_t wanted = HEADER_BYTES - progress->header_length, length;
    const char *bytes;

    apr_status_t rv = apr_bucket_read(bucket, &bytes, &length, APR_BLOCK_READ);
    if (rv)
        return rv;
    if (length > wanted) {
        rv = apr_bucket_split(bucket, wanted);
        if (rv)
            return rv;
        length = wanted;
    }
    memcpy(progress->header + progress->header_length, bytes, length);
    *whole = length == HEADER_BYTES;
    progress->header_length += length;
    if (progress->header_length == HEADER_BYTES) {
        progress->header_length = 0;
        progress->payload_length = payload_length(progress->header);
    }
    return APR_SUCCESS;
}

/* Step over the payload at the start of BUCKET. */
static apr_status_t
skip_payload(progress_t *progress, apr_bucket *bucket)
{
    if (bucket->length > progress->payload_length) {
        apr_status_t rv = apr_bucket_split(bucket, progress->payload_length);
        if (rv)
            return rv;
    }
    progress->payload_length -= bucket->length;
    return APR_SUCCESS;
}

/* Drop the empty DATA frames of BRIGADE. A header in two buckets is let pass:
 * its first part may have been sent. */
static apr_status_t
drop_empty_frames(progress_t *progress, apr_bucket_brigade *brigade)
{
    apr_bucket *bucket = APR_BRIGADE_FIRST(brigade), *next;

    for (; bucket != APR_BRIGADE_SENTINEL(brigade); bucket = next) {
        apr_status_t rv = APR_SUCCESS;
        int whole = 0;

        if (APR_BUCKET_IS_METADATA(bucket) || !bucket->length) {
            next = APR_BUCKET_NEXT(bucket);
            continue;
        }
        if (bucket->length == (apr_size_t)-1)
            return APR_ENOTIMPL;
        if (progress->payload_length)
            rv = skip_payload(progress, bucket);
        else
            rv = take_header(&whole, progress, bucket);
        if (rv)
            return rv;
        next = APR_BUCKET_NEXT(bucket);
        if (whole && is_empty_data(progress->header))
            apr_bucket_delete(bucket);
    }
    return APR_SUCCESS;
}

static apr_status_t
filter_frames(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    ap_filter_t *next = filter->next;
    const char *protocol = ap_get_protocol(filter->c);

    if (strcmp(protocol, "h2") != 0 && strcmp(protocol, "h2c") != 0)
        return ap_pass_brigade(next, brigade);
    if (drop_empty_frames(filter->ctx, brigade))
        ap_remove_output_filter(filter);
    if (APR_BRIGADE_EMPTY(brigade))
        return APR_SUCCESS;
    return ap_pass_brigade(next, brigade);
}

void
up_h2_frames_register(void)
{
    ap_register_output_filter(FILTER, filter_frames, NULL, AP_FTYPE_CONNECTION);
}

int
up_h2_frames_insert(conn_rec *c, void *socket)
{
    if (!c->master && up_config_of_server(c->base_server)->serving == UP_ON)
        ap_add_output_filter(FILTER, apr_pcalloc(c->pool, sizeof(progress_t)),
                             NULL, c);
    return OK;
}
