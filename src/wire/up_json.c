/* up_json.c -- JSON text to values.
 *
 * The values are read by hand into APR's pools: a library with its own
 * allocator must report each failed allocation, and jansson does not (its lexer
 * drops the character that found no room). */
#include "wire/up_json.h"
#include "core/up_utf8.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Objects and arrays, one in another. */
#define MAX_DEPTH 2048

#define USUAL_COUNT 4 /* of elements or members */

struct up_json_t {
    up_json_type_t type;
    union {
        double number;
        const char *string;
        const apr_array_header_t *elements; /* of up_json_t */
        const apr_array_header_t *members;  /* of member_t, sorted by name */
    } as;
};

typedef struct member_t {
    const char *name; /* in the reader's copy, after its quotation mark */
    up_json_t value;
} member_t;

/* Strings are decoded in place in a copy of the text, which never makes them
 * longer. A NUL ends the copy; there is none before. */
typedef struct reader_t {
    const char *text; /* what was given: positions are counted in it */
    const char *copy;
    char *at; /* the next byte of the copy */
    int depth;
    apr_pool_t *pool;
} reader_t;

/* strtod() takes the decimal point from the thread's locale, which another
 * module may have set. */
static locale_t c_locale;

void
up_json_init(void)
{
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* BODY_INVALID: SENTENCE, and the line and the column, in code points, of the
 * byte of TEXT at OFFSET. */
static up_error_t *
refuse_at(const char *text,
          apr_size_t offset,
          const char *sentence,
          apr_pool_t *pool)
{
    int line = 1, column = 1;

    for (apr_size_t i = 0; i < offset; i++) {
        int newline = text[i] == '\n';
        line += newline;
        column = newline ? 1 : column + ((text[i] & 0xc0) != 0x80);
    }
    return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                    "%s (line %d, column %d)", sentence, line, column);
}

static up_error_t *
refuse(const reader_t *reader, const char *sentence)
{
    return refuse_at(reader->text, (apr_size_t)(reader->at - reader->copy),
                     sentence, reader->pool);
}

/* The next byte is not what JSON has there. */
static up_error_t *
unexpected(const reader_t *reader)
{
    return refuse(reader, *reader->at ? "the text is not JSON"
                                      : "the JSON ends too early");
}

/* The LENGTH bytes at TEXT are UTF-8 without NUL. */
static up_error_t *
check_text(const char *text, apr_size_t length, apr_pool_t *pool)
{
    apr_uint32_t code_point;
    apr_size_t size;

    for (apr_size_t i = 0; i < length; i += size) {
        if (!text[i])
            return refuse_at(text, i, "the text holds a NUL character", pool);
        size = 1;
        if (text[i] & 0x80) /* else it is ASCII, as most is */
            size = up_utf8_decode(&code_point, text + i, length - i);
        if (!size)
            return refuse_at(text, i, "the text is not UTF-8", pool);
    }
    return NULL;
}

static void
skip_blanks(reader_t *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' ||
           *reader->at == '\r')
        reader->at++;
}

static up_error_t *
read_word(reader_t *reader, const char *word)
{
    for (; *word; word++, reader->at++) {
        if (*reader->at != *word)
            return unexpected(reader);
    }
    return NULL;
}

/* Skip one digit or more. */
static up_error_t *
skip_digits(reader_t *reader)
{
    if (!apr_isdigit(*reader->at))
        return unexpected(reader);
    while (apr_isdigit(*reader->at))
        reader->at++;
    return NULL;
}

static up_error_t *
read_number(double *number, reader_t *reader)
{
    char *start = reader->at;

    reader->at += *reader->at == '-';
    if (*reader->at == '0')
        reader->at++; /* no digit may follow */
    else
        UP_ERR(skip_digits(reader));
    if (*reader->at == '.') {
        reader->at++;
        UP_ERR(skip_digits(reader));
    }
    if (*reader->at == 'e' || *reader->at == 'E') {
        reader->at++;
        reader->at += *reader->at == '+' || *reader->at == '-';
        UP_ERR(skip_digits(reader));
    }

    locale_t before = uselocale(c_locale);
    *number = strtod(start, NULL);
    uselocale(before);
    if (isinf(*number)) {
        reader->at = start;
        return refuse(reader, "a number is too large");
    }
    return NULL;
}

