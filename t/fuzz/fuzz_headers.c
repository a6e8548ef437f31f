/*
 * fuzz_headers.c -- values of headers: timeouts, entity tags, base64.
 *
 * The input's first byte picks the reader, the rest is the value. A timeout is
 * what its digits say; an entity tag that is given back alone means the same;
 * bytes in base64 are the same when they were written and read again.
 */
#include "service/up_precondition.h"
#include "wire/up_base64.h"
#include "wire/up_connect.h"
#include "wire/up_grpc.h"

#include <apr_encode.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int condition)
{
    if (!condition)
        abort();
}

/* ERR, if any, is the client's fault. */
static int
is_accepted(const up_error_t *err)
{
    check(!err || err->reason == UP_BODY_INVALID ||
          err->reason == UP_MESSAGE_INVALID);
    return !err;
}

static void
check_grpc_timeout(const char *value, apr_pool_t *pool)
{
    apr_interval_time_t timeout, same;
    apr_size_t length = strlen(value);

    if (!is_accepted(up_grpc_timeout(&timeout, value, pool)))
        return;
    check(length >= 2 && length <= 9 &&
          strspn(value, "0123456789") == length - 1);
    check(timeout >= 0);
    if (timeout > 99999999)
        return;
    value = apr_psprintf(pool, "%" APR_INT64_T_FMT "u", timeout);
    check(!up_grpc_timeout(&same, value, pool) && same == timeout);
}

static void
check_connect_timeout(const char *value, apr_pool_t *pool)
{
    apr_interval_time_t timeout;

    if (is_accepted(up_connect_timeout(&timeout, value, pool)))
        check(timeout == apr_strtoi64(value, NULL, 10) * 1000);
}

/* VALUE as If-Match and as If-None-Match. */
static void
check_tags(const char *value, apr_pool_t *pool)
{
    up_precondition_t *match, *none_match, *both;
    int is_read = is_accepted(up_precondition_parse(&match, value, NULL, pool));

    check(is_read ==
          is_accepted(up_precondition_parse(&none_match, NULL, value, pool)));
    check(is_read ==
          is_accepted(up_precondition_parse(&both, value, value, pool)));
    if (!is_read)
        return;
    for (apr_uint64_t sequence = 1; sequence; sequence *= 10) {
        up_verdict_t verdict = up_precondition_judge(match, sequence);

        check(verdict != UP_SAME);
        /* What matches strongly, matches weakly. */
        if (verdict == UP_PROCEED)
            check(up_precondition_judge(none_match, sequence) == UP_SAME &&
                  up_precondition_judge(both, sequence) == UP_SAME);
        if (sequence > APR_UINT64_MAX / 10)
            break;
    }
}

static void
check_base64(const char *text, apr_size_t size, apr_pool_t *pool)
{
    const char *bytes, *again;
    apr_size_t length, same;

    /* Whatever it is, it can be written without padding. */
    const char *unpadded = up_base64_unpadded(text, size, pool);
    check(strlen(unpadded) == (size * 4 + 2) / 3);
    if (!is_accepted(up_base64_decode(&bytes, &length, text, size, pool)))
        return;
    check(length <= size / 4 * 3);
    text =
        apr_pencode_base64_binary(pool, (const unsigned char *)bytes,
                                  (apr_ssize_t)length, APR_ENCODE_NONE, &size);
    check(!up_base64_decode(&again, &same, text, size, pool) &&
          same == length && !memcmp(again, bytes, length));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;

    if (!size)
        return 0;
    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_create(&pool, root);
    const char *value = apr_pstrmemdup(pool, (const char *)data + 1, size - 1);
    switch (data[0] & 3) {
    case 0:
        check_grpc_timeout(value, pool);
        break;
    case 1:
        check_connect_timeout(value, pool);
        break;
    case 2:
        check_tags(value, pool);
        break;
    default:
        check_base64((const char *)data + 1, size - 1, pool);
        break;
    }
    apr_pool_destroy(pool);
    return 0;
}
