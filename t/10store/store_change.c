/* store_change.c -- what every store promises (store/up_store.h) of changes. */
#include "store_contract.h"
#include "tap.h"

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <stdlib.h>
#include <string.h>

static void
updates(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *org, *user;
        int action;
        const char *reason;
        int sequence; /* of *AFTER; 0: NULL */
        int events;   /* then */
    } rows[] = {
        {"a change of an unchanged user", "O1", "A", CHANGE, "", 2, 1},
        {"a second change", "O1", "A", CHANGE, "", 3, 2},
        {"a decision to change nothing", "O1", "A", KEEP, "", 3, 2},
        {"a decision to refuse", "O1", "A", REFUSE, "PROFILE_NOT_FOUND", 0, 2},
        {"a change without an event", "O1", "A", CHANGE_WITHOUT_EVENT, "", 4,
         2},
        {"a change of another user", "O2", "C", CHANGE, "", 2, 3},
        {"an unknown user, nothing to change", "O1", "N", KEEP, "", 0, 3},
        {"an unknown user, refused", "O1", "N", REFUSE, "PROFILE_NOT_FOUND", 0,
         3},
        {"a user of another organisation", "O2", "A", KEEP, "", 0, 3},
        {"an organisation that does not exist", "O3", "A", KEEP, "", 0, 3},
    };

    put_small(store);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_item_t *there =
            get_item(store, make_machine("O1", rows[i].user, pool), pool);
        script_t script = {.action = rows[i].action};
        const up_user_t *after = NULL;
        up_store_stat_t stat;

        /* A user is found by id alone; an update names the organisation too. */
        if (there && strcmp(there->as.user.org, rows[i].org) != 0)
            there = NULL;
        const up_error_t *err =
            up_store_update(&after, store, rows[i].org, rows[i].user, decide,
                            &script, pool, pool);
        is(reason_of(err), rows[i].reason, "update, %s: the error",
           rows[i].name);
        is(script.before, item_text(there, pool),
           "update, %s: the decision is on the stored record", rows[i].name);
        if (!err)
            is_number(after ? (long long)after->sequence : 0, rows[i].sequence,
                      "update, %s: the sequence of the result", rows[i].name);
        must(up_store_stat(&stat, store, pool));
        is_number((long long)stat.last_event, rows[i].events,
                  "update, %s: the last event's number", rows[i].name);
    }
}

static void
updates_that_add(up_store_t *store, apr_pool_t *pool)
{
    const struct {
        const char *name;
        const up_item_t *item;
        const char *reason;
    } rows[] = {
        {"a new user", make_human("O1", "N", UP_ACTIVE, "Nell", pool), ""},
        {"a user of another organisation",
         make_human("O1", "C", UP_ACTIVE, "X", pool), "CONFLICT"},
        {"a user in an organisation that does not exist",
         make_human("O3", "P", UP_ACTIVE, "X", pool), "CONFLICT"},
    };

    put_small(store);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_user_t *user = &rows[i].item->as.user;
        script_t script = {.action = CHANGE, .instead = user};
        const up_user_t *after;
        const up_error_t *err = up_store_update(
            &after, store, user->org, user->id, decide, &script, pool, pool);
        is(reason_of(err), rows[i].reason, "an update that adds %s: the error",
           rows[i].name);
        ok(!script.before, "an update that adds %s: no record to decide on",
           rows[i].name);
    }
    is(read_text(store, "N", NULL, "N", pool),
       "caller of O1 active, org O1, user O1/N",
       "a user whom an update added is found");
    is(read_text(store, "C", NULL, "C", pool),
       "caller of O2 active, org O2, instance roles IAM_OWNER, user O2/C",
       "a user of another organisation stays there");
    is_number(count_items(store, UP_KIND_EVENT, pool), 1,
              "updates that fail write no event");
}

