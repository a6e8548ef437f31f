/* up_record_pack.c -- what a store holds, to bytes. */
#include "store/lmdb/up_record.h"
#include "wire/up_message.h"

#include <apr_escape.h>
#include <apr_strings.h>

#include "store/lmdb/record.pb-c.h"

/* As many bytes of a token's SHA-256 as a message shows. */
#define TOKEN_NAME_BYTES 8

/* What an earlier version reads as long expired. */
#define LONG_EXPIRED 1

const char *
up_record_name(const up_item_t *item, apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        return apr_psprintf(pool, "organisation '%s'", item->as.org.id);
    case UP_KIND_USER:
        return apr_psprintf(pool, "user '%s' of organisation '%s'",
                            item->as.user.id, item->as.user.org);
    case UP_KIND_MEMBER:
        return apr_psprintf(pool, "membership of user '%s' in '%s'",
                            item->as.member.user, item->as.member.org);
    case UP_KIND_TOKEN:
        return apr_psprintf(
            pool, "token %s...",
            apr_pescape_hex(pool, item->as.token.sha256, TOKEN_NAME_BYTES, 0));
    default:
        return apr_psprintf(pool, "event %" APR_UINT64_T_FMT,
                            item->as.event.number);
    }
}

void *
up_record_profile_member(void *message, unsigned number)
{
    return (char *)message +
           protobuf_c_message_descriptor_get_field(
               &userprofile__store__profile__descriptor, number)
               ->offset;
}

/* PROFILE, or NULL, as a message; text is PROFILE's. */
static Userprofile__Store__Profile *
profile_message(const up_profile_t *profile, apr_pool_t *pool)
{
    if (!profile)
        return NULL;
    Userprofile__Store__Profile *message = apr_palloc(pool, sizeof(*message));
    userprofile__store__profile__init(message);
    for (int i = 0; i < UP_FIELDS; i++) {
        const up_field_info_t *info = up_field_info((up_field_t)i);
        void *member = up_record_profile_member(message, info->number);
        if (info->kind == UP_FIELD_GENDER)
            *(apr_uint32_t *)member = (apr_uint32_t)profile->gender;
        else
            *(const char **)member = profile->text[i];
    }
    return message;
}

static void
pack_org(const char **bytes,
         apr_size_t *length,
         const up_org_t *org,
         apr_pool_t *pool)
{
    Userprofile__Store__Org message = USERPROFILE__STORE__ORG__INIT;

    message.name = (char *)org->name;
    up_message_pack(bytes, length, &message.base, pool);
}

static void
pack_user(const char **bytes,
          apr_size_t *length,
          const up_user_t *user,
          apr_pool_t *pool)
{
    Userprofile__Store__User message = USERPROFILE__STORE__USER__INIT;

    message.profile = profile_message(user->profile, pool);
    message.type = user->type;
    message.state = user->state;
    message.sequence = user->sequence;
    message.created = user->created;
    /* Read back in the same way: whatever the times are, nothing overflows. */
    message.changed_after = (apr_int64_t)((apr_uint64_t)user->changed -
                                          (apr_uint64_t)user->created);
    up_message_pack(bytes, length, &message.base, pool);
}

static void
pack_member(const char **bytes,
            apr_size_t *length,
            const up_member_t *member,
            apr_pool_t *pool)
{
    Userprofile__Store__Member message = USERPROFILE__STORE__MEMBER__INIT;

    message.roles = (char **)member->roles->elts;
    message.n_roles = (size_t)member->roles->nelts;
    up_message_pack(bytes, length, &message.base, pool);
}

static void
pack_token(const char **bytes,
           apr_size_t *length,
           const up_token_t *token,
           apr_pool_t *pool)
{
    Userprofile__Store__Token message = USERPROFILE__STORE__TOKEN__INIT;

    message.user = (char *)token->user;
    message.created = token->created;
    message.expires = token->revoked ? LONG_EXPIRED : token->expires;
    message.revoked = token->revoked;
    up_message_pack(bytes, length, &message.base, pool);
}

static void
pack_event(const char **bytes,
           apr_size_t *length,
           const up_event_t *event,
           apr_pool_t *pool)
{
    Userprofile__Store__Event message = USERPROFILE__STORE__EVENT__INIT;

    if (event->type <= UP_USER_INITIALISED)
        message.type = event->type;
    else
        message.later_type = event->type;
    message.time = event->time;
    message.org = (char *)event->org;
    message.user = (char *)event->user;
    message.author = (char *)event->author;
    message.sequence = event->sequence;
    message.fields =
        up_fields_to_stored(event->fields, up_field_table(), UP_FIELDS);
    message.before = profile_message(event->before, pool);
    message.after = profile_message(event->after, pool);
    message.detail = (char *)event->detail;
    up_message_pack(bytes, length, &message.base, pool);
}

void
up_record_pack(const char **bytes,
               apr_size_t *length,
               const up_item_t *item,
               apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        pack_org(bytes, length, &item->as.org, pool);
        break;
    case UP_KIND_USER:
        pack_user(bytes, length, &item->as.user, pool);
        break;
    case UP_KIND_MEMBER:
        pack_member(bytes, length, &item->as.member, pool);
        break;
    case UP_KIND_TOKEN:
        pack_token(bytes, length, &item->as.token, pool);
        break;
    default:
        pack_event(bytes, length, &item->as.event, pool);
        break;
    }
}
