/* up_message_json.c -- messages from and to JSON, by protobuf's mapping. */
#include "core/up_time.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "wire/up_json.h"
#include "wire/up_message.h"

#include <apr_strings.h>
#include <limits.h>
#include <string.h>

/* Room for a field's name in JSON; ours are shorter. */
#define NAME_SIZE 64

/* Where in the JSON text a value is: the member NAME of the object that is at
 * OUTER (NULL: the outermost object), or one of its elements. */
typedef struct position_t {
    const struct position_t *outer;
    const char *name;
    int index; /* in an array; -1: in none */
} position_t;

/* The path of the member at POSITION: "human.profile", "metadata[0]". */
static const char *
path_of(const position_t *position, apr_pool_t *pool)
{
    const char *path = position->name;

    if (position->index >= 0)
        path = apr_psprintf(pool, "%s[%d]", path, position->index);
    if (position->outer && position->outer->name)
        path =
            apr_pstrcat(pool, path_of(position->outer, pool), ".", path, NULL);
    return path;
}

static up_error_t *
must_be(const position_t *position, const char *what, apr_pool_t *pool)
{
    return up_error(pool, UP_BODY_INVALID, APR_SUCCESS, "%s must be %s",
                    path_of(position, pool), what);
}

static up_error_t *read_object(ProtobufCMessage *message,
                               const up_json_t *object,
                               const position_t *position,
                               apr_pool_t *pool);

static up_error_t *
read_enum(ProtobufCMessage *message,
          const ProtobufCFieldDescriptor *field,
          const up_json_t *value,
          const position_t *position,
          apr_pool_t *pool)
{
    up_json_type_t type = up_json_type(value);
    double number = type == UP_JSON_NUMBER ? up_json_number(value) : 0;

    if (type == UP_JSON_STRING) {
        const ProtobufCEnumValue *known =
            protobuf_c_enum_descriptor_get_value_by_name(field->descriptor,
                                                         up_json_string(value));
        up_message_set_enum(message, field,
                            known ? known->value : UP_ENUM_UNKNOWN);
        return NULL;
    }
    if (type != UP_JSON_NUMBER || number < INT_MIN || number > INT_MAX ||
        number != (int)number)
        return must_be(position, "a name or a 32-bit integer", pool);
    up_message_set_enum(message, field, (int)number);
    return NULL;
}

/* Set FIELD of MESSAGE, or one more of its elements, to VALUE. */
static up_error_t *
read_value(ProtobufCMessage *message,
           const ProtobufCFieldDescriptor *field,
           const up_json_t *value,
           const position_t *position,
           apr_pool_t *pool)
{
    up_json_type_t type = up_json_type(value);

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        if (type != UP_JSON_STRING)
            return must_be(position, "a string", pool);
        up_message_set_text(message, field, up_json_string(value));
        return NULL;
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(message, field, value, position, pool);
    default:
        if (type != UP_JSON_OBJECT)
            return must_be(position, "an object", pool);
        return read_object(up_message_open(message, field, pool), value,
                           position, pool);
    }
}

static up_error_t *
read_array(ProtobufCMessage *message,
           const ProtobufCFieldDescriptor *field,
           const up_json_t *array,
           const position_t *position,
           apr_pool_t *pool)
{
    if (up_json_type(array) != UP_JSON_ARRAY)
        return must_be(position, "an array", pool);
    for (apr_size_t i = 0; i < up_json_count(array); i++) {
        position_t element = {position->outer, position->name, (int)i};
        UP_ERR(read_value(message, field, up_json_element(array, i), &element,
                          pool));
    }
    return NULL;
}

/* Set *VALUE to the member of OBJECT that is FIELD, by either of its names; to
 * NULL if it is absent or null. CAMEL is its name in JSON. */
static up_error_t *
find(const up_json_t **value,
     const up_json_t *object,
     const ProtobufCFieldDescriptor *field,
     const char *camel,
     const position_t *position,
     apr_pool_t *pool)
{
    const up_json_t *by_camel = up_json_member(object, camel), *by_name = NULL;

    if (strcmp(camel, field->name) != 0)
        by_name = up_json_member(object, field->name);
    if (by_camel && by_name)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "%s occurs twice, once as %s", path_of(position, pool),
                        field->name);
    *value = by_camel ? by_camel : by_name;
    if (*value && up_json_type(*value) == UP_JSON_NULL)
        *value = NULL;
    return NULL;
}

/* Read the members of OBJECT, which is at POSITION, into MESSAGE. */
static up_error_t *
read_object(ProtobufCMessage *message,
            const up_json_t *object,
            const position_t *position,
            apr_pool_t *pool)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        char camel[NAME_SIZE];
        position_t inner = {position, camel, -1};
        const up_json_t *value = NULL;

        up_message_camel(camel, sizeof(camel), field->name);
        UP_ERR(find(&value, object, field, camel, &inner, pool));
        if (!value)
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            UP_ERR(read_array(message, field, value, &inner, pool));
            continue;
        }
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
            *(const uint32_t *)((const char *)message +
                                field->quantifier_offset))
            return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                            "%s excludes another member that is there",
                            path_of(&inner, pool));
        UP_ERR(read_value(message, field, value, &inner, pool));
    }
    return NULL;
}

