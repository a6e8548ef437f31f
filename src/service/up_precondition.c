/*
 * up_precondition.c -- If-Match and If-None-Match (RFC 9110 13.1) on the
 * sequence of a user.
 */
#include "service/up_precondition.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* An entity tag that names a sequence; others can match no user of ours. */
typedef struct tag_t {
    int weak;
    apr_uint64_t sequence;
} tag_t;

/* The value of one of the headers. */
typedef struct tags_t {
    int given;
    int any;                  /* "*" */
    apr_array_header_t *list; /* of tag_t */
} tags_t;

struct up_precondition_t {
    tags_t match;
    tags_t none_match;
};

/* What Apache's compression filters append to the tag of what they encode. */
static const char *const encodings[] = {"", "-gzip", "-br"};

/* Set *SEQUENCE to the one that the LENGTH bytes at OPAQUE, from between the
 * quotes, name. Returns 0 if they name none: our tags have no leading zeros. */
static int
read_sequence(apr_uint64_t *sequence, const char *opaque, apr_size_t length)
{
    apr_uint64_t value = 0;
    apr_size_t digits = 0;

    for (; digits < length && apr_isdigit(opaque[digits]); digits++) {
        unsigned digit = (unsigned)(opaque[digits] - '0');
        if (value > (APR_UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    if (!digits || *opaque == '0')
        return 0;

    *sequence = value;
    opaque += digits;
    length -= digits;
    for (apr_size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++) {
        if (strlen(encodings[i]) == length &&
            !memcmp(encodings[i], opaque, length))
            return 1;
    }
    return 0;
}

static void
skip_blanks(const char **text)
{
    *text += strspn(*text, " \t");
}

/* etagc = %x21 / %x23-7E / obs-text */
static int
is_tag_character(unsigned char c)
{
    return c > 0x20 && c != '"' && c != 0x7f;
}

/* Step over entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE, and append it to LIST
 * if it names a sequence. Returns 0 if there is none. */
static int
take_tag(apr_array_header_t *list, const char **text)
{
    tag_t tag = {0};

    if (!strncmp(*text, "W/", 2)) {
        tag.weak = 1;
        *text += 2;
    }
    if (**text != '"')
        return 0;

    const char *opaque = ++*text;
    while (is_tag_character((unsigned char)**text))
        (*text)++;
    if (**text != '"')
        return 0;
    if (read_sequence(&tag.sequence, opaque, (apr_size_t)(*text - opaque)))
        APR_ARRAY_PUSH(list, tag_t) = tag;
    (*text)++;
    return 1;
}

/* Read TEXT = "*" / #entity-tag; a list may have empty elements. Returns 0 if
 * it is neither. */
static int
read_tags(tags_t *tags, const char *text, apr_pool_t *pool)
{
    tags->given = 1;
    tags->list = apr_array_make(pool, 1, sizeof(tag_t));
    skip_blanks(&text);
    if (*text == '*') {
        tags->any = 1;
        text++;
        skip_blanks(&text);
        return !*text;
    }
    for (;;) {
        if (*text && *text != ',' && !take_tag(tags->list, &text))
            return 0;
        skip_blanks(&text);
        if (!*text)
            return 1;
        if (*text != ',')
            return 0;
        text++;
        skip_blanks(&text);
    }
}

/* Read the header NAME with VALUE, or NULL: absent. */
static up_error_t *
read_header(tags_t *tags, const char *name, const char *value, apr_pool_t *pool)
{
    if (!value || read_tags(tags, value, pool))
        return NULL;
    return up_error(pool, UP_BODY_INVALID, APR_SUCCESS,
                    "%s is neither \"*\" nor a list of entity tags", name);
}

up_error_t *
up_precondition_parse(up_precondition_t **precondition,
                      const char *if_match,
                      const char *if_none_match,
                      apr_pool_t *pool)
{
    *precondition = NULL;
    if (!if_match && !if_none_match)
        return NULL;

    up_precondition_t *parsed = apr_pcalloc(pool, sizeof(*parsed));
    UP_ERR(read_header(&parsed->match, "If-Match", if_match, pool));
    UP_ERR(
        read_header(&parsed->none_match, "If-None-Match", if_none_match, pool));
    *precondition = parsed;
    return NULL;
}

/* Whether one of TAGS names SEQUENCE; weak ones count if WEAK. */
static int
contains(const tags_t *tags, apr_uint64_t sequence, int weak)
{
    if (tags->any)
        return 1;
    for (int i = 0; i < tags->list->nelts; i++) {
        const tag_t *tag = &APR_ARRAY_IDX(tags->list, i, tag_t);
        if (tag->sequence == sequence && (weak || !tag->weak))
            return 1;
    }
    return 0;
}

up_verdict_t
up_precondition_judge(const up_precondition_t *precondition,
                      apr_uint64_t sequence)
{
    if (!precondition)
        return UP_PROCEED;

    const tags_t *match = &precondition->match;
    const tags_t *none_match = &precondition->none_match;
    if (match->given && !contains(match, sequence, 0))
        return UP_MISMATCH;
    if (none_match->given && contains(none_match, sequence, 1))
        return UP_SAME;
    return UP_PROCEED;
}

/* The larger one of NEWEST and what TAGS name. */
static apr_uint64_t
newest_of(const tags_t *tags, apr_uint64_t newest)
{
    for (int i = 0; tags->list && i < tags->list->nelts; i++) {
        const tag_t *tag = &APR_ARRAY_IDX(tags->list, i, tag_t);
        if (tag->sequence > newest)
            newest = tag->sequence;
    }
    return newest;
}

apr_uint64_t
up_precondition_newest(const up_precondition_t *precondition)
{
    return precondition ? newest_of(&precondition->match,
                                    newest_of(&precondition->none_match, 0))
                        : 0;
}

up_error_t *
up_precondition_failed(apr_uint64_t sequence, apr_pool_t *pool)
{
    return up_error(pool, UP_SEQUENCE_MISMATCH, APR_SUCCESS,
                    "the stored sequence is %" APR_UINT64_T_FMT, sequence);
}
