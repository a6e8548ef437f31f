/* grpc.c -- gRPC's frames, trailers and time-outs. */
#include "wire/up_grpc.h"
#include "hex.h"
#include "tap.h"
#include "zitadel/management.pb-c.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <string.h>

#define LIMIT 28

/* No time-out: the header is refused. */
#define WRONG -2

/* "hello hello hello", and nothing, by gzip. */
#define HELLO "1f8b0800000000000203cb48cdc9c957c84090008088f9e511000000"
#define NOTHING "1f8b080000000000020303000000000000000000"

static const struct {
    const char *name;
    const char *encoding;
    const char *hex;
    const char *want; /* the message as text, or the reason and what is said */
} requests[] = {
    {"a frame", NULL, "0000000003 616263", "abc"},
    {"an empty message", NULL, "0000000000", ""},
    {"a frame that names no encoding", "", "0000000003 616263", "abc"},
    {"identity", "identity", "0000000003 616263", "abc"},
    {"a frame that is not compressed after all", "gzip", "0000000003 616263",
     "abc"},
    {"gzip, in as many bytes as the limit", "gzip", "010000001c" HELLO,
     "hello hello hello"},
    {"gzip of nothing", "gzip", "0100000014" NOTHING, ""},
    {"nothing", NULL, "", "BODY_INVALID 13 grpc: the request has no message"},
    {"one byte", NULL, "00",
     "BODY_INVALID 13 grpc: the frame is cut off in its header"},
    {"four bytes", NULL, "00000000",
     "BODY_INVALID 13 grpc: the frame is cut off in its header"},
    {"a header alone", NULL, "0000000001",
     "BODY_INVALID 13 grpc: the frame is cut off in its message"},
    {"a cut message", NULL, "0000000003 6162",
     "BODY_INVALID 13 grpc: the frame is cut off in its message"},
    {"a byte too many", NULL, "0000000003 61626300",
     "BODY_INVALID 13 grpc: bytes follow the one message of the request"},
    {"two frames", NULL, "0000000001 61 0000000001 62",
     "BODY_INVALID 13 grpc: bytes follow the one message of the request"},
    {"two empty frames", NULL, "0000000000 0000000000",
     "BODY_INVALID 13 grpc: bytes follow the one message of the request"},
    {"a byte more than the limit, the frame being cut", NULL, "000000001d",
     "BODY_TOO_LARGE 8 grpc: the message has 29 bytes, the limit is 28"},
    {"a length of 2^32-1", NULL, "00ffffffff 616263",
     "BODY_TOO_LARGE 8 grpc: the message has 4294967295 bytes, the limit is "
     "28"},
    {"flag 1 without an encoding", NULL, "0100000003 616263",
     "BODY_INVALID 13 grpc: the frame is marked as compressed, but "
     "grpc-encoding names no compression"},
    {"flag 1 with identity", "identity", "0100000003 616263",
     "BODY_INVALID 13 grpc: the frame is marked as compressed, but "
     "grpc-encoding names no compression"},
    {"flag 2", NULL, "0200000003 616263",
     "BODY_INVALID 13 grpc: the frame's flag byte is 2, neither 0 nor 1"},
    {"flag 2 with gzip", "gzip", "0200000003 616263",
     "BODY_INVALID 13 grpc: the frame's flag byte is 2, neither 0 nor 1"},
    {"the flag of gRPC-Web's trailers", NULL, "8000000000",
     "BODY_INVALID 13 grpc: the frame's flag byte is 128, neither 0 nor 1"},
    {"an encoding that is not known", "br", "0000000003 616263",
     "UNIMPLEMENTED 12 grpc: this grpc-encoding is not supported; accepted are "
     "identity,gzip"},
    {"an encoding in capitals", "GZIP", "0000000003 616263",
     "UNIMPLEMENTED 12 grpc: this grpc-encoding is not supported; accepted are "
     "identity,gzip"},
    {"flag 1 and nothing compressed", "gzip", "0100000000",
     "BODY_INVALID 13 grpc: cannot decompress the message: it is cut off"},
    {"flag 1 and no gzip", "gzip", "0100000003 616263",
     "BODY_INVALID 13 grpc: cannot decompress the message: it is not valid "
     "gzip"},
};

static const char *
show_error(const up_error_t *err, apr_pool_t *pool)
{
    const up_reason_info_t *info = up_reason_info(err->reason);

    return apr_psprintf(pool, "%s %d %s", info->name, info->code,
                        up_error_story(err, pool));
}