up_error_t *
up_message_from_json(ProtobufCMessage **message,
                     const ProtobufCMessageDescriptor *type,
                     const char *text,
                     apr_size_t length,
                     apr_pool_t *pool)
{
    static const position_t outermost = {NULL, NULL, -1};
    up_json_t *object;

    UP_ERR(up_json_parse(&object, text, length, pool));
    *message = up_message_make(type, pool);
    return read_object(*message, object, &outermost, pool);
}

static void
write_timestamp(up_json_writer_t *writer,
                const char *name,
                const ProtobufCMessage *message,
                apr_pool_t *pool)
{
    const Google__Protobuf__Timestamp *time = (const void *)message;

    up_json_write_string(
        writer, name,
        up_time_format(apr_time_from_sec(time->seconds) + time->nanos / 1000,
                       pool));
}

static void
write_message(up_json_writer_t *writer,
              const char *name,
              const ProtobufCMessage *message,
              apr_pool_t *pool)
{
    if (message->descriptor == &google__protobuf__timestamp__descriptor) {
        write_timestamp(writer, name, message, pool);
        return;
    }
    up_json_begin_object(writer, name);
    up_message_write_members(writer, message, pool);
    up_json_end_object(writer);
}

/* Write the value at VALUE of FIELD as the member or element NAME. */
static void
write_value(up_json_writer_t *writer,
            const char *name,
            const ProtobufCFieldDescriptor *field,
            const void *value,
            apr_pool_t *pool)
{
    const ProtobufCEnumValue *known;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        up_json_write_string(writer, name, *(const char *const *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        up_json_write_counter(writer, name, *(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        known = protobuf_c_enum_descriptor_get_value(field->descriptor,
                                                     *(const int *)value);
        if (known)
            up_json_write_string(writer, name, known->name);
        else
            up_json_write_number(writer, name, *(const int *)value);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        write_message(writer, name, *(ProtobufCMessage *const *)value, pool);
        break;
    default:
        up_json_write_number(writer, name, *(const int32_t *)value);
        break;
    }
}

static void
write_field(up_json_writer_t *writer,
            const ProtobufCMessage *message,
            const ProtobufCFieldDescriptor *field,
            apr_pool_t *pool)
{
    const char *value = (const char *)message + field->offset;
    const char *name = field->name;

    if (!up_message_has(message, field))
        return;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        write_value(writer, name, field, value, pool);
        return;
    }
    /* Only texts and messages are repeated: an array of pointers. */
    size_t count =
        *(const size_t *)((const char *)message + field->quantifier_offset);
    void *const *element = *(void *const *const *)value;
    up_json_begin_array(writer, name);
    for (size_t i = 0; i < count; i++)
        write_value(writer, NULL, field, &element[i], pool);
    up_json_end_array(writer);
}

/* Whether A stands before B in the .proto file: structs keep that order, while
 * descriptors are sorted by number. The members of a oneof share one offset. */
static int
stands_before(const ProtobufCFieldDescriptor *a,
              const ProtobufCFieldDescriptor *b)
{
    return a->offset < b->offset || (a->offset == b->offset && a->id < b->id);
}

/* The field of TYPE that stands next after LAST (NULL: the first), or NULL. */
static const ProtobufCFieldDescriptor *
next_field(const ProtobufCMessageDescriptor *type,
           const ProtobufCFieldDescriptor *last)
{
    const ProtobufCFieldDescriptor *next = NULL;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if ((!last || stands_before(last, field)) &&
            (!next || stands_before(field, next)))
            next = field;
    }
    return next;
}

/* Whether TYPE's fields stand in the order of their numbers. */
static int
is_in_order(const ProtobufCMessageDescriptor *type)
{
    unsigned i = 1;

    while (i < type->n_fields &&
           stands_before(&type->fields[i - 1], &type->fields[i]))
        i++;
    return i >= type->n_fields;
}

void
up_message_write_members(up_json_writer_t *writer,
                         const ProtobufCMessage *message,
                         apr_pool_t *pool)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    if (is_in_order(type)) { /* as most are */
        for (unsigned i = 0; i < type->n_fields; i++)
            write_field(writer, message, &type->fields[i], pool);
        return;
    }
    const ProtobufCFieldDescriptor *field = next_field(type, NULL);
    for (; field; field = next_field(type, field))
        write_field(writer, message, field, pool);
}

void
up_message_to_json(const char **text,
                   apr_size_t *length,
                   const ProtobufCMessage *message,
                   apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);

    write_message(writer, NULL, message, pool);
    up_json_writer_text(text, length, writer);
}
