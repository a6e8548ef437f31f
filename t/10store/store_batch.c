/* store_batch.c -- what every store promises of batches of many items, and of
 * events that keep their numbers. */
#include "store_contract.h"
#include "tap.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* An event about USER, with values if HAS_VALUES. */
static up_item_t *
make_event(apr_uint64_t number,
           const char *user,
           int has_values,
           apr_pool_t *pool)
{
    up_profile_t *profile = up_profile_make(pool);
    up_item_t *item = apr_pcalloc(pool, sizeof(*item));
    const up_event_t event = {.number = number,
                              .type = UP_PROFILE_CHANGED,
                              .time = LONG_AGO + (apr_time_t)number,
                              .org = "O1",
                              .user = user,
                              .author = "tool:\xc3\xbc",
                              .sequence = number + 1,
                              .fields = UP_FIELD_BIT(UP_FIRST_NAME) |
                                        UP_FIELD_BIT(UP_GENDER),
                              .before = has_values ? profile : NULL,
                              .after = has_values ? profile : NULL,
                              .detail = has_values ? "" : "what else"};

    profile->text[UP_FIRST_NAME] = GIRAFFE;
    profile->gender = 2;
    item->kind = UP_KIND_EVENT;
    item->as.event = event;
    return item;
}

static void
numbers(up_store_t *store, apr_pool_t *pool)
{
    static const up_filter_t events = {.kinds = 1u << UP_KIND_EVENT};
    up_item_t *nine = make_event(9, "A", 1, pool);
    apr_pool_t *batch_pool;
    const up_item_t *there;
    apr_uint64_t last = 1;
    up_batch_t *batch;
    up_store_stat_t stat;
    up_error_t *ended;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    must(up_batch_last_event(&last, batch, pool));
    is_number((long long)last, 0, "a batch of an empty store has no event");
    must(up_batch_get(&there, batch, nine, pool, pool));
    ok(!there, "an event that is not there is none");
    must(up_batch_put(batch, make_event(4, "A", 0, pool), pool));
    must(up_batch_put(batch, nine, pool));
    must(up_batch_last_event(&last, batch, pool));
    is_number((long long)last, 9, "the last event is one that the batch put");
    must(up_batch_get(&there, batch, nine, pool, pool));
    is(item_text(there, pool), item_text(nine, pool),
       "an event is got by its number");
    must(up_batch_put(batch, make_event(0, "B", 1, pool), pool));
    must(up_batch_commit(batch));
    is(visited_text(&ended, store, &events, 0, pool),
       "event:4:A event:9:A event:10:B",
       "events keep their numbers, and the next one follows the last");

    must(put_item(store, make_event(4, "C", 1, pool), pool));
    is(visited_text(&ended, store, &events, 0, pool),
       "event:4:C event:9:A event:10:B", "an event replaces the one before");
    must(put_item(store, make_event(0, "D", 1, pool), pool));
    must(put_item(store, make_event(1000000, "E", 1, pool), pool));
    must(put_item(store, make_event(0, "F", 1, pool), pool));
    is(visited_text(&ended, store, &events, 0, pool),
       "event:4:C event:9:A event:10:B event:11:D event:1000000:E "
       "event:1000001:F",
       "no number is given twice");
    must(up_store_stat(&stat, store, pool));
    is_number((long long)stat.last_event, 1000001, "the last event is known");

    must(up_batch_begin(&batch, store, pool));
    must(up_batch_erase_events(batch, "E", pool));
    must(up_batch_get(&there, batch, make_event(1000000, "E", 1, pool), pool,
                      pool));
    ok(there && !there->as.event.before && !there->as.event.after,
       "a batch sees that it has erased an event");
    must(up_batch_commit(batch));
}

/* One thing that is done to a batch. */
typedef enum deed_t { PUT, GET, END_RIGHTS, ERASE, REMOVE, DEEDS } deed_t;

typedef struct step_t {
    deed_t deed;
    up_item_t *item;
} step_t;

#define STEPS 60

static unsigned
below(unsigned bound)
{
    return (unsigned)rand() % bound;
}

static up_item_t *
any_item(apr_pool_t *pool)
{
    const char *org = apr_psprintf(pool, "O%u", below(4));
    const char *user = apr_psprintf(pool, "U%u", below(6));
    const char *name = apr_psprintf(pool, "N%u", below(3));

    switch (below(7)) {
    case 0:
        return make_org(org, name, pool);
    case 1:
        return make_machine(org, user, pool);
    case 2:
        return make_human(org, user, (up_state_t)below(UP_STATES), name, pool);
    case 3:
        return make_member(below(4) ? org : "", user, name, pool);
    case 4:
        return make_token(user, (unsigned char)below(8), pool);
    default:
        return make_event(below(12), user, (int)below(2), pool);
    }
}

static apr_array_header_t *
any_steps(apr_pool_t *pool)
{
    apr_array_header_t *steps = apr_array_make(pool, STEPS, sizeof(step_t));
    unsigned count = 1 + below(STEPS);

    for (unsigned i = 0; i < count; i++) {
        step_t step = {PUT, any_item(pool)};
        unsigned dice = below(20);
        if (dice < 8)
            step.deed = dice < 5 ? GET : (deed_t)(dice - 3);
        APR_ARRAY_PUSH(steps, step_t) = step;
    }
    return steps;
}

