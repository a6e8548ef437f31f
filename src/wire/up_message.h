/*
 * up_message.h -- protobuf messages as clients send and get them.
 *
 * protobuf-c reads more than clients may send and keeps what nobody asked for,
 * so what comes from outside goes through here.
 */
#ifndef UP_MESSAGE_H
#define UP_MESSAGE_H

#include "core/up_error.h"

#include <protobuf-c/protobuf-c.h>

/* Set *MESSAGE, in POOL, to the message of TYPE, all of whose fields are
 * strings and enums, that the LENGTH bytes at BYTES are. Fields that TYPE does
 * not have are dropped; of a field that comes more than once, the last counts;
 * an enum may have a number that is not defined. UP_MESSAGE_INVALID says what
 * is wrong: malformed or cut bytes, a group, a field of another wire type, a
 * string that is not UTF-8 or has NUL in it. */
UP_MUST_CHECK up_error_t *up_message_unpack(
    ProtobufCMessage **message,
    const ProtobufCMessageDescriptor *type,
    const char *bytes,
    apr_size_t length,
    apr_pool_t *pool);

/* Set *BYTES and *LENGTH to MESSAGE, in POOL. */
void up_message_pack(const char **bytes,
                     apr_size_t *length,
                     const ProtobufCMessage *message,
                     apr_pool_t *pool);

#endif