static void
test_requests(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        const char *message, *body;
        apr_size_t length, size;

        body = hex_read(&size, requests[i].hex, pool);
        up_error_t *err = up_grpc_decode(&message, &length, body, size,
                                         requests[i].encoding, LIMIT, pool);
        is(err ? show_error(err, pool) : apr_pstrmemdup(pool, message, length),
           requests[i].want, "%s", requests[i].name);
    }
}

static void
test_no_copy(apr_pool_t *pool)
{
    const char *body = "\0\0\0\0\3abc", *message;
    apr_size_t length;

    up_error_t *err =
        up_grpc_decode(&message, &length, body, 8, NULL, LIMIT, pool);
    ok(!err && message == body + UP_GRPC_HEADER && length == 3,
       "what is not compressed is not copied");
}

static const struct {
    const char *name;
    const char *hex;
    const char *want;
} messages_in[] = {
    {"a message", "0a0131", "1"},
    {"a message that is malformed", "0a",
     "BODY_INVALID 13 grpc: error unmarshalling request: field 1 is cut off or "
     "malformed"},
    {"a text that is not UTF-8", "0a01ff",
     "BODY_INVALID 13 grpc: error unmarshalling request: user_id is not UTF-8"},
    {"a text with NUL in it", "0a0100",
     "BODY_INVALID 3 grpc: error unmarshalling request: user_id holds a NUL "
     "character"},
};

static void
test_unpack(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(messages_in) / sizeof(*messages_in);
         i++) {
        ProtobufCMessage *message;
        apr_size_t length;
        const char *bytes = hex_read(&length, messages_in[i].hex, pool);

        up_error_t *err = up_grpc_unpack(
            &message,
            &zitadel__management__v1__get_human_profile_request__descriptor,
            bytes, length, pool);
        const Zitadel__Management__V1__GetHumanProfileRequest *request =
            (const void *)message;
        is(err ? show_error(err, pool) : request->user_id, messages_in[i].want,
           "%s is read from a frame's bytes", messages_in[i].name);
    }
}

/* The first two as ZITADEL's own libraries make them. */
static const struct {
    const char *name;
    const char *hex;
} replies[] = {
    {"a request",
     "00 0000003d 0a12 313633383430373736383335343332373035 1204 47696769"
     "1a07 47697261666665 2204 47696769 2a0c 476967692047697261666665"
     "3202 656e 3801"},
    {"a reply", "00 00000025 0a23 080c 1a0c 08df8a8abf06 10b8df96c101"
                "2211 3639363239303233393036343838333334"},
    {"an empty message", "00 00000000"},
};

static void
test_replies(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
        const char *frame, *body;
        apr_size_t length, size;

        frame = hex_read(&length, replies[i].hex, pool);
        up_grpc_encode(&body, &size, frame + UP_GRPC_HEADER,
                       length - UP_GRPC_HEADER, pool);
        is(hex_show(body, size, pool), hex_show(frame, length, pool),
           "%s is framed", replies[i].name);
    }
}

/* TRAILERS as "name=value" lines, details left out. */
static const char *
show_trailers(const apr_table_t *trailers, apr_pool_t *pool)
{
    const apr_array_header_t *array = apr_table_elts(trailers);
    const char *text = "";

    for (int i = 0; i < array->nelts; i++) {
        const apr_table_entry_t *entry =
            &APR_ARRAY_IDX(array, i, apr_table_entry_t);
        int is_details = !strcmp(entry->key, "grpc-status-details-bin");
        text = apr_pstrcat(pool, text, entry->key, "=",
                           is_details ? "..." : entry->val, "\n", NULL);
    }
    return text;
}

static const struct {
    const char *name;
    const char *message;
    const char *want;
} messages[] = {
    {"printable ASCII stays", " ~az09\"/:", " ~az09\"/:"},
    {"% is encoded", "100% sure", "100%25 sure"},
    {"line ends and controls are encoded", "a\r\nb\t\x01\x7f",
     "a%0D%0Ab%09%01%7F"},
    {"other characters are encoded bytewise", "\xc3\xa9\xf0\x9f\x98\x80",
     "%C3%A9%F0%9F%98%80"},
    {"an empty message stays", "", ""},
};

