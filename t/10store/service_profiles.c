/* service_profiles.c -- reading a profile and replacing it, in an organisation.
 */
#include "service/up_profiles.h"
#include "core/up_clock.h"
#include "core/up_time.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* When "future" was changed: 2999-01-01T00:00:00Z. */
#define FUTURE APR_TIME_C(32472144000000000)

/* Set PROFILE to that of every human in the store. */
static void
set_gigi(up_profile_t *profile)
{
    profile->text[UP_FIRST_NAME] = "Gigi";
    profile->text[UP_LAST_NAME] = "Giraffe";
    profile->text[UP_NICK_NAME] = "Gig";
    profile->text[UP_DISPLAY_NAME] = "Gigi Giraffe";
    profile->text[UP_PREFERRED_LANGUAGE] = "en";
    profile->gender = UP_GENDER_FEMALE;
}

static void
put_gigi(up_store_t *store,
         const char *org,
         const char *id,
         up_state_t state,
         apr_time_t changed,
         apr_pool_t *pool)
{
    up_item_t *item = make_human(org, id, state, "", pool);
    up_profile_t *profile = up_profile_make(pool);

    set_gigi(profile);
    item->as.user.profile = profile;
    item->as.user.sequence = 3;
    item->as.user.changed = changed;
    must(put_item(store, item, pool));
}

static void
fill(up_store_t *store, apr_pool_t *pool)
{
    up_item_t *gone = make_machine("O1", "gone", pool);

    gone->as.user.state = UP_REMOVED;
    put_org(store, "O1");
    put_org(store, "O2");
    put_gigi(store, "O1", "U1", UP_ACTIVE, LONG_AGO, pool);
    put_gigi(store, "O1", "locked", UP_LOCKED, LONG_AGO, pool);
    put_gigi(store, "O1", "inactive", UP_INACTIVE, LONG_AGO, pool);
    put_gigi(store, "O1", "initial", UP_INITIAL, LONG_AGO, pool);
    put_gigi(store, "O1", "removed", UP_REMOVED, LONG_AGO, pool);
    put_gigi(store, "O2", "other", UP_ACTIVE, LONG_AGO, pool);
    put_gigi(store, "O1", "future", UP_ACTIVE, FUTURE, pool);
    put_machine(store, "O1", "machine");
    must(put_item(store, gone, pool));
    put_member(store, "O1", "A1", "ORG_OWNER");
    put_member(store, "O1", "V1", "ORG_OWNER_VIEWER");
}

/* 200 and 201 code points, of 1 and of 4 bytes. */
#define A200 LONGEST_ID
#define A201 LONGEST_ID "x"
#define WIDE200 LONGEST_TEXT
#define WIDE201 LONGEST_TEXT GIRAFFE

#define ID_LENGTH                                                              \
    "userId: value length must be between 1 and 200 runes, inclusive"

/* A call of CALLER in ORG, which lives in POOL. */
static up_call_t
call_of(up_store_t *store,
        const char *caller,
        const char *org,
        apr_pool_t *pool)
{
    return (up_call_t){
        .store = store, .caller = caller, .org = org, .pool = pool};
}

static up_error_t *
get(const up_user_t **user, up_call_t *call, const char *id)
{
    up_target_t target = {UP_SCOPE_ORG, id, UP_USER_READ, UP_USER_NOT_FOUND};

    *user = NULL;
    return up_profiles_get(user, call, &target, 1);
}

/* Replace the profile of the user ID. */
static up_error_t *
replace(const up_user_t **user,
        up_call_t *call,
        const char *id,
        const up_profile_t *profile)
{
    up_target_t target = {UP_SCOPE_ORG, id, UP_USER_WRITE,
                          UP_PROFILE_NOT_FOUND};
    up_update_t update = {.fields = UP_ALL_FIELDS,
                          .profile = profile,
                          .rules = UP_RULES_V1,
                          .prefix = "",
                          .must_differ = 1};

    *user = NULL;
    return up_profiles_update(user, call, &target, &update);
}

