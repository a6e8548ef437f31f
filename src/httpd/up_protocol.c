/* up_protocol.c -- the table of protocols, and what they have in common. */
#include "httpd/up_protocol.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

const up_protocol_t *const up_protocols[] = {
    &up_protocol_rest,
    &up_protocol_grpc,
    &up_protocol_grpcweb,
    &up_protocol_connect,
    NULL,
};

unsigned
up_protocol_bit(const up_protocol_t *protocol)
{
    unsigned bit = 1;

    for (int i = 0; up_protocols[i] != protocol; i++)
        bit <<= 1;
    return bit;
}

unsigned
up_protocols_on(up_path_kind_t kind)
{
    unsigned set = 0;

    for (int i = 0; up_protocols[i]; i++) {
        if (up_protocols[i]->paths & kind)
            set |= 1u << i;
    }
    return set;
}

/* The media type of PROTOCOL that equals the LENGTH bytes at TYPE, or NULL. */
static const char *
media_type_of(const up_protocol_t *protocol,
              const char *type,
              apr_size_t length)
{
    for (const char *const *known = protocol->media_types; *known; known++) {
        if (strlen(*known) == length &&
            (!memcmp(*known, type, length) ||
             !ap_cstr_casecmpn(*known, type, length)))
            return *known;
    }
    return NULL;
}

/* Set *PROTOCOL and *MEDIA_TYPE by the media type of LENGTH bytes at TYPE on a
 * path of KIND; to NULL, and return 0, if no protocol has it. */
static int
find_type(const up_protocol_t **protocol,
          const char **media_type,
          const char *type,
          apr_size_t length,
          up_path_kind_t kind)
{
    for (int i = 0; up_protocols[i]; i++) {
        *protocol = up_protocols[i];
        *media_type = (*protocol)->paths & kind
                          ? media_type_of(*protocol, type, length)
                          : NULL;
        if (*media_type)
            return 1;
    }
    *protocol = NULL;
    return 0;
}

void
up_protocol_of(const up_protocol_t **protocol,
               const char **media_type,
               const request_rec *r,
               up_path_kind_t kind)
{
    static const char json[] = "application/json";
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    /* Not for an RPC: to send a POST without a type, a page of another site
     * need not ask, and a browser adds the password or cookie that it knows. */
    if ((!type || !*type) && kind == UP_PATH_REST)
        type = json;
    if (!type)
        type = "";
    apr_size_t length = strcspn(type, ";");
    while (length && apr_isspace(type[length - 1]))
        length--;
    if (!find_type(protocol, media_type, type, length, kind) &&
        r->method_number == M_GET)
        find_type(protocol, media_type, json, sizeof(json) - 1, kind);
}

void
up_protocol_headers(request_rec *r)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
}

void
up_protocol_no_range(request_rec *r)
{
    ap_remove_output_filter_byhandle(r->output_filters, "BYTERANGE");
}

void
up_protocol_body(apr_bucket_brigade *brigade,
                 request_rec *r,
                 int status,
                 const char *media_type,
                 const char *body,
                 apr_size_t length)
{
    apr_bucket_alloc_t *alloc = brigade->bucket_alloc;

    r->status = status;
    if (r->method_number != M_GET)
        up_protocol_no_range(r);
    up_protocol_headers(r);
    ap_set_content_type(r, media_type);
    ap_set_content_length(r, (apr_off_t)length);
    if (length)
        APR_BRIGADE_INSERT_TAIL(
            brigade, apr_bucket_pool_create(body, length, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
}
