/*
 * up_rpc_reply.h -- answers as gRPC and gRPC-Web give them: HTTP 200, a frame,
 * and trailers that say how the call went.
 */
#ifndef UP_RPC_REPLY_H
#define UP_RPC_REPLY_H

#include "wire/up_status.h"

#include <apr_buckets.h>
#include <httpd.h>

/* Keep every error of R from the ErrorDocuments of the site: a gRPC client can
 * read none. */
void up_rpc_reply_claim_errors(request_rec *r);

/* Answer R with LENGTH bytes at MESSAGE. Returns what a handler returns. */
int up_rpc_reply(request_rec *r, const char *message, apr_size_t length);

/* Answer R, from its handler, with STATUS instead of a message. */
int up_rpc_reply_status(request_rec *r, const up_status_t *status);

/* The same from a filter: set R's status and headers, and append the body, if
 * any, and its end to BRIGADE. */
void up_rpc_fill_status(apr_bucket_brigade *brigade,
                        request_rec *r,
                        const up_status_t *status);

#endif
