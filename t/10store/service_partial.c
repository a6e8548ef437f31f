/* service_partial.c -- updates of single fields: the rest stays as it is, also
 * where it changes at the same moment. */
#include "service/up_profiles.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <stdlib.h>
#include <unistd.h>

#define NICK UP_FIELD_BIT(UP_NICK_NAME)
#define DISPLAY UP_FIELD_BIT(UP_DISPLAY_NAME)
#define LANGUAGE UP_FIELD_BIT(UP_PREFERRED_LANGUAGE)
#define GENDER UP_FIELD_BIT(UP_GENDER)

#define EVENTS (1u << UP_KIND_EVENT)
#define ALL (EVENTS | 1u << UP_KIND_USER)

/* The human ID of O1, who has a nick name, a language and a gender. */
static up_item_t *
make_user(const char *id, apr_pool_t *pool)
{
    up_item_t *item = make_human("O1", id, UP_ACTIVE, "Gigi", pool);
    up_profile_t *profile = up_profile_copy(item->as.user.profile, pool);

    profile->text[UP_NICK_NAME] = "Gig";
    profile->text[UP_PREFERRED_LANGUAGE] = "en";
    profile->gender = UP_GENDER_FEMALE;
    item->as.user.profile = profile;
    return item;
}

/* Set FIELDS of the user ID of the store. */
static up_error_t *
set_fields(const up_user_t **user,
           up_call_t *call,
           const char *id,
           const up_update_t *update)
{
    up_target_t target = {UP_SCOPE_STORE, id, UP_USER_WRITE,
                          UP_HUMAN_NOT_FOUND_V2};

    *user = NULL;
    return up_profiles_update(user, call, &target, update);
}

/* An update of FIELDS to what they are in a profile of nick name, display name
 * and tag, and the gender male. */
static up_update_t
make_update(unsigned fields,
            const char *nick,
            const char *display,
            const char *tag,
            apr_pool_t *pool)
{
    up_profile_t *profile = up_profile_make(pool);

    profile->text[UP_NICK_NAME] = nick;
    profile->text[UP_DISPLAY_NAME] = display;
    profile->text[UP_PREFERRED_LANGUAGE] = tag;
    profile->gender = UP_GENDER_MALE;
    return (up_update_t){.fields = fields,
                         .profile = profile,
                         .rules = UP_RULES_SET_HUMAN,
                         .prefix = "profile."};
}

/* USER's profile in one line, with the sequence. */
static const char *
profile_text(const up_user_t *user, apr_pool_t *pool)
{
    const up_profile_t *profile = user->profile;

    return apr_psprintf(
        pool, "%d: %s|%s|%s|%s|%s|%d", (int)user->sequence,
        profile->text[UP_FIRST_NAME], profile->text[UP_LAST_NAME],
        profile->text[UP_NICK_NAME], profile->text[UP_DISPLAY_NAME],
        profile->text[UP_PREFERRED_LANGUAGE], profile->gender);
}

static const struct {
    const char *name;
    unsigned fields;
    const char *nick, *display, *tag;
    const char *want; /* of the user afterwards */
} updates[] = {
    {"no field", 0, "X", "X", "de", "1: Gigi|L|Gig|D|en|1"},
    {"one field", NICK, "N", "X", "de", "2: Gigi|L|N|D|en|1"},
    {"one field, to nothing", NICK, "", "X", "de", "2: Gigi|L||D|en|1"},
    {"a field that may be empty by these rules", DISPLAY, "X", "", "de",
     "2: Gigi|L|Gig||en|1"},
    {"the language, to nothing", LANGUAGE, "X", "X", "", "2: Gigi|L|Gig|D||1"},
    {"the language, to und", LANGUAGE, "X", "X", "UND", "2: Gigi|L|Gig|D||1"},
    {"the gender", GENDER, "X", "X", "de", "2: Gigi|L|Gig|D|en|2"},
    {"two fields", NICK | LANGUAGE, "N", "X", "DE_ch", "2: Gigi|L|N|D|de-CH|1"},
    {"two fields, of which one is the same", NICK | LANGUAGE, "Gig", "X", "de",
     "2: Gigi|L|Gig|D|de|1"},
    {"a field, to what it is", NICK, "Gig", "X", "de", "1: Gigi|L|Gig|D|en|1"},
    {"a language, to the same in another case", LANGUAGE, "X", "X", "EN",
     "1: Gigi|L|Gig|D|en|1"},
};

