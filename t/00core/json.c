/* json.c -- JSON text to values. */
#include "tap.h"
#include "wire/up_json.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(text) text, sizeof(text) - 1

/* Accepted if MESSAGE is NULL. */
static const struct {
    const char *text;
    apr_size_t length;
    const char *message;
    const char *name;
} rows[] = {
    {BYTES("{}"), NULL, "an empty object"},
    {BYTES(""), NULL, "no text at all"},
    {BYTES(" \t\r\n"), NULL, "blanks alone"},
    {BYTES(" \n{ } \r\n\t"), NULL, "blanks around an object"},
    {BYTES("{\"a\":[1,{\"b\":null},true,false,\"x\"]}"), NULL, "all types"},
    {BYTES("{\"a\":\"\\u00e9\\ud83d\\ude00\\n\"}"), NULL, "escapes"},
    {BYTES("{\"a\":123456789012345678901234567890}"), NULL,
     "an integer of 30 digits"},
    {BYTES("{\"a\":-0.5e-3}"), NULL, "a number with all its parts"},
    {BYTES("{\"a\":{\"b\":1},\"c\":{\"b\":1}}"), NULL,
     "one name in two objects"},
    {BYTES("[]"), "the JSON is not an object", "an array"},
    {BYTES("\"x\""), "the JSON is not an object", "a string"},
    {BYTES("7"), "the JSON is not an object", "a number"},
    {BYTES("null"), "the JSON is not an object", "null"},
    {BYTES("{"), "the JSON ends too early (line 1, column 2)",
     "cut after the brace"},
    {BYTES("{\"a\""), "the JSON ends too early (line 1, column 5)",
     "cut after a name"},
    {BYTES("{\"a\":\"b"), "the JSON ends too early (line 1, column 8)",
     "cut in a string"},
    {BYTES("{\n\"a\":1,\n"), "the JSON ends too early (line 3, column 1)",
     "cut after a comma"},
    {BYTES("{} {}"),
     "there is more text after the JSON value (line 1, "
     "column 4)",
     "two objects"},
    {BYTES("{}x"),
     "there is more text after the JSON value (line 1, "
     "column 3)",
     "a letter after the object"},
    {BYTES("{\"a\":1,\"a\":2}"),
     "a member occurs twice in one object (line 1, column 8)",
     "a member twice"},
    {BYTES("{\"x\":[{\"a\":1,\"\\u0061\":1}]}"),
     "a member occurs twice in one object (line 1, column 14)",
     "a member twice, deeper and spelt with an escape"},
    {BYTES("{\"a\":\"\xff\"}"), "the text is not UTF-8 (line 1, column 7)",
     "a byte FF"},
    {BYTES("{\"a\":\"\xc0\x80\"}"), "the text is not UTF-8 (line 1, column 7)",
     "an overlong NUL"},
    {BYTES("{\"a\":\"\xed\xa0\x80\"}"),
     "the text is not UTF-8 (line 1, column 7)", "a surrogate in UTF-8"},
    {BYTES("{\"a\":\"\xe2\x82"), "the text is not UTF-8 (line 1, column 7)",
     "a character that is cut"},
    {BYTES("\xef\xbb\xbf{}"), "the text is not JSON (line 1, column 1)",
     "a byte order mark"},
    {BYTES("{\"a\":\"\\ud800\"}"), "the text is not JSON (line 1, column 13)",
     "a high surrogate alone"},
    {BYTES("{\"a\":\"\\udc00\"}"),
     "a surrogate stands alone (line 1, column 7)", "a low surrogate alone"},
    {BYTES("{\"a\":\"\\ud800\\u0061\"}"),
     "a surrogate stands alone (line 1, column 7)",
     "a high surrogate before a letter"},
    {BYTES("{\"a\":\"\\ud800\\ue000\"}"),
     "a surrogate stands alone (line 1, column 7)",
     "a high surrogate before a character beyond the low ones"},
    {BYTES("{\"\\udc00\":1}"), "a surrogate stands alone (line 1, column 3)",
     "a surrogate in a name"},
    {BYTES("{\"a\":\"\\u12g4\"}"), "the text is not JSON (line 1, column 11)",
     "a \\u with three digits"},
    {BYTES("{\"a\":\"\\u0000\"}"),
     "a string holds a NUL character (line 1, column 7)", "an escaped NUL"},
    {BYTES("{\"\\u0000\":1}"),
     "a string holds a NUL character (line 1, column 3)",
     "an escaped NUL in a name"},
    {BYTES("{\"a\":\"\0\"}"),
     "the text holds a NUL character (line 1, column 7)", "a NUL in a string"},
    {BYTES("{\"a\":1\0}"), "the text holds a NUL character (line 1, column 7)",
     "a NUL after a number"},
    {BYTES("{\"\xc3\xa9\":\ntrue\0}"),
     "the text holds a NUL character (line 2, column 5)",
     "a NUL after a word, in the second line"},
    {BYTES("{\"\xc3\xa9\":\0}"),
     "the text holds a NUL character (line 1, column 6)",
     "a NUL after a character of two bytes"},
    {BYTES("{}\0"), "the text holds a NUL character (line 1, column 3)",
     "a NUL after the object"},
    {BYTES("\0"), "the text holds a NUL character (line 1, column 1)",
     "a NUL alone"},
    {BYTES("{\"a\":1e400}"), "a number is too large (line 1, column 6)",
     "a number beyond a double"},
    {BYTES("{'a':1}"), "the text is not JSON (line 1, column 2)",
     "single quotes"},
    {BYTES("{\"a\":1,}"), "the text is not JSON (line 1, column 8)",
     "a comma at the end"},
    {BYTES("{\"a\" 1}"), "the text is not JSON (line 1, column 6)", "no colon"},
    {BYTES("{\"a\":01}"), "the text is not JSON (line 1, column 7)",
     "a zero in front"},
    {BYTES("{\"a\":+1}"), "the text is not JSON (line 1, column 6)",
     "a plus sign"},
    {BYTES("{\"a\":.5}"), "the text is not JSON (line 1, column 6)",
     "no digit before the point"},
    {BYTES("{\"a\":NaN}"), "the text is not JSON (line 1, column 6)", "NaN"},
    {BYTES("{\"a\":\"\n\"}"), "the text is not JSON (line 1, column 7)",
     "a newline in a string"},
    {BYTES("{\"a\":\"\\x41\"}"), "the text is not JSON (line 1, column 8)",
     "an escape that JSON has not"},
    {BYTES("{}//"),
     "there is more text after the JSON value (line 1, "
     "column 3)",
     "a comment"},
    {BYTES("firstName=Gigi"), "the text is not JSON (line 1, column 2)",
     "a form"},
};

