/* language.c -- which language tags are well-formed, and their case. */
#include "tap.h"
#include "core/up_language.h"

static const struct {
    const char *tag;
    const char *canonical; /* NULL: not well-formed */
    const char *name;
} rows[] = {
    {"en", "en", "a language of two letters"},
    {"xx", "xx", "nobody asks whether it is registered"},
    {"deu", "deu", "three letters stay three letters"},
    {"EN", "en", "the language becomes lower case"},
    {"und", "und", "und is a tag like any other here"},
    {"UND", "und", "und in upper case"},
    {"de-CH", "de-CH", "a region"},
    {"DE_ch", "de-CH", "an underscore is a hyphen; the region is upper case"},
    {"es-419", "es-419", "a region of three digits"},
    {"sr-latn", "sr-Latn", "a script becomes title case"},
    {"SR_LATN_RS", "sr-Latn-RS", "a script and a region"},
    {"zh-hans-cn", "zh-Hans-CN", "ten characters"},
    {"zh-yue", "zh-yue", "an extended language"},
    {"zh-YUE-CMN", "zh-yue-cmn", "two extended languages"},
    {"zh-yue-hk", "zh-yue-HK", "an extended language and a region"},
    {"sl-nedis", "sl-nedis", "a variant of five letters"},
    {"SL-NEDISABC", NULL, "eleven characters"},
    {"de-1996", "de-1996", "a variant of four that begins with a digit"},
    {"de-1AbC", "de-1abc", "a variant of four becomes lower case"},
    {"de-abc1", NULL, "a variant of four that begins with a letter"},
    {"de-DE-1996", "de-DE-1996", "a region and a variant"},
    {"de-1996-DE", NULL, "a variant before the region"},
    {"en-US-GB", NULL, "two regions"},
    {"en-419-US", NULL, "two regions, one in digits"},
    {"en-US-latn", NULL, "a script after the region"},
    {"en-a-bb", "en-a-bb", "an extension"},
    {"en-A-BB-CC", "en-a-bb-cc", "all after a singleton is lower case"},
    {"en-1-latn", "en-1-latn", "a digit is a singleton as well"},
    {"en-a-b-cc", NULL, "an extension's subtag of one character"},
    {"en-a", NULL, "an extension without subtags"},
    {"en-a-b", NULL, "two extensions without subtags"},
    {"en-x", NULL, "private use without subtags"},
    {"en-x-a", "en-x-a", "private use after a language"},
    {"en-X-AB-CD", "en-x-ab-cd", "private use becomes lower case"},
    {"x-foo", "x-foo", "private use alone"},
    {"X_FOO", "x-foo", "private use alone, in upper case"},
    {"x-a-b-c-d", "x-a-b-c-d", "as many subtags as fit"},
    {"x-1", "x-1", "private use of one digit"},
    {"x-abcdefgh", "x-abcdefgh", "a subtag of eight"},
    {"x-", NULL, "private use with nothing behind"},
    {"x", NULL, "private use without subtags"},
    {"", NULL, "the empty tag"},
    {"e", NULL, "a language of one letter"},
    {"a-DE", NULL, "a singleton in place of the language"},
    {"root", NULL, "a language of four letters"},
    {"english", NULL, "a word"},
    {"12", NULL, "digits"},
    {"e1", NULL, "a digit in the language"},
    {"en-1", NULL, "a singleton at the end"},
    {"en-12", NULL, "a region of two digits"},
    {"en-a1", NULL, "a region of a letter and a digit"},
    {"en-41a", NULL, "a region of two digits and a letter"},
    {"-en", NULL, "a hyphen in front"},
    {"en-", NULL, "a hyphen at the end"},
    {"en--US", NULL, "an empty subtag"},
    {"-", NULL, "a hyphen alone"},
    {"_", NULL, "an underscore alone"},
    {" en", NULL, "a blank in front"},
    {"en ", NULL, "a blank at the end"},
    {"en US", NULL, "a blank inside"},
    {"en.UTF-8", NULL, "a locale's charset"},
    {"en@euro", NULL, "a locale's modifier"},
    {"*", NULL, "a language range"},
    {"i-klingon", NULL, "an irregular grandfathered tag"},
    {"en-GB-oed", NULL, "another irregular grandfathered tag"},
    {"\xc3\xa9s", NULL, "a letter outside ASCII"},
    {"en-\xc3\xa9\xc3\xa9", NULL, "a region outside ASCII"},
    {"en-us-abcde", NULL, "a well-formed tag of eleven characters"},
};

static void
test(apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *canonical = up_language_canonical(rows[i].tag, pool);

        is(canonical, rows[i].canonical, "%s: '%s'", rows[i].name, rows[i].tag);
        if (canonical)
            is(up_language_canonical(canonical, pool), canonical,
               "'%s' stays as it is", canonical);
    }
}

int
main(void)
{
    return run_test(test);
}
