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
        {"a change", "O1", "A", CHANGE, "", 2, 1},
        {"another change", "O1", "A", CHANGE, "", 3, 2},
        {"nothing to change", "O1", "A", KEEP, "", 3, 2},
        {"a refusal", "O1", "A", REFUSE, "PROFILE_NOT_FOUND", 0, 2},
        {"a change without an event", "O1", "A", CHANGE_WITHOUT_EVENT, "", 4,
         2},
        {"a change of another user", "O2", "C", CHANGE, "", 2, 3},
        {"nobody, left so", "O1", "N", KEEP, "", 0, 3},
        {"nobody, refused", "O1", "N", REFUSE, "PROFILE_NOT_FOUND", 0, 3},
        {"someone of another organisation", "O2", "A", KEEP, "", 0, 3},
        {"no such organisation", "O3", "A", KEEP, "", 0, 3},
    };

    temp_store_fill(store, small);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *key = apr_psprintf(pool, MACHINE("%s", "O1"), rows[i].user);
        const char *stored = get(store, key, pool);
        script_t script = {.action = rows[i].action};
        const up_user_t *after = NULL;
        up_store_stat_t stat;

        int elsewhere =
            stored && !strstr(stored, apr_psprintf(pool, "\"orgId\":\"%s\"",
                                                   rows[i].org));
        const up_error_t *err =
            up_store_update(&after, store, rows[i].org, rows[i].user, decide,
                            &script, pool, pool);
        is(reason_of(err), rows[i].reason, "%s", rows[i].name);
        is(script.before, elsewhere ? NULL : stored,
           "%s: decided on what is stored", rows[i].name);
        if (!err)
            is_number(after ? (long long)after->sequence : 0, rows[i].sequence,
                      "%s: what it is then", rows[i].name);
        must(up_store_stat(&stat, store, pool));
        is_number((long long)stat.last_event, rows[i].events,
                  "%s: the last event", rows[i].name);
    }
}

static void
updates_that_add(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *line, *reason;
    } rows[] = {
        {"a user who was not there", USER("N", "O1", "active", "Nell"), ""},
        {"a user whom another organisation has", USER("C", "O1", "active", "X"),
         "CONFLICT"},
        {"a user of no organisation", USER("P", "O3", "active", "X"),
         "CONFLICT"},
    };

    temp_store_fill(store, small);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_item_t *item = item_of(rows[i].line, pool);
        script_t script = {.action = CHANGE, .instead = &item->as.user};
        const up_user_t *after;
        const up_error_t *err =
            up_store_update(&after, store, item->as.user.org, item->as.user.id,
                            decide, &script, pool, pool);
        is(reason_of(err), rows[i].reason, "%s", rows[i].name);
        ok(!script.before, "%s: decided on nobody", rows[i].name);
    }
    is(read_text(store, "N", NULL, "N", pool), "O1 active O1 - - O1/N",
       "the one who was added is found");
    is(read_text(store, "C", NULL, "C", pool), "O2 active O2 - IAM_OWNER O2/C",
       "the one who was elsewhere still is");
    is_number(count(store, UP_KIND_EVENT, pool), 1, "there is one event");
}

static void
batches(up_store_t *store, apr_pool_t *pool)
{
    const up_item_t *item;
    up_batch_t *batch;
    apr_pool_t *batch_pool;

    temp_store_fill(store, small);
    const char *before = temp_store_dump(store, ALL, pool);

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    must(up_batch_put(batch, item_of(ORG("O9", ""), pool), pool));
    must(up_batch_put(batch, item_of(USER("A", "O1", "removed", "X"), pool),
                      pool));
    must(up_batch_remove_rights(batch, "A", pool));
    must(up_batch_get(&item, batch, item_of(ORG("O9", ""), pool), pool, pool));
    ok(item != NULL, "a batch sees what it has put");
    must(up_batch_get(&item, batch, item_of(TOKEN("A", "01"), pool), pool,
                      pool));
    ok(!item, "a batch does not see what it has removed");
    is(temp_store_dump(store, ALL, pool), before,
       "others see nothing before the commit");
    apr_pool_destroy(batch_pool);
    is(temp_store_dump(store, ALL, pool), before,
       "nothing is left of a batch that was given up");

    must(put(store, ORG("O9", ""), pool));
    ok(get(store, ORG("O9", ""), pool) != NULL,
       "the next batch need not wait for it");
}