static void
check_updates(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        const char *id = apr_psprintf(pool, "P%u", i);
        up_update_t update =
            make_update(updates[i].fields, updates[i].nick, updates[i].display,
                        updates[i].tag, pool);
        up_call_t call = {.store = store, .caller = "A1", .pool = pool};
        up_item_t *item = make_user(id, pool);
        const up_user_t *user;

        must(put_item(store, item, pool));
        up_error_t *err = set_fields(&user, &call, id, &update);
        is(err ? err->message : profile_text(user, pool), updates[i].want,
           "setting %s", updates[i].name);
        const up_item_t *stored = get_item(store, item, pool);
        is(profile_text(&stored->as.user, pool), updates[i].want,
           "setting %s: what is stored", updates[i].name);
        is_number((long long)call.sequence, (long long)stored->as.user.sequence,
                  "setting %s: the call's sequence", updates[i].name);
        if (user && user->sequence == 1)
            is_number(user->changed, LONG_AGO,
                      "setting %s: the change date stays", updates[i].name);
    }
}

static up_error_t *
append_event(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_array_header_t *lines = baton;
    const up_event_t *event = &item->as.event;

    APR_ARRAY_PUSH(lines, const char *) =
        apr_pstrcat(lines->pool, event->user, ": ",
                    fields_text(event->fields, pool), "\n", NULL);
    return NULL;
}

/* One event for each update that changed something, of the fields that did. */
static void
check_events(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = EVENTS};
    apr_array_header_t *lines = apr_array_make(pool, 9, sizeof(const char *));

    must(up_store_each(store, &filter, append_event, lines, pool));
    is(apr_array_pstrcat(pool, lines, 0),
       "P1: nickName\nP2: nickName\nP3: displayName\nP4: preferredLanguage\n"
       "P5: preferredLanguage\nP6: gender\nP7: nickName preferredLanguage\n"
       "P8: preferredLanguage\n",
       "events have the fields that changed, and no others");
}

/* Updates by which nothing differs. */
static const struct {
    const char *name;
    unsigned fields;
    enum { MAY_BE_SAME, MUST_DIFFER, MUST_DIFFER_OR_OK } what;
    int seconds; /* until the deadline; 0: none */
    const char *if_match, *reason;
} unchanged[] = {
    {"the same value", NICK, MAY_BE_SAME, 0, NULL, ""},
    {"the same value, which must differ", NICK, MUST_DIFFER, 0, NULL,
     "PROFILE_NOT_CHANGED"},
    {"no field", 0, MAY_BE_SAME, 0, NULL, ""},
    {"no field, which must differ", 0, MUST_DIFFER, 0, NULL,
     "PROFILE_NOT_CHANGED"},
    {"the same value after the deadline", NICK, MAY_BE_SAME, -1, NULL, ""},
    {"the same value with If-Match of the sequence", NICK, MAY_BE_SAME, 0,
     "\"1\"", ""},
    {"the same value with If-Match of another sequence", NICK, MAY_BE_SAME, 0,
     "\"2\"", "SEQUENCE_MISMATCH"},
    {"no field with If-Match of another sequence", 0, MAY_BE_SAME, 0, "\"2\"",
     "SEQUENCE_MISMATCH"},
    {"the same value, which must differ, where that is ok", NICK,
     MUST_DIFFER_OR_OK, 0, NULL, ""},
    {"the same value, where that is ok, with If-Match of another sequence",
     NICK, MUST_DIFFER_OR_OK, 0, "\"2\"", "SEQUENCE_MISMATCH"},
};

static void
check_unchanged(up_store_t *store, apr_pool_t *pool)
{
    const char *before = store_text(store, ALL, pool);
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    alarm(30); /* an update that waits for the writer would do so for ever */
    for (unsigned i = 0; i < sizeof(unchanged) / sizeof(unchanged[0]); i++) {
        up_update_t update =
            make_update(unchanged[i].fields, "Gig", "X", "de", pool);
        up_call_t call = {.store = store, .caller = "A1", .pool = pool};
        up_precondition_t *precondition;
        const up_user_t *user;

        must(up_precondition_parse(&precondition, unchanged[i].if_match, NULL,
                                   pool));
        call.precondition = precondition;
        update.must_differ = unchanged[i].what != MAY_BE_SAME;
        call.unchanged_is_ok = unchanged[i].what == MUST_DIFFER_OR_OK;
        if (unchanged[i].seconds)
            call.deadline =
                apr_time_now() + apr_time_from_sec(unchanged[i].seconds);
        up_error_t *err = set_fields(&user, &call, "P0", &update);
        is(reason_of(err), unchanged[i].reason, "setting %s",
           unchanged[i].name);
        if (!err)
            is(profile_text(user, pool), "1: Gigi|L|Gig|D|en|1",
               "setting %s: the user as it is", unchanged[i].name);
    }
    alarm(0);
    apr_pool_destroy(batch_pool);
    is(store_text(store, ALL, pool), before,
       "where nothing differs, nothing is written, and no event");
}

/* An update on a thread of its own. */
typedef struct worker_t {
    up_store_t *store;
    const char *id;
    up_field_t field;
    const char *format; /* of the value, with the round in it */
    int rounds;
    const char *wrong; /* the reason of the last error, or "" */
    const char *after; /* the user after the last update */
    apr_pool_t *pool;
} worker_t;