static void
batches(up_store_t *store, apr_pool_t *pool)
{
    const up_item_t *org = make_org("O9", "", pool), *item;
    up_batch_t *batch;
    apr_pool_t *batch_pool;

    put_small(store);
    const char *before = store_text(store, ALL_KINDS, pool);

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    must(up_batch_put(batch, org, pool));
    must(up_batch_put(batch, make_human("O1", "A", UP_REMOVED, "X", pool),
                      pool));
    must(up_batch_remove_rights(batch, "A", LONG_AGO, pool));
    must(up_batch_get(&item, batch, org, pool, pool));
    ok(item != NULL, "a batch sees what it has put");
    must(up_batch_get(&item, batch, make_token("A", 1, pool), pool, pool));
    ok(item && item->as.token.revoked == LONG_AGO,
       "a batch sees that a token is revoked by it");
    must(up_batch_get(&item, batch, make_member("O1", "A", "", pool), pool,
                      pool));
    ok(!item, "a batch does not see what it has removed");
    is(store_text(store, ALL_KINDS, pool), before,
       "others see nothing of a batch before its commit");
    apr_pool_destroy(batch_pool);
    is(store_text(store, ALL_KINDS, pool), before,
       "nothing is left of a batch that was given up");

    must(put_item(store, org, pool));
    ok(get_item(store, org, pool) != NULL,
       "the batch after one that was given up is stored");
}

/* How many of the tokens are revoked, and whether all of A are, and no
 * others. */
typedef struct revoked_t {
    int revoked, wrong;
} revoked_t;

static up_error_t *
count_revoked(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const up_token_t *token = &item->as.token;
    revoked_t *revoked = baton;

    (void)pool;
    revoked->revoked += token->revoked != 0;
    revoked->wrong += !strcmp(token->user, "A")
                          ? token->revoked != LONG_AGO + 7 || token->expires
                          : token->revoked != 0;
    return NULL;
}

#define TOKENS 3000

static void
rights(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t tokens = {.kinds = 1u << UP_KIND_TOKEN};
    revoked_t revoked = {0, 0};
    up_batch_t *batch;
    int found;

    put_small(store);
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < TOKENS; i++) { /* many pages of tokens */
        up_item_t item = {.kind = UP_KIND_TOKEN};
        item.as.token.sha256[0] = (unsigned char)(i / 20);
        item.as.token.sha256[1] = (unsigned char)(i % 20 + 1);
        item.as.token.expires = i % 3 ? LONG_AGO : 0;
        item.as.token.user = i % 5 ? "A" : "B";
        must(up_batch_put(batch, &item, pool));
    }
    must(up_batch_put(batch, make_member("", "A", "R", pool), pool));
    must(up_batch_commit(batch));

    must(up_batch_begin(&batch, store, pool));
    must(up_batch_remove_rights(batch, "A", LONG_AGO + 7, pool));
    must(up_batch_commit(batch));
    is(read_text(store, "A", "O1", NULL, pool), "caller of O1 active, org O1",
       "no rights are left in the user's own organisation");
    is(read_text(store, "A", "O2", NULL, pool), "caller of O1 active, org O2",
       "no rights are left in another organisation");
    must(up_store_each(store, &tokens, count_revoked, &revoked, pool));
    is_number(revoked.revoked, 2 + TOKENS * 4 / 5,
              "all tokens of a user are revoked");
    is_number(revoked.wrong, 0, "the tokens of others are left");
    must(up_batch_begin(&batch, store, pool));
    must(up_batch_remove_rights(batch, "A", LONG_AGO + 8, pool));
    must(up_batch_commit(batch));
    revoked.wrong = 0;
    must(up_store_each(store, &tokens, count_revoked, &revoked, pool));
    is_number(revoked.wrong, 0, "a token that is revoked stays as it is");
    is_number(count_items(store, UP_KIND_MEMBER, pool), 2,
              "the memberships of others are left");
    ok(get_item(store, make_machine("O1", "A", pool), pool) != NULL,
       "the user is left");

    must(up_batch_begin(&batch, store, pool));
    must(up_batch_remove(&found, batch, make_token("B", 2, pool), pool));
    ok(found, "a token that is removed is found");
    must(up_batch_remove(&found, batch, make_member("", "C", "R", pool), pool));
    ok(found, "a membership that is removed is found");
    must(up_batch_remove(&found, batch, make_machine("O2", "M", pool), pool));
    ok(found, "a user that is removed is found");
    must(up_batch_remove(&found, batch, make_machine("O1", "C", pool), pool));
    ok(!found, "a user of another organisation is not found");
    must(up_batch_remove(&found, batch, make_org("O9", "", pool), pool));
    ok(!found, "an organisation that is not there is not found");
    must(up_batch_commit(batch));
    ok(!get_item(store, make_machine("O2", "M", pool), pool),
       "the user is gone");
    ok(get_item(store, make_machine("O2", "C", pool), pool) != NULL,
       "the user of another organisation is left");
    put_machine(store, "O1", "M");
    ok(get_item(store, make_machine("O1", "M", pool), pool) != NULL,
       "the id of a user that is gone can be used in another organisation");
    ok(!get_item(store, make_token("B", 2, pool), pool), "the token is gone");
    ok(!get_item(store, make_member("", "C", "R", pool), pool),
       "the membership is gone");
}

