/* id.c -- which ids can be stored, and how long ids are. */
#include "tap.h"
#include "core/up_id.h"

#include <apr_strings.h>

static const struct {
    const char *unit; /* repeated */
    int times;
    int storable;
    int length;
    const char *name;
} rows[] = {
    {"", 0, 0, 0, "an empty id is not storable"},
    {"7", 1, 1, 1, "one character"},
    {"163840776835432705", 1, 1, 18, "a number as ZITADEL makes them"},
    {"a b", 1, 1, 3, "a blank inside"},
    {" ", 1, 1, 1, "a blank alone: nothing is trimmed"},
    {"a/b%2F", 1, 1, 6, "a slash and a percent sign"},
    {"x", 200, 1, 200, "200 bytes"},
    {"x", 201, 0, 201, "201 bytes are too many"},
    {"\xc3\xa9", 100, 1, 100, "100 characters of two bytes"},
    {"\xc3\xa9", 101, 0, 101, "101 characters of two bytes are too many"},
    {"\xf0\x9f\x98\x80", 50, 1, 50, "50 characters of four bytes"},
    {"\xf0\x9f\x98\x80", 51, 0, 51, "51 characters of four bytes are too many"},
    {"\xf0\x9f\x98\x80", 200, 0, 200, "200 characters of four bytes count 200"},
    {"a\x01", 1, 0, 2, "a control character"},
    {"\x1f", 1, 0, 1, "the last of C0"},
    {"a\n", 1, 0, 2, "a newline at the end"},
    {"\x7f", 1, 0, 1, "DEL"},
    {"\xc2\x80", 1, 0, 1, "the first of C1"},
    {"\xc2\x9f", 1, 0, 1, "the last of C1"},
    {"\xc2\xa0", 1, 1, 1, "a no-break space is no control character"},
    {"\xff", 1, 0, 1, "not UTF-8"},
    {"\xff\xfe\xc3\xa9", 50, 0, 200, "not UTF-8 counts bytes"},
    {"\xed\xa0\x80", 1, 0, 3, "a surrogate counts bytes"},
};

static const struct {
    const char *id;
    int storable, allowed, has_slash;
} names[] = {
    {".", 1, 0, 0},    {"..", 1, 0, 0}, {"...", 1, 1, 0},
    {".a", 1, 1, 0},   {"a.", 1, 1, 0}, {"a/b", 1, 1, 1},
    {"../a", 1, 1, 1}, {"/", 1, 1, 1},  {"", 0, 0, 0},
};

static void
test(apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *id = "";
        for (int n = 0; n < rows[i].times; n++)
            id = apr_pstrcat(pool, id, rows[i].unit, NULL);

        ok(up_id_is_storable(id) == rows[i].storable, "%s: %sstorable",
           rows[i].name, rows[i].storable ? "" : "not ");
        is_number((long long)up_id_length(id), rows[i].length, "%s: length",
                  rows[i].name);
    }
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *id = names[i].id;

        ok(up_id_is_storable(id) == names[i].storable, "'%s': %sstorable", id,
           names[i].storable ? "" : "not ");
        ok(up_id_is_allowed(id) == names[i].allowed,
           "'%s': %sallowed to a new user", id, names[i].allowed ? "" : "not ");
        ok(up_id_has_slash(id) == names[i].has_slash, "'%s': %s slash", id,
           names[i].has_slash ? "a" : "no");
    }
}

int
main(void)
{
    return run_test(test);
}
