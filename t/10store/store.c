/* store.c -- what every store promises (store/up_store.h) of what is put into
 * it and read. */
#include "store_contract.h"
#include "tap.h"

#include <apr_strings.h>
#include <string.h>

static void
absence(up_store_t *store, apr_pool_t *pool)
{
    const struct {
        const char *name;
        const up_item_t *key;
    } rows[] = {
        {"organisation", make_org("O1", "", pool)},
        {"user", make_machine("O1", "U1", pool)},
        {"membership", make_member("O1", "U1", "R", pool)},
        {"membership on the instance", make_member("", "U1", "R", pool)},
        {"token", make_token("U1", 1, pool)},
    };
    unsigned char sha256[UP_SHA256_BYTES] = {1};
    const up_token_t *token = (const void *)"untouched";
    up_state_t state;
    up_store_stat_t stat;
    int stored;

    is(read_text(store, "A", "O1", "U1", pool), "nothing",
       "an empty store has no caller, no organisation and no user");
    is(read_text(store, NULL, NULL, NULL, pool), "nothing",
       "nothing is found where nothing is asked for");
    up_error_t *err =
        up_store_token(&token, &stored, &state, store, 0, sha256, pool, pool);
    ok(!err && !token, "an unknown token is NULL");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ok(!get_item(store, rows[i].key, pool), "an empty store has no %s",
           rows[i].name);
    is(store_text(store, ALL_KINDS, pool), "",
       "nothing is visited in an empty store");

    must(up_store_stat(&stat, store, pool));
    ok(!stat.last_event, "an empty store has no last event");
    for (int i = 0; i < UP_KINDS; i++)
        is_number((long long)stat.count[i], 0,
                  "an empty store counts no items of kind %d", i);
}

static void
removing_what_is_not_there(up_store_t *store, apr_pool_t *pool)
{
    up_batch_t *batch;
    int found = 1;

    must(up_batch_begin(&batch, store, pool));
    up_error_t *err = up_batch_remove(&found, batch,
                                      make_member("O1", "U1", "R", pool), pool);
    ok(!err && !found, "removing an unknown membership is no error");
    err = up_batch_remove(&found, batch, make_token("U1", 1, pool), pool);
    ok(!err && !found, "removing an unknown token is no error");
    err = up_batch_remove_rights(batch, "U1", LONG_AGO, pool);
    ok(!err, "removing the rights of an unknown user is no error");
    ok(!up_batch_commit(batch), "a batch without a change is committed");
}

static void
what_is_put(up_store_t *store, apr_pool_t *pool)
{
    up_item_t *lasting = make_token(LONGEST_ID_4, 255, pool);
    up_item_t *revoked = make_token("U1", 254, pool);

    lasting->as.token.expires = 0;
    revoked->as.token.expires = 0;
    revoked->as.token.revoked = LONG_AGO;
    /* In an order in which they can be put; OTHER has the same key. */
    const struct {
        const char *name;
        const up_item_t *item, *other;
    } rows[] = {
        {"an organisation", make_org("O1", "One", pool),
         make_org("O1", "", pool)},
        {"an organisation with the longest id", make_org(LONGEST_ID, "", pool),
         make_org(LONGEST_ID, "L", pool)},
        {"an organisation whose id begins another's",
         make_org("O", "Part", pool), make_org("O", "Part of O1", pool)},
        {"a human", make_human("O1", "U1", UP_ACTIVE, "Gigi", pool),
         make_human("O1", "U1", UP_LOCKED, "G", pool)},
        {"a machine", make_machine("O1", "M1", pool),
         make_machine("O1", "M1", pool)},
        {"a human with the longest ids and text",
         make_human(LONGEST_ID, LONGEST_ID_4, UP_INITIAL, LONGEST_TEXT, pool),
         make_human(LONGEST_ID, LONGEST_ID_4, UP_REMOVED, "S", pool)},
        {"a membership", make_member("O1", "U1", "ORG_OWNER", pool),
         make_member("O1", "U1", "A\",\"B", pool)},
        {"a membership on the instance",
         make_member("", "U1", "IAM_OWNER", pool),
         make_member("", "U1", "IAM_OWNER_VIEWER", pool)},
        {"a membership of a user who is not stored",
         make_member("O1", "stranger", "ORG_OWNER", pool),
         make_member("O1", "stranger", "R", pool)},
        {"a membership with the longest ids",
         make_member(LONGEST_ID, LONGEST_ID_4, "R", pool),
         make_member(LONGEST_ID, LONGEST_ID_4, "S", pool)},
        {"a token", make_token("U1", 1, pool), make_token("U2", 1, pool)},
        {"a token that does not expire", lasting, make_token("U1", 255, pool)},
        {"a token that is revoked", revoked, make_token("U1", 254, pool)},
    };
    size_t count = sizeof(rows) / sizeof(rows[0]);

    for (size_t i = 0; i < count; i++) {
        must(put_item(store, rows[i].item, pool));
        is(item_text(get_item(store, rows[i].item, pool), pool),
           item_text(rows[i].item, pool), "%s is kept", rows[i].name);
    }
    const char *all = store_text(store, ALL_KINDS, pool);
    for (size_t i = 0; i < count; i++)
        must(put_item(store, rows[i].item, pool));
    is(store_text(store, ALL_KINDS, pool), all,
       "putting equal items again changes nothing");
    for (size_t i = 0; i < count; i++) {
        must(put_item(store, rows[i].other, pool));
        is(item_text(get_item(store, rows[i].item, pool), pool),
           item_text(rows[i].other, pool), "%s is replaced", rows[i].name);
    }
    is_number(count_items(store, UP_KIND_ORG, pool), 3,
              "organisations are counted once each");
    is_number(count_items(store, UP_KIND_USER, pool), 3,
              "users are counted once each");
    is_number(count_items(store, UP_KIND_MEMBER, pool), 4,
              "memberships are counted once each");
    is_number(count_items(store, UP_KIND_TOKEN, pool), 3,
              "tokens are counted once each");
    is_number(count_items(store, UP_KIND_EVENT, pool), 0,
              "putting items writes no event");
}

