/* up_language.h -- language tags (BCP 47). */
#ifndef UP_LANGUAGE_H
#define UP_LANGUAGE_H

#include <apr_pools.h>
#include <apr_tables.h>

/* No longer tag is accepted, in code points. */
#define UP_LANGUAGE_MAX 10

/* TAG in the case of RFC 5646 2.1.1, in POOL, or NULL if it is not well-formed
 * by the grammar of RFC 5646 2.1: '_' is read as '-', grandfathered tags are
 * left out, and the primary language has 2 or 3 letters or the tag is "x-...".
 * No subtag is replaced by another. TAG is not longer than UP_LANGUAGE_MAX
 * bytes; a longer one is not well-formed here. */
const char *up_language_canonical(const char *tag, apr_pool_t *pool);

/* Whether one of RANGES (of const char *, as canonical as TAG) is TAG, or the
 * first subtags of it: "en" has "en-GB" (RFC 4647 3.3.1). */
int up_language_is_in(const apr_array_header_t *ranges, const char *tag);

#endif
