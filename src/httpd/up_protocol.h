/*
 * up_protocol.h -- protocols: how a request's message is read, and an answer or
 * an error written. Each is a file of its own.
 */
#ifndef UP_PROTOCOL_H
#define UP_PROTOCOL_H

#include "api/up_api.h"

#include <apr_buckets.h>
#include <httpd.h>

/* Where a protocol is spoken; a bit each. */
typedef enum up_path_kind_t {
    UP_PATH_REST = 1, /* /management/v1/users/{id}/profile */
    UP_PATH_RPC = 2   /* /<service>/<method> */
} up_path_kind_t;

typedef struct up_protocol_t up_protocol_t;
struct up_protocol_t {
    const char *name;               /* in UserProfileProtocols */
    unsigned paths;                 /* up_path_kind_t */
    const char *const *media_types; /* ended by NULL; an answer has its
                                     * request's type */
    int needs_http2;
    int hides_errors; /* its clients cannot read an ErrorDocument of the site */

    /* Set *MESSAGE, of TYPE and in R's pool, to R's message. */
    up_error_t *(*read)(ProtobufCMessage **message,
                        const ProtobufCMessageDescriptor *type,
                        request_rec *r);

    /* Set *TIMEOUT to the time that R may take, to -1 if it names none. NULL:
     * the protocol has no timeouts. */
    up_error_t *(*timeout)(apr_interval_time_t *timeout, request_rec *r);

    /* Set R's status and headers for ANSWER, the answer to CALL, and append its
     * body and the end of the response to BRIGADE. */
    void (*write)(apr_bucket_brigade *brigade,
                  request_rec *r,
                  const ProtobufCMessage *answer,
                  const up_call_t *call);

    /* The same for ERR instead of an answer; called from filters too. */
    void (*write_error)(apr_bucket_brigade *brigade,
                        request_rec *r,
                        const up_error_t *err);
};

extern const up_protocol_t up_protocol_rest;
extern const up_protocol_t up_protocol_grpc;
extern const up_protocol_t up_protocol_grpcweb;
extern const up_protocol_t up_protocol_connect;

/* All of them, ended by NULL. Sets of protocols have a bit 1 << I for the one
 * at I. */
extern const up_protocol_t *const up_protocols[];
#define UP_ALL_PROTOCOLS (~0u)

/* The bit of PROTOCOL. */
unsigned up_protocol_bit(const up_protocol_t *protocol);

/* The set of those spoken on paths of KIND. */
unsigned up_protocols_on(up_path_kind_t kind);

/* Set *PROTOCOL and *MEDIA_TYPE, on a path of KIND, by R's Content-Type; to
 * NULL if no protocol has that type. On a REST path a request without the
 * header counts as JSON, and so does a GET with a type that no protocol has. */
void up_protocol_of(const up_protocol_t **protocol,
                    const char **media_type,
                    const request_rec *r,
                    up_path_kind_t kind);

/* Set R's STATUS and headers for BODY, of LENGTH bytes, which lives as long as
 * R, and append it and the end of the response to BRIGADE. */
void up_protocol_body(apr_bucket_brigade *brigade,
                      request_rec *r,
                      int status,
                      const char *media_type,
                      const char *body,
                      apr_size_t length);

/* Set the headers that every answer of ours carries. */
void up_protocol_headers(request_rec *r);

/* Have httpd ignore R's Range, which is for GET alone (RFC 9110 14.2): else it
 * would cut the answer about a change, or replace it by a 416. */
void up_protocol_no_range(request_rec *r);

#endif