static const struct {
    const char *name, *user, *if_match, *if_none_match;
    const char *reason;
    int unmodified;
} reads[] = {
    {"a user", "U1", NULL, NULL, "", 0},
    {"a locked user", "locked", NULL, NULL, "", 0},
    {"an inactive user", "inactive", NULL, NULL, "", 0},
    {"an initial user", "initial", NULL, NULL, "", 0},
    {"a removed user", "removed", NULL, NULL, "USER_NOT_FOUND", 0},
    {"a user of another organisation", "other", NULL, NULL, "USER_NOT_FOUND",
     0},
    {"an unknown user", "unknown", NULL, NULL, "USER_NOT_FOUND", 0},
    {"a machine", "machine", NULL, NULL, "USER_NOT_HUMAN", 0},
    {"a removed machine", "gone", NULL, NULL, "USER_NOT_FOUND", 0},
    {"an id with a control character", "U\n1", NULL, NULL, "USER_NOT_FOUND", 0},
    {"an id that is not UTF-8", "\xff", NULL, NULL, "USER_NOT_FOUND", 0},
    {"an id of 200 characters", A200, NULL, NULL, "USER_NOT_FOUND", 0},
    {"an id of 201 characters", A201, NULL, NULL, "FIELD_INVALID", 0},
    {"an id of 200 four-byte characters", WIDE200, NULL, NULL, "USER_NOT_FOUND",
     0},
    {"an id of 201 four-byte characters", WIDE201, NULL, NULL, "FIELD_INVALID",
     0},
    {"no id", NULL, NULL, NULL, "FIELD_INVALID", 0},
    {"an empty id", "", NULL, NULL, "FIELD_INVALID", 0},
    {"with If-Match of its sequence", "U1", "\"3\"", NULL, "", 0},
    {"with If-Match of another sequence", "U1", "\"2\"", NULL,
     "SEQUENCE_MISMATCH", 0},
    {"with If-None-Match of its sequence", "U1", NULL, "\"3\"", "", 1},
    {"with If-None-Match of another sequence", "U1", NULL, "\"2\"", "", 0},
    {"an unknown user with If-Match", "unknown", "\"3\"", NULL,
     "USER_NOT_FOUND", 0},
};

static void
check_reads(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        up_call_t call = call_of(store, "V1", "O1", pool);
        up_precondition_t *precondition;
        const up_user_t *user;
        must(up_precondition_parse(&precondition, reads[i].if_match,
                                   reads[i].if_none_match, pool));
        call.precondition = precondition;
        up_error_t *err = get(&user, &call, reads[i].user);
        is(reason_of(err), reads[i].reason, "reading %s", reads[i].name);
        if (!err)
            is(user->id, reads[i].user, "reading %s: the user", reads[i].name);
        is_number((long long)call.sequence,
                  err && err->reason != UP_SEQUENCE_MISMATCH ? 0 : 3,
                  "reading %s: the sequence", reads[i].name);
        is_number(call.unmodified, reads[i].unmodified,
                  "reading %s: whether it is unmodified", reads[i].name);
        is(call.found_org, "O1", "reading %s: the organisation", reads[i].name);
        is(call.target, reads[i].user, "reading %s: the target", reads[i].name);
    }
}

static void
check_message_of_read(up_store_t *store, apr_pool_t *pool)
{
    up_call_t call = call_of(store, "V1", "O1", pool);
    const up_user_t *user;

    up_error_t *err = get(&user, &call, A201);
    is(err ? err->message : NULL, ID_LENGTH,
       "reading an id that is too long: the message");
    call = call_of(store, "V1", "O9", pool);
    is(reason_of(get(&user, &call, A201)), "ORG_NOT_FOUND",
       "access is checked before the id");
    is(call.found_org, NULL, "an unknown organisation is not handed back");
}

