/* up_item_json_decode.c -- what a store holds, read from one line of JSON. */
#include "wire/up_item_json.h"
#include "core/up_time.h"
#include "wire/up_json.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A JSON number, a double, may above this be another one than was written. */
#define EXACT_NUMBER_MAX 9007199254740991.0

/* The object that is being read, and what its errors call it. */
typedef struct source_t {
    const char *name;
    const up_json_t *object;
    apr_time_t now;
    up_given_t *given; /* set, not read, as the next one */
    const char **token_text;
    apr_pool_t *pool;
} source_t;

#define refuse(source, ...)                                                    \
    up_error((source)->pool, UP_BODY_INVALID, APR_SUCCESS, __VA_ARGS__)

/* Set *TEXT to the member NAME, or to DEFAULT_TEXT if it is absent; NULL says
 * that it may not be. */
static up_error_t *
read_text(const char **text,
          const source_t *source,
          const char *name,
          const char *default_text)
{
    const up_json_t *value = up_json_member(source->object, name);

    if (!value && !default_text)
        return refuse(source, "%s has no %s", source->name, name);
    if (value && up_json_type(value) != UP_JSON_STRING)
        return refuse(source, "%s of %s must be a string", name, source->name);
    *text = value ? up_json_string(value) : default_text;
    return NULL;
}

/* Set *TIME to the member NAME, or to DEFAULT_TIME if it is absent. */
static up_error_t *
read_time(apr_time_t *time,
          const source_t *source,
          const char *name,
          apr_time_t default_time)
{
    const char *text;

    UP_ERR(read_text(&text, source, name, ""));
    if (!up_json_member(source->object, name))
        *time = default_time;
    else if (!up_time_parse(time, text))
        return refuse(source,
                      "%s of %s must be a time like 2026-01-01T00:00:00Z", name,
                      source->name);
    return NULL;
}

/* Set *TIME to the member NAME of a token, or to 0 if it is absent: no time
 * that is there may read as that. */
static up_error_t *
read_later_time(apr_time_t *time, const source_t *source, const char *name)
{
    UP_ERR(read_time(time, source, name, 0));
    if (*time <= 0 && up_json_member(source->object, name))
        return refuse(source, "%s of token must be after 1970 began", name);
    return NULL;
}

/* Set *NUMBER to TEXT; returns 0 if it is no decimal number from 1 to MOST. */
static int
is_counter(apr_uint64_t *number, const char *text, apr_uint64_t most)
{
    if (!*text || text[strspn(text, "0123456789")])
        return 0;
    *number = strtoull(text, NULL, 10); /* too large a one becomes 2^64-1 */
    return *number >= 1 && *number <= most;
}

/* Set *NUMBER to the member NAME, from 1 to MOST, or to DEFAULT_NUMBER if it is
 * absent. */
static up_error_t *
read_counter(apr_uint64_t *counter,
             const source_t *source,
             const char *name,
             apr_uint64_t most,
             apr_uint64_t default_number)
{
    const up_json_t *value = up_json_member(source->object, name);
    double number = 0;

    *counter = default_number;
    if (!value)
        return NULL;
    if (up_json_type(value) == UP_JSON_STRING &&
        is_counter(counter, up_json_string(value), most))
        return NULL;
    if (up_json_type(value) == UP_JSON_NUMBER)
        number = up_json_number(value);
    if (number >= 1 && number <= EXACT_NUMBER_MAX) {
        *counter = (apr_uint64_t)number;
        if (number == (double)*counter)
            return NULL;
    }
    return refuse(source,
                  "%s of %s must be a string of digits, from 1 to "
                  "%" APR_UINT64_T_FMT,
                  name, source->name, most);
}

static up_error_t *
read_org(up_item_t *item, const source_t *source)
{
    UP_ERR(read_text(&item->as.org.id, source, "id", NULL));
    return read_text(&item->as.org.name, source, "name", "");
}

