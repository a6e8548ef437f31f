/*
 * up_status.h -- google.rpc.Status, the body of every error, with its details.
 */
#ifndef UP_STATUS_H
#define UP_STATUS_H

#include "core/up_error.h"

#define UP_STATUS_DOMAIN "userprofile" /* google.rpc.ErrorInfo.domain */

/* What an error looks like from outside. */
typedef struct up_status_t {
    int code;                          /* google.rpc.Code */
    const char *message;               /* with " (ID)" at the end where there
                                        * is an id */
    const apr_array_header_t *details; /* of const ProtobufCMessage *:
                                        * zitadel.v1.ErrorDetail where there is
                                        * an id, google.rpc.ErrorInfo, and
                                        * google.rpc.BadRequest where fields
                                        * are at fault */
} up_status_t;

/* ERR as clients see it, in POOL; texts may be ERR's. */
up_status_t *up_status_of(const up_error_t *err, apr_pool_t *pool);

/* Set *TEXT and *LENGTH to STATUS as JSON, in POOL: proto3's mapping, each
 * detail with its "@type". */
void up_status_json(const char **text,
                    apr_size_t *length,
                    const up_status_t *status,
                    apr_pool_t *pool);

/* Set *BYTES and *LENGTH to STATUS as protobuf, in POOL. */
void up_status_proto(const char **bytes,
                     apr_size_t *length,
                     const up_status_t *status,
                     apr_pool_t *pool);

#endif