static const char *
repeat(const char *text, int times, apr_pool_t *pool)
{
    apr_size_t length = strlen(text);
    char *all = apr_palloc(pool, length * (apr_size_t)times + 1);

    for (int i = 0; i < times; i++)
        memcpy(all + length * (apr_size_t)i, text, length);
    all[length * (apr_size_t)times] = '\0';
    return all;
}

/* What parsing TEXT says; NULL if it is accepted. */
static const char *
message_for(const char *text, apr_size_t length, apr_pool_t *pool)
{
    up_json_t *object;
    /* Outside the text, nothing may be read. */
    char *exact = malloc(length ? length : 1);

    memcpy(exact, text, length);
    up_error_t *err = up_json_parse(&object, exact, length, pool);
    free(exact);
    if (err && err->reason != UP_BODY_INVALID)
        return "another reason than BODY_INVALID";
    return err ? err->message : NULL;
}

static void
sizes(apr_pool_t *pool)
{
    static const struct {
        int levels;
        const char *message;
    } nested[] = {
        {100, NULL},
        {2047, NULL},
        {2048, "the JSON is nested too deeply (line 1, column 2053)"},
        {3000, "the JSON is nested too deeply (line 1, column 2053)"},
    };
    const char *text;

    for (unsigned i = 0; i < sizeof(nested) / sizeof(nested[0]); i++) {
        int arrays = nested[i].levels;
        text = apr_pstrcat(pool, "{\"a\":", repeat("[", arrays, pool),
                           repeat("]", arrays, pool), "}", NULL);
        is(message_for(text, strlen(text), pool), nested[i].message,
           "an object with %d arrays, one in another", arrays);
    }
    text = apr_pstrcat(pool, "{\"a\":[", repeat("[],{},", 3000, pool), "1]}",
                       NULL);
    is(message_for(text, strlen(text), pool), NULL,
       "6,000 arrays and objects beside one another");
    text = apr_pstrcat(pool, "{\"a\":", repeat("{\"a\":", 3000, pool), NULL);
    ok(message_for(text, strlen(text), pool) != NULL,
       "3,000 objects that never end");
    text = apr_pstrcat(pool, "{\"a\":", repeat("9", 300, pool), "}", NULL);
    ok(!message_for(text, strlen(text), pool), "an integer of 300 digits");
    text = apr_pstrcat(pool, "{\"a\":", repeat("9", 400, pool), "}", NULL);
    is(message_for(text, strlen(text), pool),
       "a number is too large (line 1, column 6)",
       "an integer beyond a double");
}

