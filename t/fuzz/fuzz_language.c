/* fuzz_language.c -- a canonical tag differs from what was given in case and
 * underscores alone, and is its own canonical form. */
#include "core/up_language.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
same_but_case(const char *given, const char *canonical)
{
    for (; *given && *canonical; given++, canonical++) {
        char hyphened = *given == '_' ? '-' : *given;
        if ((hyphened | 0x20) != (*canonical | 0x20))
            return 0;
    }
    return *given == *canonical;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_create(&pool, root);

    const char *tag = apr_pstrmemdup(pool, (const char *)data, size);
    const char *canonical = up_language_canonical(tag, pool);
    if (canonical) {
        const char *again = up_language_canonical(canonical, pool);
        if (strlen(canonical) > UP_LANGUAGE_MAX ||
            !same_but_case(tag, canonical) || !again ||
            strcmp(again, canonical) != 0)
            abort();
    }
    apr_pool_destroy(pool);
    return 0;
}