static void
test_trailers(apr_pool_t *pool)
{
    up_error_t *err = up_error(pool, UP_PROFILE_NOT_FOUND, APR_SUCCESS, "x");

    is(show_trailers(up_grpc_trailers(NULL, pool), pool), "grpc-status=0\n",
       "a call that ended well has its status alone");
    is(show_trailers(up_grpc_trailers(up_status_of(err, pool), pool), pool),
       "grpc-message=Profile not found (COMMAND-3M9sd)\n"
       "grpc-status=9\ngrpc-status-details-bin=...\n",
       "a failed one has three trailers in order");

    for (apr_size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        err = up_error(pool, UP_BODY_INVALID, APR_SUCCESS, "%s",
                       messages[i].message);
        is(apr_table_get(up_grpc_trailers(up_status_of(err, pool), pool),
                         "grpc-message"),
           messages[i].want, "in grpc-message %s", messages[i].name);
    }
}

/* Messages of three lengths, so that each length of padding is left out, and
 * one of them has the digits for 62 and 63, which two alphabets spell apart. */
static void
test_details(apr_pool_t *pool)
{
    static const char *const texts[] = {">>>???", ">>>???a", ">>>???ab"};
    int has_last_digits = 0;

    for (apr_size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        up_status_t *status = up_status_of(
            up_error(pool, UP_BODY_INVALID, APR_SUCCESS, "%s", texts[i]), pool);
        const char *text = apr_table_get(up_grpc_trailers(status, pool),
                                         "grpc-status-details-bin");
        const char *bytes;
        apr_size_t length, decoded;

        up_status_proto(&bytes, &length, status, pool);
        const unsigned char *got = apr_pdecode_base64_binary(
            pool, text, APR_ENCODE_STRING, APR_ENCODE_NONE, &decoded);
        is(hex_show((const char *)got, decoded, pool),
           hex_show(bytes, length, pool),
           "the details' trailer is the status in base64, %d bytes",
           (int)length);
        ok(!strpbrk(text, "=-_"), "without padding, by the usual alphabet");
        has_last_digits |= strchr(text, '+') && strchr(text, '/');
    }
    ok(has_last_digits, "of which all digits were seen");
}

static const struct {
    const char *name;
    const char *value;
    apr_interval_time_t want; /* microseconds; WRONG: malformed */
} timeouts[] = {
    {"no header", NULL, -1},
    {"hours", "2H", APR_INT64_C(7200000000)},
    {"minutes", "2M", 120000000},
    {"seconds", "2S", 2000000},
    {"milliseconds", "2m", 2000},
    {"microseconds", "2u", 2},
    {"nanoseconds", "2000n", 2},
    {"less than a microsecond", "999n", 0},
    {"none left", "0S", 0},
    {"leading zeros", "00000001S", 1000000},
    {"the longest", "99999999H", APR_INT64_C(359999996400000000)},
    {"an empty value", "", WRONG},
    {"a unit alone", "S", WRONG},
    {"no unit", "5", WRONG},
    {"eight digits and no unit", "12345678", WRONG},
    {"nine digits", "123456789S", WRONG},
    {"a unit that is none", "5s", WRONG},
    {"two units", "5Sm", WRONG},
    {"a sign", "-5S", WRONG},
    {"a plus", "+5S", WRONG},
    {"a fraction", "1.5S", WRONG},
    {"a blank before it", " 5S", WRONG},
    {"a blank after it", "5S ", WRONG},
    {"two values", "5S, 6S", WRONG},
    {"digits that are not ASCII", "\xd9\xa5S", WRONG},
};

static void
test_timeouts(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof(timeouts) / sizeof(*timeouts); i++) {
        apr_interval_time_t timeout;

        up_error_t *err = up_grpc_timeout(&timeout, timeouts[i].value, pool);
        if (timeouts[i].want == WRONG)
            is(err ? show_error(err, pool) : NULL,
               "BODY_INVALID 3 grpc-timeout is not 1 to 8 digits and one of "
               "H, M, S, m, u and n",
               "a time-out refused: %s", timeouts[i].name);
        else
            is_number(err ? WRONG : timeout, timeouts[i].want, "a time-out: %s",
                      timeouts[i].name);
    }
}

static void
test(apr_pool_t *pool)
{
    test_requests(pool);
    test_no_copy(pool);
    test_unpack(pool);
    test_replies(pool);
    test_trailers(pool);
    test_details(pool);
    test_timeouts(pool);
}

int
main(void)
{
    return run_test(test);
}