static up_error_t *
visit_and_change(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    up_store_t *store = baton;
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, item->as.user.org, item->as.user.id,
                           decide, &script, pool, pool);
}

static void
updates_of_the_state(up_store_t *store, apr_pool_t *pool)
{
    const up_item_t *locked = make_human("O1", "A", UP_LOCKED, "Adam", pool);
    script_t script = {.action = CHANGE, .instead = &locked->as.user};
    const up_user_t *after;

    put_small(store);
    must(
        up_store_update(&after, store, "O1", "A", decide, &script, pool, pool));
    is(read_text(store, "A", NULL, NULL, pool),
       "caller of O1 locked, org O1, roles ORG_OWNER",
       "a state that an update changes is the caller's");
}

static void
one_moment(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t users = {.kinds = 1u << UP_KIND_USER};
    up_filter_t both = {.kinds = 1u << UP_KIND_USER | 1u << UP_KIND_EVENT};
    up_error_t *err;

    put_small(store);
    ok(!up_store_each(store, &users, visit_and_change, store, pool),
       "a visitor may change what it visits");
    is_number(count_items(store, UP_KIND_EVENT, pool), 4,
              "each user was changed once");
    is(visited_text(&err, store, &both, 0, pool),
       "user:O1/A user:O1/B user:O2/C user:O2/M "
       "event:1:A event:2:B event:3:C event:4:M",
       "a visitor's changes are all there afterwards");
}

static void
event_numbers(up_store_t *store, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_EVENT,
                      .as.event = {.number = 0,
                                   .type = UP_USER_ADDED,
                                   .org = "O1",
                                   .user = "A",
                                   .author = "",
                                   .detail = ""}};
    script_t script = {.action = CHANGE};
    const up_user_t *after;
    up_filter_t events = {.kinds = 1u << UP_KIND_EVENT};
    up_batch_t *batch;
    up_error_t *err;

    put_small(store);
    must(
        up_store_update(&after, store, "O1", "B", decide, &script, pool, pool));
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < 3; i++)
        must(up_batch_put(batch, &item, pool));
    must(up_batch_commit(batch));
    must(
        up_store_update(&after, store, "O1", "B", decide, &script, pool, pool));
    is(visited_text(&err, store, &events, 0, pool),
       "event:1:B event:2:A event:3:A event:4:A event:5:B",
       "events of updates and of batches are numbered in one sequence");

    int found = 0;
    must(up_batch_begin(&batch, store, pool));
    for (apr_uint64_t number = 2; number < 4; number++) {
        item.as.event.number = number;
        must(up_batch_remove(&found, batch, &item, pool));
        ok(found, "an event is removed by its number");
    }
    must(up_batch_remove(&found, batch, &item, pool));
    ok(!found, "an event that is gone is not found");
    item.as.event.number = 0;
    must(up_batch_put(batch, &item, pool));
    must(up_batch_commit(batch));
    is(visited_text(&err, store, &events, 0, pool),
       "event:1:B event:4:A event:5:B event:6:A",
       "the number of a removed event is not given again");
}

#define EVENTS 900

/* Events of users in turn, small ones and some of more than a page. */
static void
put_events(up_store_t *store, apr_pool_t *pool)
{
    static const char *const users[] = {"A", "AB", "B"};
    up_profile_t *small = up_profile_make(pool), *large = up_profile_make(pool);
    up_batch_t *batch;

    small->text[UP_NICK_NAME] = "secret";
    for (int i = 0; i < UP_FIELDS; i++)
        large->text[i] = LONGEST_TEXT;
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < EVENTS; i++) {
        up_item_t item = {.kind = UP_KIND_EVENT,
                          .as.event = {.type = UP_PROFILE_CHANGED,
                                       .time = LONG_AGO + i,
                                       .org = "O1",
                                       .user = users[i % 3],
                                       .author = "caller",
                                       .detail = "detail",
                                       .sequence = (apr_uint64_t)i,
                                       .fields = UP_FIELD_BIT(UP_NICK_NAME),
                                       .before = i % 7 ? small : large,
                                       .after = i % 5 ? small : large}};
        must(up_batch_put(batch, &item, pool));
    }
    must(up_batch_commit(batch));
}

