/* store.c -- what every store promises (store/up_store.h) of what is put into
 * it and read. */
#include "store_contract.h"
#include "tap.h"

#include <apr_strings.h>
#include <string.h>

static void
absence(up_store_t *store, apr_pool_t *pool)
{
    static const char *const lines[] = {
        ORG("O1", ""),           MACHINE("U1", "O1"),
        MEMBER("O1", "U1", "R"), INSTANCE_MEMBER("U1", "R"),
        TOKEN("U1", "01"),
    };
    unsigned char sha256[UP_SHA256_BYTES] = {1};
    const up_token_t *token = (const void *)"untouched";
    up_state_t state;
    up_store_stat_t stat;
    int stored;

    is(read_text(store, "A", "O1", "U1", pool), "- - - - - -",
       "nothing is found in an empty store");
    is(read_text(store, NULL, NULL, NULL, pool), "- - - - - -",
       "nothing is found where nothing is asked for");
    up_error_t *err =
        up_store_token(&token, &stored, &state, store, sha256, pool, pool);
    ok(!err && !token, "an unknown token is NULL");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ok(!get(store, lines[i], pool), "absent: %s", lines[i]);
    is(temp_store_dump(store, ALL, pool), "", "nothing is visited");

    must(up_store_stat(&stat, store, pool));
    ok(!stat.last_event, "there is no last event");
    for (int i = 0; i < UP_KINDS; i++)
        is_number((long long)stat.count[i], 0, "none of kind %d", i);
}

static void
removing_what_is_not_there(up_store_t *store, apr_pool_t *pool)
{
    up_batch_t *batch;
    int found = 1;

    must(up_batch_begin(&batch, store, pool));
    up_error_t *err = up_batch_remove(
        &found, batch, item_of(MEMBER("O1", "U1", "R"), pool), pool);
    ok(!err && !found, "a membership that is not there");
    err =
        up_batch_remove(&found, batch, item_of(TOKEN("U1", "01"), pool), pool);
    ok(!err && !found, "a token that is not there");
    err = up_batch_remove_rights(batch, "U1", pool);
    ok(!err, "the rights of someone who has none");
    ok(!up_batch_commit(batch), "a batch without a change");
}

/* In an order in which they can be put. */
static const struct {
    const char *name;
    const char *line;
    const char *other; /* under the same key */
} kept[] = {
    {"an organisation", ORG("O1", "One"), ORG("O1", "")},
    {"an organisation with the longest id", ORG(LONGEST_ID, ""),
     ORG(LONGEST_ID, "L")},
    {"an organisation whose id is part of another's", ORG("O", "Part"),
     ORG("O", "Part of O1")},
    {"a human", USER("U1", "O1", "active", "Gigi"),
     USER("U1", "O1", "locked", "G")},
    {"a machine", MACHINE("M1", "O1"), MACHINE("M1", "O1")},
    {"a human with all longest ids",
     USER(LONGEST_ID_4, LONGEST_ID, "initial", LONGEST_TEXT),
     USER(LONGEST_ID_4, LONGEST_ID, "removed", "S")},
    {"a membership", MEMBER("O1", "U1", "ORG_OWNER"),
     MEMBER("O1", "U1", "A\",\"B")},
    {"a membership on the instance", INSTANCE_MEMBER("U1", "IAM_OWNER"),
     INSTANCE_MEMBER("U1", "IAM_OWNER_VIEWER")},
    {"a membership of someone who is not stored",
     MEMBER("O1", "stranger", "ORG_OWNER"), MEMBER("O1", "stranger", "R")},
    {"a membership with all longest ids", MEMBER(LONGEST_ID, LONGEST_ID_4, "R"),
     MEMBER(LONGEST_ID, LONGEST_ID_4, "S")},
    {"a token", TOKEN("U1", "01"), TOKEN("U2", "01")},
    {"a token that does not expire",
     "{\"token\":{\"userId\":\"" LONGEST_ID_4 "\",\"sha256\":\"ff" SHA_31
     "\",\"creationDate\":\"2025-03-25T09:00:00.100Z\"}}",
     TOKEN("U1", "ff")},
};