static up_error_t *
read_type(up_user_type_t *type, const source_t *source)
{
    const char *name;

    UP_ERR(read_text(&name, source, "type", NULL));
    *type = strcmp(name, "human") ? UP_MACHINE : UP_HUMAN;
    if (*type == UP_MACHINE && strcmp(name, "machine") != 0)
        return refuse(source, "type of user must be human or machine");
    return NULL;
}

static up_error_t *
read_state(up_state_t *state, const source_t *source)
{
    const char *name;

    UP_ERR(read_text(&name, source, "state", up_state_name(UP_ACTIVE)));
    if (!up_state_by_name(state, name))
        return refuse(source, "state of user must be active, inactive, locked, "
                              "initial or removed");
    return NULL;
}

/* The members of OBJECT, which the errors call NAME, are all in KNOWN. */
static up_error_t *
check_members(const char *name,
              const up_json_t *object,
              const char *const *known,
              apr_pool_t *pool)
{
    const char *unknown = up_json_unknown_member(object, known);

    if (unknown)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "%s has an unknown member, '%s'", name, unknown);
    return NULL;
}

/* Set FIELD of PROFILE from VALUE. */
static up_error_t *
read_field(up_profile_t *profile,
           up_field_t field,
           const up_json_t *value,
           const source_t *source)
{
    const up_field_info_t *info = up_field_info(field);
    int is_gender = info->kind == UP_FIELD_GENDER;
    up_json_type_t type = up_json_type(value);
    double number = type == UP_JSON_NUMBER ? up_json_number(value) : 0;

    if (type == UP_JSON_STRING && !is_gender)
        profile->text[field] = up_json_string(value);
    else if (type == UP_JSON_STRING)
        profile->gender = up_gender_by_name(up_json_string(value));
    else if (!is_gender)
        return refuse(source, "%s must be a string", info->json);
    else if (type != UP_JSON_NUMBER || number < INT_MIN || number > INT_MAX ||
             number != (int)number)
        return refuse(source, "%s must be a name or a 32-bit integer",
                      info->json);
    else
        profile->gender = (int)number;
    return NULL;
}

/* Set *PROFILE to the member NAME, and *FIELDS to those that it has. */
static up_error_t *
read_profile(const up_profile_t **profile,
             unsigned *fields,
             const source_t *source,
             const char *name)
{
    const up_json_t *object = up_json_member(source->object, name);
    const char *known[UP_FIELDS + 1] = {NULL};
    up_profile_t *read = up_profile_make(source->pool);

    if (up_json_type(object) != UP_JSON_OBJECT)
        return refuse(source, "%s of %s must be an object", name, source->name);
    for (int i = 0; i < UP_FIELDS; i++)
        known[i] = up_field_info((up_field_t)i)->json;
    UP_ERR(check_members(name, object, known, source->pool));
    *fields = 0;
    for (int i = 0; i < UP_FIELDS; i++) {
        const up_json_t *value = up_json_member(object, known[i]);
        if (!value || up_json_type(value) == UP_JSON_NULL)
            continue;
        UP_ERR(read_field(read, (up_field_t)i, value, source));
        *fields |= UP_FIELD_BIT(i);
    }
    *profile = read;
    return NULL;
}

/* Set the dates of a new item; CHANGED may be NULL. */
static up_error_t *
read_dates(apr_time_t *created, apr_time_t *changed, const source_t *source)
{
    const up_json_t *object = source->object;

    source->given->created = up_json_member(object, "creationDate") != NULL;
    source->given->changed = up_json_member(object, "changeDate") != NULL;
    UP_ERR(read_time(created, source, "creationDate", source->now));
    return changed ? read_time(changed, source, "changeDate", source->now)
                   : NULL;
}

