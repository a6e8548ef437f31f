/* time.c -- points in time, written and read. */
#include "tap.h"
#include "core/up_time.h"

#include <apr_strings.h>
#include <string.h>

#define AT APR_INT64_C

static const struct {
    apr_time_t time;
    const char *text;
    const char *name;
} formats[] = {
    {0, "1970-01-01T00:00:00Z", "the epoch"},
    {AT(1742898527000000), "2025-03-25T10:28:47Z", "no fraction"},
    {AT(1742898527405123), "2025-03-25T10:28:47.405123Z", "six digits"},
    {AT(1742898527405000), "2025-03-25T10:28:47.405Z", "three zeros go"},
    {AT(1742898527100000), "2025-03-25T10:28:47.100Z", "two zeros stay"},
    {AT(1742898527405120), "2025-03-25T10:28:47.405120Z", "one zero stays"},
    {AT(1742898527000001), "2025-03-25T10:28:47.000001Z", "a microsecond"},
    {AT(1709164800000000), "2024-02-29T00:00:00Z", "a leap day"},
    {AT(4107542400000000), "2100-03-01T00:00:00Z", "2100 has no leap day"},
    {AT(253402300799999999), "9999-12-31T23:59:59.999999Z", "the last"},
    {AT(-1), "1969-12-31T23:59:59.999999Z", "before the epoch"},
    {AT(-2208988800000000), "1900-01-01T00:00:00Z", "1900"},
    {AT(-62135596800000000), "0001-01-01T00:00:00Z", "the first"},
};

static const struct {
    const char *text;
    const char *same; /* as it is written; NULL: refused */
    const char *name;
} parses[] = {
    {"2025-03-25T10:28:47.4Z", "2025-03-25T10:28:47.400Z", "one digit"},
    {"2025-03-25T10:28:47.405123999Z", "2025-03-25T10:28:47.405123Z",
     "nanoseconds are cut, not rounded"},
    {"2025-03-25t10:28:47z", "2025-03-25T10:28:47Z", "lower case"},
    {"2025-03-25T10:28:47+02:00", "2025-03-25T08:28:47Z", "east of Greenwich"},
    {"2025-03-25T10:28:47-05:30", "2025-03-25T15:58:47Z", "west of Greenwich"},
    {"2025-03-25T10:28:47.5-00:00", "2025-03-25T10:28:47.500Z",
     "an unknown offset"},
    {"2025-01-01T00:30:00+01:00", "2024-12-31T23:30:00Z", "over the year"},
    {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2000 was a leap year"},
    {"1900-02-29T00:00:00Z", NULL, "1900 was none"},
    {"2025-02-29T00:00:00Z", NULL, "2025 was none"},
    {"2025-04-31T00:00:00Z", NULL, "the 31st of April"},
    {"2025-13-01T00:00:00Z", NULL, "a thirteenth month"},
    {"2025-00-01T00:00:00Z", NULL, "month 0"},
    {"2025-01-00T00:00:00Z", NULL, "day 0"},
    {"2025-01-32T00:00:00Z", NULL, "day 32"},
    {"2025-01-01T24:00:00Z", NULL, "hour 24"},
    {"2025-01-01T00:60:00Z", NULL, "minute 60"},
    {"2016-12-31T23:59:60Z", NULL, "a leap second, which no timestamp has"},
    {"2025-01-01T00:00:00+24:00", NULL, "an offset of a day"},
    {"2025-01-01T00:00:00+01:60", NULL, "an offset of 60 minutes"},
    {"2025-01-01T00:00:00+0100", NULL, "an offset without colon"},
    {"2025-01-01T00:00:00+01", NULL, "an offset without minutes"},
    {"2025-01-01T00:00:00", NULL, "no offset"},
    {"2025-01-01T00:00:00.Z", NULL, "a point without digits"},
    {"2025-01-01T00:00:00,5Z", NULL, "a comma"},
    {"2025-01-01T00:00Z", NULL, "no seconds"},
    {"2025-01-01 00:00:00Z", NULL, "a blank for the T"},
    {"2025-01-01", NULL, "a date alone"},
    {"25-01-01T00:00:00Z", NULL, "a year of two digits"},
    {"2025-1-1T00:00:00Z", NULL, "a month of one digit"},
    {"0000-12-31T23:59:59Z", NULL, "year 0"},
    {"0001-01-01T00:00:00+00:01", NULL, "before year 1 by its offset"},
    {"9999-12-31T23:59:59-00:01", NULL, "after 9999 by its offset"},
    {"10000-01-01T00:00:00Z", NULL, "a year of five digits"},
    {" 2025-01-01T00:00:00Z", NULL, "a blank in front"},
    {"2025-01-01T00:00:00Z ", NULL, "a blank at the end"},
    {"2025-01-01T00:00:00Z\n", NULL, "a newline at the end"},
    {"-025-01-01T00:00:00Z", NULL, "a sign"},
    {"", NULL, "nothing"},
    {"now", NULL, "a word"},
    {"1742898527", NULL, "seconds since the epoch"},
};

/* Each fourth day of all years, at another hour of the day. */
static void
calendar(apr_pool_t *pool)
{
    const apr_time_t step = apr_time_from_sec(97 * 3600 + 61);
    apr_time_t time = AT(-62135596800000000);
    char expected[64] = "";
    const char *text = expected;
    apr_time_exp_t t;
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, pool);
    for (; time < AT(253402300800000000) && !strcmp(text, expected);
         time += step) {
        apr_pool_clear(iterpool);
        text = up_time_format(time, iterpool);
        apr_time_exp_gmt(&t, time);
        apr_snprintf(expected, sizeof(expected),
                     "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900,
                     t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
    }
    is(text, expected, "dates are those of APR's calendar");
    apr_pool_destroy(iterpool);
}

static void
test(apr_pool_t *pool)
{
    calendar(pool);
    for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        apr_time_t time = 4711;

        is(up_time_format(formats[i].time, pool), formats[i].text,
           "written: %s", formats[i].name);
        ok(up_time_parse(&time, formats[i].text) && time == formats[i].time,
           "read: %s", formats[i].name);
    }
    for (unsigned i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
        apr_time_t time = 4711;

        if (up_time_parse(&time, parses[i].text))
            is(up_time_format(time, pool), parses[i].same, "read: %s",
               parses[i].name);
        else
            ok(!parses[i].same && time == 4711, "refused: %s", parses[i].name);
    }
}

int
main(void)
{
    return run_test(test);
}
