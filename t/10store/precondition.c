/* precondition.c -- If-Match and If-None-Match. */
#include "service/up_precondition.h"
#include "tap.h"

#define PROCEED UP_PROCEED
#define MISMATCH UP_MISMATCH
#define SAME UP_SAME
#define MALFORMED 99

/* What the headers say of a user at sequence 12. */
static const struct {
    const char *name, *if_match, *if_none_match;
    int verdict;
} rows[] = {
    {"no header", NULL, NULL, PROCEED},

    {"the tag", "\"12\"", NULL, PROCEED},
    {"another tag", "\"11\"", NULL, MISMATCH},
    {"any", "*", NULL, PROCEED},
    {"any, among blanks", " \t* ", NULL, PROCEED},
    {"a weak tag never matches strongly", "W/\"12\"", NULL, MISMATCH},
    {"one of a list", "\"1\", \"12\"", NULL, PROCEED},
    {"none of a list", "\"1\",\"2\"", NULL, MISMATCH},
    {"a list with empty elements", ", ,\"1\",,\t\"12\" ,", NULL, PROCEED},
    {"an empty list", "", NULL, MISMATCH},
    {"a list of nothing but commas", " , ,", NULL, MISMATCH},
    {"a weak and a strong one", "W/\"12\",\"12\"", NULL, PROCEED},
    {"as mod_deflate makes it", "\"12-gzip\"", NULL, PROCEED},
    {"as mod_brotli makes it", "\"12-br\"", NULL, PROCEED},
    {"another suffix", "\"12-zstd\"", NULL, MISMATCH},
    {"half a suffix", "\"12-gzi\"", NULL, MISMATCH},
    {"two suffixes", "\"12-gzip-br\"", NULL, MISMATCH},
    {"nothing but a suffix", "\"-gzip\"", NULL, MISMATCH},
    {"a leading zero is another tag", "\"012\"", NULL, MISMATCH},
    {"the empty tag", "\"\"", NULL, MISMATCH},
    {"somebody else's tag", "\"a!,~b\"", NULL, MISMATCH},
    {"a tag with bytes above ASCII", "\"\xc3\xa9\", \"12\"", NULL, PROCEED},
    {"bytes of both kinds in a tag", "\"\xc3\xa9x\", \"12\"", NULL, PROCEED},
    {"a number of more than 64 bits", "\"18446744073709551628\"", NULL,
     MISMATCH},
    {"a list with a comma inside a tag", "\"1,2\", \"12\"", NULL, PROCEED},

    {"a tag without quotes", "12", NULL, MALFORMED},
    {"a tag that does not end", "\"12", NULL, MALFORMED},
    {"a quote alone", "\"", NULL, MALFORMED},
    {"a blank in a tag", "\"1 2\"", NULL, MALFORMED},
    {"DEL in a tag", "\"1\x7f\"", NULL, MALFORMED},
    {"two tags without a comma", "\"1\" \"12\"", NULL, MALFORMED},
    {"any, and a tag", "*, \"12\"", NULL, MALFORMED},
    {"a tag, and any", "\"12\", *", NULL, MALFORMED},
    {"a small w", "w/\"12\"", NULL, MALFORMED},
    {"a weak nothing", "W/", NULL, MALFORMED},
    {"a blank in a weak tag", "W/ \"12\"", NULL, MALFORMED},
    {"a semicolon between tags", "\"1\";\"12\"", NULL, MALFORMED},

    {"If-None-Match: the tag", NULL, "\"12\"", SAME},
    {"If-None-Match: another", NULL, "\"11\"", PROCEED},
    {"If-None-Match: any", NULL, "*", SAME},
    {"If-None-Match: the weak tag", NULL, "W/\"12\"", SAME},
    {"If-None-Match: weak, as mod_deflate makes it", NULL, "W/\"12-gzip\"",
     SAME},
    {"If-None-Match: an empty list", NULL, "", PROCEED},
    {"If-None-Match: malformed", NULL, "12", MALFORMED},

    {"If-Match comes first", "\"11\"", "\"12\"", MISMATCH},
    {"If-None-Match comes second", "\"12\"", "\"12\"", SAME},
    {"both let it pass", "\"12\"", "\"11\"", PROCEED},
};

static void
names_the_header(apr_pool_t *pool)
{
    up_precondition_t *parsed;

    up_error_t *err = up_precondition_parse(&parsed, "\"1\"", "x", pool);
    is(err ? err->message : NULL,
       "If-None-Match is neither \"*\" nor a list of entity tags",
       "the error names If-None-Match");
    err = up_precondition_parse(&parsed, "x", "x", pool);
    is(err ? err->message : NULL,
       "If-Match is neither \"*\" nor a list of entity tags",
       "the error names If-Match");
    err = up_precondition_failed(12, pool);
    is(err->message, "the stored sequence is 12",
       "the failure names the sequence");
    is_number(err->reason, UP_SEQUENCE_MISMATCH, "... and has its reason");
}

static void
test(apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_precondition_t *parsed;
        up_error_t *err = up_precondition_parse(&parsed, rows[i].if_match,
                                                rows[i].if_none_match, pool);
        int verdict = err ? MALFORMED : (int)up_precondition_judge(parsed, 12);
        is_number(verdict, rows[i].verdict, "%s", rows[i].name);
        if (err)
            is_number(err->reason, UP_BODY_INVALID, "... as BODY_INVALID");
    }
    names_the_header(pool);
}

int
main(void)
{
    return run_test(test);
}
