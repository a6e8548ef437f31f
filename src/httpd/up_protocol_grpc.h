/* up_protocol_grpc.h -- what gRPC-Web has in common with gRPC. */
#ifndef UP_PROTOCOL_GRPC_H
#define UP_PROTOCOL_GRPC_H

#include "core/up_error.h"

#include <httpd.h>

/* Set *TIMEOUT to that of R's grpc-timeout, to -1 if there is none;
 * BODY_INVALID if it is malformed. */
UP_MUST_CHECK up_error_t *up_protocol_grpc_timeout(apr_interval_time_t *timeout,
                                                   request_rec *r);

/* Set R's HTTP status to 200, which gRPC's answers and errors have, and keep
 * filters from cutting or compressing the body: gRPC names compression in
 * headers of its own. */
void up_protocol_grpc_begin(request_rec *r);

#endif
