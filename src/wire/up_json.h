/*
 * up_json.h -- JSON text to values. Writing JSON is up_json_writer.h.
 *
 * A value, its strings and the names of its members live as long as the pool
 * that it was parsed in.
 */
#ifndef UP_JSON_H
#define UP_JSON_H

#include "core/up_error.h"

typedef struct up_json_t up_json_t;

typedef enum up_json_type_t {
    UP_JSON_NULL,
    UP_JSON_BOOLEAN,
    UP_JSON_NUMBER,
    UP_JSON_STRING,
    UP_JSON_ARRAY,
    UP_JSON_OBJECT
} up_json_type_t;

/* Must be called once, before threads start (the locale of numbers). */
void up_json_init(void);

/* Set *OBJECT to the one JSON object (RFC 8259) that the LENGTH bytes at TEXT
 * are; blank text is an empty object. BODY_INVALID says what is wrong, and the
 * line and column of the first character that cannot be right, without quoting
 * TEXT: anything else, data after it, duplicate members, invalid UTF-8, lone
 * surrogates, NUL, numbers beyond a double, nesting deeper than 2,048. */
UP_MUST_CHECK up_error_t *up_json_parse(up_json_t **object,
                                        const char *text,
                                        apr_size_t length,
                                        apr_pool_t *pool);

/* The same for any JSON value; blank text is none. */
UP_MUST_CHECK up_error_t *up_json_parse_value(up_json_t **value,
                                              const char *text,
                                              apr_size_t length,
                                              apr_pool_t *pool);

up_json_type_t up_json_type(const up_json_t *value);

/* The member NAME of OBJECT; NULL if it is absent. */
const up_json_t *up_json_member(const up_json_t *object, const char *name);

/* The name of a member of OBJECT that is none of NAMES (an array ended by
 * NULL), or NULL if there is none. For strict readers. */
const char *up_json_unknown_member(const up_json_t *object,
                                   const char *const *names);

/* The names of the members of OBJECT, sorted: an array of const char *, in
 * POOL. */
const apr_array_header_t *up_json_names(const up_json_t *object,
                                        apr_pool_t *pool);

/* What a value of the type that the name says holds. Beyond the last element,
 * NULL. */
const char *up_json_string(const up_json_t *value);
double up_json_number(const up_json_t *value);
apr_size_t up_json_count(const up_json_t *array);
const up_json_t *up_json_element(const up_json_t *array, apr_size_t index);

#endif