static up_error_t *
read_user(up_item_t *item, const source_t *source)
{
    up_user_t *user = &item->as.user;

    UP_ERR(read_text(&user->id, source, "id", NULL));
    UP_ERR(read_text(&user->org, source, "orgId", NULL));
    UP_ERR(read_type(&user->type, source));
    UP_ERR(read_state(&user->state, source));
    UP_ERR(
        read_counter(&user->sequence, source, "sequence", UP_SEQUENCE_MAX, 1));
    UP_ERR(read_dates(&user->created, &user->changed, source));
    int has_profile = up_json_member(source->object, "profile") != NULL;
    if (user->type == UP_HUMAN && !has_profile)
        return refuse(source, "human user has no profile");
    if (user->type == UP_MACHINE && has_profile)
        return refuse(source, "machine user has a profile");
    return has_profile ? read_profile(&user->profile, &source->given->fields,
                                      source, "profile")
                       : NULL;
}

/* An orgId that is there but empty is refused: it must not make an instance's
 * membership of what was meant for an organisation. */
static up_error_t *
read_member(up_item_t *item, const source_t *source)
{
    up_member_t *member = &item->as.member;
    const up_json_t *roles = up_json_member(source->object, "roles");

    UP_ERR(read_text(&member->user, source, "userId", NULL));
    UP_ERR(read_text(&member->org, source, "orgId", ""));
    if (!*member->org && up_json_member(source->object, "orgId"))
        return refuse(source, "orgId of member is empty");
    if (!roles || up_json_type(roles) != UP_JSON_ARRAY || !up_json_count(roles))
        return refuse(source, "roles of member must be an array of names, one "
                              "at least");

    apr_array_header_t *names = apr_array_make(
        source->pool, (int)up_json_count(roles), sizeof(const char *));
    for (apr_size_t i = 0; i < up_json_count(roles); i++) {
        const up_json_t *role = up_json_element(roles, i);
        if (up_json_type(role) != UP_JSON_STRING)
            return refuse(source, "a role of member must be a string");
        APR_ARRAY_PUSH(names, const char *) = up_json_string(role);
    }
    member->roles = names;
    return NULL;
}

/* The text, or the hash of it: one of the two. */
static up_error_t *
read_secret(up_token_t *token, const source_t *source)
{
    const char *hex;
    int has_text = up_json_member(source->object, "token") != NULL;
    int has_hash = up_json_member(source->object, "sha256") != NULL;

    if (has_text == has_hash)
        return refuse(source, "token must have one of token and sha256");
    if (has_text)
        return read_text(source->token_text, source, "token", NULL);

    UP_ERR(read_text(&hex, source, "sha256", NULL));
    if (strlen(hex) != 2 * UP_SHA256_BYTES ||
        apr_unescape_hex(token->sha256, hex, APR_ESCAPE_STRING, 0, NULL))
        return refuse(source, "sha256 of token must be 64 hex digits");
    return NULL;
}

static up_error_t *
read_token(up_item_t *item, const source_t *source)
{
    up_token_t *token = &item->as.token;

    UP_ERR(read_text(&token->user, source, "userId", NULL));
    UP_ERR(read_secret(token, source));
    UP_ERR(read_dates(&token->created, NULL, source));
    UP_ERR(read_later_time(&token->expires, source, "expires"));
    UP_ERR(read_later_time(&token->revoked, source, "revoked"));
    if (token->revoked && token->expires)
        return refuse(source, "token has both expires and revoked");
    return NULL;
}

/* Set *FIELDS to those that the event has changed. */
static up_error_t *
read_changed(unsigned *fields, const source_t *source)
{
    const up_json_t *names = up_json_member(source->object, "fields");
    apr_size_t count = 0;

    *fields = 0;
    if (names && up_json_type(names) != UP_JSON_ARRAY)
        return refuse(source, "fields of event must be an array of names");
    if (names)
        count = up_json_count(names);
    for (apr_size_t i = 0; i < count; i++) {
        const up_json_t *name = up_json_element(names, i);
        int field = 0;
        if (up_json_type(name) != UP_JSON_STRING)
            return refuse(source, "fields of event must be an array of names");
        while (field < UP_FIELDS &&
               strcmp(up_field_info((up_field_t)field)->json,
                      up_json_string(name)) != 0)
            field++;
        if (field == UP_FIELDS)
            return refuse(source, "fields of event has '%s', which is none",
                          up_json_string(name));
        *fields |= UP_FIELD_BIT(field);
    }
    return NULL;
}

