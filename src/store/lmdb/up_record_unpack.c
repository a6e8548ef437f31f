/* up_record_unpack.c -- what a store holds, from bytes. */
#include "store/lmdb/up_record.h"
#include "core/up_id.h"
#include "core/up_utf8.h"
#include "wire/up_protobuf.h"

#include <string.h>

#include "store/lmdb/record.pb-c.h"

static const ProtobufCMessageDescriptor *const descriptors[UP_KINDS] = {
    [UP_KIND_ORG] = &userprofile__store__org__descriptor,
    [UP_KIND_USER] = &userprofile__store__user__descriptor,
    [UP_KIND_MEMBER] = &userprofile__store__member__descriptor,
    [UP_KIND_TOKEN] = &userprofile__store__token__descriptor,
    [UP_KIND_EVENT] = &userprofile__store__event__descriptor,
};

/* protobuf-c takes any bytes for text. */
static int
is_text(const char *text)
{
    apr_size_t code_points;

    return up_utf8_count(&code_points, text, strlen(text));
}

/* Set *PROFILE from MESSAGE, or to NULL if that is NULL. Returns 0 if MESSAGE
 * makes no sense; so do those below. */
static int
read_profile(const up_profile_t **profile,
             const Userprofile__Store__Profile *message,
             apr_pool_t *pool)
{
    *profile = NULL;
    if (!message)
        return 1;
    up_profile_t *copy = up_profile_make(pool);
    *profile = copy;
    for (int i = 0; i < UP_FIELDS; i++) {
        const up_field_info_t *info = up_field_info((up_field_t)i);
        const void *member =
            up_record_profile_member((void *)message, info->number);
        if (info->kind == UP_FIELD_GENDER) {
            copy->gender = *(const int *)member;
            continue;
        }
        copy->text[i] = *(const char *const *)member;
        if (!is_text(copy->text[i]))
            return 0;
    }
    return copy->gender >= 0 && copy->gender < UP_GENDERS;
}

static int
read_org(up_org_t *org, const Userprofile__Store__Org *message)
{
    org->name = message->name;
    return is_text(org->name);
}

static int
read_user(up_user_t *user,
          const Userprofile__Store__User *message,
          apr_pool_t *pool)
{
    user->type = (up_user_type_t)message->type;
    user->state = (up_state_t)message->state;
    user->sequence = message->sequence;
    user->created = message->created;
    user->changed = (apr_time_t)((apr_uint64_t)message->created +
                                 (apr_uint64_t)message->changed_after);
    return message->type <= UP_MACHINE && message->state < UP_STATES &&
           (message->type == UP_HUMAN) == (message->profile != NULL) &&
           read_profile(&user->profile, message->profile, pool);
}

static int
read_member(up_member_t *member,
            const Userprofile__Store__Member *message,
            apr_pool_t *pool)
{
    apr_array_header_t *roles =
        apr_array_make(pool, (int)message->n_roles, sizeof(const char *));

    for (size_t i = 0; i < message->n_roles; i++) {
        if (!is_text(message->roles[i]))
            return 0;
        APR_ARRAY_PUSH(roles, const char *) = message->roles[i];
    }
    member->roles = roles;
    return 1;
}

static int
read_token(up_token_t *token, const Userprofile__Store__Token *message)
{
    token->user = message->user;
    token->created = message->created;
    token->expires = message->revoked ? 0 : message->expires;
    token->revoked = message->revoked;
    return up_id_is_storable(token->user);
}

static int
read_event(up_event_t *event,
           const Userprofile__Store__Event *message,
           apr_pool_t *pool)
{
    event->type = (up_event_type_t)(message->later_type ? message->later_type
                                                        : message->type);
    event->time = message->time;
    event->org = message->org;
    event->user = message->user;
    event->author = message->author;
    event->sequence = message->sequence;
    event->detail = message->detail;
    return message->type < UP_EVENT_TYPES &&
           message->later_type < UP_EVENT_TYPES && is_text(event->org) &&
           is_text(event->user) && is_text(event->author) &&
           is_text(event->detail) &&
           up_fields_from_stored(&event->fields, message->fields,
                                 up_field_table(), UP_FIELDS) &&
           read_profile(&event->before, message->before, pool) &&
           read_profile(&event->after, message->after, pool);
}

static int
read_message(up_item_t *item, const ProtobufCMessage *message, apr_pool_t *pool)
{
    const void *any = message;

    switch (item->kind) {
    case UP_KIND_ORG:
        return read_org(&item->as.org, any);
    case UP_KIND_USER:
        return read_user(&item->as.user, any, pool);
    case UP_KIND_MEMBER:
        return read_member(&item->as.member, any, pool);
    case UP_KIND_TOKEN:
        return read_token(&item->as.token, any);
    default:
        return read_event(&item->as.event, any, pool);
    }
}

up_error_t *
up_record_unpack(up_item_t *item,
                 const void *bytes,
                 apr_size_t length,
                 apr_pool_t *pool)
{
    ProtobufCAllocator allocator = up_protobuf_allocator(pool);

    const ProtobufCMessage *message = protobuf_c_message_unpack(
        descriptors[item->kind], &allocator, length, bytes);
    if (message && read_message(item, message, pool))
        return NULL;
    return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                    "the stored %s cannot be read", up_record_name(item, pool));
}
