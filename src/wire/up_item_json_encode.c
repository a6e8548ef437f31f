/* up_item_json_encode.c -- what a store holds, written as one line of JSON. */
#include "wire/up_item_json.h"
#include "core/up_time.h"
#include "wire/up_profile_json.h"

#include <apr_escape.h>
#include <apr_strings.h>

static void
set_time(up_json_t *object, const char *name, apr_time_t time, apr_pool_t *pool)
{
    up_json_set_string(object, name, up_time_format(time, pool));
}

/* 64-bit numbers are strings, as in protobuf's JSON mapping. */
static void
set_counter(up_json_t *object,
            const char *name,
            apr_uint64_t value,
            apr_pool_t *pool)
{
    up_json_set_string(object, name,
                       apr_psprintf(pool, "%" APR_UINT64_T_FMT, value));
}

static void
write_org(up_json_t *object, const up_item_t *item, apr_pool_t *pool)
{
    const up_org_t *org = &item->as.org;

    (void)pool;
    up_json_set_string(object, "id", org->id);
    if (*org->name)
        up_json_set_string(object, "name", org->name);
}

static void
write_user(up_json_t *object, const up_item_t *item, apr_pool_t *pool)
{
    const up_user_t *user = &item->as.user;
    int human = user->type == UP_HUMAN;

    up_json_set_string(object, "id", user->id);
    up_json_set_string(object, "orgId", user->org);
    up_json_set_string(object, "type", human ? "human" : "machine");
    up_json_set_string(object, "state", up_state_name(user->state));
    set_counter(object, "sequence", user->sequence, pool);
    set_time(object, "creationDate", user->created, pool);
    set_time(object, "changeDate", user->changed, pool);
    if (human) {
        unsigned given = up_profile_diff(user->profile, up_profile_make(pool));
        up_json_set(object, "profile",
                    up_profile_json_write(user->profile, given, pool));
    }
}

static void
write_member(up_json_t *object, const up_item_t *item, apr_pool_t *pool)
{
    const up_member_t *member = &item->as.member;
    up_json_t *roles = up_json_array(pool);

    for (int i = 0; i < member->roles->nelts; i++)
        up_json_add_string(roles,
                           APR_ARRAY_IDX(member->roles, i, const char *));
    if (*member->org)
        up_json_set_string(object, "orgId", member->org);
    up_json_set_string(object, "userId", member->user);
    up_json_set(object, "roles", roles);
}

static void
write_token(up_json_t *object, const up_item_t *item, apr_pool_t *pool)
{
    const up_token_t *token = &item->as.token;

    up_json_set_string(object, "userId", token->user);
    up_json_set_string(
        object, "sha256",
        apr_pescape_hex(pool, token->sha256, sizeof(token->sha256), 0));
    set_time(object, "creationDate", token->created, pool);
    if (token->expires)
        set_time(object, "expires", token->expires, pool);
}

static void
write_event(up_json_t *object, const up_item_t *item, apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;
    up_json_t *fields = up_json_array(pool);

    for (int i = 0; i < UP_FIELDS; i++) {
        if (event->fields & 1u << i)
            up_json_add_string(fields, up_field_info((up_field_t)i)->json);
    }
    set_counter(object, "number", event->number, pool);
    up_json_set_string(object, "type", up_event_type_name(event->type));
    set_time(object, "time", event->time, pool);
    up_json_set_string(object, "orgId", event->org);
    up_json_set_string(object, "userId", event->user);
    if (*event->author)
        up_json_set_string(object, "by", event->author);
    set_counter(object, "sequence", event->sequence, pool);
    if (event->fields)
        up_json_set(object, "fields", fields);
    if (event->before)
        up_json_set(object, "before",
                    up_profile_json_write(event->before, event->fields, pool));
    if (event->after)
        up_json_set(object, "after",
                    up_profile_json_write(event->after, event->fields, pool));
}

static const struct {
    const char *name;
    void (*write)(up_json_t *object, const up_item_t *item, apr_pool_t *pool);
} kinds[UP_KINDS] = {
    [UP_KIND_ORG] = {"org", write_org},
    [UP_KIND_USER] = {"user", write_user},
    [UP_KIND_MEMBER] = {"member", write_member},
    [UP_KIND_TOKEN] = {"token", write_token},
    [UP_KIND_EVENT] = {"event", write_event},
};

void
up_item_json_encode(const char **line,
                    apr_size_t *length,
                    const up_item_t *item,
                    apr_pool_t *pool)
{
    up_json_t *object = up_json_object(pool), *inner = up_json_object(pool);

    kinds[item->kind].write(inner, item, pool);
    up_json_set(object, kinds[item->kind].name, inner);
    up_json_print(line, length, object, pool);
}
