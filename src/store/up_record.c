/* up_record.c -- records as the bytes that a store keeps (record.proto). */
#include "store/up_record.h"
#include "wire/up_protobuf.h"

#include "store/record.pb-c.h"

#include <apr_strings.h>

typedef Userprofile__Store__Org org_t;
typedef Userprofile__Store__Profile profile_t;
typedef Userprofile__Store__User user_t;
typedef Userprofile__Store__Member member_t;
typedef Userprofile__Store__Token token_t;
typedef Userprofile__Store__Event event_t;

/* protobuf-c's strings are not const; packing does not write them. */
static char *
unconst(const char *text)
{
    union {
        const char *in;
        char *out;
    } cast = {.in = text};

    return cast.out;
}

static void
pack(void **bytes,
     apr_size_t *length,
     const ProtobufCMessage *message,
     apr_pool_t *pool)
{
    *length = protobuf_c_message_get_packed_size(message);
    *bytes = apr_palloc(pool, *length + 1); /* never nothing to point at */
    protobuf_c_message_pack(message, *bytes);
}

static profile_t *
profile_message(const up_profile_t *profile, apr_pool_t *pool)
{
    if (!profile)
        return NULL;
    profile_t *message = apr_palloc(pool, sizeof(*message));
    userprofile__store__profile__init(message);
    message->first_name = unconst(profile->text[UP_FIRST_NAME]);
    message->last_name = unconst(profile->text[UP_LAST_NAME]);
    message->nick_name = unconst(profile->text[UP_NICK_NAME]);
    message->display_name = unconst(profile->text[UP_DISPLAY_NAME]);
    message->preferred_language = unconst(profile->text[UP_PREFERRED_LANGUAGE]);
    message->gender = profile->gender;
    return message;
}

static const up_profile_t *
profile_of(const profile_t *message, apr_pool_t *pool)
{
    if (!message)
        return NULL;
    up_profile_t *profile = up_profile_make(pool);
    profile->text[UP_FIRST_NAME] = message->first_name;
    profile->text[UP_LAST_NAME] = message->last_name;
    profile->text[UP_NICK_NAME] = message->nick_name;
    profile->text[UP_DISPLAY_NAME] = message->display_name;
    profile->text[UP_PREFERRED_LANGUAGE] = message->preferred_language;
    profile->gender = message->gender;
    return profile;
}

static int
gender_is_known(const profile_t *message)
{
    return !message || (message->gender >= 0 && message->gender < UP_GENDERS);
}

static void
pack_org(void **bytes,
         apr_size_t *length,
         const up_item_t *item,
         apr_pool_t *pool)
{
    org_t message = USERPROFILE__STORE__ORG__INIT;

    message.name = unconst(item->as.org.name);
    pack(bytes, length, &message.base, pool);
}

static int
read_org(up_item_t *item, const ProtobufCMessage *base, apr_pool_t *pool)
{
    (void)pool;
    item->as.org.name = ((const org_t *)base)->name;
    return 1;
}

static void
pack_user(void **bytes,
          apr_size_t *length,
          const up_item_t *item,
          apr_pool_t *pool)
{
    const up_user_t *user = &item->as.user;
    user_t message = USERPROFILE__STORE__USER__INIT;

    message.type = user->type;
    message.state = user->state;
    message.sequence = user->sequence;
    message.created = user->created;
    message.changed = user->changed;
    message.profile = profile_message(user->profile, pool);
    pack(bytes, length, &message.base, pool);
}

static int
read_user(up_item_t *item, const ProtobufCMessage *base, apr_pool_t *pool)
{
    const user_t *message = (const user_t *)base;
    up_user_t *user = &item->as.user;

    if (message->type > UP_MACHINE || message->state >= UP_STATES ||
        (message->type == UP_HUMAN) != (message->profile != NULL) ||
        !gender_is_known(message->profile))
        return 0;
    user->type = (up_user_type_t)message->type;
    user->state = (up_state_t)message->state;
    user->sequence = message->sequence;
    user->created = message->created;
    user->changed = message->changed;
    user->profile = profile_of(message->profile, pool);
    return 1;
}

static void
pack_member(void **bytes,
            apr_size_t *length,
            const up_item_t *item,
            apr_pool_t *pool)
{
    const apr_array_header_t *roles = item->as.member.roles;
    member_t message = USERPROFILE__STORE__MEMBER__INIT;

    message.n_roles = (size_t)roles->nelts;
    message.roles = (char **)roles->elts;
    pack(bytes, length, &message.base, pool);
}

