/*
 * up_connect.h -- Connect's errors, their HTTP statuses, and its timeouts.
 */
#ifndef UP_CONNECT_H
#define UP_CONNECT_H

#include "wire/up_message.h"
#include "wire/up_status.h"

#include <apr_time.h>

/* As up_message_from_json(), but blank text is no message. */
UP_MUST_CHECK up_error_t *up_connect_read_json(
    ProtobufCMessage **message,
    const ProtobufCMessageDescriptor *type,
    const char *text,
    apr_size_t length,
    apr_pool_t *pool);

/* As up_message_unpack(), but bytes that are no message are UP_BODY_INVALID. */
UP_MUST_CHECK up_error_t *up_connect_unpack(
    ProtobufCMessage **message,
    const ProtobufCMessageDescriptor *type,
    const char *bytes,
    apr_size_t length,
    apr_pool_t *pool);

/* Set *TEXT and *LENGTH, in POOL, to STATUS as a Connect error: the code by
 * name, each detail as base64 of its bytes, and in readable form. */
void up_connect_error(const char **text,
                      apr_size_t *length,
                      const up_status_t *status,
                      apr_pool_t *pool);

/* The HTTP status of an error with CODE, a google.rpc.Code. */
int up_connect_http(int code);

/* Set *TIMEOUT to the time that VALUE, of Connect-Timeout-Ms, gives a call; to
 * -1, no limit, if VALUE is NULL. UP_BODY_INVALID names the header if VALUE is
 * not 1 to 10 digits. */
UP_MUST_CHECK up_error_t *up_connect_timeout(apr_interval_time_t *timeout,
                                             const char *value,
                                             apr_pool_t *pool);

#endif
