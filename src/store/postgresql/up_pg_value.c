/* up_pg_value.c -- items as parameters of statements and as rows of results,
 * all of them in PostgreSQL's binary formats: numbers are big-endian, and times
 * count microseconds from the year 2000. */
#include "store/postgresql/up_pg.h"

#include <apr_strings.h>
#include <assert.h>
#include <string.h>

#define YEAR_2000 APR_TIME_C(946684800000000)

/* The type of what an array has, and the numbers that its bytes begin with: of
 * dimensions, whether there are nulls, the type, the length, the first index.
 */
#define TEXT_OID 25
#define ARRAY_HEAD 20

static void
write_bytes(unsigned char *to, apr_uint64_t number, int count)
{
    for (int i = count; i > 0; i--, number >>= 8)
        to[i - 1] = (unsigned char)number;
}

/* The signed number in the COUNT bytes at FROM. */
static apr_int64_t
read_bytes(const unsigned char *from, int count)
{
    apr_uint64_t number = count > 0 && from[0] & 0x80 ? APR_UINT64_MAX : 0;

    for (int i = 0; i < count; i++)
        number = number << 8 | from[i];
    return (apr_int64_t)number;
}

/*
 * Parameters.
 */

void
up_pg_add_bytes(pg_parameters_t *parameters, const void *bytes, int length)
{
    assert(parameters->count < UP_PG_PARAMETERS);
    parameters->value[parameters->count] = bytes;
    parameters->length[parameters->count++] = length;
}

void
up_pg_add_null(pg_parameters_t *parameters)
{
    up_pg_add_bytes(parameters, NULL, 0);
}

void
up_pg_add_text(pg_parameters_t *parameters, const char *text)
{
    up_pg_add_bytes(parameters, text, text ? (int)strlen(text) : 0);
}

void
up_pg_add_number(pg_parameters_t *parameters, apr_int64_t number)
{
    unsigned char *bytes = apr_palloc(parameters->pool, 8);

    write_bytes(bytes, (apr_uint64_t)number, 8);
    up_pg_add_bytes(parameters, bytes, 8);
}

void
up_pg_add_time(pg_parameters_t *parameters, apr_time_t time)
{
    up_pg_add_number(parameters, time - YEAR_2000);
}

void
up_pg_add_texts(pg_parameters_t *parameters, const apr_array_header_t *texts)
{
    apr_size_t size = ARRAY_HEAD;

    for (int i = 0; i < texts->nelts; i++)
        size += 4 + strlen(APR_ARRAY_IDX(texts, i, const char *));
    unsigned char *bytes = apr_palloc(parameters->pool, size), *next = bytes;
    const apr_uint64_t head[] = {1, 0, TEXT_OID, (apr_uint64_t)texts->nelts, 1};
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++, next += 4)
        write_bytes(next, head[i], 4);
    for (int i = 0; i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);
        apr_size_t length = strlen(text);
        write_bytes(next, length, 4);
        memcpy(next + 4, text, length);
        next += 4 + length;
    }
    up_pg_add_bytes(parameters, bytes, (int)size);
}

void
up_pg_add_profile(pg_parameters_t *parameters,
                  const up_profile_t *profile,
                  unsigned fields)
{
    for (int i = 0; i < UP_FIELDS; i++) {
        if (!profile || !(fields & UP_FIELD_BIT(i)))
            up_pg_add_null(parameters);
        else if (up_field_info((up_field_t)i)->kind == UP_FIELD_GENDER)
            up_pg_add_number(parameters, profile->gender);
        else
            up_pg_add_text(parameters, profile->text[i]);
    }
}

void
up_pg_add_user(pg_parameters_t *parameters, const up_user_t *user)
{
    up_pg_add_text(parameters, user->id);
    up_pg_add_text(parameters, user->org);
    up_pg_add_number(parameters, user->type);
    up_pg_add_number(parameters, user->state);
    up_pg_add_number(parameters, (apr_int64_t)user->sequence);
    up_pg_add_time(parameters, user->created);
    up_pg_add_time(parameters, user->changed);
    up_pg_add_profile(parameters, user->profile, UP_ALL_FIELDS);
}

/* The fields of PROFILE that an event about FIELDS has to keep: those, and what
 * else says anything. */
static unsigned
fields_to_keep(const up_profile_t *profile, unsigned fields)
{
    for (int i = 0; profile && i < UP_FIELDS; i++) {
        if (up_field_info((up_field_t)i)->kind == UP_FIELD_GENDER
                ? profile->gender != 0
                : *profile->text[i])
            fields |= UP_FIELD_BIT(i);
    }
    return fields;
}

