/*
 * up_message.h -- messages: protobuf-c's structs, read from and written as
 * protobuf and JSON.
 *
 * Everything is driven by protobuf-c's descriptors, so that a new message needs
 * its .proto file and nothing here. Readers serve requests, whose fields are
 * texts, enums and messages; writers serve answers, which have 32-bit and
 * unsigned 64-bit integers too.
 *
 * protobuf-c's own reader accepts more than clients may send, and keeps what
 * it does not know in many times its size; so messages from outside are read
 * here, and packed by protobuf-c.
 */
#ifndef UP_MESSAGE_H
#define UP_MESSAGE_H

#include "core/up_error.h"
#include "wire/up_json_writer.h"

#include <protobuf-c/protobuf-c.h>

/* An enum in JSON whose name is not defined reads as this number, which no
 * enum of a request defines. */
#define UP_ENUM_UNKNOWN (-1)

/* An empty message of TYPE, in POOL. */
ProtobufCMessage *up_message_make(const ProtobufCMessageDescriptor *type,
                                  apr_pool_t *pool);

/* Whether FIELD is in MESSAGE: present, where the field has presence; else not
 * zero and not empty. */
int up_message_has(const ProtobufCMessage *message,
                   const ProtobufCFieldDescriptor *field);

/* The text or number that FIELD has in MESSAGE; NULL for a text that is absent.
 */
const char *up_message_text(const ProtobufCMessage *message,
                            const ProtobufCFieldDescriptor *field);
int up_message_enum(const ProtobufCMessage *message,
                    const ProtobufCFieldDescriptor *field);

/* Set FIELD of MESSAGE; of a oneof, the other members go. TEXT is not copied.
 */
void up_message_set_text(ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field,
                         const char *text);
void up_message_set_enum(ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field,
                         int number);

/* The message that FIELD of MESSAGE is, made in POOL if it is not there yet;
 * for a repeated field a new one, appended. */
ProtobufCMessage *up_message_open(ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *field,
                                  apr_pool_t *pool);

/* Write the name that the field NAME ("first_name") has in JSON ("firstName")
 * to CAMEL, which has room for SIZE bytes; a longer one is cut. */
void up_message_camel(char *camel, apr_size_t size, const char *name);

/* Set *MESSAGE, in POOL, to the message of TYPE in the LENGTH bytes at BYTES.
 * Fields that TYPE does not have are dropped; of a field that comes more than
 * once the last counts, and messages are merged; an enum may have any number.
 * UP_MESSAGE_INVALID for malformed or cut bytes, a group, another wire type, or
 * text that is not UTF-8; UP_BODY_INVALID for a NUL in a text. Messages nest as
 * deep as their types do, which do not recur. */
UP_MUST_CHECK up_error_t *up_message_unpack(
    ProtobufCMessage **message,
    const ProtobufCMessageDescriptor *type,
    const char *bytes,
    apr_size_t length,
    apr_pool_t *pool);

/* Set *MESSAGE, in POOL, to the message of TYPE in the LENGTH bytes at TEXT, by
 * protobuf's JSON mapping; blank text is an empty message. Members have the
 * field's name or its JSON name; null is absent; unknown members are ignored;
 * an enum is a name (UP_ENUM_UNKNOWN if it is not defined) or a 32-bit integer.
 * UP_BODY_INVALID says what is wrong, and where: a line and column, or the path
 * of a member ("human.profile.nickName"). */
UP_MUST_CHECK up_error_t *up_message_from_json(
    ProtobufCMessage **message,
    const ProtobufCMessageDescriptor *type,
    const char *text,
    apr_size_t length,
    apr_pool_t *pool);

/* Set *BYTES and *LENGTH to MESSAGE as protobuf, in POOL. */
void up_message_pack(const char **bytes,
                     apr_size_t *length,
                     const ProtobufCMessage *message,
                     apr_pool_t *pool);

/* Set *TEXT and *LENGTH to MESSAGE as JSON, in POOL: fields in the order of the
 * .proto file, those that are absent left out. */
void up_message_to_json(const char **text,
                        apr_size_t *length,
                        const ProtobufCMessage *message,
                        apr_pool_t *pool);

/* Write the members of MESSAGE into the object that WRITER has begun. */
void up_message_write_members(up_json_writer_t *writer,
                              const ProtobufCMessage *message,
                              apr_pool_t *pool);

#endif