static void *APR_THREAD_FUNC
work(apr_thread_t *thread, void *baton)
{
    worker_t *worker = baton;
    apr_pool_t *pool;

    (void)thread;
    worker->wrong = "";
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < worker->rounds; i++) {
        up_call_t call = {.store = worker->store, .caller = "A1", .pool = pool};
        up_profile_t *profile = up_profile_make(pool);
        up_update_t update = {.fields = UP_FIELD_BIT(worker->field),
                              .profile = profile,
                              .rules = UP_RULES_UPDATE,
                              .prefix = ""};
        const up_user_t *user;

        profile->text[worker->field] = apr_psprintf(pool, worker->format, i);
        up_error_t *err = set_fields(&user, &call, worker->id, &update);
        if (err)
            worker->wrong = reason_of(err);
        else
            worker->after = profile_text(user, worker->pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static apr_thread_t *
start(worker_t *worker, apr_pool_t *pool)
{
    apr_thread_t *thread;

    apr_pool_create(&worker->pool, NULL);
    if (apr_thread_create(&thread, NULL, work, worker, pool))
        exit(1);
    return thread;
}

/* Updates of different fields, made at the same moment, all hold. */
static void
check_at_once(up_store_t *store, apr_pool_t *pool)
{
    enum { ROUNDS = 50 };
    worker_t workers[] = {
        {store, "T", UP_NICK_NAME, "n%d", ROUNDS, NULL, NULL, NULL},
        {store, "T", UP_DISPLAY_NAME, "d%d", ROUNDS, NULL, NULL, NULL},
        {store, "T", UP_LAST_NAME, "l%d", ROUNDS, NULL, NULL, NULL}};
    apr_thread_t *threads[3];
    apr_status_t rv;
    up_item_t *item = make_user("T", pool);

    must(put_item(store, item, pool));
    for (int i = 0; i < 3; i++)
        threads[i] = start(&workers[i], pool);
    for (int i = 0; i < 3; i++) {
        apr_thread_join(&rv, threads[i]);
        is(workers[i].wrong, "", "updates at once: no error of worker %d", i);
        apr_pool_destroy(workers[i].pool);
    }
    is(profile_text(&get_item(store, item, pool)->as.user, pool),
       "151: Gigi|l49|n49|d49|en|1",
       "updates of three fields at the same moment all hold");
}

/* What becomes of an update that was judged on the user as it is now, and waits
 * while another writer makes the user ITEM: its after, or its error. */
static const char *
overtaken(up_store_t *store, const up_item_t *item, apr_pool_t *pool)
{
    worker_t worker = {
        store, item->as.user.id, UP_NICK_NAME, "N", 1, NULL, NULL, NULL};
    apr_pool_t *batch_pool;
    apr_status_t rv;
    up_batch_t *batch;
    const up_item_t *there;

    apr_pool_create(&batch_pool, pool);
    must(put_item(store, make_user(item->as.user.id, pool), pool));
    must(up_batch_begin(&batch, store, batch_pool));
    must(up_batch_get(&there, batch, item, pool, pool)); /* and so locked */
    apr_thread_t *thread = start(&worker, pool);
    apr_sleep(apr_time_from_msec(300)); /* enough for it to wait */
    must(up_batch_put(batch, item, pool));
    must(up_batch_commit(batch));
    apr_thread_join(&rv, thread);
    const char *text =
        apr_pstrdup(pool, *worker.wrong ? worker.wrong : worker.after);
    apr_pool_destroy(worker.pool);
    apr_pool_destroy(batch_pool);
    return text;
}

static void
check_overtaken(up_store_t *store, apr_pool_t *pool)
{
    up_item_t *item = make_user("W", pool);
    up_profile_t *profile = up_profile_copy(item->as.user.profile, pool);
    const char *events = store_text(store, EVENTS, pool);

    item->as.user.profile = profile;
    item->as.user.sequence = 5;
    profile->text[UP_NICK_NAME] = "N";
    is(overtaken(store, item, pool), "5: Gigi|L|N|D|en|1",
       "an update whose change another writer has made changes nothing");
    is(store_text(store, EVENTS, pool), events,
       "an update whose change another writer has made is no event");

    profile->text[UP_NICK_NAME] = "Gig";
    profile->text[UP_DISPLAY_NAME] = "Other";
    is(overtaken(store, item, pool), "6: Gigi|L|N|Other|en|1",
       "an update keeps what another writer has made of other fields");

    item->as.user.state = UP_REMOVED;
    is(overtaken(store, item, pool), "USER_NOT_FOUND",
       "an update of a user whom another writer has removed is refused");
}

static void
test(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);

    put_org(store, "O1");
    put_member(store, "O1", "A1", "ORG_OWNER");
    check_updates(store, pool);
    check_events(store, pool);
    check_unchanged(store, pool);
    check_at_once(store, pool);
    check_overtaken(store, pool);
    up_store_close(store);
}

int
main(void)
{
    return run_for_each_driver(test);
}
