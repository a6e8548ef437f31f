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

/* A gender that nobody defined is read, and refused later, by the checks. */
static int
can_be_stored(const up_item_t *item)
{
    const up_profile_t *profile =
        item->kind == UP_KIND_USER ? item->as.user.profile : NULL;

    return !profile || (profile->gender >= 0 && profile->gender < UP_GENDERS);
}

static int
same_user(const up_user_t *a, const up_user_t *b)
{
    int profiles = (a->profile != NULL) + (b->profile != NULL);

    return !strcmp(a->id, b->id) && !strcmp(a->org, b->org) &&
           a->type == b->type && a->state == b->state &&
           a->sequence == b->sequence && a->created == b->created &&
           a->changed == b->changed &&
           (profiles == 2 ? !up_profile_diff(a->profile, b->profile)
                          : profiles == 0);
}

static int
same_member(const up_member_t *a, const up_member_t *b)
{
    if (strcmp(a->org, b->org) != 0 || strcmp(a->user, b->user) != 0 ||
        a->roles->nelts != b->roles->nelts)
        return 0;
    for (int i = 0; i < a->roles->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(a->roles, i, const char *),
                   APR_ARRAY_IDX(b->roles, i, const char *)) != 0)
            return 0;
    }
    return 1;
}

static int
same_token(const up_token_t *a, const up_token_t *b)
{
    return !memcmp(a->sha256, b->sha256, sizeof(a->sha256)) &&
           !strcmp(a->user, b->user) && a->created == b->created &&
           a->expires == b->expires;
}

static int
same_item(const up_item_t *a, const up_item_t *b)
{
    if (a->kind != b->kind)
        return 0;
    switch (a->kind) {
    case UP_KIND_ORG:
        return !strcmp(a->as.org.id, b->as.org.id) &&
               !strcmp(a->as.org.name, b->as.org.name);
    case UP_KIND_USER:
        return same_user(&a->as.user, &b->as.user);
    case UP_KIND_MEMBER:
        return same_member(&a->as.member, &b->as.member);
    case UP_KIND_TOKEN:
        return same_token(&a->as.token, &b->as.token);
    default:
        return 0;
    }
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
    unsigned fields;
    const char *token_text;
    apr_pool_t *pool;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
        up_json_init();
    }
    apr_pool_create(&pool, root);

    up_error_t *err = up_item_json_decode(&item, &fields, &token_text,
                                          (const char *)data, size, NOW, pool);
    if (!err && can_be_stored(item)) {
        const char *line;
        apr_size_t length;
        up_item_json_encode(&line, &length, item, pool);
        if (memchr(line, '\n', length) ||
            up_item_json_decode(&again, &fields, &token_text, line, length,
                                NOW + 1, pool) ||
            !same_item(item, again) || !has_display_name(again, fields))
            abort();
    }
    apr_pool_destroy(pool);
    return 0;
}
