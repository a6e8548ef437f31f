/* up_language.c -- language tags (BCP 47). */
#include "core/up_language.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* A tag of UP_LANGUAGE_MAX bytes has no more subtags than this. */
#define MAX_SUBTAGS ((UP_LANGUAGE_MAX + 1) / 2)

/* The subtags of a tag, and how many of them the grammar has taken so far. */
typedef struct tag_t {
    char *subtag[MAX_SUBTAGS];
    int count;
    int taken;
} tag_t;

/* Split TEXT, which is changed, at '-'. Returns 0 where a subtag is empty,
 * longer than eight bytes or has other bytes than ASCII letters and digits. */
static int
split(tag_t *tag, char *text)
{
    tag->count = tag->taken = 0;
    for (;;) {
        apr_size_t length = 0;
        while (apr_isalnum(text[length]) && !(text[length] & 0x80))
            length++;
        if (length < 1 || length > 8 || tag->count == MAX_SUBTAGS)
            return 0;
        tag->subtag[tag->count++] = text;
        text += length;
        if (!*text)
            return 1;
        if (*text != '-')
            return 0;
        *text++ = '\0';
    }
}

/* The next subtag if it has LEAST to MOST bytes, else NULL. */
static const char *
next(const tag_t *tag, apr_size_t least, apr_size_t most)
{
    if (tag->taken == tag->count)
        return NULL;
    const char *subtag = tag->subtag[tag->taken];
    apr_size_t length = strlen(subtag);
    return length >= least && length <= most ? subtag : NULL;
}

static int
only(const char *subtag, int letters)
{
    for (; *subtag; subtag++) {
        if (letters ? !apr_isalpha(*subtag) : !apr_isdigit(*subtag))
            return 0;
    }
    return 1;
}

/* Take the next subtag if it has LEAST to MOST letters. */
static int
take_letters(tag_t *tag, apr_size_t least, apr_size_t most)
{
    const char *subtag = next(tag, least, most);

    if (!subtag || !only(subtag, 1))
        return 0;
    tag->taken++;
    return 1;
}

/* language = 2*3ALPHA ["-" extlang], extlang = 3ALPHA *2("-" 3ALPHA) */
static int
take_language(tag_t *tag)
{
    if (!take_letters(tag, 2, 3))
        return 0;
    for (int i = 0; i < 3 && take_letters(tag, 3, 3); i++)
        ;
    return 1;
}

/* region = 2ALPHA / 3DIGIT */
static void
take_region(tag_t *tag)
{
    if (take_letters(tag, 2, 2))
        return;
    const char *subtag = next(tag, 3, 3);
    if (subtag && only(subtag, 0))
        tag->taken++;
}

/* variant = 5*8alphanum / (DIGIT 3alphanum) */
static int
take_variant(tag_t *tag)
{
    const char *subtag = next(tag, 4, 8);

    if (!subtag || (strlen(subtag) == 4 && !apr_isdigit(*subtag)))
        return 0;
    tag->taken++;
    return 1;
}

/* extension = singleton 1*("-" (2*8alphanum)); a singleton is not "x". */
static int
take_extension(tag_t *tag)
{
    const char *singleton = next(tag, 1, 1);
    int begin = tag->taken;

    if (!singleton || apr_tolower(*singleton) == 'x')
        return 0;
    do
        tag->taken++;
    while (next(tag, 2, 8));
    if (tag->taken > begin + 1)
        return 1;
    tag->taken = begin;
    return 0;
}

/* privateuse = "x" 1*("-" (1*8alphanum)) */
static int
take_private_use(tag_t *tag)
{
    const char *singleton = next(tag, 1, 1);

    if (!singleton || apr_tolower(*singleton) != 'x' ||
        tag->taken + 1 == tag->count)
        return 0;
    tag->taken = tag->count;
    return 1;
}

/* Language-Tag = langtag / privateuse, all of it. */
static int
is_well_formed(tag_t *tag)
{
    if (take_private_use(tag))
        return 1;
    if (!take_language(tag))
        return 0;
    take_letters(tag, 4, 4); /* script */
    take_region(tag);
    while (take_variant(tag))
        ;
    while (take_extension(tag))
        ;
    take_private_use(tag);
    return tag->taken == tag->count;
}

/* RFC 5646 2.1.1: lower case, but for two letters (upper) and four (title)
 * that neither begin the tag nor come after a singleton. */
static void
set_case(tag_t *tag)
{
    int after_singleton = 0;

    for (int i = 0; i < tag->count; i++) {
        char *subtag = tag->subtag[i];
        apr_size_t length = strlen(subtag);

        for (apr_size_t j = 0; j < length; j++) {
            int upper = i > 0 && !after_singleton &&
                        (length == 2 || (length == 4 && j == 0));
            subtag[j] =
                (char)(upper ? apr_toupper(subtag[j]) : apr_tolower(subtag[j]));
        }
        after_singleton |= length == 1;
    }
}

int
up_language_is_in(const apr_array_header_t *ranges, const char *tag)
{
    for (int i = 0; i < ranges->nelts; i++) {
        const char *range = APR_ARRAY_IDX(ranges, i, const char *);
        apr_size_t length = strlen(range);
        if (!strncmp(range, tag, length) &&
            (!tag[length] || tag[length] == '-'))
            return 1;
    }
    return 0;
}

const char *
up_language_canonical(const char *tag, apr_pool_t *pool)
{
    tag_t subtags;

    if (strlen(tag) > UP_LANGUAGE_MAX)
        return NULL;
    char *text = apr_pstrdup(pool, tag);
    for (char *c = text; *c; c++)
        *c = *c == '_' ? '-' : *c;

    if (!split(&subtags, text) || !is_well_formed(&subtags))
        return NULL;
    set_case(&subtags);
    for (int i = 1; i < subtags.count; i++)
        subtags.subtag[i][-1] = '-';
    return text;
}
