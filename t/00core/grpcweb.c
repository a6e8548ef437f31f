/* grpcweb.c -- gRPC-Web: base64 both ways, and trailers in a frame. */
#include "wire/up_grpcweb.h"
#include "hex.h"
#include "tap.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <string.h>

#define LIMIT 20

#define NOT_BASE64 "BODY_INVALID 13 the body is not base64"

static const struct {
    const char *name;
    const char *text;
    const char *want; /* the message, or the error's name, code and words */
} texts[] = {
    {"a frame that needs no padding", "AAAAAARhYmNk", "abcd"},
    {"one padding character", "AAAAAANhYmM=", "abc"},
    {"two padding characters", "AAAAAAJhYg==", "ab"},
    {"all of the alphabet's end", "AAAAAAMvK/8=", "/+\xff"},
    {"an empty message", "AAAAAAA=", ""},
    {"the header and the message apart", "AAAAAAM=YWJj", "abc"},
    {"every byte apart", "AA==AA==AA==AA==Aw==YQ==Yg==Yw==", "abc"},
    {"pieces of two bytes", "AAA=AAA=A2E=YmM=", "abc"},
    {"nothing", "", "BODY_INVALID 13 grpc: the request has no message"},
    {"a cut frame", "AAAAAANh",
     "BODY_INVALID 13 grpc: the frame is cut off in its message"},
    {"two frames", "AAAAAAFhAAAAAAFi",
     "BODY_INVALID 13 grpc: bytes follow the one message of the request"},
    {"a length over the limit", "AP////8=",
     "BODY_TOO_LARGE 8 grpc: the message has 4294967295 bytes, the limit is "
     "20"},
    {"no padding where some is due", "AAAAAANhYmM", NOT_BASE64},
    {"one character too many", "AAAAAARhYmNkA", NOT_BASE64},
    {"padding alone", "====", NOT_BASE64},
    {"three padding characters", "AAAAAAA=A===", NOT_BASE64},
    {"padding before a digit", "AAAAAANhYm=j", NOT_BASE64},
    {"padding at a piece's start", "=AAAAAAA", NOT_BASE64},
    {"a line end", "AAAAAANh\nYmM", NOT_BASE64},
    {"a blank", "AAAA AAA", NOT_BASE64},
    {"the alphabet of URLs", "AAAAAAMvK_8=", NOT_BASE64},
    {"a byte that is not ASCII", "AAAAAAM\xe9", NOT_BASE64},
    {"a frame that is not in base64", "{\"a\": 1}", NOT_BASE64},
};

static const char *
decoded(const char *body,
        apr_size_t size,
        int is_text,
        const char *encoding,
        apr_pool_t *pool)
{
    const char *message;
    apr_size_t length;

    up_error_t *err = up_grpcweb_decode(&message, &length, body, size, is_text,
                                        encoding, LIMIT, pool);
    if (!err)
        return apr_pstrmemdup(pool, message, length);
    const up_reason_info_t *info = up_reason_info(err->reason);
    return apr_psprintf(pool, "%s %d %s", info->name, info->code, err->message);
}

static void
test_requests(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        is(decoded(texts[i].text, strlen(texts[i].text), 1, NULL, pool),
           texts[i].want, "in text mode: %s", texts[i].name);

    is(decoded("AAAA", 4, 1, NULL, pool),
       "BODY_INVALID 13 grpc: the frame is cut off in its header",
       "base64 of less than a header");
    is(decoded("\0\0\0\0\3abc", 8, 0, NULL, pool), "abc",
       "in binary mode the frame as it is");
    is(decoded("AAAAAANhYmM=", 12, 0, NULL, pool),
       "BODY_TOO_LARGE 8 grpc: the message has 1094795585 bytes, the limit is "
       "20",
       "in binary mode base64 is no frame");
    is(decoded("AAAAAANhYmM=", 12, 1, "deflate", pool),
       "UNIMPLEMENTED 12 grpc: this grpc-encoding is not supported; accepted "
       "are identity,gzip",
       "an encoding that is not known");
}

/* "grpc-status: 0\r\n" in the frame of trailers, as ZITADEL's library has it.
 */
#define OK_TRAILERS "80 00000010 677270632d7374617475733a20300d0a"

static void
test_success(apr_pool_t *pool)
{
    const char *body, *want;
    apr_size_t size, length;

    up_grpcweb_encode(&body, &size, 0, "abc", 3, NULL, pool);
    want = hex_read(&length, "00 00000003 616263" OK_TRAILERS, pool);
    is(hex_show(body, size, pool), hex_show(want, length, pool),
       "a message, then the trailers of success");

    up_grpcweb_encode(&body, &size, 0, "", 0, NULL, pool);
    want = hex_read(&length, "00 00000000" OK_TRAILERS, pool);
    is(hex_show(body, size, pool), hex_show(want, length, pool),
       "an empty message has its frame, too");

    up_grpcweb_encode(&body, &size, 1, "abc", 3, NULL, pool);
    is(apr_pstrmemdup(pool, body, size),
       "AAAAAANhYmOAAAAAEGdycGMtc3RhdHVzOiAwDQo=",
       "in text mode all of it is one piece of base64");
}

static void
test_failure(apr_pool_t *pool)
{
    up_status_t *status = up_status_of(
        up_error(pool, UP_BODY_INVALID, APR_SUCCESS, "100%%\r\nX: y"), pool);
    const char *details = apr_table_get(up_grpc_trailers(status, pool),
                                        "grpc-status-details-bin");
    const char *want = apr_pstrcat(pool,
                                   "grpc-message: 100%25%0D%0AX: y\r\n"
                                   "grpc-status: 3\r\n"
                                   "grpc-status-details-bin: ",
                                   details, "\r\n", NULL);
    const char *body, *text;
    apr_size_t size, text_size;

    up_grpcweb_encode(&body, &size, 0, NULL, 0, status, pool);
    is_number((unsigned char)body[0], 0x80, "an error has no message's frame");
    is_number((unsigned char)body[4], (long long)strlen(want),
              "the length of its trailers");
    is(apr_pstrmemdup(pool, body + UP_GRPC_HEADER, size - UP_GRPC_HEADER), want,
       "its trailers, sorted, and none that a message smuggled in");

    up_grpcweb_encode(&text, &text_size, 1, NULL, 0, status, pool);
    is(apr_pstrmemdup(pool, text, text_size),
       apr_pencode_base64_binary(pool, (const unsigned char *)body,
                                 (apr_ssize_t)size, APR_ENCODE_NONE, NULL),
       "the same in text mode");
}

static void
test(apr_pool_t *pool)
{
    test_requests(pool);
    test_success(pool);
    test_failure(pool);
}

int
main(void)
{
    return run_test(test);
}
