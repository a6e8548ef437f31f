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
    const char *const *media_types; /* ended by NULL; of requests, and the
                                     * answer has the request's */
    int needs_http2;
    int hides_errors; /* whether its clients could not read an ErrorDocument of
                       * the site */

    /* Set *MESSAGE, of TYPE and in R's pool, to what R asks. */
    up_error_t *(*read)(ProtobufCMessage **message,
                        const ProtobufCMessageDescriptor *type,
                        request_rec *r);

    /* Set *TIMEOUT to how long R may take, to -1 if it does not say. NULL: the
     * protocol has no such thing. */
    up_error_t *(*timeout)(apr_interval_time_t *timeout, request_rec *r);

    /* Set R's status and headers and append body and end of R's answer, ANSWER
     * to CALL, to BRIGADE. */
    void (*write)(apr_bucket_brigade *brigade,
                  request_rec *r,
                  const ProtobufCMessage *answer,
                  const up_call_t *call);

    /* The same for ERR instead of an answer; also from a filter. */
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

/* Set *PROTOCOL and *MEDIA_TYPE to those of R's body on a path of KIND, by its
 * Content-Type; to NULL if none has that. No type at all is JSON, and so is any
 * other of a GET. */
void up_protocol_of(const up_protocol_t **protocol,
                    const char **media_type,
                    const request_rec *r,
                    up_path_kind_t kind);

/* For what protocols write: set R's status and headers for a body of LENGTH
 * bytes, which live as long as R, and append them and the end to BRIGADE. */
void up_protocol_body(apr_bucket_brigade *brigade,
                      request_rec *r,
                      int status,
                      const char *media_type,
                      const char *body,
                      apr_size_t length);

/* Set the headers that every answer of ours carries. */
void up_protocol_headers(request_rec *r);

/* Keep httpd from giving R a part of its answer, or refusing that with 416,
 * though a change was made: Range is for GET (RFC 9110 14.2). */
void up_protocol_no_range(request_rec *r);

#endif