void
up_pg_add_event(pg_parameters_t *parameters, const up_event_t *event)
{
    up_pg_add_number(parameters, event->type);
    up_pg_add_time(parameters, event->time);
    up_pg_add_text(parameters, event->org);
    up_pg_add_text(parameters, event->user);
    up_pg_add_text(parameters, event->author);
    up_pg_add_number(parameters, (apr_int64_t)event->sequence);
    up_pg_add_number(
        parameters,
        up_fields_to_stored(event->fields, up_field_table(), UP_FIELDS));
    up_pg_add_text(parameters, event->detail);
    up_pg_add_profile(parameters, event->before,
                      fields_to_keep(event->before, event->fields));
    up_pg_add_profile(parameters, event->after,
                      fields_to_keep(event->after, event->fields));
}

/* TIME, of which 0 is stored as a null. */
static void
add_time_or_null(pg_parameters_t *parameters, apr_time_t time)
{
    if (time)
        up_pg_add_time(parameters, time);
    else
        up_pg_add_null(parameters);
}

static void
add_token(pg_parameters_t *parameters, const up_token_t *token)
{
    up_pg_add_bytes(parameters, token->sha256, UP_SHA256_BYTES);
    up_pg_add_text(parameters, token->user);
    up_pg_add_time(parameters, token->created);
    add_time_or_null(parameters, token->expires);
    add_time_or_null(parameters, token->revoked);
}

void
up_pg_add_item(pg_parameters_t *parameters, const up_item_t *item)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        up_pg_add_text(parameters, item->as.org.id);
        up_pg_add_text(parameters, item->as.org.name);
        break;
    case UP_KIND_USER:
        up_pg_add_user(parameters, &item->as.user);
        break;
    case UP_KIND_MEMBER:
        up_pg_add_text(parameters, item->as.member.org);
        up_pg_add_text(parameters, item->as.member.user);
        up_pg_add_texts(parameters, item->as.member.roles);
        break;
    case UP_KIND_TOKEN:
        add_token(parameters, &item->as.token);
        break;
    case UP_KIND_EVENT:
        up_pg_add_event(parameters, &item->as.event);
        break;
    case UP_KINDS:
        break;
    }
}

/*
 * Rows.
 */

/* Set *BYTES and *LENGTH to the next column of ROW; returns 0 for a null. */
static int
next_column(const unsigned char **bytes, int *length, pg_row_t *row)
{
    int column = row->column++;

    *bytes = (const unsigned char *)PQgetvalue(row->result, row->row, column);
    *length = PQgetlength(row->result, row->row, column);
    return !PQgetisnull(row->result, row->row, column);
}

int
up_pg_is_null(const pg_row_t *row)
{
    return PQgetisnull(row->result, row->row, row->column);
}

void
up_pg_skip(pg_row_t *row, int columns)
{
    row->column += columns;
}

const char *
up_pg_get_text(pg_row_t *row)
{
    const unsigned char *bytes;
    int length;

    if (!next_column(&bytes, &length, row))
        return NULL;
    return apr_pstrmemdup(row->pool, (const char *)bytes, (apr_size_t)length);
}

/* The same where there must be text. */
static const char *
must_text(pg_row_t *row)
{
    const char *text = up_pg_get_text(row);

    row->is_spoilt |= !text;
    return text ? text : "";
}

apr_int64_t
up_pg_get_number(pg_row_t *row)
{
    const unsigned char *bytes;
    int length;

    if (!next_column(&bytes, &length, row) || length > 8) {
        row->is_spoilt = 1;
        return 0;
    }
    return read_bytes(bytes, length);
}

/* The same, of a number from 0 to BOUND - 1. */
static int
get_small_number(pg_row_t *row, int bound)
{
    apr_int64_t number = up_pg_get_number(row);

    if (number >= 0 && number < bound)
        return (int)number;
    row->is_spoilt = 1;
    return 0;
}

up_state_t
up_pg_get_state(pg_row_t *row)
{
    return (up_state_t)get_small_number(row, UP_STATES);
}

apr_time_t
up_pg_get_time(pg_row_t *row)
{
    return up_pg_get_number(row) + YEAR_2000;
}

/* Append the text at *NEXT, before END, to TEXTS; returns 0 if there is none.
 */
static int
get_element(apr_array_header_t *texts,
            const unsigned char **next,
            const unsigned char *end)
{
    if (end - *next < 4)
        return 0;
    apr_int64_t length = read_bytes(*next, 4); /* -1 for a null */
    *next += 4;
    if (length < 0 || length > end - *next)
        return 0;
    APR_ARRAY_PUSH(texts, const char *) =
        apr_pstrmemdup(texts->pool, (const char *)*next, (apr_size_t)length);
    *next += length;
    return 1;
}

