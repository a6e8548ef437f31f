/*
 * up_request.h -- what we know of a request.
 */
#ifndef UP_REQUEST_H
#define UP_REQUEST_H

#include "api/up_api.h"

#include <httpd.h>

typedef struct up_protocol_t up_protocol_t;
typedef struct up_section_t up_section_t;

typedef struct up_request_t {
    apr_time_t began; /* by up_clock() */
    int is_looked_up; /* what follows was found out, for the path URI */
    const char *uri;
    int is_ours; /* its path is one that we serve, by a protocol that is on */

    /* If its path is: */
    const up_section_t *section; /* the one that says On */
    const up_service_t *service;
    const up_method_t *on_path; /* a method with this REST path; NULL: it is an
                                 * RPC path */
    const char *rpc;            /* the method that an RPC path names */
    const char *segment;        /* of a REST path: its user id, or NULL */

    const up_protocol_t *protocol; /* of body and answer; NULL: none was chosen
                                    * yet, and errors are REST's */
    const char *content_type;      /* the header that they were chosen by */
    const char *media_type;        /* the one of the protocol that it has */
    const up_method_t *method;     /* once accepted; NULL: the RPC path names
                                    * none */
    int is_accepted;               /* method and media type fit */
    const char *filename;          /* R's as it was accepted */
    up_error_t *refusal;           /* of ours, raised before the handler */

    const up_reason_info_t *reason; /* what went wrong, or NULL */
} up_request_t;

/* What we know of R; made at the first call, lives as long as R. */
up_request_t *up_request_of(request_rec *r);

/* Like up_request_of(), but never allocates: returns read-only defaults if
 * there is none. For hooks that see every request of the site. */
const up_request_t *up_request_known(const request_rec *r);

/* The error that another module raised with the HTTP status HTTP, in R's pool.
 */
up_error_t *up_request_foreign(request_rec *r, int http);

/* Leave a note for the access log. VALUE, which lives as long as R, may be
 * NULL: nothing is noted. */
void up_request_note(request_rec *r, const char *name, const char *value);

/* Note what went wrong with R, for the access log and for the metrics. */
void up_request_note_reason(request_rec *r, up_reason_t reason);

#endif
