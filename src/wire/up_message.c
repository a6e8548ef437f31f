/* up_message.c -- messages in memory: the fields of protobuf-c's structs, found
 * by their descriptors. */
#include "wire/up_message.h"

#include <string.h>

/* FIELD's quantifier: whether an optional number is present, the count of a
 * repeated field's elements, or the member of a oneof that is set. */
static void *
quantifier(const ProtobufCMessage *message,
           const ProtobufCFieldDescriptor *field)
{
    return (char *)message + field->quantifier_offset;
}

static void *
member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)message + field->offset;
}

static int
is_in_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* Whether FIELD is held by a pointer. */
static int
is_pointer(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING ||
           field->type == PROTOBUF_C_TYPE_MESSAGE;
}

ProtobufCMessage *
up_message_make(const ProtobufCMessageDescriptor *type, apr_pool_t *pool)
{
    ProtobufCMessage *message = apr_palloc(pool, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

/* Whether FIELD, which has no presence, is neither zero nor empty. */
static int
is_not_default(const ProtobufCMessage *message,
               const ProtobufCFieldDescriptor *field)
{
    const void *value = member(message, field);

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return **(const char *const *)value != '\0';
    case PROTOBUF_C_TYPE_UINT64:
        return *(const uint64_t *)value != 0;
    default:
        return *(const int32_t *)value != 0;
    }
}

int
up_message_has(const ProtobufCMessage *message,
               const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)quantifier(message, field) != 0;
    if (is_in_oneof(field))
        return *(const uint32_t *)quantifier(message, field) == field->id;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE ||
        (field->label == PROTOBUF_C_LABEL_OPTIONAL && is_pointer(field)))
        return *(void *const *)member(message, field) != NULL;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        return *(const protobuf_c_boolean *)quantifier(message, field);
    return is_not_default(message, field);
}

const char *
up_message_text(const ProtobufCMessage *message,
                const ProtobufCFieldDescriptor *field)
{
    return *(const char *const *)member(message, field);
}

int
up_message_enum(const ProtobufCMessage *message,
                const ProtobufCFieldDescriptor *field)
{
    return *(const int *)member(message, field);
}

/* Note that FIELD of MESSAGE is set. */
static void
mark(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (is_in_oneof(field))
        *(uint32_t *)quantifier(message, field) = field->id;
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !is_pointer(field))
        *(protobuf_c_boolean *)quantifier(message, field) = 1;
}

void
up_message_set_text(ProtobufCMessage *message,
                    const ProtobufCFieldDescriptor *field,
                    const char *text)
{
    *(const char **)member(message, field) = text;
    mark(message, field);
}

void
up_message_set_enum(ProtobufCMessage *message,
                    const ProtobufCFieldDescriptor *field,
                    int number)
{
    *(int *)member(message, field) = number;
    mark(message, field);
}

/* Append CHILD to the messages of FIELD. Their array has room for a power of
 * two of them: when they are as many, it is full. */
static void
append(ProtobufCMessage *message,
       const ProtobufCFieldDescriptor *field,
       ProtobufCMessage *child,
       apr_pool_t *pool)
{
    size_t *count = quantifier(message, field);
    ProtobufCMessage ***array = member(message, field);

    if ((*count & (*count - 1)) == 0) {
        size_t room = *count ? 2 * *count : 1;
        ProtobufCMessage **larger = apr_palloc(pool, room * sizeof(*larger));
        if (*count)
            memcpy(larger, *array, *count * sizeof(*larger));
        *array = larger;
    }
    (*array)[(*count)++] = child;
}

ProtobufCMessage *
up_message_open(ProtobufCMessage *message,
                const ProtobufCFieldDescriptor *field,
                apr_pool_t *pool)
{
    int is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;

    if (!is_repeated && up_message_has(message, field))
        return *(ProtobufCMessage **)member(message, field);

    ProtobufCMessage *child = up_message_make(field->descriptor, pool);
    if (is_repeated) {
        append(message, field, child, pool);
    } else {
        *(ProtobufCMessage **)member(message, field) = child;
        mark(message, field);
    }
    return child;
}

void
up_message_camel(char *camel, apr_size_t size, const char *name)
{
    char *last = camel + size - 1;

    for (; *name && camel < last; name++) {
        char c = *name;
        if (c == '_' && name[1]) {
            c = *++name;
            c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        }
        *camel++ = c;
    }
    *camel = '\0';
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
