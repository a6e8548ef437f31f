/*
 * up_reply.h -- sends answers; logs and sends errors.
 */
#ifndef UP_REPLY_H
#define UP_REPLY_H

#include "httpd/up_protocol.h"

#include <httpd.h>

/* Send R the ANSWER to CALL, by R's protocol. Returns what a handler returns.
 */
int up_reply_answer(request_rec *r,
                    const ProtobufCMessage *answer,
                    const up_call_t *call);

/* Log ERR and note its reason, without answering R. */
void up_reply_log(request_rec *r, const up_error_t *err);

/* Log ERR once, and answer R with it, by its protocol, from a handler. Returns
 * what a handler returns. */
int up_reply_error(request_rec *r, const up_error_t *err);

/* Log ERR once, and refuse R with it before its handler: returns the HTTP
 * status; the error filter writes the body, no ErrorDocument does. */
int up_reply_refuse(request_rec *r, up_error_t *err);

/* Append body and end of R's answer, ERR, to BRIGADE, and set R's status and
 * headers; for a filter. ERR is one of ours, or what another module raised. */
void up_reply_write_error(apr_bucket_brigade *brigade,
                          request_rec *r,
                          const up_error_t *err);

/* Have no ErrorDocument of the site apply to any error of R. */
void up_reply_claim_errors(request_rec *r);

#endif
