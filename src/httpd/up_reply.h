/*
 * up_reply.h -- answers, and the one way out for errors.
 */
#ifndef UP_REPLY_H
#define UP_REPLY_H

#include "wire/up_status.h"

#include <httpd.h>

/* Send R's whole body, LENGTH bytes of JSON that live as long as R, with
 * STATUS. Returns what a handler returns. */
int up_reply_json(request_rec *r,
                  int status,
                  const char *text,
                  apr_size_t length);

/* Let R's answer be whole. httpd would give any request the Range that it asks
 * for, or refuse that with 416, though a change was made; Range is for GET
 * (RFC 9110 14.2). */
void up_reply_whole(request_rec *r);

/* Set in HEADERS what every answer of ours carries. */
void up_reply_common_headers(apr_table_t *headers);

/* Log ERR, and note its reason; for one that is not R's answer. */
void up_reply_log(request_rec *r, const up_error_t *err);

/* Log ERR once, and answer R with it, in its shape, from a handler. Returns
 * OK. */
int up_reply_error(request_rec *r, const up_error_t *err);

/* Log ERR once, and refuse R with it before its handler: returns the HTTP
 * status; the error filter writes the body, no ErrorDocument does. */
int up_reply_refuse(request_rec *r, up_error_t *err);

/* Set in HEADERS what goes with ERR: WWW-Authenticate, Allow, Retry-After. */
void up_reply_error_headers(request_rec *r,
                            apr_table_t *headers,
                            const up_error_t *err);

/* What the error HTTP, as another module raised it, looks like, in POOL. */
up_status_t *up_reply_foreign(int http, apr_pool_t *pool);

#endif
