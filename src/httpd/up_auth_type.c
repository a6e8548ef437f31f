/* up_auth_type.c -- what the name after AuthType is likely to mean. */
#include "httpd/up_auth_type.h"

#include <httpd.h>
#include <apr_lib.h>
#include <http_config.h>

#define OUR_TYPE "UserProfile"
#define MOST_LETTERS 24

/* Copy the letters of WORD, as lower case, to LETTERS, if there are not too
 * many. Returns their number. */
static int
copy_letters(char letters[MOST_LETTERS], const char *word)
{
    int count = 0;

    for (; *word && count < MOST_LETTERS; word++) {
        if (apr_isalpha(*word))
            letters[count++] = (char)apr_tolower(*word);
    }
    return count;
}

static int
least(int a, int b, int c)
{
    int smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

/* How many letters must be put in, left out or replaced to make our AuthType of
 * WORD (the Levenshtein distance). */
static int
distance_from_ours(const char *word)
{
    char from[MOST_LETTERS], to[MOST_LETTERS];
    int row[MOST_LETTERS + 1];
    int length = copy_letters(from, word), columns = copy_letters(to, OUR_TYPE);

    for (int k = 0; k <= columns; k++)
        row[k] = k;
    for (int i = 1; i <= length; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int k = 1; k <= columns; k++) {
            int above = row[k];
            row[k] = least(above + 1, row[k - 1] + 1,
                           diagonal + (from[i - 1] != to[k - 1]));
            diagonal = above;
        }
    }
    return row[columns];
}

int
up_auth_type_is_ours(const char *type)
{
    return !ap_cstr_casecmp(type, OUR_TYPE);
}

int
up_auth_type_is_like_ours(const char *type)
{
    return distance_from_ours(type) <= 2;
}

/* The types of known modules, in their source files. */
static const struct {
    const char *type, *file;
} known_types[] = {
    {"Basic", "mod_auth_basic.c"},
    {"Digest", "mod_auth_digest.c"},
    {"Form", "mod_auth_form.c"},
    {"Bearer", "mod_auth_bearer.c"},
    {"GSSAPI", "mod_auth_gssapi.c"},
    {"oauth20", "mod_auth_openidc.c"},
    {"openid-connect", "mod_auth_openidc.c"},
};

const char *
up_auth_type_missing(const char *type)
{
    for (apr_size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]);
         i++) {
        if (!ap_cstr_casecmp(known_types[i].type, type) &&
            !ap_find_linked_module(known_types[i].file))
            return known_types[i].file;
    }
    return NULL;
}
