/*
 * up_status.h -- google.rpc.Status, the body of every error, with its details.
 */
#ifndef UP_STATUS_H
#define UP_STATUS_H

#include "core/up_error.h"

#define UP_STATUS_DOMAIN "userprofile" /* google.rpc.ErrorInfo.domain */
#define UP_STATUS_TYPE_URL "type.googleapis.com/" /* before a detail's type */

/* What an error looks like from outside, whoever raised it. */
typedef struct up_status_t {
    int code;                /* google.rpc.Code */
    const char *message;     /* with " (ID)" at the end where there is an id */
    const char *reason;      /* google.rpc.ErrorInfo.reason */
    const char *detail_id;   /* zitadel.v1.ErrorDetail.id, or NULL: no such */
    const char *detail_text; /* zitadel.v1.ErrorDetail.message */
    const apr_array_header_t *violations; /* of up_violation_t, or NULL */
} up_status_t;

/* ERR as clients see it, in POOL; its violations stay those of ERR. */
up_status_t *up_status_of(const up_error_t *err, apr_pool_t *pool);

/* Set *TEXT and *LENGTH to STATUS as JSON, in POOL. */
void up_status_json(const char **text,
                    apr_size_t *length,
                    const up_status_t *status,
                    apr_pool_t *pool);

#endif