static void
conflicts(up_store_t *store, apr_pool_t *pool)
{
    const struct {
        const char *name;
        const up_item_t *item;
        const char *message;
    } rows[] = {
        {"a user of another organisation",
         make_human("O2", "A", UP_ACTIVE, "X", pool),
         "user 'A' cannot be in organisation 'O2': the id is one of "
         "organisation 'O1'"},
        {"a user in an organisation that does not exist",
         make_human("O3", "N", UP_ACTIVE, "X", pool),
         "there is no organisation 'O3'"},
        {"a membership in an organisation that does not exist",
         make_member("O3", "A", "R", pool), "there is no organisation 'O3'"},
    };
    up_filter_t all = {.kinds = ALL_KINDS};
    up_batch_t *batch;
    up_error_t *ended;

    put_small(store);
    must(up_batch_begin(&batch, store, pool));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_error_t *err = up_batch_put(batch, rows[i].item, pool);
        is(reason_of(err), "CONFLICT", "%s is a conflict", rows[i].name);
        is(err ? err->message : NULL, rows[i].message, "%s: the message",
           rows[i].name);
    }
    ok(!up_batch_put(batch, make_human("O2", "D", UP_ACTIVE, "Dora", pool),
                     pool),
       "a batch goes on after a conflict");
    ok(!up_batch_commit(batch), "a batch with a conflict is committed");
    is(visited_text(&ended, store, &all, 0, pool),
       "org:O1 org:O2 user:O1/A user:O1/B user:O2/C user:O2/D user:O2/M "
       "member:instance/C member:O1/A member:O1/stranger member:O2/A "
       "token:1 token:2 token:3 token:4",
       "a batch with a conflict stores all items but that one");
}

static void
views(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *caller, *wanted, *user, *view;
    } rows[] = {
        {"a user of the caller's own organisation", "A", NULL, "B",
         "caller of O1 active, org O1, roles ORG_OWNER, user O1/B"},
        {"the caller", "A", NULL, "A",
         "caller of O1 active, org O1, roles ORG_OWNER, user O1/A"},
        {"a user of another organisation is not found", "A", NULL, "C",
         "caller of O1 active, org O1, roles ORG_OWNER"},
        {"a user of another organisation that is named", "A", "O2", "C",
         "caller of O1 active, org O2, roles ORG_USER_MANAGER, user O2/C"},
        {"the caller's own organisation, named", "A", "O1", "A",
         "caller of O1 active, org O1, roles ORG_OWNER, user O1/A"},
        {"an organisation that does not exist", "A", "O3", "B",
         "caller of O1 active"},
        {"roles on the instance", "C", "O1", "B",
         "caller of O2 active, org O1, instance roles IAM_OWNER, user O1/B"},
        {"a locked caller", "B", NULL, "M", "caller of O1 locked, org O1"},
        {"a machine", "M", NULL, "M", "caller of O2 active, org O2, user O2/M"},
        {"a member who is not stored", "stranger", "O1", "A",
         "org O1, roles ORG_OWNER, user O1/A"},
        {"a member who is not stored, without an organisation", "stranger",
         NULL, "A", "nothing"},
        {"no caller", NULL, "O2", "C", "org O2, user O2/C"},
        {"no user", "A", "O2", NULL,
         "caller of O1 active, org O2, roles ORG_USER_MANAGER"},
        {"an unknown user with the longest id", "A", NULL, LONGEST_ID_4,
         "caller of O1 active, org O1, roles ORG_OWNER"},
    };

    put_small(store);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is(read_text(store, rows[i].caller, rows[i].wanted, rows[i].user, pool),
           rows[i].view, "read: %s", rows[i].name);
}