#define KEPT (sizeof(kept) / sizeof(kept[0]))

static void
what_is_put(up_store_t *store, apr_pool_t *pool)
{
    for (size_t i = 0; i < KEPT; i++) {
        must(put(store, kept[i].line, pool));
        is(get(store, kept[i].line, pool),
           line_of(item_of(kept[i].line, pool), pool), "%s is kept",
           kept[i].name);
    }
    const char *all = temp_store_dump(store, ALL, pool);
    for (size_t i = 0; i < KEPT; i++)
        must(put(store, kept[i].line, pool));
    is(temp_store_dump(store, ALL, pool), all,
       "putting all of it again changes nothing");
    for (size_t i = 0; i < KEPT; i++) {
        must(put(store, kept[i].other, pool));
        is(get(store, kept[i].line, pool),
           line_of(item_of(kept[i].other, pool), pool), "%s is replaced",
           kept[i].name);
    }
    is_number(count(store, UP_KIND_ORG, pool), 3, "organisations");
    is_number(count(store, UP_KIND_USER, pool), 3, "users");
    is_number(count(store, UP_KIND_MEMBER, pool), 4, "memberships");
    is_number(count(store, UP_KIND_TOKEN, pool), 2, "tokens");
    is_number(count(store, UP_KIND_EVENT, pool), 0,
              "no event is written for any of them");
}

static void
conflicts(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *line, *says;
    } rows[] = {
        {"a user whom another organisation has", USER("A", "O2", "active", "X"),
         "user 'A' cannot be in organisation 'O2': the id is one of "
         "organisation 'O1'"},
        {"a user of no organisation", USER("N", "O3", "active", "X"),
         "there is no organisation 'O3'"},
        {"a membership in no organisation", MEMBER("O3", "A", "R"),
         "there is no organisation 'O3'"},
    };
    up_batch_t *batch;

    temp_store_fill(store, small);
    const char *before = temp_store_dump(store, ALL, pool);
    must(up_batch_begin(&batch, store, pool));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_error_t *err =
            up_batch_put(batch, item_of(rows[i].line, pool), pool);
        is(reason_of(err), "CONFLICT", "%s", rows[i].name);
        is(err ? err->message : NULL, rows[i].says, "%s: what is said",
           rows[i].name);
    }
    ok(!up_batch_put(batch, item_of(USER("D", "O2", "active", "Dora"), pool),
                     pool),
       "a batch goes on after a conflict");
    ok(!up_batch_commit(batch), "and is committed");
    ok(get(store, MACHINE("D", "O2"), pool) != NULL, "with what it could put");
    must(put(store, USER("A", "O1", "active", "Ada"), pool));
    is_number((long long)strlen(temp_store_dump(store, ALL, pool)),
              (long long)(strlen(before) +
                          strlen(line_of(
                              item_of(USER("D", "O2", "active", "Dora"), pool),
                              pool)) +
                          1),
              "and with nothing else");
}