static void
rights(up_store_t *store, apr_pool_t *pool)
{
    up_batch_t *batch;
    int found;

    temp_store_fill(store, small);
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < 600; i++) { /* some pages of tokens */
        up_item_t item = {.kind = UP_KIND_TOKEN};
        item.as.token.sha256[0] = (unsigned char)(i / 7);
        item.as.token.sha256[1] = (unsigned char)(i % 7 + 1);
        item.as.token.user = i % 5 ? "A" : "B";
        must(up_batch_put(batch, &item, pool));
    }
    must(up_batch_put(batch, item_of(INSTANCE_MEMBER("A", "R"), pool), pool));
    must(up_batch_commit(batch));

    must(up_batch_begin(&batch, store, pool));
    must(up_batch_remove_rights(batch, "A", pool));
    must(up_batch_commit(batch));
    is(read_text(store, "A", "O1", NULL, pool), "O1 active O1 - - -",
       "no rights are left in one's own organisation");
    is(read_text(store, "A", "O2", NULL, pool), "O1 active O2 - - -",
       "nor in another");
    is_number(count(store, UP_KIND_TOKEN, pool), 2 + 120,
              "the tokens of others are left");
    is_number(count(store, UP_KIND_MEMBER, pool), 2,
              "the memberships of others are left");
    ok(get(store, MACHINE("A", "O1"), pool) != NULL, "the user is left");

    must(up_batch_begin(&batch, store, pool));
    must(up_batch_remove(&found, batch, item_of(TOKEN("B", "02"), pool), pool));
    ok(found, "a token is found when it is removed");
    must(up_batch_remove(&found, batch,
                         item_of(INSTANCE_MEMBER("C", "R"), pool), pool));
    ok(found, "a membership too");
    must(up_batch_commit(batch));
    ok(!get(store, TOKEN("B", "02"), pool), "the token is gone");
    ok(!get(store, INSTANCE_MEMBER("C", "R"), pool), "the membership is gone");
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
one_moment(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t users = {.kinds = 1u << UP_KIND_USER};
    up_filter_t both = {.kinds = 1u << UP_KIND_USER | 1u << UP_KIND_EVENT};
    up_error_t *err;

    temp_store_fill(store, small);
    ok(!up_store_each(store, &users, visit_and_change, store, pool),
       "what is visited can be changed meanwhile");
    is_number(count(store, UP_KIND_EVENT, pool), 4,
              "each user was changed once");
    is(visited_text(&err, store, &both, 0, pool),
       "O1/A O1/B O2/C O2/M 1:A 2:B 3:C 4:M", "and all of it is there");
}

static void
event_numbers(up_store_t *store, apr_pool_t *pool)
{
    up_item_t item = {.kind = UP_KIND_EVENT,
                      .as.event = {.number = 99,
                                   .type = UP_USER_ADDED,
                                   .org = "O1",
                                   .user = "A",
                                   .author = ""}};
    script_t script = {.action = CHANGE};
    const up_user_t *after;
    up_filter_t events = {.kinds = 1u << UP_KIND_EVENT};
    up_batch_t *batch;
    up_error_t *err;

    temp_store_fill(store, small);
    must(
        up_store_update(&after, store, "O1", "B", decide, &script, pool, pool));
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < 3; i++)
        must(up_batch_put(batch, &item, pool));
    must(up_batch_commit(batch));
    must(
        up_store_update(&after, store, "O1", "B", decide, &script, pool, pool));
    is(visited_text(&err, store, &events, 0, pool), "1:B 2:A 3:A 4:A 5:B",
       "events of updates and of batches have one row of numbers");
}

#define THREADS 8
#define ROUNDS 40

typedef struct worker_t {
    up_store_t *store;
    const char *own; /* a user whom no other worker changes */
    int failures;
} worker_t;

/* Change the user that all change, and one's own; read both, and refuse. */
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

    temp_store_fill(store, small);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){store, apr_psprintf(pool, "T%d", i), 0};
        must(put(
            store,
            apr_psprintf(pool, USER("%s", "O1", "active", "T"), workers[i].own),
            pool));
    }
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, work, &workers[i], pool))
            exit(1);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        failures += workers[i].failures;
    }
    is_number(failures, 0, "%d threads: each call does what it says", THREADS);
    must(up_store_read(&view, store, &query, pool, pool));
    is_number((long long)view->user->sequence, 1 + THREADS * ROUNDS,
              "no change of the user that all changed is lost");
    must(up_store_each(store, &events, expect_next, &last, pool));
    is_number((long long)last, 2 * THREADS * ROUNDS,
              "events are numbered without a gap");
}

static const part_t parts[] = {
    {"updates", updates},         {"updates that add", updates_that_add},
    {"batches", batches},         {"rights", rights},
    {"one moment", one_moment},   {"event numbers", event_numbers},
    {"concurrency", concurrency}, {NULL, NULL},
};

int
main(void)
{
    return run_parts(parts);
}
