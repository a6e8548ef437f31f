/*
 * up_request.h -- the module's state of a request, kept from hook to hook.
 */
#ifndef UP_REQUEST_H
#define UP_REQUEST_H

#include "api/up_api.h"

#include <httpd.h>

typedef struct up_protocol_t up_protocol_t;
typedef struct up_section_t up_section_t;

typedef struct up_request_t {
    apr_time_t began; /* by up_clock() */
    int is_looked_up; /* the rest was looked up, for the path URI */
    const char *uri;
    int is_ours; /* its path is one that we serve, by a protocol that is on */

    /* If its path is: */
    const up_section_t *section;       /* the one that says On */
    const apr_array_header_t *origins; /* UserProfileCors there */
    const up_service_t *service;
    const up_method_t *on_path; /* a method with this REST path; NULL: it is an
                                 * RPC path */
    const char *rpc;            /* the method that an RPC path names */
    const char *segment;        /* of a REST path: its user id, or NULL */

    const up_protocol_t *protocol; /* of body and answer; NULL: none was chosen
                                    * yet, and errors are REST's */
    const char *content_type;      /* the header that they were chosen by */
    const char *media_type;        /* the protocol's media type that it names */
    const up_method_t *method;     /* once accepted; NULL: the RPC path names
                                    * none */
    int is_accepted;               /* method and media type fit */
    int is_preflight;              /* it is one, of an origin that may call */
    const char *filename;          /* R's when it was accepted */
    up_error_t *refusal;           /* of ours, raised before the handler */

    const up_reason_info_t *reason; /* what went wrong, or NULL */
} up_request_t;

/* The state of R, made at the first call, in R's pool. */
up_request_t *up_request_of(request_rec *r);

/* Like up_request_of(), but never allocates: returns read-only defaults if
 * there is none. For hooks that see every request of the site. */
const up_request_t *up_request_known(const request_rec *r);

/* The error that another module raised with the HTTP status HTTP, in R's pool.
 */
up_error_t *up_request_foreign(request_rec *r, int http);

/* Leave the note NAME for the access log. VALUE lives as long as R; nothing is
 * noted if it is NULL or empty. */
void up_request_note(request_rec *r, const char *name, const char *value);

/* Note what went wrong with R, for the access log and for the metrics. */
void up_request_note_reason(request_rec *r, up_reason_t reason);

#endif
