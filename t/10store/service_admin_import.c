/* service_admin_import.c -- items from elsewhere, which must not bring back
 * what was ended, and old events, which are removed. */
#include "service/up_admin.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <string.h>

static const char *const words[UP_PUTS] = {
    [UP_PUT_ADDED] = "added",
    [UP_PUT_CHANGED] = "changed",
    [UP_PUT_UNCHANGED] = "unchanged",
};

/* What becomes of ITEM: a word, or the reason of the error. */
static const char *
import(up_store_t *store,
       const up_item_t *item,
       up_given_t given,
       int forces,
       apr_pool_t *pool)
{
    up_item_t copy = *item;
    up_put_t did = UP_PUTS;
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    up_error_t *err = up_admin_import(&did, batch, &copy, &given, forces, pool);
    if (!err)
        err = up_batch_commit(batch);
    const char *word = err ? reason_of(err) : words[did];
    apr_pool_destroy(batch_pool);
    return word;
}

static up_item_t *
make_revoked(const char *user, unsigned char byte, apr_pool_t *pool)
{
    up_item_t *item = make_token(user, byte, pool);

    item->as.token.expires = 0;
    item->as.token.revoked = LONG_AGO;
    return item;
}

static up_item_t *
with_sequence(up_item_t *item, apr_uint64_t sequence)
{
    item->as.user.sequence = sequence;
    return item;
}

/* A human who is removed and erased. */
static up_item_t *
make_erased(const char *id, apr_pool_t *pool)
{
    up_item_t *item = make_human("O1", id, UP_REMOVED, "", pool);

    item->as.user.profile = up_profile_make(pool);
    return item;
}

static void
check_imports(up_store_t *store, apr_pool_t *pool)
{
    static const up_given_t all = {UP_ALL_FIELDS, 1, 1};
    const struct {
        const char *name;
        const up_item_t *item;
        const char *word, *forced;
    } rows[] = {
        {"a new organisation", make_org("O2", "", pool), "added", "unchanged"},
        {"an organisation that is there", make_org("O1", "", pool), "unchanged",
         "unchanged"},
        {"another name", make_org("O1", "One", pool), "changed", "unchanged"},
        {"a user that is there",
         with_sequence(make_human("O1", "A", UP_ACTIVE, "F", pool), 5),
         "unchanged", "unchanged"},
        {"a smaller sequence",
         with_sequence(make_human("O1", "A", UP_ACTIVE, "F", pool), 4),
         "CONFLICT", "changed"},
        {"a larger sequence",
         with_sequence(make_human("O1", "A", UP_ACTIVE, "F", pool), 6),
         "changed", "unchanged"},
        {"a machine in place of a human",
         with_sequence(make_machine("O1", "A", pool), 7), "CONFLICT",
         "changed"},
        {"a human in place of a machine",
         make_human("O1", "M", UP_ACTIVE, "F", pool), "CONFLICT", "changed"},
        {"a removed user as active",
         make_human("O1", "R", UP_ACTIVE, "F", pool), "CONFLICT", "changed"},
        {"the values of an erased user",
         make_human("O1", "E", UP_REMOVED, "F", pool), "CONFLICT", "changed"},
        {"a user of another organisation",
         make_human("O2", "A", UP_ACTIVE, "F", pool), "CONFLICT", "CONFLICT"},
        {"a user of an unknown organisation",
         make_human("O9", "N", UP_ACTIVE, "F", pool), "CONFLICT", "CONFLICT"},
        {"a token that is there", make_token("A", 1, pool), "unchanged",
         "unchanged"},
        {"a revoked token as valid", make_token("A", 2, pool), "CONFLICT",
         "changed"},
        {"a valid token as revoked", make_revoked("A", 1, pool), "changed",
         "unchanged"},
        {"a new revoked token", make_revoked("S", 3, pool), "added",
         "unchanged"},
        {"a token of a removed user", make_token("S", 4, pool), "CONFLICT",
         "added"},
        {"a membership of a removed user", make_member("O1", "S", "R", pool),
         "CONFLICT", "added"},
        {"a membership", make_member("O1", "A", "R", pool), "added",
         "unchanged"},
        {"a membership that is there", make_member("O1", "A", "R", pool),
         "unchanged", "unchanged"},
        {"another role", make_member("O1", "A", "S", pool), "changed",
         "unchanged"},
    };

    put_org(store, "O1");
    must(put_item(store,
                  with_sequence(make_human("O1", "A", UP_ACTIVE, "F", pool), 5),
                  pool));
    put_machine(store, "O1", "M");
    put_human(store, "O1", "R", UP_REMOVED);
    put_human(store, "O1", "S", UP_REMOVED);
    must(put_item(store, make_erased("E", pool), pool));
    put_token(store, "A", 1);
    must(put_item(store, make_revoked("A", 2, pool), pool));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *before = store_text(store, ALL_KINDS, pool);
        is(import(store, rows[i].item, all, 0, pool), rows[i].word,
           "import: %s", rows[i].name);
        if (!strcmp(rows[i].word, "CONFLICT") ||
            !strcmp(rows[i].word, "unchanged"))
            is(store_text(store, ALL_KINDS, pool), before,
               "import: %s: nothing is changed", rows[i].name);
        is(import(store, rows[i].item, all, 1, pool), rows[i].forced,
           "import by force: %s", rows[i].name);
    }
    is_number(count_items(store, UP_KIND_EVENT, pool), 0,
              "what is imported writes no event of its own");
}

