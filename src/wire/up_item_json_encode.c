/* up_item_json_encode.c -- what a store holds, written as one line of JSON. */
#include "wire/up_item_json.h"
#include "core/up_time.h"
#include "wire/up_json_writer.h"

#include <apr_escape.h>

static void
write_time(up_json_writer_t *writer,
           const char *name,
           apr_time_t time,
           apr_pool_t *pool)
{
    up_json_write_string(writer, name, up_time_format(time, pool));
}

static void
write_org(up_json_writer_t *writer, const up_item_t *item, apr_pool_t *pool)
{
    const up_org_t *org = &item->as.org;

    (void)pool;
    up_json_write_string(writer, "id", org->id);
    if (*org->name)
        up_json_write_string(writer, "name", org->name);
}

/* Write an object, the member NAME, of those FIELDS of PROFILE, a valid one,
 * empty ones too. */
static void
write_profile(up_json_writer_t *writer,
              const char *name,
              const up_profile_t *profile,
              unsigned fields)
{
    up_json_begin_object(writer, name);
    for (int i = 0; i < UP_FIELDS; i++) {
        up_field_t field = (up_field_t)i;
        if (fields & UP_FIELD_BIT(i))
            up_json_write_string(writer, up_field_info(field)->json,
                                 up_profile_reading(profile, field));
    }
    up_json_end_object(writer);
}

static void
write_user(up_json_writer_t *writer, const up_item_t *item, apr_pool_t *pool)
{
    const up_user_t *user = &item->as.user;
    int human = user->type == UP_HUMAN;

    up_json_write_string(writer, "id", user->id);
    up_json_write_string(writer, "orgId", user->org);
    up_json_write_string(writer, "type", human ? "human" : "machine");
    up_json_write_string(writer, "state", up_state_name(user->state));
    up_json_write_counter(writer, "sequence", user->sequence);
    write_time(writer, "creationDate", user->created, pool);
    write_time(writer, "changeDate", user->changed, pool);
    if (!human)
        return;

    /* Without a display name, import would give the user one. */
    unsigned fields = up_profile_diff(user->profile, up_profile_make(pool)) |
                      UP_FIELD_BIT(UP_DISPLAY_NAME);
    write_profile(writer, "profile", user->profile, fields);
}

static void
write_member(up_json_writer_t *writer, const up_item_t *item, apr_pool_t *pool)
{
    const up_member_t *member = &item->as.member;

    (void)pool;
    if (*member->org)
        up_json_write_string(writer, "orgId", member->org);
    up_json_write_string(writer, "userId", member->user);
    up_json_begin_array(writer, "roles");
    for (int i = 0; i < member->roles->nelts; i++)
        up_json_write_string(writer, NULL,
                             APR_ARRAY_IDX(member->roles, i, const char *));
    up_json_end_array(writer);
}

static void
write_token(up_json_writer_t *writer, const up_item_t *item, apr_pool_t *pool)
{
    const up_token_t *token = &item->as.token;

    up_json_write_string(writer, "userId", token->user);
    up_json_write_string(
        writer, "sha256",
        apr_pescape_hex(pool, token->sha256, sizeof(token->sha256), 0));
    write_time(writer, "creationDate", token->created, pool);
    if (token->expires)
        write_time(writer, "expires", token->expires, pool);
    if (token->revoked)
        write_time(writer, "revoked", token->revoked, pool);
}

/* The names of the fields that EVENT changed. */
static void
write_fields(up_json_writer_t *writer, const up_event_t *event)
{
    up_json_begin_array(writer, "fields");
    for (int i = 0; i < UP_FIELDS; i++) {
        if (event->fields & UP_FIELD_BIT(i))
            up_json_write_string(writer, NULL,
                                 up_field_info((up_field_t)i)->json);
    }
    up_json_end_array(writer);
}

static void
write_event(up_json_writer_t *writer, const up_item_t *item, apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;

    up_json_write_counter(writer, "number", event->number);
    up_json_write_string(writer, "type", up_event_type_name(event->type));
    write_time(writer, "time", event->time, pool);
    if (*event->org)
        up_json_write_string(writer, "orgId", event->org);
    if (*event->user)
        up_json_write_string(writer, "userId", event->user);
    if (*event->author)
        up_json_write_string(writer, "by", event->author);
    if (event->sequence)
        up_json_write_counter(writer, "sequence", event->sequence);
    if (event->fields)
        write_fields(writer, event);
    if (event->before && event->fields)
        write_profile(writer, "before", event->before, event->fields);
    if (event->after && event->fields)
        write_profile(writer, "after", event->after, event->fields);
    if (*event->detail)
        up_json_write_string(writer, "detail", event->detail);
}

static const struct {
    const char *name;
    void (*write)(up_json_writer_t *writer,
                  const up_item_t *item,
                  apr_pool_t *pool);
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
    up_json_writer_t *writer = up_json_writer_make(pool);

    up_json_begin_object(writer, NULL);
    up_json_begin_object(writer, kinds[item->kind].name);
    kinds[item->kind].write(writer, item, pool);
    up_json_end_object(writer);
    up_json_end_object(writer);
    up_json_writer_text(line, length, writer);
}
