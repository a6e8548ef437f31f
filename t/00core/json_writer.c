/* json_writer.c -- JSON text, to the byte. */
#include "tap.h"
#include "wire/up_json_writer.h"

#include <apr_strings.h>
#include <string.h>

static void
nesting(apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);
    const char *text;
    apr_size_t length;

    up_json_begin_object(writer, NULL);
    up_json_write_string(writer, "z", "[");
    up_json_write_string(writer, "y", "{");
    up_json_begin_array(writer, "m");
    up_json_write_string(writer, NULL, "");
    up_json_begin_object(writer, NULL);
    up_json_end_object(writer);
    up_json_begin_array(writer, NULL);
    up_json_end_array(writer);
    up_json_write_number(writer, NULL, 0);
    up_json_end_array(writer);
    up_json_begin_object(writer, "o");
    up_json_write_number(writer, "n", 1);
    up_json_end_object(writer);
    up_json_end_object(writer);
    up_json_writer_text(&text, &length, writer);
    is(text, "{\"z\":\"[\",\"y\":\"{\",\"m\":[\"\",{},[],0],\"o\":{\"n\":1}}",
       "commas and names, in the order of writing");
    is_number((long long)length, (long long)strlen(text), "its length");
}

static void
names(apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);
    const char *text;
    apr_size_t length;

    up_json_begin_object(writer, "first_name");
    up_json_write_number(writer, "address_2", 1);
    up_json_write_number(writer, "last_", 2);
    up_json_write_number(writer, "@type", 3);
    up_json_write_number(writer, "from_a_to_z", 4);
    up_json_end_object(writer);
    up_json_writer_text(&text, &length, writer);
    is(text,
       "\"firstName\":{\"address2\":1,\"last_\":2,\"@type\":3,"
       "\"fromAToZ\":4}",
       "names of members are in lowerCamel");
}

static const struct {
    const char *text, *written, *name;
} strings[] = {
    {"Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80/",
     "\"Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80/\"", "UTF-8 as it is"},
    {"\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"", "short escapes"},
    {"\x01\x1f\x7f", "\"\\u0001\\u001F\x7f\"", "other control characters"},
    {"\xff|\xc3|\xe2\x82|\xc3\xa9",
     "\"\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|\xc3\xa9\"",
     "bytes that are not UTF-8 become U+FFFD"},
    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "a surrogate is no character"},
    {"", "\"\"", "empty text"},
};

static void
escapes(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        up_json_writer_t *writer = up_json_writer_make(pool);
        const char *text;
        apr_size_t length;

        up_json_write_string(writer, NULL, strings[i].text);
        up_json_writer_text(&text, &length, writer);
        is(text, strings[i].written, "%s", strings[i].name);
    }
}

static void
numbers(apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);
    const char *text;
    apr_size_t length;

    up_json_begin_array(writer, NULL);
    up_json_write_number(writer, NULL, APR_INT64_MIN);
    up_json_write_number(writer, NULL, APR_INT64_MAX);
    up_json_write_counter(writer, NULL, 0);
    up_json_write_counter(writer, NULL, APR_UINT64_MAX);
    up_json_end_array(writer);
    up_json_writer_text(&text, &length, writer);
    is(text,
       "[-9223372036854775808,9223372036854775807,\"0\","
       "\"18446744073709551615\"]",
       "the ends of 64 bits");
}

/* What does not fit the buffer that a writer begins with. */
static void
sizes(apr_pool_t *pool)
{
    int whole = 0;

    for (int size = 0; size < 5000; size++) {
        up_json_writer_t *writer = up_json_writer_make(pool);
        char *value = apr_palloc(pool, (apr_size_t)size + 1);
        const char *text;
        apr_size_t length;

        memset(value, 'x', (size_t)size);
        value[size] = '\0';
        up_json_begin_object(writer, NULL);
        up_json_write_string(writer, "a", value);
        up_json_end_object(writer);
        up_json_writer_text(&text, &length, writer);
        whole +=
            !strcmp(text, apr_pstrcat(pool, "{\"a\":\"", value, "\"}", NULL)) &&
            length == strlen(text);
    }
    is_number(whole, 5000, "texts of any length are whole");
}

static void
test(apr_pool_t *pool)
{
    nesting(pool);
    names(pool);
    escapes(pool);
    numbers(pool);
    sizes(pool);
}

int
main(void)
{
    return run_test(test);
}