/* Dates that are not given are those of the store. */
static void
check_dates(up_store_t *store, apr_pool_t *pool)
{
    static const up_given_t none = {UP_ALL_FIELDS, 0, 0};
    up_item_t *user = make_human("O1", "D", UP_ACTIVE, "F", pool);
    up_item_t *token = make_token("D", 40, pool);

    put_human(store, "O1", "D", UP_ACTIVE);
    put_token(store, "D", 40);
    user->as.user.created = user->as.user.changed = LONG_AGO + 5;
    token->as.token.created = LONG_AGO + 5;
    is(import(store, user, none, 0, pool), "unchanged",
       "a user without dates is unchanged");
    is(import(store, token, none, 0, pool), "unchanged",
       "a token without a date is unchanged");
    user->as.user.state = UP_LOCKED;
    is(import(store, user, none, 0, pool), "changed",
       "a user without dates, in another state, is changed");
    const up_user_t *there = &get_item(store, user, pool)->as.user;
    is_number(there->created - LONG_AGO, 0, "the creation date stays");
    is_number(there->changed - LONG_AGO, 5, "the change date is the new one");
    is(import(store, user, (up_given_t){UP_ALL_FIELDS, 1, 1}, 0, pool),
       "changed", "a user with other dates is changed");
}

/* Put an event about USER that has values. */
static void
put_change(up_store_t *store, const char *user, apr_pool_t *pool)
{
    up_profile_t *profile = up_profile_make(pool);
    up_item_t item = {.kind = UP_KIND_EVENT,
                      .as.event = {.type = UP_PROFILE_CHANGED,
                                   .time = LONG_AGO,
                                   .org = "O1",
                                   .user = user,
                                   .author = "",
                                   .detail = "",
                                   .sequence = 1,
                                   .fields = UP_FIELD_BIT(UP_FIRST_NAME),
                                   .before = profile,
                                   .after = profile}};

    profile->text[UP_FIRST_NAME] = "Secretive";
    must(put_item(store, &item, pool));
}

/* Whether USER has a membership, and the token of BYTE, not revoked. */
static const char *
rights_of(up_store_t *store,
          const char *user,
          unsigned char byte,
          apr_pool_t *pool)
{
    const up_item_t *member =
        get_item(store, make_member("O1", user, "R", pool), pool);
    const up_item_t *token =
        get_item(store, make_token(user, byte, pool), pool);

    return apr_pstrcat(pool, member ? "a membership" : "none",
                       token && !token->as.token.revoked ? ", a token" : "",
                       NULL);
}

/* How often the events have a value. */
static int
count_values(up_store_t *store, apr_pool_t *pool)
{
    const char *text = store_text(store, 1u << UP_KIND_EVENT, pool);
    int count = 0;

    while ((text = strstr(text, "Secretive"))) {
        text++;
        count++;
    }
    return count;
}