static void
reading(apr_pool_t *pool)
{
    static const char text[] = "{\"n\":null,\"b\":true,\"i\":3,\"r\":-2.5,"
                               "\"s\":\"Gr\\u00fc\xc3\x9f\",\"a\":[1,\"z\"],"
                               "\"o\":{\"x\":false}}";
    static const char *const names[] = {"n", "b", "i", "r", "s", "a", NULL};
    up_json_t *object = NULL;

    ok(!up_json_parse(&object, text, sizeof(text) - 1, pool), "it is parsed");
#define TYPE(name) up_json_type(up_json_member(object, name))
    is_number(up_json_type(object), UP_JSON_OBJECT, "the type of the object");
    is_number(TYPE("n"), UP_JSON_NULL, "the type of null");
    is_number(TYPE("b"), UP_JSON_BOOLEAN, "the type of true");
    is_number(TYPE("i"), UP_JSON_NUMBER, "the type of an integer");
    is_number(TYPE("r"), UP_JSON_NUMBER, "the type of a fraction");
    is_number(TYPE("s"), UP_JSON_STRING, "the type of a string");
    is_number(TYPE("a"), UP_JSON_ARRAY, "the type of an array");
    ok(up_json_number(up_json_member(object, "i")) == 3, "an integer");
    ok(up_json_number(up_json_member(object, "r")) == -2.5, "a fraction");
    is(up_json_string(up_json_member(object, "s")), "Gr\xc3\xbc\xc3\x9f",
       "a string, escaped and raw");
    ok(!up_json_member(object, "N"), "names are compared with case");
    ok(!up_json_member(up_json_member(object, "a"), "a"),
       "an array has no members");

    const up_json_t *array = up_json_member(object, "a");
    is_number((long long)up_json_count(array), 2, "an array's length");
    is(up_json_string(up_json_element(array, 1)), "z", "an element");
    ok(!up_json_element(array, 2), "there is no third");

    const apr_array_header_t *all = up_json_names(object, pool);
    is_number(all->nelts, 7, "all names of members");
    is(APR_ARRAY_IDX(all, 0, const char *), "a", "the names are sorted");
    is(up_json_unknown_member(object, names), "o",
       "the name of an unknown member");
    is(up_json_unknown_member(up_json_member(object, "o"), names + 6), "x",
       "without names every member is unknown");
    ok(!up_json_parse(&object, BYTES("{}"), pool), "an empty object is read");
    is(up_json_unknown_member(object, names), NULL,
       "an empty object has no unknown member");
}

static void
test(apr_pool_t *pool)
{
    up_json_init();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is(message_for(rows[i].text, rows[i].length, pool), rows[i].message,
           "%s", rows[i].name);
    sizes(pool);
    reading(pool);
}

int
main(void)
{
    return run_test(test);
}