/* A profile in POOL that differs from the stored one by TEXT in FIELD. */
static up_profile_t *
changed_profile(up_field_t field, const char *text, apr_pool_t *pool)
{
    up_profile_t *profile = up_profile_make(pool);

    set_gigi(profile);
    if (field != UP_GENDER)
        profile->text[field] = text;
    return profile;
}

static const struct {
    const char *name, *caller, *user, *first_name, *if_match, *reason;
} refused[] = {
    {"the same values", "A1", "U1", "Gigi", NULL, "PROFILE_NOT_CHANGED"},
    {"an unknown user", "A1", "unknown", "X", NULL, "PROFILE_NOT_FOUND"},
    {"a removed user", "A1", "removed", "X", NULL, "PROFILE_NOT_FOUND"},
    {"a machine", "A1", "machine", "X", NULL, "PROFILE_NOT_FOUND"},
    {"a user of another organisation", "A1", "other", "X", NULL,
     "PROFILE_NOT_FOUND"},
    {"an id that cannot be stored", "A1", "U\t1", "X", NULL,
     "PROFILE_NOT_FOUND"},
    {"an id of 200 four-byte characters", "A1", WIDE200, "X", NULL,
     "PROFILE_NOT_FOUND"},
    {"an id of 201 characters", "A1", A201, "X", NULL, "FIELD_INVALID"},
    {"no id", "A1", NULL, "X", NULL, "FIELD_INVALID"},
    {"no first name", "A1", "U1", "", NULL, "FIELD_INVALID"},
    {"a first name that is too long", "A1", "U1", WIDE201, NULL,
     "FIELD_INVALID"},
    {"with If-Match of another sequence", "A1", "U1", "X", "\"2\"",
     "SEQUENCE_MISMATCH"},
    {"with If-Match, which comes before the comparison", "A1", "U1", "Gigi",
     "\"2\"", "SEQUENCE_MISMATCH"},
    {"with If-Match, which comes after the search", "A1", "unknown", "X",
     "\"2\"", "PROFILE_NOT_FOUND"},
    {"as a viewer", "V1", "U1", "X", NULL, "PERMISSION_DENIED"},
    {"as a viewer with an invalid name", "V1", "U1", "", NULL,
     "PERMISSION_DENIED"},
};

static void
check_refusals(up_store_t *store, apr_pool_t *pool)
{
    unsigned kinds = 1u << UP_KIND_USER | 1u << UP_KIND_EVENT;
    const char *before = store_text(store, kinds, pool);

    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        up_call_t call = call_of(store, refused[i].caller, "O1", pool);
        up_precondition_t *precondition;
        const up_user_t *user;
        must(up_precondition_parse(&precondition, refused[i].if_match, NULL,
                                   pool));
        call.precondition = precondition;
        up_error_t *err = replace(
            &user, &call, refused[i].user,
            changed_profile(UP_FIRST_NAME, refused[i].first_name, pool));
        is(reason_of(err), refused[i].reason, "changing %s", refused[i].name);
    }
    is(store_text(store, kinds, pool), before,
       "refused changes change nothing");
}

/* Every field at fault is named, in order, the first one in the message. */
static void
check_violations(up_store_t *store, apr_pool_t *pool)
{
    static const char *const fields[] = {
        "userId",      "firstName",         "lastName", "nickName",
        "displayName", "preferredLanguage", "gender"};
    up_call_t call = call_of(store, "A1", "O1", pool);
    up_profile_t *profile = up_profile_make(pool);
    const up_user_t *user;

    profile->text[UP_NICK_NAME] = A201;
    profile->text[UP_PREFERRED_LANGUAGE] = "12";
    profile->gender = UP_GENDER_UNKNOWN;
    up_error_t *err = replace(&user, &call, A201, profile);
    if (!ok(err && err->violations && err->violations->nelts == 7,
            "all seven fields are at fault"))
        return;
    is(err->message, ID_LENGTH, "the message names the first field at fault");
    for (int i = 0; i < 7; i++)
        is(APR_ARRAY_IDX(err->violations, i, up_violation_t).field, fields[i],
           "%s is named in its place", fields[i]);
}