/* Who is removed elsewhere is so here, as if that were done here. */
static void
check_removals(up_store_t *store, apr_pool_t *pool)
{
    static const up_given_t all = {UP_ALL_FIELDS, 1, 1};

    for (unsigned char i = 50; i < 53; i++) {
        const char *user = apr_psprintf(pool, "X%d", i);
        if (i < 52) /* the last one is no user yet */
            put_human(store, "O1", user, UP_ACTIVE);
        put_member(store, "O1", user, "R");
        put_token(store, user, i);
        put_change(store, user, pool);
    }
    int values = count_values(store, pool) / 3;
    import(store, make_human("O1", "X50", UP_LOCKED, "F", pool), all, 0, pool);
    is(rights_of(store, "X50", 50, pool), "a membership, a token",
       "a locked user keeps all rights");
    import(store, make_human("O1", "X50", UP_REMOVED, "F", pool), all, 0, pool);
    is(rights_of(store, "X50", 50, pool), "none",
       "who is imported as removed has no rights");
    is_number(count_values(store, pool), values * 3,
              "... and keeps the values in events");
    import(store, make_erased("X51", pool), all, 0, pool);
    is(rights_of(store, "X51", 51, pool), "none",
       "who is imported as erased has no rights");
    is(rights_of(store, "X52", 52, pool), "a membership, a token",
       "... and another one has them");
    is_number(count_values(store, pool), values * 2,
              "... and nobody else loses the values in events");
    import(store, make_erased("X52", pool), all, 0, pool);
    is(rights_of(store, "X52", 52, pool), "none",
       "who is imported as erased, and was no user, has no rights");
    is_number(count_values(store, pool), values, "... and no values in events");
    import(store, make_erased("X50", pool), all, 0, pool);
    is_number(count_values(store, pool), 0,
              "who was removed, and is imported as erased, has none either");
}

#define EVENTS 2500

static void
put_events(up_store_t *store, apr_pool_t *pool)
{
    up_batch_t *batch;

    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < EVENTS; i++) {
        up_item_t item = {.kind = UP_KIND_EVENT,
                          .as.event = {.type = UP_USER_LOCKED,
                                       .time = LONG_AGO + i,
                                       .org = "O1",
                                       .user = "A",
                                       .author = "",
                                       .detail = ""}};
        if (i == 3)
            item.as.event.time = LONG_AGO + EVENTS * 2; /* out of order */
        must(up_batch_put(batch, &item, pool));
    }
    must(up_batch_commit(batch));
}

typedef struct left_t {
    apr_uint64_t first, last;
    int count;
    const char *detail; /* of the last one */
} left_t;

static up_error_t *
note(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;
    left_t *left = baton;

    (void)pool;
    if (!left->count++)
        left->first = event->number;
    left->last = event->number;
    left->detail = !strcmp(up_event_type_name(event->type), "events.pruned") &&
                           !strcmp(event->author, "tool:t")
                       ? "pruned by tool:t"
                       : "";
    return NULL;
}

static void
check_pruning(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t events = {.kinds = 1u << UP_KIND_EVENT};
    const struct {
        const char *name;
        apr_time_t before;
        int removed, left;
        int first, last;
    } rows[] = {
        {"from before all", LONG_AGO, 0, EVENTS, 1, EVENTS},
        {"of three moments", LONG_AGO + 3, 3, EVENTS - 3 + 1, 4, EVENTS + 1},
        {"of a thousand more", LONG_AGO + 1004, 1000, EVENTS - 1003 + 2, 4,
         EVENTS + 2},
        {"from before a time to come", apr_time_now() * 2, EVENTS - 1003 + 1, 2,
         EVENTS + 2, EVENTS + 3},
    };

    put_events(store, pool);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        left_t left = {0, 0, 0, NULL};
        apr_uint64_t removed = 99;
        must(up_admin_prune_events(&removed, store, rows[i].before, "tool:t",
                                   pool));
        must(up_store_each(store, &events, note, &left, pool));
        is_number((long long)removed, rows[i].removed,
                  "pruning events %s: how many are removed", rows[i].name);
        is_number(left.count, rows[i].left,
                  "pruning events %s: how many are left", rows[i].name);
        is_number((long long)left.first, rows[i].first,
                  "pruning events %s: the first that is left", rows[i].name);
        is_number((long long)left.last, rows[i].last,
                  "pruning events %s: no number is given twice", rows[i].name);
        is(left.detail, rows[i].removed ? "pruned by tool:t" : "",
           "pruning events %s: whether that is an event", rows[i].name);
    }
}

static void
test(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);
    check_imports(store, pool);
    check_dates(store, pool);
    check_pruning(store, pool);
    check_removals(store, pool);
    up_store_close(store);
}

int
main(void)
{
    return run_test(test);
}
