/* size.c -- sizes as an administrator writes them. */
#include "tap.h"
#include "core/up_size.h"

#include <stddef.h>

static const struct {
    const char *text;
    long long least, most;
    long long size; /* -1: refused */
} rows[] = {
    {"0", 0, 10, 0},
    {"10", 0, 10, 10},
    {"11", 0, 10, -1},
    {"4", 5, 10, -1},
    {"5", 5, 10, 5},
    {"1K", 0, 1 << 30, 1024},
    {"1k", 0, 1 << 30, 1024},
    {"64M", 0, 1 << 30, 64 << 20},
    {"1g", 0, 1 << 30, 1 << 30},
    {"1024K", 0, 1 << 20, 1 << 20},
    {"1025K", 0, 1 << 20, -1},
    {"0G", 0, 1, 0},
    {"9223372036854775807", 0, APR_INT64_MAX, APR_INT64_MAX},
    {"9223372036854775808", 0, APR_INT64_MAX, -1},
    {"8589934591G", 0, APR_INT64_MAX, 8589934591LL << 30},
    {"8589934592G", 0, APR_INT64_MAX, -1},
    {"99999999999999999999K", 0, APR_INT64_MAX, -1},
    {"", 0, 10, -1},
    {"K", 0, 1 << 20, -1},
    {"-1", -10, 10, -1},
    {"+1", 0, 10, -1},
    {" 1", 0, 10, -1},
    {"1 ", 0, 10, -1},
    {"1.5G", 0, APR_INT64_MAX, -1},
    {"1KB", 0, APR_INT64_MAX, -1},
    {"1KK", 0, APR_INT64_MAX, -1},
    {"1T", 0, APR_INT64_MAX, -1},
    {"0x10", 0, APR_INT64_MAX, -1},
};

int
main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_int64_t size = -1;
        int right =
            up_size_parse(&size, rows[i].text, rows[i].least, rows[i].most);
        is_number(right, rows[i].size >= 0, "'%s' from %lld to %lld is %s",
                  rows[i].text, rows[i].least, rows[i].most,
                  rows[i].size >= 0 ? "a size" : "refused");
        is_number(size, rows[i].size, "'%s' from %lld to %lld: its bytes",
                  rows[i].text, rows[i].least, rows[i].most);
    }
    return done_testing();
}