const apr_array_header_t *
up_pg_get_texts(pg_row_t *row)
{
    const unsigned char *next, *end;
    int length;

    if (!next_column(&next, &length, row))
        return NULL;
    apr_array_header_t *texts =
        apr_array_make(row->pool, 2, sizeof(const char *));
    end = next + length;
    if (length < 4 || read_bytes(next, 4) == 0)
        return texts; /* no dimension: it is empty */
    apr_int64_t count = length < ARRAY_HEAD ? -1 : read_bytes(next + 12, 4);
    row->is_spoilt |= count < 0 || read_bytes(next, 4) != 1;
    next += ARRAY_HEAD;
    for (apr_int64_t i = 0; i < count && !row->is_spoilt; i++)
        row->is_spoilt |= !get_element(texts, &next, end);
    return texts;
}

/* The next columns as a profile; NULL if they are all nulls. */
static const up_profile_t *
get_profile(pg_row_t *row)
{
    up_profile_t *profile = up_profile_make(row->pool);
    int found = 0;

    for (int i = 0; i < UP_FIELDS; i++) {
        if (up_pg_is_null(row)) {
            up_pg_skip(row, 1);
            continue;
        }
        found = 1;
        if (up_field_info((up_field_t)i)->kind == UP_FIELD_GENDER)
            profile->gender = get_small_number(row, UP_GENDERS);
        else
            profile->text[i] = must_text(row);
    }
    return found ? profile : NULL;
}

static void
get_user(up_user_t *user, pg_row_t *row)
{
    user->id = must_text(row);
    user->org = must_text(row);
    user->type = (up_user_type_t)get_small_number(row, UP_MACHINE + 1);
    user->state = up_pg_get_state(row);
    user->sequence = (apr_uint64_t)up_pg_get_number(row);
    user->created = up_pg_get_time(row);
    user->changed = up_pg_get_time(row);
    user->profile = get_profile(row);
    row->is_spoilt |= (user->type == UP_HUMAN) != (user->profile != NULL);
}

/* The same; a null is 0. */
static apr_time_t
get_time_or_null(pg_row_t *row)
{
    if (!up_pg_is_null(row))
        return up_pg_get_time(row);
    up_pg_skip(row, 1);
    return 0;
}

static void
get_token(up_token_t *token, pg_row_t *row)
{
    const unsigned char *bytes;
    int length;

    if (next_column(&bytes, &length, row) && length == UP_SHA256_BYTES)
        memcpy(token->sha256, bytes, UP_SHA256_BYTES);
    else
        row->is_spoilt = 1;
    token->user = must_text(row);
    token->created = up_pg_get_time(row);
    token->expires = get_time_or_null(row);
    token->revoked = get_time_or_null(row);
}

static void
get_event(up_event_t *event, pg_row_t *row)
{
    event->number = (apr_uint64_t)up_pg_get_number(row);
    event->type = (up_event_type_t)get_small_number(row, UP_EVENT_TYPES);
    event->time = up_pg_get_time(row);
    event->org = must_text(row);
    event->user = must_text(row);
    event->author = must_text(row);
    event->sequence = (apr_uint64_t)up_pg_get_number(row);
    row->is_spoilt |=
        !up_fields_from_stored(&event->fields, (unsigned)up_pg_get_number(row),
                               up_field_table(), UP_FIELDS);
    event->detail = must_text(row);
    event->before = get_profile(row);
    event->after = get_profile(row);
}

/* What ITEM is called in an error. */
static const char *
name_of(const up_item_t *item, apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        return apr_psprintf(pool, "organisation '%s'", item->as.org.id);
    case UP_KIND_USER:
        return apr_psprintf(pool, "user '%s'", item->as.user.id);
    case UP_KIND_MEMBER:
        return apr_psprintf(pool, "membership of user '%s'",
                            item->as.member.user);
    case UP_KIND_TOKEN:
        return apr_psprintf(pool, "token of user '%s'", item->as.token.user);
    default:
        return apr_psprintf(pool, "event %" APR_UINT64_T_FMT,
                            item->as.event.number);
    }
}

up_error_t *
up_pg_get_item(const up_item_t **item, pg_row_t *row, up_kind_t kind)
{
    up_item_t *found = apr_pcalloc(row->pool, sizeof(*found));

    *item = NULL;
    if (up_pg_is_null(row))
        return NULL;
    found->kind = kind;
    switch (kind) {
    case UP_KIND_ORG:
        found->as.org.id = must_text(row);
        found->as.org.name = must_text(row);
        break;
    case UP_KIND_USER:
        get_user(&found->as.user, row);
        break;
    case UP_KIND_MEMBER:
        found->as.member.org = must_text(row);
        found->as.member.user = must_text(row);
        found->as.member.roles = up_pg_get_texts(row);
        row->is_spoilt |= !found->as.member.roles;
        break;
    case UP_KIND_TOKEN:
        get_token(&found->as.token, row);
        break;
    default:
        get_event(&found->as.event, row);
        break;
    }
    if (row->is_spoilt)
        return up_error(row->pool, UP_INTERNAL, APR_SUCCESS,
                        "the stored %s cannot be read",
                        name_of(found, row->pool));
    *item = found;
    return NULL;
}