/* Do STEP; returns what was seen by it, in POOL. */
static const char *
take(up_batch_t *batch, const step_t *step, apr_pool_t *pool)
{
    const up_item_t *item = step->item, *there;
    const char *user = item->kind == UP_KIND_USER     ? item->as.user.id
                       : item->kind == UP_KIND_MEMBER ? item->as.member.user
                                                      : "U1";
    apr_uint64_t last;
    up_error_t *err;
    int found;

    switch (step->deed) {
    case PUT:
        err = up_batch_put(batch, item, pool);
        if (err && err->reason != UP_CONFLICT)
            must(err);
        return err ? err->message : "put";
    case END_RIGHTS:
        must(up_batch_remove_rights(batch, user, LONG_AGO + 9, pool));
        return "ended";
    case ERASE:
        must(up_batch_erase_events(batch, user, pool));
        return "erased";
    case REMOVE:
        /* It may be the last event, or have members. */
        if (item->kind == UP_KIND_EVENT || item->kind == UP_KIND_ORG)
            return "kept";
        must(up_batch_remove(&found, batch, item, pool));
        return found ? "removed" : "not there";
    default:
        must(up_batch_last_event(&last, batch, pool));
        must(up_batch_get(&there, batch, item, pool, pool));
        return apr_psprintf(pool, "%s, last %" APR_UINT64_T_FMT,
                            item_text(there, pool), last);
    }
}

/* Take STEPS in a batch of STORE's, which is told of them if it EXPECTS, and is
 * committed if it IS_KEPT. Returns what was seen. */
static const char *
take_all(up_store_t *store,
         const apr_array_header_t *steps,
         int expects,
         int is_kept,
         apr_pool_t *pool)
{
    const up_item_t *items[STEPS];
    const char *seen = "";
    apr_pool_t *batch_pool;
    up_batch_t *batch;
    int count = 0;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    for (int i = 0; i < steps->nelts; i += 1 + (int)below(2))
        items[count++] = APR_ARRAY_IDX(steps, i, step_t).item;
    if (expects)
        must(up_batch_expect(batch, items, count, pool));
    for (int i = 0; i < steps->nelts; i++)
        seen = apr_pstrcat(pool, seen,
                           take(batch, &APR_ARRAY_IDX(steps, i, step_t), pool),
                           "\n", NULL);
    if (is_kept)
        must(up_batch_commit(batch));
    apr_pool_destroy(batch_pool);
    return seen;
}

#define TURNS 150

/* What was seen and stored in each turn by the first driver. */
static const char *first_seen[TURNS];

/* Whether TEXT is what the first driver has for TURN. */
static int
is_as_first(const char *text, unsigned turn)
{
    static apr_pool_t *lasting;

    if (!lasting)
        apr_pool_create(&lasting, NULL);
    if (!first_seen[turn])
        first_seen[turn] = apr_pstrdup(lasting, text);
    return !strcmp(text, first_seen[turn]);
}

/* Batches that expect their items and such as do not, of all drivers, see and
 * store the same. */
static void
expectations(apr_pool_t *pool)
{
    up_store_t *plain = temp_store_open(pool);
    up_store_t *told = temp_store_open(pool);
    apr_pool_t *iterpool;
    int differ = 0;

    apr_pool_create(&iterpool, pool);
    for (unsigned turn = 0; turn < TURNS && !differ; turn++) {
        apr_pool_clear(iterpool);
        srand(turn);
        const apr_array_header_t *steps = any_steps(iterpool);
        for (int expects = 0; expects < 2 && !differ; expects++) {
            up_store_t *store = expects ? told : plain;
            const char *seen = take_all(store, steps, expects, 1, iterpool);
            seen = apr_pstrcat(iterpool, seen,
                               store_text(store, ALL_KINDS, iterpool), NULL);
            differ = !is_as_first(seen, turn);
            if (differ)
                is(seen, first_seen[turn], "turn %u, %s", turn,
                   expects ? "expecting the items" : "item by item");
        }
    }
    ok(!differ, "a batch that expects its items does as one that does not");
    ok(count_items(told, UP_KIND_USER, pool) &&
           count_items(told, UP_KIND_MEMBER, pool) &&
           count_items(told, UP_KIND_TOKEN, pool) &&
           count_items(told, UP_KIND_EVENT, pool),
       "there was something of every kind");

    const char *before = store_text(told, ALL_KINDS, pool);
    for (unsigned turn = 1000; turn < 1010; turn++) {
        srand(turn);
        (void)take_all(told, any_steps(pool), 1, 0, pool);
    }
    is(store_text(told, ALL_KINDS, pool), before,
       "a batch that is not committed stores nothing");
    up_store_close(plain);
    up_store_close(told);
}

static void
test(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);

    numbers(store, pool);
    up_store_close(store);
    expectations(pool);
}

int
main(void)
{
    return run_for_each_driver(test);
}