static void
tokens(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        unsigned char byte;
        const char *user;
        int stored;
        up_state_t state;
    } rows[] = {
        {1, "A", 1, UP_ACTIVE},
        {2, "B", 1, UP_LOCKED},
        {3, "stranger", 0, UP_ACTIVE},
    };

    up_item_t *revoked = make_token("A", 9, pool);

    put_small(store);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char sha256[UP_SHA256_BYTES] = {rows[i].byte};
        const up_token_t *token;
        up_state_t state = UP_STATES;
        int stored = -1;
        must(up_store_token(&token, &stored, &state, store, 0, sha256, pool,
                            pool));
        is(token ? token->user : NULL, rows[i].user,
           "a token gives its user %s", rows[i].user);
        is_number(stored, rows[i].stored, "whether %s of a token is stored",
                  rows[i].user);
        if (rows[i].stored)
            is_number(state, rows[i].state, "the state of %s of a token",
                      rows[i].user);
    }

    unsigned char sha256[UP_SHA256_BYTES] = {9};
    const up_token_t *token = (const void *)"untouched";
    up_state_t state;
    int stored;
    revoked->as.token.revoked = LONG_AGO;
    must(put_item(store, revoked, pool));
    must(up_store_token(&token, &stored, &state, store, 0, sha256, pool, pool));
    ok(!token, "a token that is revoked is as an unknown one");
}

static const struct {
    const char *name;
    up_filter_t filter;
    int most;
    const char *words;
} walks[] = {
    {"all items, in the order of kinds and keys",
     {ALL_KINDS, NULL, 0},
     0,
     "org:O org:O1 org:O2 user:O/Z user:O1/A user:O1/B user:O2/C user:O2/M "
     "member:instance/C member:O1/A member:O1/stranger member:O2/A "
     "token:1 token:2 token:3 token:4 event:1:A event:2:B event:3:A"},
    {"no kind", {0, NULL, 0}, 0, ""},
    {"users",
     {1u << UP_KIND_USER, NULL, 0},
     0,
     "user:O/Z user:O1/A user:O1/B user:O2/C user:O2/M"},
    {"users of one organisation",
     {1u << UP_KIND_USER, "O1", 0},
     0,
     "user:O1/A user:O1/B"},
    {"users of an organisation whose id begins another's",
     {1u << UP_KIND_USER, "O", 0},
     0,
     "user:O/Z"},
    {"users of the last organisation",
     {1u << UP_KIND_USER, "O2", 0},
     0,
     "user:O2/C user:O2/M"},
    {"users of an organisation that does not exist",
     {1u << UP_KIND_USER, "O3", 0},
     0,
     ""},
    {"members of one organisation",
     {1u << UP_KIND_MEMBER, "O1", 0},
     0,
     "member:O1/A member:O1/stranger"},
    {"members on the instance",
     {1u << UP_KIND_MEMBER, "", 0},
     0,
     "member:instance/C"},
    {"all kinds, of which users and members of one organisation, and events "
     "after a number",
     {ALL_KINDS, "O2", 2},
     0,
     "org:O org:O1 org:O2 user:O2/C user:O2/M member:O2/A "
     "token:1 token:2 token:3 token:4 event:3:A"},
    {"events after the first",
     {1u << UP_KIND_EVENT, NULL, 1},
     0,
     "event:2:B event:3:A"},
    {"events after the last", {1u << UP_KIND_EVENT, NULL, 3}, 0, ""},
    {"events after the largest number",
     {1u << UP_KIND_EVENT, NULL, APR_UINT64_MAX},
     0,
     ""},
    {"a visitor that ends after five items",
     {ALL_KINDS, NULL, 0},
     5,
     "org:O org:O1 org:O2 user:O/Z user:O1/A"},
};

static void
iteration(up_store_t *store, apr_pool_t *pool)
{
    put_small(store);
    put_org(store, "O");
    put_human(store, "O", "Z", UP_ACTIVE);
    for (const char *user = "ABA"; *user; user++) {
        script_t script = {.action = CHANGE};
        const up_user_t *after;
        must(up_store_update(&after, store, "O1", apr_pstrmemdup(pool, user, 1),
                             decide, &script, pool, pool));
    }
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        up_error_t *err;
        is(visited_text(&err, store, &walks[i].filter, walks[i].most, pool),
           walks[i].words, "each: %s", walks[i].name);
        is(err ? err->message : NULL, walks[i].most ? "enough" : NULL,
           "each: %s: the visitor's error", walks[i].name);
    }
}

static const part_t parts[] = {
    {"absence", absence},
    {"removing what is not there", removing_what_is_not_there},
    {"what is put", what_is_put},
    {"conflicts", conflicts},
    {"views", views},
    {"tokens", tokens},
    {"iteration", iteration},
    {NULL, NULL},
};

int
main(void)
{
    return run_parts(parts);
}
