/*
 * up_precondition.h -- If-Match and If-None-Match (RFC 9110 13.1) on the
 * sequence of a user.
 */
#ifndef UP_PRECONDITION_H
#define UP_PRECONDITION_H

#include "core/up_error.h"

typedef struct up_precondition_t up_precondition_t;

/* Set *PRECONDITION, in POOL, from the values of both headers, NULL where a
 * header is absent; to NULL if both are. BODY_INVALID names the header that
 * is neither "*" nor a list of entity tags. */
UP_MUST_CHECK up_error_t *up_precondition_parse(
    up_precondition_t **precondition,
    const char *if_match,
    const char *if_none_match,
    apr_pool_t *pool);

typedef enum up_verdict_t {
    UP_PROCEED,
    UP_MISMATCH, /* If-Match is false: 412 */
    UP_SAME      /* If-None-Match is false: 304 on a read, 412 on a change */
} up_verdict_t;

/* What PRECONDITION (NULL: none) says of a user at SEQUENCE. */
up_verdict_t up_precondition_judge(const up_precondition_t *precondition,
                                   apr_uint64_t sequence);

/* The largest sequence that PRECONDITION (NULL: none) names, and so one that
 * the caller knows of; 0: none. */
apr_uint64_t up_precondition_newest(const up_precondition_t *precondition);

/* SEQUENCE_MISMATCH for a user at SEQUENCE, in POOL. */
up_error_t *up_precondition_failed(apr_uint64_t sequence, apr_pool_t *pool);

#endif
