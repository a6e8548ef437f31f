/* tap.c -- what the C tests print: TAP, for prove. */
#include "tap.h"

#include <apr_general.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int count, failed;

static int
point(int condition, const char *format, va_list args)
{
    count++;
    failed += !condition;
    printf("%s %d - ", condition ? "ok" : "not ok", count);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
    return condition;
}

int
ok(int condition, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    point(condition, format, args);
    va_end(args);
    return condition;
}

int
is(const char *got, const char *want, const char *format, ...)
{
    va_list args;
    int same = got && want ? !strcmp(got, want) : got == want;

    va_start(args, format);
    point(same, format, args);
    va_end(args);
    if (!same)
        fprintf(stderr, "#      got: %s\n# expected: %s\n",
                got ? got : "(null)", want ? want : "(null)");
    return same;
}

int
is_number(long long got, long long want, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    point(got == want, format, args);
    va_end(args);
    if (got != want)
        fprintf(stderr, "#      got: %lld\n# expected: %lld\n", got, want);
    return got == want;
}

int
done_testing(void)
{
    printf("1..%d\n", count);
    return count == 0 || failed > 0;
}

int
run_test(void (*test)(apr_pool_t *pool))
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
