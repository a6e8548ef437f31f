/* up_base64.c -- base64, by APR. */
#include "wire/up_base64.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <string.h>

#define ALPHABET                                                               \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Not by APR_ENCODE_NOPADDING, which brings the alphabet for URLs too. */
const char *
up_base64_unpadded(const char *bytes, apr_size_t length, apr_pool_t *pool)
{
    const char *text =
        apr_pencode_base64_binary(pool, (const unsigned char *)bytes,
                                  (apr_ssize_t)length, APR_ENCODE_NONE, NULL);

    return apr_pstrmemdup(pool, text, strcspn(text, "="));
}

/* How many of the SIZE bytes at TEXT are a piece of base64: digits and then
 * padding, a multiple of four in all. Returns 0 if they do not begin with one.
 */
static apr_size_t
piece_length(const char *text, apr_size_t size)
{
    apr_size_t length = 0, digits;

    while (length < size && text[length] && strchr(ALPHABET, text[length]))
        length++;
    digits = length;
    while (length < size && text[length] == '=' && length % 4)
        length++;
    return length % 4 || length - digits > 2 ? 0 : length;
}

up_error_t *
up_base64_decode(const char **bytes,
                 apr_size_t *length,
                 const char *text,
                 apr_size_t size,
                 apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, size / 4 * 3 + 1), *end = decoded;

    while (size) {
        apr_size_t piece = piece_length(text, size), got = 0;
        if (!piece ||
            apr_decode_base64_binary((unsigned char *)end, text,
                                     (apr_ssize_t)piece, APR_ENCODE_NONE, &got))
            return up_error(pool, UP_MESSAGE_INVALID, APR_SUCCESS,
                            "the body is not base64");
        end += got;
        text += piece;
        size -= piece;
    }
    *bytes = decoded;
    *length = (apr_size_t)(end - decoded);
    return NULL;
}