/* Set *UNIT to what the reader is at, \uXXXX, and go past it. */
static up_error_t *
read_unit(apr_uint32_t *unit, reader_t *reader)
{
    UP_ERR(read_word(reader, "\\u"));
    *unit = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        char c = *reader->at;
        if (!apr_isxdigit(c))
            return unexpected(reader);
        *unit = *unit << 4 |
                (apr_uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return NULL;
}

/* Set *CODE_POINT to what the reader is at, \uXXXX or a pair of surrogates, and
 * go past it. */
static up_error_t *
read_code_point(apr_uint32_t *code_point, reader_t *reader)
{
    char *start = reader->at;
    apr_uint32_t low;

    UP_ERR(read_unit(code_point, reader));
    if (!*code_point) {
        reader->at = start;
        return refuse(reader, "a string holds a NUL character");
    }
    if (*code_point < 0xd800 || *code_point > 0xdfff)
        return NULL;
    if (*code_point <= 0xdbff) {
        UP_ERR(read_unit(&low, reader));
        if (low >= 0xdc00 && low <= 0xdfff) {
            *code_point =
                0x10000 + ((*code_point - 0xd800) << 10) + (low - 0xdc00);
            return NULL;
        }
    }
    reader->at = start;
    return refuse(reader, "a surrogate stands alone");
}

/* Write CODE_POINT at TO as UTF-8; returns where it ends. */
static char *
put_utf8(char *to, apr_uint32_t code_point)
{
    static const unsigned char leads[] = {0x00, 0xc0, 0xe0, 0xf0};
    int more =
        (code_point > 0x7f) + (code_point > 0x7ff) + (code_point > 0xffff);

    *to++ = (char)(leads[more] | code_point >> 6 * more);
    while (more--)
        *to++ = (char)(0x80 | (code_point >> 6 * more & 0x3f));
    return to;
}

/* Decode the escape that the reader is at to *TO, and go past both. */
static up_error_t *
read_escape(char **to, reader_t *reader)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char c = reader->at[1];
    const char *known = c ? strchr(from, c) : NULL;
    apr_uint32_t code_point;

    if (c == 'u') {
        UP_ERR(read_code_point(&code_point, reader));
        *to = put_utf8(*to, code_point);
        return NULL;
    }
    reader->at++;
    if (!known)
        return unexpected(reader);
    reader->at++;
    *(*to)++ = into[known - from];
    return NULL;
}

static up_error_t *
read_string(const char **string, reader_t *reader)
{
    UP_ERR(read_word(reader, "\""));

    char *to = reader->at;
    *string = to;
    while (*reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20)
            return unexpected(reader);
        if (*reader->at == '\\')
            UP_ERR(read_escape(&to, reader));
        else
            *to++ = *reader->at++;
    }
    reader->at++;
    *to = '\0';
    return NULL;
}

static up_error_t *read_value(up_json_t *value, reader_t *reader);

/* Read what follows an element or member, the comma or CLOSING; sets *MORE to
 * whether it was the comma. */
static up_error_t *
read_end(int *more, reader_t *reader, char closing)
{
    skip_blanks(reader);
    *more = *reader->at == ',';
    if (!*more && *reader->at != closing)
        return unexpected(reader);
    reader->at++;
    return NULL;
}

/* Whether an array or object, which the reader has just entered, is empty; goes
 * past its CLOSING then. */
static int
is_empty(reader_t *reader, char closing)
{
    skip_blanks(reader);
    if (*reader->at != closing)
        return 0;
    reader->at++;
    return 1;
}

static up_error_t *
read_elements(up_json_t *array, reader_t *reader)
{
    apr_array_header_t *elements =
        apr_array_make(reader->pool, USUAL_COUNT, sizeof(up_json_t));
    int more = !is_empty(reader, ']');

    while (more) {
        up_json_t element;
        UP_ERR(read_value(&element, reader));
        APR_ARRAY_PUSH(elements, up_json_t) = element;
        UP_ERR(read_end(&more, reader, ']'));
    }
    array->as.elements = elements;
    return NULL;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(((const member_t *)a)->name, ((const member_t *)b)->name);
}

/* Sort MEMBERS. Sorted, not hashed: no choice of names makes that slow. */
static up_error_t *
sort_members(apr_array_header_t *members, reader_t *reader)
{
    qsort(members->elts, (size_t)members->nelts, sizeof(member_t),
          compare_names);
    for (int i = 1; i < members->nelts; i++) {
        const member_t *pair = &APR_ARRAY_IDX(members, i - 1, member_t);
        if (compare_names(&pair[0], &pair[1]) != 0)
            continue;
        apr_size_t first = (apr_size_t)(pair[0].name - reader->copy);
        apr_size_t second = (apr_size_t)(pair[1].name - reader->copy);
        return refuse_at(reader->text, (first > second ? first : second) - 1,
                         "a member occurs twice in one object", reader->pool);
    }
    return NULL;
}