static void
check_event(up_store_t *store, const up_user_t *user, apr_pool_t *pool)
{
    is(store_text(store, 1u << UP_KIND_EVENT, pool),
       apr_pstrcat(pool, "event 1, profile.changed of O1/U1 by 'A1' at ",
                   up_time_format(user->changed, pool),
                   ", sequence 4, fields nickName preferredLanguage, "
                   "before nickName 'Gig' preferredLanguage 'en', "
                   "after preferredLanguage 'de-CH'\n",
                   NULL),
       "a change is one event, which has the changed fields alone");
}

static void
check_change(up_store_t *store, apr_pool_t *pool)
{
    up_call_t call = call_of(store, "A1", "O1", pool);
    up_profile_t *profile = changed_profile(UP_NICK_NAME, "", pool);
    apr_time_t begun = apr_time_now();
    const up_user_t *user, *read;

    profile->text[UP_PREFERRED_LANGUAGE] = "DE_ch";
    must(replace(&user, &call, "U1", profile));
    is(call.found_org, "O1", "a change hands back the organisation");
    is_number((long long)call.sequence, 4, "a change hands back the sequence");
    is_number((long long)user->sequence, 4, "a change counts the sequence up");
    ok(user->changed >= begun && user->changed <= apr_time_now(),
       "a change sets the change date to now");
    ok(user->created < begun, "a change leaves the creation date");
    is(user->profile->text[UP_NICK_NAME], "",
       "an absent value clears the field");
    is(user->profile->text[UP_PREFERRED_LANGUAGE], "de-CH",
       "a language tag becomes canonical");
    check_event(store, user, pool);

    must(get(&read, &call, "U1"));
    ok(!up_profile_diff(read->profile, user->profile) &&
           read->sequence == user->sequence && read->changed == user->changed,
       "a read has what the change handed back");
    is(reason_of(replace(&user, &call, "U1", profile)), "PROFILE_NOT_CHANGED",
       "the same change again is PROFILE_NOT_CHANGED");
}

static void
check_last_sequence(up_store_t *store, apr_pool_t *pool)
{
    up_call_t call = call_of(store, "A1", "O1", pool);
    up_item_t *item = make_human("O1", "last", UP_ACTIVE, "X", pool);
    up_profile_t *profile = changed_profile(UP_NICK_NAME, "New", pool);
    const up_user_t *user;

    for (int below = 1; below >= 0; below--) {
        item->as.user.sequence = UP_SEQUENCE_MAX - (apr_uint64_t)below;
        must(put_item(store, item, pool));
        is(reason_of(replace(&user, &call, "last", profile)),
           below ? "" : "STORE_FULL",
           "a change of a user %d below the largest "
           "sequence",
           below);
    }
    must(get(&user, &call, "last"));
    is(user->profile->text[UP_FIRST_NAME], "X",
       "a user with the largest sequence stays as it is");
}

/* A call that changes nothing does not wait for another writer. */
static void
check_without_lock(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *user, *first_name, *reason;
    } idle[] = {
        {"the same values", "U1", "Gigi", "PROFILE_NOT_CHANGED"},
        {"an unknown user", "unknown", "X", "PROFILE_NOT_FOUND"},
        {"an invalid value", "U1", "", "FIELD_INVALID"},
    };
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    alarm(30); /* an update that waits would do so for ever */
    for (unsigned i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
        up_call_t call = call_of(store, "A1", "O1", pool);
        const up_user_t *user;
        up_error_t *err =
            replace(&user, &call, idle[i].user,
                    changed_profile(UP_FIRST_NAME, idle[i].first_name, pool));
        is(reason_of(err), idle[i].reason,
           "%s: a call that changes nothing does not wait for a writer",
           idle[i].name);
    }
    alarm(0);
    apr_pool_destroy(batch_pool);
}

