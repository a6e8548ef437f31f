/* up_time.c -- points in time, as protobuf's JSON mapping writes them. */
#include "core/up_time.h"

#include <string.h>

/* The years that google.protobuf.Timestamp can hold, in seconds. */
#define YEAR_1 APR_INT64_C(-62135596800)
#define YEAR_10000 APR_INT64_C(253402300800)

/* The calendar repeats itself after 400 years. */
#define SHIFT_YEARS 2000
#define ERA_DAYS 146097
#define SHIFT_SECONDS (APR_INT64_C(86400) * ERA_DAYS * SHIFT_YEARS / 400)

/* From 1 March of the year 0 to 1 January 1970. */
#define DAYS_TO_1970 719468

/* Write COUNT digits of VALUE at AT and MARK after them; returns where it ends.
 * Answers have two times each, and printf's way costs more than reading them.
 */
static char *
put(char *at, int count, int value, char mark_after)
{
    at[count] = mark_after;
    for (int i = count; i > 0; i--, value /= 10)
        at[i - 1] = (char)('0' + value % 10);
    return at + count + 1;
}

/* Write the date that is DAYS after 1970-01-01 at AT. gmtime_r(), and with it
 * APR's function, would have all threads of a process wait for one lock. */
static char *
put_date(char *at, apr_int64_t days)
{
    /* A year that begins in March ends with its leap day, and five of its
     * months have 153 days, from wherever they begin. */
    days += DAYS_TO_1970 + SHIFT_YEARS / 400 * ERA_DAYS;
    int day = (int)(days % ERA_DAYS);
    int year = (day - day / 1460 + day / 36524 - day / (ERA_DAYS - 1)) / 365;
    day -= 365 * year + year / 4 - year / 100;
    int month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += 400 * (int)(days / ERA_DAYS) - SHIFT_YEARS + month / 10;

    at = put(at, 4, year, '-');
    at = put(at, 2, (month + 2) % 12 + 1, '-');
    return put(at, 2, day + 1, 'T');
}

const char *
up_time_format(apr_time_t time, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, sizeof("2025-03-25T10:28:47.405123Z"));
    int usec = (int)apr_time_usec(time);

    if (usec < 0)
        usec += (int)APR_USEC_PER_SEC;
    apr_int64_t sec = apr_time_sec(time - usec);
    int second = (int)(sec % 86400);
    if (second < 0)
        second += 86400;

    char *end = put_date(text, (sec - second) / 86400);
    end = put(end, 2, second / 3600, ':');
    end = put(end, 2, second / 60 % 60, ':');
    end = put(end, 2, second % 60, usec ? '.' : 'Z');
    if (usec % 1000)
        end = put(end, 6, usec, 'Z');
    else if (usec)
        end = put(end, 3, usec / 1000, 'Z');
    *end = '\0';
    return text;
}

/* Read COUNT digits at *TEXT into *VALUE and step over them. */
static int
digits(int *value, const char **text, int count)
{
    *value = 0;
    for (; count; count--, (*text)++) {
        if (**text < '0' || **text > '9')
            return 0;
        *value = *value * 10 + (**text - '0');
    }
    return 1;
}

/* Step over one of the characters of ACCEPTED at *TEXT; '\0' is none. */
static int
mark(const char **text, const char *accepted)
{
    if (!**text || !strchr(accepted, **text))
        return 0;
    *text += 1;
    return 1;
}

static int
date_and_time(apr_time_exp_t *t, const char **text)
{
    return digits(&t->tm_year, text, 4) && mark(text, "-") &&
           digits(&t->tm_mon, text, 2) && mark(text, "-") &&
           digits(&t->tm_mday, text, 2) && mark(text, "Tt") &&
           digits(&t->tm_hour, text, 2) && mark(text, ":") &&
           digits(&t->tm_min, text, 2) && mark(text, ":") &&
           digits(&t->tm_sec, text, 2);
}

/* ".405123", or nothing; at least one digit, of which six count. */
static int
fraction(apr_time_exp_t *t, const char **text)
{
    if (!mark(text, "."))
        return 1;

    int unit = 100000, digit, seen = 0;
    for (; digits(&digit, text, 1); unit /= 10, seen = 1)
        t->tm_usec += digit * unit;
    return seen;
}

/* "Z", "+01:00", "-01:00". */
static int
offset(apr_time_exp_t *t, const char **text)
{
    int sign = **text == '-' ? -1 : 1, hours, minutes;

    if (mark(text, "Zz"))
        return 1;
    if (!mark(text, "+-") || !digits(&hours, text, 2) || !mark(text, ":") ||
        !digits(&minutes, text, 2) || hours > 23 || minutes > 59)
        return 0;
    t->tm_gmtoff = sign * (hours * 3600 + minutes * 60);
    return 1;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

int
up_time_parse(apr_time_t *time, const char *text)
{
    apr_time_exp_t t = {0};

    if (!date_and_time(&t, &text) || !fraction(&t, &text) ||
        !offset(&t, &text) || *text)
        return 0;
    if (t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 ||
        t.tm_mday > days_in_month(t.tm_year, t.tm_mon) || t.tm_hour > 23 ||
        t.tm_min > 59 || t.tm_sec > 59)
        return 0;

    apr_time_t when;
    t.tm_year += SHIFT_YEARS - 1900; /* APR refuses what is before 1970 */
    t.tm_mon -= 1;
    if (apr_time_exp_gmt_get(&when, &t))
        return 0;
    when -= apr_time_from_sec(SHIFT_SECONDS);
    if (when < apr_time_from_sec(YEAR_1) ||
        when >= apr_time_from_sec(YEAR_10000))
        return 0;
    *time = when;
    return 1;
}
