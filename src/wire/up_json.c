/* up_json.c -- JSON text to and from values; the one file with jansson. */
#include "wire/up_json.h"

#include <apr_strings.h>
#include <jansson.h>
#include <string.h>

/* Numbers are doubles, because jansson refuses integers beyond 64 bits, which
 * unknown members may have. */
#define DECODE_FLAGS                                                           \
    (JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY)

/* An up_json_t is a json_t; the outermost is freed with its pool. */
static json_t *
raw(const up_json_t *value)
{
    return (json_t *)value;
}

static apr_status_t
release(void *value)
{
    json_decref(value);
    return APR_SUCCESS;
}

void
up_json_init(void)
{
    json_object_seed(0);
}

/* jansson's own text quotes what it read, so it is not used. */
static const char *
sentence(enum json_error_code code)
{
    static const char *const sentences[] = {
        [json_error_stack_overflow] = "the JSON is nested too deeply",
        [json_error_invalid_utf8] = "the text is not UTF-8",
        [json_error_premature_end_of_input] = "the JSON ends too early",
        [json_error_end_of_input_expected] =
            "there is more text after the JSON object",
        [json_error_null_character] = "a string holds a NUL character",
        [json_error_null_byte_in_key] = "a string holds a NUL character",
        [json_error_duplicate_key] = "a member occurs twice in one object",
        [json_error_numeric_overflow] = "a number is too large",
    };
    const char *found = NULL;

    if (code < sizeof(sentences) / sizeof(sentences[0]))
        found = sentences[code];
    return found ? found : "the text is not JSON";
}

static up_error_t *
parse_error(const json_error_t *error, apr_pool_t *pool)
{
    enum json_error_code code = json_error_code(error);

    if (code == json_error_unknown)
        return up_error(pool, UP_INTERNAL, APR_ENOMEM, "cannot read JSON");
    return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                    "%s (line %d, column %d)", sentence(code), error->line,
                    error->column);
}

/* jansson skips a NUL that ends a number or a word, so they are looked for
 * here. Columns count code points, as jansson's do. */
static up_error_t *
refuse_nul(const char *text, apr_size_t length, apr_pool_t *pool)
{
    const char *nul = memchr(text, '\0', length);
    int line = 1, column = 1;

    if (!nul)
        return NULL;
    for (; text < nul; text++) {
        int newline = *text == '\n';
        line += newline;
        column = newline ? 1 : column + ((*text & 0xc0) != 0x80);
    }
    return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                    "the text holds a NUL character (line %d, column %d)", line,
                    column);
}

static int
is_blank(const char *text, apr_size_t length)
{
    apr_size_t i = 0;

    while (i < length && (text[i] == ' ' || text[i] == '\t' ||
                          text[i] == '\n' || text[i] == '\r'))
        i++;
    return i == length;
}

up_error_t *
up_json_parse_value(up_json_t **value,
                    const char *text,
                    apr_size_t length,
                    apr_pool_t *pool)
{
    UP_ERR(refuse_nul(text, length, pool));

    json_error_t error = {0};
    json_t *parsed = json_loadb(text, length, DECODE_FLAGS, &error);
    if (!parsed)
        return parse_error(&error, pool);

    apr_pool_cleanup_register(pool, parsed, release, apr_pool_cleanup_null);
    *value = (up_json_t *)parsed;
    return NULL;
}

up_error_t *
up_json_parse(up_json_t **object,
              const char *text,
              apr_size_t length,
              apr_pool_t *pool)
{
    if (is_blank(text, length)) {
        text = "{}";
        length = 2;
    }
    UP_ERR(up_json_parse_value(object, text, length, pool));
    if (!json_is_object(raw(*object)))
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "the JSON is not an object");
    return NULL;
}

up_json_type_t
up_json_type(const up_json_t *value)
{
    static const up_json_type_t types[] = {
        [JSON_NULL] = UP_JSON_NULL,     [JSON_TRUE] = UP_JSON_BOOLEAN,
        [JSON_FALSE] = UP_JSON_BOOLEAN, [JSON_INTEGER] = UP_JSON_NUMBER,
        [JSON_REAL] = UP_JSON_NUMBER,   [JSON_STRING] = UP_JSON_STRING,
        [JSON_ARRAY] = UP_JSON_ARRAY,   [JSON_OBJECT] = UP_JSON_OBJECT,
    };

    return types[json_typeof(raw(value))];
}

const up_json_t *
up_json_member(const up_json_t *object, const char *name)
{
    return (const up_json_t *)json_object_get(raw(object), name);
}

const char *
up_json_unknown_member(const up_json_t *object,
                       const char *const *names,
                       apr_pool_t *pool)
{
    const char *name;
    json_t *value;

    json_object_foreach(raw(object), name, value)
    {
        const char *const *known = names;
        while (*known && strcmp(*known, name) != 0)
            known++;
        if (!*known)
            return apr_pstrdup(pool, name);
    }
    return NULL;
}

const apr_array_header_t *
up_json_names(const up_json_t *object, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(
        pool, (int)json_object_size(raw(object)), sizeof(const char *));
    const char *name;
    json_t *value;

    json_object_foreach(raw(object), name, value)
        APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(pool, name);
    return names;
}

const char *
up_json_string(const up_json_t *value, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, json_string_value(raw(value)),
                          json_string_length(raw(value)));
}

double
up_json_number(const up_json_t *value)
{
    return json_number_value(raw(value));
}

apr_size_t
up_json_count(const up_json_t *array)
{
    return json_array_size(raw(array));
}

const up_json_t *
up_json_element(const up_json_t *array, apr_size_t index)
{
    return (const up_json_t *)json_array_get(raw(array), index);
}
