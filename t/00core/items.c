/* items.c -- which items say the same. */
#include "core/up_items.h"
#include "store_items.h"
#include "tap.h"

/* Of each kind that is compared, the one that others differ from. */
static up_item_t *
make_item(up_kind_t kind, apr_pool_t *pool)
{
    switch (kind) {
    case UP_KIND_ORG:
        return make_org("O1", "One", pool);
    case UP_KIND_USER:
        return make_human("O1", "U1", UP_ACTIVE, "F", pool);
    case UP_KIND_MEMBER:
        return make_member("O1", "U1", "R", pool);
    default:
        return make_token("U1", 1, pool);
    }
}

static up_item_t *
make_changed(apr_time_t change, apr_uint64_t sequence, apr_pool_t *pool)
{
    up_item_t *item = make_item(UP_KIND_USER, pool);

    item->as.user.changed += change;
    item->as.user.sequence += sequence;
    return item;
}

static up_item_t *
make_dated_token(apr_time_t created,
                 apr_time_t expires,
                 apr_time_t revoked,
                 apr_pool_t *pool)
{
    up_item_t *item = make_item(UP_KIND_TOKEN, pool);

    item->as.token.created += created;
    item->as.token.expires += expires;
    item->as.token.revoked += revoked;
    return item;
}

static void
test(apr_pool_t *pool)
{
    up_item_t *two_roles = make_member("O1", "U1", "R", pool);
    APR_ARRAY_PUSH((apr_array_header_t *)two_roles->as.member.roles,
                   const char *) = "S";
    const struct {
        const char *name;
        const up_item_t *item;
    } rows[] = {
        {"another organisation", make_org("O2", "One", pool)},
        {"another name of an organisation", make_org("O1", "Two", pool)},
        {"another user", make_human("O1", "U2", UP_ACTIVE, "F", pool)},
        {"a user of another organisation",
         make_human("O2", "U1", UP_ACTIVE, "F", pool)},
        {"another state", make_human("O1", "U1", UP_LOCKED, "F", pool)},
        {"another first name", make_human("O1", "U1", UP_ACTIVE, "G", pool)},
        {"a machine", make_machine("O1", "U1", pool)},
        {"another sequence", make_changed(0, 1, pool)},
        {"another date of change", make_changed(1, 0, pool)},
        {"a membership in another organisation",
         make_member("O2", "U1", "R", pool)},
        {"a membership of another user", make_member("O1", "U2", "R", pool)},
        {"another role", make_member("O1", "U1", "S", pool)},
        {"one more role", two_roles},
        {"another token", make_token("U1", 2, pool)},
        {"a token of another user", make_token("U2", 1, pool)},
        {"another date of creation", make_dated_token(1, 0, 0, pool)},
        {"another date of expiry", make_dated_token(0, 1, 0, pool)},
        {"another date of revocation", make_dated_token(0, 0, 1, pool)},
    };

    for (int a = 0; a <= UP_KIND_TOKEN; a++) {
        for (int b = 0; b <= UP_KIND_TOKEN; b++)
            is_number(up_items_are_equal(make_item((up_kind_t)a, pool),
                                         make_item((up_kind_t)b, pool)),
                      a == b, "items of kinds %d and %d are %s", a, b,
                      a == b ? "equal" : "not equal");
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_number(up_items_are_equal(make_item(rows[i].item->kind, pool),
                                     rows[i].item),
                  0, "%s is a difference", rows[i].name);
}

int
main(void)
{
    return run_test(test);
}
