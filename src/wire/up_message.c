/* up_message.c -- protobuf messages as clients send and get them. */
#include "wire/up_message.h"
#include "core/up_utf8.h"
#include "wire/up_protobuf.h"

#include <apr_strings.h>
#include <string.h>

/* The longest varints: of 64 bits, and of the 32 bits of a tag or a length. */
#define VARINT_BYTES 10
#define VARINT32_BYTES 5

/* What is left of the bytes of a message. */
typedef struct reader_t {
    const char *at;
    const char *end;
} reader_t;

/* One field of a message, as it stands there. */
typedef struct field_t {
    const ProtobufCFieldDescriptor *type; /* NULL: not known */
    unsigned wire_type;
    const char *text; /* where it is length-delimited */
    apr_size_t length;
} field_t;

static int
skip(reader_t *reader, apr_uint64_t count)
{
    if (count > (apr_uint64_t)(reader->end - reader->at))
        return 0;
    reader->at += count;
    return 1;
}

/* Read a varint of at most MOST bytes. */
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

/* Read the value after FIELD's tag; returns 0 if it is cut or malformed. */
static int
read_value(field_t *field, reader_t *reader)
{
    apr_uint64_t value;

    switch (field->wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return read_varint(&value, reader, VARINT_BYTES);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        return skip(reader, 8);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return skip(reader, 4);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!read_varint(&value, reader, VARINT32_BYTES))
            return 0;
        field->text = reader->at;
        field->length = (apr_size_t)value;
        return skip(reader, value);
    default:
        return 0;
    }
}

/* Check a field that its message knows; returns what is wrong, or NULL. */
static const char *
check_known(const field_t *field)
{
    apr_size_t code_points;
    int is_text = field->type->type == PROTOBUF_C_TYPE_STRING;

    if (field->wire_type !=
        (is_text ? (unsigned)PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
                 : (unsigned)PROTOBUF_C_WIRE_TYPE_VARINT))
        return "has another wire type";
    if (!is_text)
        return NULL;
    if (!up_utf8_count(&code_points, field->text, field->length))
        return "is not UTF-8";
    return memchr(field->text, '\0', field->length) ? "contains NUL" : NULL;
}

/* Read the next field of a message of TYPE; returns what is wrong, or NULL. */
static const char *
read_field(field_t *field,
           reader_t *reader,
           const ProtobufCMessageDescriptor *type,
           apr_pool_t *pool)
{
    apr_uint64_t tag;

    if (!read_varint(&tag, reader, VARINT32_BYTES))
        return "a tag is cut off or malformed";
    if (tag > APR_UINT32_MAX || tag >> 3 == 0)
        return "a field number is out of range";

    unsigned number = (unsigned)(tag >> 3);
    field->wire_type = tag & 7;
    field->type = protobuf_c_message_descriptor_get_field(type, number);
    if (field->wire_type == 3 || field->wire_type == 4)
        return apr_psprintf(pool, "field %u is a group", number);
    if (!read_value(field, reader))
        return apr_psprintf(pool, "field %u is cut off or malformed", number);
    if (!field->type)
        return NULL;

    const char *wrong = check_known(field);
    return wrong ? apr_pstrcat(pool, field->type->name, " ", wrong, NULL)
                 : NULL;
}

/* Check all fields, and take those out that TYPE does not know: protobuf-c
 * would keep each in an allocation of its own, many times its size. *BYTES
 * stays what it is where there are none. */
static const char *
check(const char **bytes,
      apr_size_t *length,
      const ProtobufCMessageDescriptor *type,
      apr_pool_t *pool)
{
    reader_t reader = {*bytes, *bytes + *length};
    char *known = NULL, *end = NULL;

    while (reader.at < reader.end) {
        const char *start = reader.at;
        field_t field = {0};

        const char *wrong = read_field(&field, &reader, type, pool);
        if (wrong)
            return wrong;
        if (!field.type && !known) {
            known = apr_pmemdup(pool, *bytes, *length);
            end = known + (start - *bytes);
        } else if (field.type && known) {
            memcpy(end, start, (apr_size_t)(reader.at - start));
            end += reader.at - start;
        }
    }
    if (known) {
        *bytes = known;
        *length = (apr_size_t)(end - known);
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
    ProtobufCAllocator allocator = up_protobuf_allocator(pool);

    const char *wrong = check(&bytes, &length, type, pool);
    if (!wrong) {
        *message = protobuf_c_message_unpack(type, &allocator, length,
                                             (const uint8_t *)bytes);
        wrong = *message ? NULL : "it has too many fields";
    }
    return wrong ? up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                            "grpc: error unmarshalling request: %s", wrong)
                 : NULL;
}

void
up_message_pack(const char **bytes,
                apr_size_t *length,
                const ProtobufCMessage *message,
                apr_pool_t *pool)
{
    char *packed =
        apr_palloc(pool, protobuf_c_message_get_packed_size(message));

    *length = protobuf_c_message_pack(message, (uint8_t *)packed);
    *bytes = packed;
}