/* Set *PROFILE to the values of FIELDS that the event has as NAME, or to NULL
 * if it has none. */
static up_error_t *
read_values(const up_profile_t **profile,
            const source_t *source,
            const char *name,
            unsigned fields)
{
    unsigned read;

    if (!up_json_member(source->object, name))
        return NULL;
    UP_ERR(read_profile(profile, &read, source, name));
    if (!fields || read != fields)
        return refuse(source, "%s of event must have just what fields names",
                      name);
    return NULL;
}

static up_error_t *
read_event(up_item_t *item, const source_t *source)
{
    up_event_t *event = &item->as.event;
    const char *type;

    UP_ERR(
        read_counter(&event->number, source, "number", UP_EVENT_NUMBER_MAX, 0));
    if (!event->number)
        return refuse(source, "event has no number");
    UP_ERR(read_text(&type, source, "type", NULL));
    if (!up_event_type_by_name(&event->type, type))
        return refuse(source, "event has the unknown type '%s'", type);
    if (!up_json_member(source->object, "time"))
        return refuse(source, "event has no time");
    UP_ERR(read_time(&event->time, source, "time", 0));
    UP_ERR(read_text(&event->org, source, "orgId", ""));
    UP_ERR(read_text(&event->user, source, "userId", ""));
    UP_ERR(read_text(&event->author, source, "by", ""));
    UP_ERR(
        read_counter(&event->sequence, source, "sequence", UP_SEQUENCE_MAX, 0));
    UP_ERR(read_changed(&event->fields, source));
    UP_ERR(read_values(&event->before, source, "before", event->fields));
    UP_ERR(read_values(&event->after, source, "after", event->fields));
    return read_text(&event->detail, source, "detail", "");
}

static const struct {
    const char *name;
    up_kind_t kind;
    const char *members[12];
    up_error_t *(*read)(up_item_t *item, const source_t *source);
} kinds[] = {
    {"org", UP_KIND_ORG, {"id", "name"}, read_org},
    {"user",
     UP_KIND_USER,
     {"id", "orgId", "type", "state", "sequence", "creationDate", "changeDate",
      "profile"},
     read_user},
    {"member", UP_KIND_MEMBER, {"orgId", "userId", "roles"}, read_member},
    {"token",
     UP_KIND_TOKEN,
     {"userId", "token", "sha256", "creationDate", "expires", "revoked"},
     read_token},
    {"event",
     UP_KIND_EVENT,
     {"number", "type", "time", "orgId", "userId", "by", "sequence", "fields",
      "before", "after", "detail"},
     read_event},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

up_error_t *
up_item_json_decode(up_item_t **item,
                    up_given_t *given,
                    const char **token_text,
                    const char *line,
                    apr_size_t length,
                    apr_time_t now,
                    apr_pool_t *pool)
{
    apr_size_t kind = 0;
    up_json_t *object;

    UP_ERR(up_json_parse(&object, line, length, pool));
    while (kind < KINDS && !up_json_member(object, kinds[kind].name))
        kind++;
    if (kind == KINDS)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "the line is no org, user, member, token or event");

    const char *name = kinds[kind].name, *const only[] = {name, NULL};
    source_t source = {
        name, up_json_member(object, name), now, given, token_text, pool};
    UP_ERR(check_members("line", object, only, pool));
    if (up_json_type(source.object) != UP_JSON_OBJECT)
        return refuse(&source, "%s must be an object", name);
    UP_ERR(check_members(name, source.object, kinds[kind].members, pool));

    *item = apr_pcalloc(pool, sizeof(**item));
    (*item)->kind = kinds[kind].kind;
    *given = (up_given_t){0};
    *token_text = NULL;
    return kinds[kind].read(*item, &source);
}
