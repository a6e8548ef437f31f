/* precondition.c -- If-Match and If-None-Match. */
#include "service/up_precondition.h"
#include "tap.h"

#define PROCEED UP_PROCEED
#define MISMATCH UP_MISMATCH
#define SAME UP_SAME
#define MALFORMED 99

/* The verdict on a user at sequence 12. */
static const struct {
    const char *name, *if_match, *if_none_match;
    int verdict;
} rows[] = {
    {"no header", NULL, NULL, PROCEED},

    {"If-Match: the stored tag", "\"12\"", NULL, PROCEED},
    {"If-Match: another tag", "\"11\"", NULL, MISMATCH},
    {"If-Match: *", "*", NULL, PROCEED},
    {"If-Match: * among blanks", " \t* ", NULL, PROCEED},
    {"If-Match: a weak tag never matches strongly", "W/\"12\"", NULL, MISMATCH},
    {"If-Match: a list with the stored tag", "\"1\", \"12\"", NULL, PROCEED},
    {"If-Match: a list without the stored tag", "\"1\",\"2\"", NULL, MISMATCH},
    {"If-Match: a list with empty elements", ", ,\"1\",,\t\"12\" ,", NULL,
     PROCEED},
    {"If-Match: an empty list", "", NULL, MISMATCH},
    {"If-Match: a list of commas", " , ,", NULL, MISMATCH},
    {"If-Match: a weak and a strong tag", "W/\"12\",\"12\"", NULL, PROCEED},
    {"If-Match: the tag with mod_deflate's suffix", "\"12-gzip\"", NULL,
     PROCEED},
    {"If-Match: the tag with mod_brotli's suffix", "\"12-br\"", NULL, PROCEED},
    {"If-Match: the tag with an unknown suffix", "\"12-zstd\"", NULL, MISMATCH},
    {"If-Match: the tag with half a suffix", "\"12-gzi\"", NULL, MISMATCH},
    {"If-Match: the tag with two suffixes", "\"12-gzip-br\"", NULL, MISMATCH},
    {"If-Match: a suffix without a tag", "\"-gzip\"", NULL, MISMATCH},
    {"If-Match: a leading zero is another tag", "\"012\"", NULL, MISMATCH},
    {"If-Match: an empty tag", "\"\"", NULL, MISMATCH},
    {"If-Match: a tag that is no number", "\"a!,~b\"", NULL, MISMATCH},
    {"If-Match: a tag with bytes above ASCII", "\"\xc3\xa9\", \"12\"", NULL,
     PROCEED},
    {"If-Match: bytes of both kinds in a tag", "\"\xc3\xa9x\", \"12\"", NULL,
     PROCEED},
    {"If-Match: a number of more than 64 bits", "\"18446744073709551628\"",
     NULL, MISMATCH},
    {"If-Match: a list with a comma inside a tag", "\"1,2\", \"12\"", NULL,
     PROCEED},

    {"If-Match: a tag without quotes", "12", NULL, MALFORMED},
    {"If-Match: a tag that does not end", "\"12", NULL, MALFORMED},
    {"If-Match: a single quote", "\"", NULL, MALFORMED},
    {"If-Match: a blank in a tag", "\"1 2\"", NULL, MALFORMED},
    {"If-Match: DEL in a tag", "\"1\x7f\"", NULL, MALFORMED},
    {"If-Match: two tags without a comma", "\"1\" \"12\"", NULL, MALFORMED},
    {"If-Match: * and a tag", "*, \"12\"", NULL, MALFORMED},
    {"If-Match: a tag and *", "\"12\", *", NULL, MALFORMED},
    {"If-Match: w/ for W/", "w/\"12\"", NULL, MALFORMED},
    {"If-Match: W/ without a tag", "W/", NULL, MALFORMED},
    {"If-Match: a blank after W/", "W/ \"12\"", NULL, MALFORMED},
    {"If-Match: a semicolon between tags", "\"1\";\"12\"", NULL, MALFORMED},

    {"If-None-Match: the stored tag", NULL, "\"12\"", SAME},
    {"If-None-Match: another tag", NULL, "\"11\"", PROCEED},
    {"If-None-Match: *", NULL, "*", SAME},
    {"If-None-Match: the stored tag, weak", NULL, "W/\"12\"", SAME},
    {"If-None-Match: the tag with mod_deflate's suffix, weak", NULL,
     "W/\"12-gzip\"", SAME},
    {"If-None-Match: an empty list", NULL, "", PROCEED},
    {"If-None-Match: a tag without quotes", NULL, "12", MALFORMED},

    {"If-Match is judged first", "\"11\"", "\"12\"", MISMATCH},
    {"If-None-Match is judged second", "\"12\"", "\"12\"", SAME},
    {"If-Match and If-None-Match may both hold", "\"12\"", "\"11\"", PROCEED},
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
       "the error of a failed precondition names the sequence");
    is_number(err->reason, UP_SEQUENCE_MISMATCH,
              "a failed precondition is SEQUENCE_MISMATCH");
}

/* The newest sequence that a caller knows of. */
static void
newest(apr_pool_t *pool)
{
    static const struct {
        const char *if_match, *if_none_match;
        long long newest;
    } known[] = {
        {NULL, NULL, 0},
        {NULL, "*", 0},
        {"\"12\"", NULL, 12},
        {NULL, "W/\"12-gzip\"", 12},
        {"\"3\", \"12\"", "\"7\"", 12},
        {"\"3\"", "\"x\", \"7\"", 7},
    };

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        up_precondition_t *parsed;
        const up_error_t *err = up_precondition_parse(
            &parsed, known[i].if_match, known[i].if_none_match, pool);
        is_number(err ? -1 : (long long)up_precondition_newest(parsed),
                  known[i].newest,
                  "the newest sequence of If-Match: %s, If-None-Match: %s",
                  known[i].if_match ? known[i].if_match : "-",
                  known[i].if_none_match ? known[i].if_none_match : "-");
    }
}

static void
test(apr_pool_t *pool)
{
    newest(pool);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_precondition_t *parsed;
        up_error_t *err = up_precondition_parse(&parsed, rows[i].if_match,
                                                rows[i].if_none_match, pool);
        int verdict = err ? MALFORMED : (int)up_precondition_judge(parsed, 12);
        is_number(verdict, rows[i].verdict, "%s", rows[i].name);
        if (err)
            is_number(err->reason, UP_BODY_INVALID, "%s: BODY_INVALID",
                      rows[i].name);
    }
    names_the_header(pool);
}

int
main(void)
{
    return run_test(test);
}
