/* up_api_profile.c -- profiles in the messages of the API. */
#include "api/up_api_profile.h"
#include "wire/up_message.h"

#include <string.h>

/* The descriptor of FIELD in MESSAGE, by its name in RULES, or NULL. The search
 * begins at *NEXT and moves it on: messages have the fields in the order of the
 * table. */
static const ProtobufCFieldDescriptor *
descriptor_of(const ProtobufCMessage *message,
              up_field_t field,
              up_rules_t rules,
              unsigned *next)
{
    const up_field_info_t *info = up_field_info(field);
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const char *name = rules == UP_RULES_V1 ? info->proto : info->proto_v2;

    for (unsigned i = 0; i < type->n_fields; i++) {
        unsigned at = (*next + i) % type->n_fields;
        if (!strcmp(type->fields[at].name, name)) {
            *next = at + 1;
            return &type->fields[at];
        }
    }
    return NULL;
}

unsigned
up_api_read_profile(const up_profile_t **profile,
                    const ProtobufCMessage *message,
                    up_rules_t rules,
                    apr_pool_t *pool)
{
    up_profile_t *read = up_profile_make(pool);
    unsigned fields = 0, next = 0;

    *profile = read;
    if (!message)
        return 0;
    for (int i = 0; i < UP_FIELDS; i++) {
        const up_field_info_t *info = up_field_info((up_field_t)i);
        const ProtobufCFieldDescriptor *field =
            descriptor_of(message, (up_field_t)i, rules, &next);
        if (!field)
            continue;
        int is_there = up_message_has(message, field);
        if (is_there || rules == UP_RULES_V1 ||
            (rules == UP_RULES_SET_HUMAN && info->min_v2))
            fields |= UP_FIELD_BIT(i);
        if (is_there && info->kind == UP_FIELD_GENDER)
            read->gender = up_message_enum(message, field);
        else if (is_there)
            read->text[i] = up_message_text(message, field);
    }
    return fields;
}

void
up_api_write_profile(ProtobufCMessage *message,
                     const up_profile_t *profile,
                     up_rules_t rules)
{
    unsigned next = 0;

    for (int i = 0; i < UP_FIELDS; i++) {
        const ProtobufCFieldDescriptor *field =
            descriptor_of(message, (up_field_t)i, rules, &next);
        if (!field)
            continue;
        if (up_field_info((up_field_t)i)->kind == UP_FIELD_GENDER)
            up_message_set_enum(message, field, profile->gender);
        else
            up_message_set_text(message, field,
                                up_profile_reading(profile, (up_field_t)i));
    }
}

Google__Protobuf__Timestamp *
up_api_timestamp(apr_time_t time, apr_pool_t *pool)
{
    Google__Protobuf__Timestamp *timestamp =
        apr_palloc(pool, sizeof(*timestamp));
    apr_time_t fraction = time % APR_USEC_PER_SEC;

    /* It counts forward from the second, before 1970 too. */
    if (fraction < 0)
        fraction += APR_USEC_PER_SEC;
    google__protobuf__timestamp__init(timestamp);
    timestamp->seconds = (time - fraction) / APR_USEC_PER_SEC;
    timestamp->nanos = (int32_t)fraction * 1000;
    return timestamp;
}
