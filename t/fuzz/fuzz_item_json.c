/* fuzz_item_json.c -- a line of import that is accepted is exported as a line
 * that reads as the same item. */
#include "wire/up_item_json.h"
#include "wire/up_json.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW APR_INT64_C(1767323045000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A gender that nobody defined is read, and refused later, by the checks. An
 * empty language reads "und" in an event, of which they make an empty one. */
static int
can_be_stored(const up_item_t *item)
{
    const up_event_t *event = &item->as.event;
    int is_event = item->kind == UP_KIND_EVENT;
    const up_profile_t *profiles[] = {
        item->kind == UP_KIND_USER ? item->as.user.profile : NULL,
        is_event ? event->before : NULL, is_event ? event->after : NULL};

    for (int i = 0; i < 3; i++) {
        if (!profiles[i])
            continue;
        if (profiles[i]->gender < 0 || profiles[i]->gender >= UP_GENDERS)
            return 0;
        if (is_event && event->fields & UP_FIELD_BIT(UP_PREFERRED_LANGUAGE) &&
            !*profiles[i]->text[UP_PREFERRED_LANGUAGE])
            return 0;
    }
    return 1;
}

/* Import gives a human a display name unless the line has one, an empty one
 * too. */
static int
has_display_name(const up_item_t *item, unsigned fields)
{
    return item->kind != UP_KIND_USER || !item->as.user.profile ||
           fields & UP_FIELD_BIT(UP_DISPLAY_NAME);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    up_item_t *item, *again;
    up_given_t given;
    const char *token_text;
    apr_pool_t *pool;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
        up_json_init();
    }
    apr_pool_create(&pool, root);

    up_error_t *err = up_item_json_decode(&item, &given, &token_text,
                                          (const char *)data, size, NOW, pool);
    if (!err && can_be_stored(item)) {
        const char *line;
        apr_size_t length;
        up_item_json_encode(&line, &length, item, pool);
        if (memchr(line, '\n', length) ||
            up_item_json_decode(&again, &given, &token_text, line, length,
                                NOW + 1, pool) ||
            !up_items_are_equal(item, again) ||
            !has_display_name(again, given.fields))
            abort();
    }
    apr_pool_destroy(pool);
    return 0;
}
