/* up_json_writer.c -- writing JSON text (RFC 8259), one value after the other.
 */
#include "wire/up_json_writer.h"
#include "core/up_utf8.h"

#include <string.h>

/* Answers are rarely longer. */
#define USUAL_SIZE 1024

/* The digits of 2^64 - 1, and a sign. */
#define NUMBER_SIZE 21

/* The longest that a byte can become: "\u001F". */
#define ESCAPE_SIZE 6

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct up_json_writer_t {
    apr_pool_t *pool;
    char *text;
    apr_size_t length, size;
};

up_json_writer_t *
up_json_writer_make(apr_pool_t *pool)
{
    up_json_writer_t *writer = apr_palloc(pool, sizeof(*writer));

    writer->pool = pool;
    writer->text = apr_palloc(pool, USUAL_SIZE);
    writer->length = 0;
    writer->size = USUAL_SIZE;
    return writer;
}

/* Make room for MORE bytes; returns where they go. */
static char *
room(up_json_writer_t *writer, apr_size_t more)
{
    if (more > writer->size - writer->length) {
        apr_size_t size = 2 * writer->size + more;
        char *text = apr_palloc(writer->pool, size);
        memcpy(text, writer->text, writer->length);
        writer->text = text;
        writer->size = size;
    }
    return writer->text + writer->length;
}

static void
put(up_json_writer_t *writer, const char *bytes, apr_size_t length)
{
    memcpy(room(writer, length), bytes, length);
    writer->length += length;
}

static void
put_char(up_json_writer_t *writer, char c)
{
    *room(writer, 1) = c;
    writer->length++;
}

/* What a value needs before it: a comma, unless it is the first of its object
 * or array, and its name in lowerCamel. */
static void
put_name(up_json_writer_t *writer, const char *name)
{
    char last = writer->length ? writer->text[writer->length - 1] : '[';

    if (last != '{' && last != '[')
        put_char(writer, ',');
    if (!name)
        return;
    char *at = room(writer, strlen(name) + 3), *begin = at, c;
    *at++ = '"';
    while ((c = *name++)) {
        if (c == '_' && *name) {
            c = *name++;
            c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        }
        *at++ = c;
    }
    *at++ = '"';
    *at++ = ':';
    writer->length += (apr_size_t)(at - begin);
}

void
up_json_begin_object(up_json_writer_t *writer, const char *name)
{
    put_name(writer, name);
    put_char(writer, '{');
}

void
up_json_end_object(up_json_writer_t *writer)
{
    put_char(writer, '}');
}

void
up_json_begin_array(up_json_writer_t *writer, const char *name)
{
    put_name(writer, name);
    put_char(writer, '[');
}

void
up_json_end_array(up_json_writer_t *writer)
{
    put_char(writer, ']');
}

static int
is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* Write one ASCII character that may not stand for itself. */
static void
put_escape(up_json_writer_t *writer, char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    static const char hex[] = "0123456789ABCDEF";
    const char *known = strchr(from, c);
    char escape[ESCAPE_SIZE] = {'\\', 'u', '0', '0'};

    if (known) {
        escape[1] = to[known - from];
        put(writer, escape, 2);
        return;
    }
    escape[4] = hex[(unsigned char)c >> 4];
    escape[5] = hex[c & 0xf];
    put(writer, escape, ESCAPE_SIZE);
}

/* Write what begins at TEXT and is not plain, LEFT bytes at most; returns how
 * many it took. */
static apr_size_t
put_special(up_json_writer_t *writer, const char *text, apr_size_t left)
{
    apr_uint32_t code_point;

    if (!((unsigned char)*text & 0x80)) {
        put_escape(writer, *text);
        return 1;
    }
    apr_size_t size = up_utf8_decode(&code_point, text, left);
    if (!size) {
        put(writer, REPLACEMENT, sizeof(REPLACEMENT) - 1);
        return 1;
    }
    put(writer, text, size);
    return size;
}

void
up_json_write_string(up_json_writer_t *writer,
                     const char *name,
                     const char *text)
{
    apr_size_t left = strlen(text);

    put_name(writer, name);
    put_char(writer, '"');
    while (left) {
        apr_size_t plain = 0;
        while (plain < left && is_plain((unsigned char)text[plain]))
            plain++;
        put(writer, text, plain);
        text += plain;
        left -= plain;
        if (left) {
            apr_size_t taken = put_special(writer, text, left);
            text += taken;
            left -= taken;
        }
    }
    put_char(writer, '"');
}

/* Write the digits of VALUE. */
static void
put_digits(up_json_writer_t *writer, apr_uint64_t value)
{
    char digits[NUMBER_SIZE], *first = digits + sizeof(digits);

    do {
        *--first = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put(writer, first, (apr_size_t)(digits + sizeof(digits) - first));
}

void
up_json_write_number(up_json_writer_t *writer,
                     const char *name,
                     apr_int64_t value)
{
    put_name(writer, name);
    if (value < 0)
        put_char(writer, '-');
    put_digits(writer,
               value < 0 ? 0 - (apr_uint64_t)value : (apr_uint64_t)value);
}

void
up_json_write_counter(up_json_writer_t *writer,
                      const char *name,
                      apr_uint64_t value)
{
    put_name(writer, name);
    put_char(writer, '"');
    put_digits(writer, value);
    put_char(writer, '"');
}

void
up_json_writer_text(const char **text,
                    apr_size_t *length,
                    up_json_writer_t *writer)
{
    *room(writer, 1) = '\0';
    *text = writer->text;
    *length = writer->length;
}