/* A change after its deadline is not made; other errors come before that. */
static void
check_deadline(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *user, *first_name;
        int seconds;
        const char *reason;
    } late[] = {
        {"a change in time", "U1", "In time", 3600, ""},
        {"a change too late", "U1", "Too late", -1, "DEADLINE_EXCEEDED"},
        {"unchanged values, too late", "U1", "In time", -1,
         "PROFILE_NOT_CHANGED"},
        {"an unknown user, too late", "unknown", "X", -1, "PROFILE_NOT_FOUND"},
    };

    for (unsigned i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        up_call_t call = call_of(store, "A1", "O1", pool);
        const up_user_t *user;
        call.deadline = up_clock() + apr_time_from_sec(late[i].seconds);
        up_error_t *err =
            replace(&user, &call, late[i].user,
                    changed_profile(UP_FIRST_NAME, late[i].first_name, pool));
        is(reason_of(err), late[i].reason, "%s", late[i].name);
    }
}

/* An update on a thread of its own. */
typedef struct update_t {
    up_call_t call;
    const up_profile_t *profile;
    const char *reason; /* its error, "" for none */
} update_t;

static void *APR_THREAD_FUNC
run_update(apr_thread_t *thread, void *baton)
{
    update_t *update = baton;
    const up_user_t *user;

    (void)thread;
    apr_pool_create(&update->call.pool, NULL);
    update->reason =
        reason_of(replace(&user, &update->call, "U1", update->profile));
    apr_pool_destroy(update->call.pool);
    return NULL;
}

/* A deadline can pass while a change that was in time waits for another
 * writer. Only a driver that waits before it decides can tell: a change that
 * was sent to a database waits there. */
static void
check_deadline_while_waiting(up_store_t *store, apr_pool_t *pool)
{
    unsigned kinds = 1u << UP_KIND_USER | 1u << UP_KIND_EVENT;
    const char *before = store_text(store, kinds, pool);
    update_t update = {call_of(store, "A1", "O1", NULL),
                       changed_profile(UP_FIRST_NAME, "Waits", pool), NULL};
    apr_pool_t *batch_pool;
    apr_thread_t *thread;
    apr_status_t rv;
    up_batch_t *batch;

    if (strcmp(temp_store_driver(), "lmdb") != 0)
        return;
    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    update.call.deadline = up_clock() + apr_time_from_msec(500);
    if (apr_thread_create(&thread, NULL, run_update, &update, pool))
        exit(1);
    while (up_clock() <= update.call.deadline)
        apr_sleep(apr_time_from_msec(10));
    apr_pool_destroy(batch_pool);
    apr_thread_join(&rv, thread);
    is(update.reason, "DEADLINE_EXCEEDED",
       "a change whose deadline passes while it waits is refused");
    is(store_text(store, kinds, pool), before,
       "a change whose deadline passes while it waits is not made");
}

static void
check_states(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *id;
        up_state_t state;
    } users[] = {{"locked", UP_LOCKED},
                 {"inactive", UP_INACTIVE},
                 {"initial", UP_INITIAL},
                 {"future", UP_ACTIVE}};

    for (unsigned i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        up_call_t call = call_of(store, "A1", "O1", pool);
        const up_user_t *user;
        up_error_t *err = replace(&user, &call, users[i].id,
                                  changed_profile(UP_FIRST_NAME, " ", pool));
        is(reason_of(err), "", "a user who is %s can be changed", users[i].id);
        is_number(user ? (int)user->state : -1, users[i].state,
                  "a user who is %s keeps the state", users[i].id);
        if (user && !strcmp(user->id, "future"))
            is_number(user->changed, FUTURE, "the change date never goes back");
    }
}

static void
test(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);
    fill(store, pool);
    check_reads(store, pool);
    check_message_of_read(store, pool);
    check_refusals(store, pool);
    check_without_lock(store, pool);
    check_violations(store, pool);
    check_change(store, pool);
    check_last_sequence(store, pool);
    check_deadline(store, pool);
    check_deadline_while_waiting(store, pool);
    check_states(store, pool);
    up_store_close(store);
}

int
main(void)
{
    return run_for_each_driver(test);
}