/* What is wrong with events after those of A were erased. */
typedef struct erasure_t {
    int seen, wrong;
} erasure_t;

static up_error_t *
check_event(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    const up_event_t *event = &item->as.event;
    erasure_t *erasure = baton;
    int i = erasure->seen++, has_values = event->before && event->after;

    (void)pool;
    erasure->wrong +=
        event->number != (apr_uint64_t)i + 1 || event->time != LONG_AGO + i ||
        event->sequence != (apr_uint64_t)i ||
        strcmp(event->author, "caller") != 0 ||
        strcmp(event->detail, "detail") != 0 ||
        event->fields != UP_FIELD_BIT(UP_NICK_NAME) ||
        (strcmp(event->user, "A") == 0 ? event->before || event->after
                                       : !has_values);
    return NULL;
}

static void
erased_events(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t events = {.kinds = 1u << UP_KIND_EVENT};
    erasure_t erasure = {0, 0};
    up_batch_t *batch;

    put_events(store, pool);
    must(up_batch_begin(&batch, store, pool));
    must(up_batch_erase_events(batch, "A", pool));
    must(up_batch_commit(batch));
    must(up_store_each(store, &events, check_event, &erasure, pool));
    is_number(erasure.seen, EVENTS, "events that are erased stay");
    is_number(erasure.wrong, 0,
              "the values of one user's events are gone, and nothing else");
}

#define THREADS 8
#define ROUNDS 40

typedef struct worker_t {
    up_store_t *store;
    const char *own; /* a user that no other worker changes */
    int failures;
} worker_t;

/* Change the user that all workers change, and the worker's own; read the
 * latter, and refuse a change. */
static void *APR_THREAD_FUNC
work(apr_thread_t *thread, void *baton)
{
    worker_t *worker = baton;
    up_query_t query = {.caller = "A", .user = worker->own};
    apr_pool_t *pool;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        script_t change = {.action = CHANGE}, refuse = {.action = REFUSE};
        const up_user_t *after;
        up_view_t *view;

        worker->failures += !!up_store_update(&after, worker->store, "O1", "A",
                                              decide, &change, pool, pool);
        const up_error_t *err = up_store_update(
            &after, worker->store, "O1", "A", decide, &refuse, pool, pool);
        worker->failures += strcmp(reason_of(err), "PROFILE_NOT_FOUND") != 0;
        worker->failures +=
            up_store_update(&after, worker->store, "O1", worker->own, decide,
                            &change, pool, pool) ||
            after->sequence != (apr_uint64_t)i + 2;
        worker->failures +=
            up_store_read(&view, worker->store, &query, pool, pool) ||
            view->user->sequence != after->sequence;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static up_error_t *
expect_next(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_uint64_t *last = baton;

    (void)pool;
    if (item->as.event.number == *last + 1)
        ++*last;
    return NULL;
}

static void
concurrency(up_store_t *store, apr_pool_t *pool)
{
    apr_thread_t *threads[THREADS];
    worker_t workers[THREADS];
    up_filter_t events = {.kinds = 1u << UP_KIND_EVENT};
    up_query_t query = {.wanted = "O1", .user = "A"};
    apr_uint64_t last = 0;
    apr_status_t rv;
    up_view_t *view;
    int failures = 0;

    put_small(store);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){store, apr_psprintf(pool, "T%d", i), 0};
        put_human(store, "O1", workers[i].own, UP_ACTIVE);
    }
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, work, &workers[i], pool))
            exit(1);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        failures += workers[i].failures;
    }
    is_number(failures, 0, "%d threads: each call does what it is to do",
              THREADS);
    must(up_store_read(&view, store, &query, pool, pool));
    is_number((long long)view->user->sequence, 1 + THREADS * ROUNDS,
              "no change of the user that all changed is lost");
    must(up_store_each(store, &events, expect_next, &last, pool));
    is_number((long long)last, 2 * THREADS * ROUNDS,
              "events are numbered without a gap");
}

static const part_t parts[] = {
    {"updates", updates},
    {"updates that add", updates_that_add},
    {"updates of the state", updates_of_the_state},
    {"batches", batches},
    {"rights", rights},
    {"one moment", one_moment},
    {"event numbers", event_numbers},
    {"erased events", erased_events},
    {"concurrency", concurrency},
    {NULL, NULL},
};

int
main(void)
{
    return run_parts(parts);
}