static up_error_t *
read_members(up_json_t *object, reader_t *reader)
{
    apr_array_header_t *members =
        apr_array_make(reader->pool, USUAL_COUNT, sizeof(member_t));
    int more = !is_empty(reader, '}');

    while (more) {
        member_t member;
        skip_blanks(reader);
        UP_ERR(read_string(&member.name, reader));
        skip_blanks(reader);
        UP_ERR(read_word(reader, ":"));
        UP_ERR(read_value(&member.value, reader));
        APR_ARRAY_PUSH(members, member_t) = member;
        UP_ERR(read_end(&more, reader, '}'));
    }
    object->as.members = members;
    return sort_members(members, reader);
}

/* Read an array or object. */
static up_error_t *
read_nested(up_json_t *value, reader_t *reader)
{
    if (reader->depth == MAX_DEPTH)
        return refuse(reader, "the JSON is nested too deeply");
    reader->depth++;
    reader->at++;
    UP_ERR(value->type == UP_JSON_ARRAY ? read_elements(value, reader)
                                        : read_members(value, reader));
    reader->depth--;
    return NULL;
}

/* Read a value and the blanks before it. */
static up_error_t *
read_value(up_json_t *value, reader_t *reader)
{
    skip_blanks(reader);
    switch (*reader->at) {
    case '{':
        value->type = UP_JSON_OBJECT;
        return read_nested(value, reader);
    case '[':
        value->type = UP_JSON_ARRAY;
        return read_nested(value, reader);
    case '"':
        value->type = UP_JSON_STRING;
        return read_string(&value->as.string, reader);
    case 't':
        value->type = UP_JSON_BOOLEAN;
        return read_word(reader, "true");
    case 'f':
        value->type = UP_JSON_BOOLEAN;
        return read_word(reader, "false");
    case 'n':
        value->type = UP_JSON_NULL;
        return read_word(reader, "null");
    default:
        value->type = UP_JSON_NUMBER;
        return read_number(&value->as.number, reader);
    }
}

up_error_t *
up_json_parse_value(up_json_t **value,
                    const char *text,
                    apr_size_t length,
                    apr_pool_t *pool)
{
    UP_ERR(check_text(text, length, pool));

    char *copy = apr_pstrmemdup(pool, text, length);
    reader_t reader = {text, copy, copy, 0, pool};
    *value = apr_pcalloc(pool, sizeof(**value));
    UP_ERR(read_value(*value, &reader));
    skip_blanks(&reader);
    if (*reader.at)
        return refuse(&reader, "there is more text after the JSON value");
    return NULL;
}

static int
is_blank(const char *text, apr_size_t length)
{
    while (length && memchr(" \t\n\r", *text, 4)) {
        text++;
        length--;
    }
    return !length;
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
    if ((*object)->type != UP_JSON_OBJECT)
        return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                        "the JSON is not an object");
    return NULL;
}

up_json_type_t
up_json_type(const up_json_t *value)
{
    return value->type;
}

const up_json_t *
up_json_member(const up_json_t *object, const char *name)
{
    member_t key = {.name = name};

    if (object->type != UP_JSON_OBJECT || !object->as.members->nelts)
        return NULL;
    const member_t *found =
        bsearch(&key, object->as.members->elts,
                (size_t)object->as.members->nelts, sizeof(key), compare_names);
    return found ? &found->value : NULL;
}

const char *
up_json_unknown_member(const up_json_t *object, const char *const *names)
{
    const apr_array_header_t *members = object->as.members;

    for (int i = 0; i < members->nelts; i++) {
        const char *name = APR_ARRAY_IDX(members, i, member_t).name;
        const char *const *known = names;
        while (*known && strcmp(*known, name) != 0)
            known++;
        if (!*known)
            return name;
    }
    return NULL;
}

const apr_array_header_t *
up_json_names(const up_json_t *object, apr_pool_t *pool)
{
    const apr_array_header_t *members = object->as.members;
    apr_array_header_t *names =
        apr_array_make(pool, members->nelts, sizeof(const char *));

    for (int i = 0; i < members->nelts; i++)
        APR_ARRAY_PUSH(names, const char *) =
            APR_ARRAY_IDX(members, i, member_t).name;
    return names;
}

const char *
up_json_string(const up_json_t *value)
{
    return value->as.string;
}

double
up_json_number(const up_json_t *value)
{
    return value->as.number;
}

apr_size_t
up_json_count(const up_json_t *array)
{
    return (apr_size_t)array->as.elements->nelts;
}

const up_json_t *
up_json_element(const up_json_t *array, apr_size_t index)
{
    if (index >= up_json_count(array))
        return NULL;
    return &APR_ARRAY_IDX(array->as.elements, index, up_json_t);
}
