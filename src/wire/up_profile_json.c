/* up_profile_json.c -- requests and replies of the two calls as JSON. */
#include "wire/up_profile_json.h"
#include "core/up_time.h"

#include <limits.h>
#include <string.h>

/* Set *VALUE to the member of OBJECT with either name, to NULL if it is absent
 * or null. */
static up_error_t *
find(const up_json_t **value,
     const up_json_t *object,
     const char *json_name,
     const char *proto_name,
     apr_pool_t *pool)
{
    const up_json_t *camel = up_json_member(object, json_name), *snake = NULL;

    if (strcmp(json_name, proto_name) != 0)
        snake = up_json_member(object, proto_name);
    if (camel && snake)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "%s occurs twice, once as %s", json_name, proto_name);

    *value = camel ? camel : snake;
    if (*value && up_json_type(*value) == UP_JSON_NULL)
        *value = NULL;
    return NULL;
}

/* Set *TEXT to the member of OBJECT with either name, "" if it is absent. */
static up_error_t *
read_text(const char **text,
          const up_json_t *object,
          const char *json_name,
          const char *proto_name,
          apr_pool_t *pool)
{
    const up_json_t *value;

    *text = "";
    UP_ERR(find(&value, object, json_name, proto_name, pool));
    if (!value)
        return NULL;
    if (up_json_type(value) != UP_JSON_STRING)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "%s must be a string", json_name);
    *text = up_json_string(value, pool);
    return NULL;
}

static up_error_t *
read_gender(int *gender, const up_json_t *object, apr_pool_t *pool)
{
    const up_field_info_t *info = up_field_info(UP_GENDER);
    const up_json_t *value;
    double number = 0;

    UP_ERR(find(&value, object, info->json, info->proto, pool));
    if (value && up_json_type(value) == UP_JSON_STRING) {
        *gender = up_gender_by_name(up_json_string(value, pool));
        return NULL;
    }
    if (value) {
        number = up_json_number(value);
        if (up_json_type(value) != UP_JSON_NUMBER || number < INT_MIN ||
            number > INT_MAX || number != (int)number)
            return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                            "gender must be a name or a 32-bit integer");
    }
    *gender = (int)number;
    return NULL;
}

up_error_t *
up_profile_json_read(up_profile_t **profile,
                     const up_json_t *object,
                     apr_pool_t *pool)
{
    up_profile_t *read = up_profile_make(pool);

    for (int i = 0; i < UP_FIELDS; i++) {
        const up_field_info_t *info = up_field_info((up_field_t)i);
        if (info->kind == UP_FIELD_GENDER)
            continue;
        UP_ERR(
            read_text(&read->text[i], object, info->json, info->proto, pool));
    }
    UP_ERR(read_gender(&read->gender, object, pool));
    *profile = read;
    return NULL;
}

up_error_t *
up_profile_json_decode(const up_profile_t **profile,
                       const char *text,
                       apr_size_t length,
                       apr_pool_t *pool)
{
    const char *overridden;
    up_profile_t *read;
    up_json_t *request;

    UP_ERR(up_json_parse(&request, text, length, pool));
    UP_ERR(read_text(&overridden, request, "userId", "user_id", pool));
    UP_ERR(up_profile_json_read(&read, request, pool));
    *profile = read;
    return NULL;
}

void
up_profile_json_write(up_json_writer_t *writer,
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

void
up_profile_json_encode(const char **text,
                       apr_size_t *length,
                       const up_user_t *user,
                       int with_profile,
                       apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);

    up_json_begin_object(writer, NULL);
    up_json_begin_object(writer, "details");
    up_json_write_counter(writer, "sequence", user->sequence);
    up_json_write_string(writer, "creationDate",
                         up_time_format(user->created, pool));
    up_json_write_string(writer, "changeDate",
                         up_time_format(user->changed, pool));
    up_json_write_string(writer, "resourceOwner", user->org);
    up_json_end_object(writer);
    if (with_profile)
        up_profile_json_write(
            writer, "profile", user->profile,
            up_profile_diff(user->profile, up_profile_make(pool)) |
                UP_FIELD_BIT(UP_PREFERRED_LANGUAGE));
    up_json_end_object(writer);
    up_json_writer_text(text, length, writer);
}
