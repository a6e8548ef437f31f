/* fuzz_zitadel.c -- an export of ZITADEL that is accepted gives items that are
 * exported as lines that read as the same items. */
#include "wire/up_item_json.h"
#include "wire/up_json.h"
#include "wire/up_zitadel.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW APR_INT64_C(1767323045000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a line can have ITEM: no gender that nobody defined, which is refused
 * by the checks. */
static int
can_be_stored(const up_item_t *item)
{
    const up_profile_t *profile =
        item->kind == UP_KIND_USER ? item->as.user.profile : NULL;

    return !profile || (profile->gender >= 0 && profile->gender < UP_GENDERS);
}

static void
check_item(const up_zitadel_item_t *read, apr_pool_t *pool)
{
    const char *line, *token_text;
    apr_size_t length;
    up_given_t given;
    up_item_t *again;

    if (!read->path || strncmp(read->path, "orgs[", 5) != 0)
        abort();
    if (!can_be_stored(&read->item))
        return;
    up_item_json_encode(&line, &length, &read->item, pool);
    if (up_item_json_decode(&again, &given, &token_text, line, length, NOW + 1,
                            pool) ||
        !up_items_are_equal(&read->item, again))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    const apr_array_header_t *items, *skipped;
    apr_pool_t *pool;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
        up_json_init();
    }
    apr_pool_create(&pool, root);
    up_error_t *err = up_zitadel_decode(&items, &skipped, (const char *)data,
                                        size, NOW, pool);
    for (int i = 0; !err && i < items->nelts; i++)
        check_item(&APR_ARRAY_IDX(items, i, up_zitadel_item_t), pool);
    for (int i = 0; !err && i < skipped->nelts; i++) {
        if (!APR_ARRAY_IDX(skipped, i, up_zitadel_skipped_t).count)
            abort();
    }
    apr_pool_destroy(pool);
    return 0;
}
