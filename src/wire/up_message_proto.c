/* up_message_proto.c -- messages from protobuf's bytes, strictly. */
#include "core/up_utf8.h"
#include "wire/up_message.h"

#include <apr_strings.h>
#include <string.h>

/* The longest varints: of 64 bits, and of the 32 bits of a tag or a length. */
#define VARINT_BYTES 10
#define VARINT32_BYTES 5

/* The wire types of groups, which proto3 does not have. */
#define START_GROUP 3
#define END_GROUP 4

/* What is left of the bytes of a message. */
typedef struct reader_t {
    const char *at;
    const char *end;
    apr_pool_t *pool;
} reader_t;

/* The value of a field as it stands in a message. */
typedef struct value_t {
    unsigned wire_type;
    apr_uint64_t number; /* of a varint */
    const char *bytes;   /* of what is length-delimited */
    apr_size_t length;
} value_t;

static up_error_t *
invalid(reader_t *reader, const char *what, const char *wrong)
{
    return up_error(reader->pool, UP_MESSAGE_INVALID, APR_SUCCESS, "%s %s",
                    what, wrong);
}

static int
skip(reader_t *reader, apr_uint64_t count)
{
    if (count > (apr_uint64_t)(reader->end - reader->at))
        return 0;
    reader->at += count;
    return 1;
}

/* Read a varint of at most MOST bytes; returns 0 if there is none. */
static int
read_varint(apr_uint64_t *value, reader_t *reader, int most)
{
    *value = 0;
    for (int i = 0; i < most && reader->at < reader->end; i++) {
        unsigned char byte = (unsigned char)*reader->at++;
        if (i == VARINT_BYTES - 1 && byte > 1)
            return 0; /* more than 64 bits */
        *value |= (apr_uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80))
            return 1;
    }
    return 0;
}

/* Read the value after a tag; returns 0 if it is cut off or malformed. */
static int
read_value(value_t *value, reader_t *reader)
{
    apr_uint64_t length;

    switch (value->wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return read_varint(&value->number, reader, VARINT_BYTES);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        return skip(reader, 8);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return skip(reader, 4);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!read_varint(&length, reader, VARINT32_BYTES))
            return 0;
        value->bytes = reader->at;
        value->length = (apr_size_t)length;
        return skip(reader, length);
    default:
        return 0;
    }
}

static up_error_t *read_fields(ProtobufCMessage *message, reader_t *reader);

static up_error_t *
set_text(ProtobufCMessage *message,
         const ProtobufCFieldDescriptor *field,
         const value_t *value,
         reader_t *reader)
{
    apr_size_t code_points;

    if (!up_utf8_count(&code_points, value->bytes, value->length))
        return invalid(reader, field->name, "is not UTF-8");
    if (memchr(value->bytes, '\0', value->length))
        return up_error(reader->pool, UP_BODY_INVALID, APR_SUCCESS,
                        "%s holds a NUL character", field->name);
    up_message_set_text(
        message, field,
        apr_pstrmemdup(reader->pool, value->bytes, value->length));
    return NULL;
}

/* Set FIELD of MESSAGE to VALUE. */
static up_error_t *
set_field(ProtobufCMessage *message,
          const ProtobufCFieldDescriptor *field,
          const value_t *value,
          reader_t *reader)
{
    int is_enum = field->type == PROTOBUF_C_TYPE_ENUM;
    unsigned wanted = is_enum ? PROTOBUF_C_WIRE_TYPE_VARINT
                              : PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;

    if (value->wire_type != wanted)
        return invalid(reader, field->name, "has another wire type");
    if (is_enum) {
        up_message_set_enum(message, field, (int)(apr_uint32_t)value->number);
        return NULL;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return set_text(message, field, value, reader);

    reader_t inner = {value->bytes, value->bytes + value->length, reader->pool};
    return read_fields(up_message_open(message, field, reader->pool), &inner);
}

/* Read what is left into MESSAGE. */
static up_error_t *
read_fields(ProtobufCMessage *message, reader_t *reader)
{
    while (reader->at < reader->end) {
        value_t value = {0};
        apr_uint64_t tag;

        if (!read_varint(&tag, reader, VARINT32_BYTES))
            return invalid(reader, "a tag", "is cut off or malformed");
        if (tag > APR_UINT32_MAX || tag >> 3 == 0)
            return invalid(reader, "a field number", "is out of range");

        unsigned number = (unsigned)(tag >> 3);
        value.wire_type = tag & 7;
        if (value.wire_type == START_GROUP || value.wire_type == END_GROUP)
            return invalid(reader,
                           apr_psprintf(reader->pool, "field %u", number),
                           "is a group");
        if (!read_value(&value, reader))
            return invalid(reader,
                           apr_psprintf(reader->pool, "field %u", number),
                           "is cut off or malformed");

        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(message->descriptor,
                                                    number);
        if (field)
            UP_ERR(set_field(message, field, &value, reader));
    }
    return NULL;
}

up_error_t *
up_message_unpack(ProtobufCMessage **message,
                  const ProtobufCMessageDescriptor *type,
                  const char *bytes,
                  apr_size_t length,
                  apr_pool_t *pool)
{
    reader_t reader = {bytes, bytes + length, pool};

    *message = up_message_make(type, pool);
    return read_fields(*message, &reader);
}
