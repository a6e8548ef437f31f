/*
 * up_error.h -- errors: their reasons, and the numbers and words of each.
 *
 * A function that can fail returns an up_error_t *, NULL for success. The
 * error lives in the pool that it was made in, and carries one of the reasons
 * below: the stable name that clients switch on.
 */
#ifndef UP_ERROR_H
#define UP_ERROR_H

#include <apr_pools.h>
#include <apr_errno.h>
#include <apr_tables.h>

#define UP_MUST_CHECK __attribute__((warn_unused_result))

typedef enum up_reason_t {
    UP_AUTH_HEADER_MISSING,
    UP_AUTH_HEADER_INVALID,
    UP_TOKEN_INVALID,
    UP_ORG_NOT_FOUND,
    UP_MEMBERSHIP_NOT_FOUND,
    UP_PERMISSION_DENIED,
    UP_PERMISSION_DENIED_V2, /* the same in the v2 user service */
    UP_BODY_INVALID,
    UP_MESSAGE_INVALID, /* BODY_INVALID where gRPC's own rules are broken */
    UP_FIELD_INVALID,
    UP_FIELD_UNSUPPORTED, /* v2: what a profile store does not keep */
    UP_PROFILE_NOT_FOUND,
    UP_PROFILE_NOT_CHANGED,
    UP_USER_NOT_FOUND,
    UP_USER_NOT_FOUND_V2,  /* the same in v2's GetUserByID */
    UP_HUMAN_NOT_FOUND_V2, /* the same in v2's updates */
    UP_USER_NOT_HUMAN,
    UP_SEQUENCE_MISMATCH,
    UP_METHOD_NOT_ALLOWED,
    UP_MEDIA_TYPE_UNSUPPORTED,
    UP_BODY_TOO_LARGE,
    UP_REQUEST_TIMEOUT,
    UP_HTTP_VERSION_NOT_SUPPORTED,
    UP_UNIMPLEMENTED,     /* gRPC: an unknown method or encoding */
    UP_SERVICE_UNKNOWN,   /* of a health check */
    UP_DEADLINE_EXCEEDED, /* gRPC: nothing was changed */
    UP_STORE_FULL,
    UP_STORE_UNAVAILABLE, /* nothing was changed */
    UP_STORE_REPLACED,    /* STORE_UNAVAILABLE on the wire; until a restart */
    UP_OUTCOME_UNKNOWN,   /* STORE_UNAVAILABLE on the wire; may have changed */
    UP_CONFLICT,          /* what the store holds forbids it; the tool's only */
    UP_INTERNAL,

    /* What other Apache modules raise, besides reasons above. */
    UP_UNAUTHENTICATED,
    UP_FORBIDDEN,
    UP_NOT_FOUND,
    UP_TOO_MANY_REQUESTS,
    UP_BAD_REQUEST,
    UP_UNAVAILABLE,
    UP_REASONS
} up_reason_t;

/* Whose fault an error of a reason is; it decides the log level. */
typedef enum up_fault_t {
    UP_FAULT_REQUEST, /* the client sent what cannot be served */
    UP_FAULT_CALLER,  /* the caller was refused */
    UP_FAULT_OURS
} up_fault_t;

/* One row of the table of errors, the only place where a kind of failure
 * becomes a number. The HTTP status and the gRPC code stand here and not in
 * src/httpd because google.rpc.Status carries the code in its body. */
typedef struct up_reason_info_t {
    const char *name; /* google.rpc.ErrorInfo.reason */
    int http;         /* RFC 9110 status */
    int code;         /* google.rpc.Code */
    up_fault_t fault;
    const char *id;   /* zitadel.v1.ErrorDetail.id, or NULL */
    const char *text; /* what clients are told, or NULL: the error's message */
    const char *retry_after; /* seconds, or NULL: no Retry-After */
} up_reason_info_t;

/* The row for REASON; never NULL. */
const up_reason_info_t *up_reason_info(up_reason_t reason);

/* One field at fault: google.rpc.BadRequest.FieldViolation. */
typedef struct up_violation_t {
    const char *field;       /* lowerCamel, as in JSON */
    const char *description; /* "value length must be ..." */
} up_violation_t;

typedef struct up_error_t up_error_t;
struct up_error_t {
    up_reason_t reason;
    apr_status_t status; /* what APR or errno said, or APR_SUCCESS */
    const char *message; /* a sentence; never a profile's values or a body */
    const apr_array_header_t *violations; /* of up_violation_t, or NULL */
    const char *file; /* where it was raised; a constant of the program */
    int line;
    const up_error_t *cause; /* what it wraps, or NULL */
    int http; /* the status that another Apache module chose; 0: the reason's */
    const apr_table_t *headers; /* that go with it in HTTP, or NULL */
};

/* A new error of REASON in POOL whose message is printed from FORMAT; STATUS
 * (APR_SUCCESS for none) is explained at the end of the message. */
#define up_error(pool, reason, status, ...)                                    \
    up_error_make(pool, reason, status, __FILE__, __LINE__, __VA_ARGS__)

up_error_t *up_error_make(apr_pool_t *pool,
                          up_reason_t reason,
                          apr_status_t status,
                          const char *file,
                          int line,
                          const char *format,
                          ...) __attribute__((format(printf, 6, 7)));

/* A new error in POOL of CAUSE's reason and violations that says, before what
 * CAUSE says, what could not be done because of it. */
#define up_error_wrap(pool, cause, ...)                                        \
    up_error_wrap_make(pool, cause, __FILE__, __LINE__, __VA_ARGS__)

up_error_t *up_error_wrap_make(apr_pool_t *pool,
                               const up_error_t *cause,
                               const char *file,
                               int line,
                               const char *format,
                               ...) __attribute__((format(printf, 5, 6)));

/* The error, in POOL, that another Apache module raised with the HTTP status
 * HTTP, 400 to 599, whose phrase is PHRASE ("Not Found"). */
up_error_t *up_error_from_http(apr_pool_t *pool, int http, const char *phrase);

/* The HTTP status of ERR. */
int up_error_http(const up_error_t *err);

/* Have the header NAME with VALUE go with ERR, which is in POOL; neither text
 * is copied. */
void up_error_set_header(up_error_t *err,
                         const char *name,
                         const char *value,
                         apr_pool_t *pool);

/* A copy of ERR in POOL, with its causes and the texts of its violations: equal
 * in every field, and valid when ERR's own pool is gone. */
up_error_t *up_error_copy(const up_error_t *err, apr_pool_t *pool);

/* ERR's message and those of its causes, joined by ": ", in POOL; for a log or
 * an administrator. */
const char *up_error_story(const up_error_t *err, apr_pool_t *pool);

/* What a client is told, in POOL: the reason's own text, else ERR's message,
 * with " (ID)" at the end where the reason has an id. */
const char *up_error_public(const up_error_t *err, apr_pool_t *pool);

/* Evaluate EXPR; if it failed, return its error from this function. Not to be
 * used while holding anything that a pool does not release. */
#define UP_ERR(expr)                                                           \
    do {                                                                       \
        up_error_t *up_err_ = (expr);                                          \
        if (up_err_)                                                           \
            return up_err_;                                                    \
    } while (0)

#endif