static int
read_member(up_item_t *item, const ProtobufCMessage *base, apr_pool_t *pool)
{
    const member_t *message = (const member_t *)base;
    apr_array_header_t *roles =
        apr_array_make(pool, (int)message->n_roles, sizeof(const char *));

    for (size_t i = 0; i < message->n_roles; i++)
        APR_ARRAY_PUSH(roles, const char *) = message->roles[i];
    item->as.member.roles = roles;
    return 1;
}

static void
pack_token(void **bytes,
           apr_size_t *length,
           const up_item_t *item,
           apr_pool_t *pool)
{
    token_t message = USERPROFILE__STORE__TOKEN__INIT;

    message.user = unconst(item->as.token.user);
    message.created = item->as.token.created;
    message.expires = item->as.token.expires;
    pack(bytes, length, &message.base, pool);
}

static int
read_token(up_item_t *item, const ProtobufCMessage *base, apr_pool_t *pool)
{
    const token_t *message = (const token_t *)base;

    (void)pool;
    item->as.token.user = message->user;
    item->as.token.created = message->created;
    item->as.token.expires = message->expires;
    return *message->user != '\0';
}

static void
pack_event(void **bytes,
           apr_size_t *length,
           const up_item_t *item,
           apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;
    event_t message = USERPROFILE__STORE__EVENT__INIT;

    message.type = event->type;
    message.time = event->time;
    message.org = unconst(event->org);
    message.user = unconst(event->user);
    message.author = unconst(event->author);
    message.sequence = event->sequence;
    message.fields = event->fields;
    message.before = profile_message(event->before, pool);
    message.after = profile_message(event->after, pool);
    pack(bytes, length, &message.base, pool);
}

static int
read_event(up_item_t *item, const ProtobufCMessage *base, apr_pool_t *pool)
{
    const event_t *message = (const event_t *)base;
    up_event_t *event = &item->as.event;

    if (message->type >= UP_EVENT_TYPES || message->fields >> UP_FIELDS ||
        !gender_is_known(message->before) || !gender_is_known(message->after))
        return 0;
    event->type = (up_event_type_t)message->type;
    event->time = message->time;
    event->org = message->org;
    event->user = message->user;
    event->author = message->author;
    event->sequence = message->sequence;
    event->fields = message->fields;
    event->before = profile_of(message->before, pool);
    event->after = profile_of(message->after, pool);
    return 1;
}

/* How each kind is packed, and what its message says. READ returns 0 where
 * the message says what no record can. */
static const struct {
    const char *name;
    const ProtobufCMessageDescriptor *type;
    void (*pack)(void **, apr_size_t *, const up_item_t *, apr_pool_t *);
    int (*read)(up_item_t *, const ProtobufCMessage *, apr_pool_t *);
} kinds[UP_KINDS] = {
    [UP_KIND_ORG] = {"organisation", &userprofile__store__org__descriptor,
                     pack_org, read_org},
    [UP_KIND_USER] = {"user", &userprofile__store__user__descriptor, pack_user,
                      read_user},
    [UP_KIND_MEMBER] = {"membership", &userprofile__store__member__descriptor,
                        pack_member, read_member},
    [UP_KIND_TOKEN] = {"token", &userprofile__store__token__descriptor,
                       pack_token, read_token},
    [UP_KIND_EVENT] = {"event", &userprofile__store__event__descriptor,
                       pack_event, read_event},
};

void
up_record_pack(void **bytes,
               apr_size_t *length,
               const up_item_t *item,
               apr_pool_t *pool)
{
    kinds[item->kind].pack(bytes, length, item, pool);
}

/* The key of ITEM, for an error. A token's is not told. */
static const char *
key_name(const up_item_t *item, apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        return item->as.org.id;
    case UP_KIND_USER:
        return item->as.user.id;
    case UP_KIND_MEMBER:
        return item->as.member.user;
    case UP_KIND_EVENT:
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT, item->as.event.number);
    default:
        return "";
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
        kinds[item->kind].type, &allocator, length, bytes);
    if (!message || !kinds[item->kind].read(item, message, pool))
        return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                        "the stored record of %s '%s' is broken",
                        kinds[item->kind].name, key_name(item, pool));
    return NULL;
}