static void
views(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *caller, *wanted, *user, *view;
    } rows[] = {
        {"one's own organisation", "A", NULL, "B",
         "O1 active O1 ORG_OWNER - O1/B"},
        {"oneself", "A", NULL, "A", "O1 active O1 ORG_OWNER - O1/A"},
        {"another's user", "A", NULL, "C", "O1 active O1 ORG_OWNER - -"},
        {"another organisation", "A", "O2", "C",
         "O1 active O2 ORG_USER_MANAGER - O2/C"},
        {"one's own, named", "A", "O1", "A", "O1 active O1 ORG_OWNER - O1/A"},
        {"no such organisation", "A", "O3", "B", "O1 active - - - -"},
        {"the instance's", "C", "O1", "B", "O2 active O1 - IAM_OWNER O1/B"},
        {"a locked caller", "B", NULL, "M", "O1 locked O1 - - -"},
        {"a machine", "M", NULL, "M", "O2 active O2 - - O2/M"},
        {"a member who is not stored", "stranger", "O1", "A",
         "- - O1 ORG_OWNER - O1/A"},
        {"the same without an organisation", "stranger", NULL, "A",
         "- - - - - -"},
        {"no caller", NULL, "O2", "C", "- - O2 - - O2/C"},
        {"no user", "A", "O2", NULL, "O1 active O2 ORG_USER_MANAGER - -"},
        {"an id of nobody", "A", NULL, LONGEST_ID_4,
         "O1 active O1 ORG_OWNER - -"},
    };

    temp_store_fill(store, small);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is(read_text(store, rows[i].caller, rows[i].wanted, rows[i].user, pool),
           rows[i].view, "%s", rows[i].name);
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

    temp_store_fill(store, small);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char sha256[UP_SHA256_BYTES] = {rows[i].byte};
        const up_token_t *token;
        up_state_t state = UP_STATES;
        int stored = -1;
        must(
            up_store_token(&token, &stored, &state, store, sha256, pool, pool));
        is(token ? token->user : NULL, rows[i].user, "the token of %s",
           rows[i].user);
        is_number(stored, rows[i].stored, "whether %s is stored", rows[i].user);
        if (rows[i].stored)
            is_number(state, rows[i].state, "the state of %s", rows[i].user);
    }
}

static const struct {
    const char *name;
    up_filter_t filter;
    int most;
    const char *words;
} walks[] = {
    {"all, in the order of kinds and keys",
     {ALL, NULL, 0},
     0,
     "O O1 O2 O/Z O1/A O1/B O2/C O2/M +C O1+A O1+stranger O2+A #1 #2 #3 #4 "
     "1:A 2:B 3:A"},
    {"nothing", {0, NULL, 0}, 0, ""},
    {"users", {1u << UP_KIND_USER, NULL, 0}, 0, "O/Z O1/A O1/B O2/C O2/M"},
    {"users of one organisation",
     {1u << UP_KIND_USER, "O1", 0},
     0,
     "O1/A O1/B"},
    {"users of one whose id is part of another's",
     {1u << UP_KIND_USER, "O", 0},
     0,
     "O/Z"},
    {"users of the last one", {1u << UP_KIND_USER, "O2", 0}, 0, "O2/C O2/M"},
    {"users of none", {1u << UP_KIND_USER, "O3", 0}, 0, ""},
    {"members of one", {1u << UP_KIND_MEMBER, "O1", 0}, 0, "O1+A O1+stranger"},
    {"members on the instance", {1u << UP_KIND_MEMBER, "", 0}, 0, "+C"},
    {"what belongs to one, and what belongs to none",
     {ALL, "O2", 2},
     0,
     "O O1 O2 O2/C O2/M O2+A #1 #2 #3 #4 3:A"},
    {"events after one", {1u << UP_KIND_EVENT, NULL, 1}, 0, "2:B 3:A"},
    {"events after the last", {1u << UP_KIND_EVENT, NULL, 3}, 0, ""},
    {"events after all that can be",
     {1u << UP_KIND_EVENT, NULL, APR_UINT64_MAX},
     0,
     ""},
    {"an end in the middle", {ALL, NULL, 0}, 5, "O O1 O2 O/Z O1/A"},
};

static void
iteration(up_store_t *store, apr_pool_t *pool)
{
    temp_store_fill(store, small);
    must(put(store, ORG("O", ""), pool));
    must(put(store, USER("Z", "O", "active", "Zoe"), pool));
    for (const char *user = "ABA"; *user; user++) {
        script_t script = {.action = CHANGE};
        const up_user_t *after;
        must(up_store_update(&after, store, "O1", apr_pstrmemdup(pool, user, 1),
                             decide, &script, pool, pool));
    }
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        up_error_t *err;
        is(visited_text(&err, store, &walks[i].filter, walks[i].most, pool),
           walks[i].words, "%s", walks[i].name);
        is(err ? err->message : NULL, walks[i].most ? "enough" : NULL,
           "%s: what the visitor said", walks[i].name);
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
