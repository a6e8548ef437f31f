/* service_check.c -- the check of what a store holds: each fault is told of,
 * and nothing else is. */
#include "service/up_admin.h"
#include "service/up_check.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_strings.h>

static up_error_t *
collect(void *baton, const char *what, const char *remedy, apr_pool_t *pool)
{
    apr_array_header_t *faults = baton;

    (void)pool;
    APR_ARRAY_PUSH(faults, const char *) = apr_pstrdup(faults->pool, what);
    ok(remedy && *remedy, "a fault has a remedy");
    return NULL;
}

static up_error_t *
ignore(void *baton, apr_uint64_t done, apr_uint64_t all, apr_pool_t *pool)
{
    (void)baton;
    (void)pool;
    return done <= all ? NULL
                       : up_error(pool, UP_INTERNAL, APR_SUCCESS,
                                  "more is done than there is");
}

/* The faults of STORE, a line each, in POOL. */
static const char *
faults_of(up_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *faults = apr_array_make(pool, 4, sizeof(const char *));
    up_check_t listener = {collect, NULL, ignore, faults};
    up_check_result_t result;

    must(up_check_store(&result, store, &listener, pool));
    is_number((long long)result.faults, faults->nelts,
              "the faults are counted");
    return apr_array_pstrcat(pool, faults, '\n');
}

static up_item_t *
make_event(up_event_type_t type,
           const char *user,
           apr_uint64_t sequence,
           const char *nick_name,
           apr_pool_t *pool)
{
    up_item_t *item = apr_pcalloc(pool, sizeof(*item));
    up_profile_t *after = up_profile_make(pool);

    item->kind = UP_KIND_EVENT;
    item->as.event = (up_event_t){.type = type,
                                  .time = LONG_AGO,
                                  .org = "O1",
                                  .user = user,
                                  .author = "tool:me",
                                  .sequence = sequence};
    if (!nick_name)
        return item;
    after->text[UP_NICK_NAME] = nick_name;
    item->as.event.fields = UP_FIELD_BIT(UP_NICK_NAME);
    item->as.event.after = after;
    return item;
}

static up_item_t *
make_user(const char *id,
          up_state_t state,
          apr_uint64_t sequence,
          const char *nick_name,
          apr_pool_t *pool)
{
    up_item_t *item = make_human("O1", id, state, "F", pool);
    up_profile_t *profile = up_profile_copy(item->as.user.profile, pool);

    profile->text[UP_NICK_NAME] = nick_name;
    item->as.user.profile = profile;
    item->as.user.sequence = sequence;
    return item;
}

/* What a sound store has, by the commands that make it. */
static up_store_t *
make_store(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);
    const char *text;

    put_org(store, "O1");
    for (int i = 1; i <= 3; i++) {
        up_item_t *user = make_human("O1", apr_psprintf(pool, "U%d", i),
                                     UP_ACTIVE, "F", pool);
        must(up_admin_add_user(store, &user->as.user, "tool:me", pool));
    }
    put_machine(store, "O1", "M1");
    must(up_admin_add_token(&text, store, "U1", 0, "tool:me", pool));
    must(up_admin_add_token(&text, store, "nobody", 0, "tool:me", pool));
    put_member(store, "O1", "U2", "ORG_OWNER");
    put_member(store, "", "nobody", "IAM_OWNER");
    return store;
}

/* Change U1 in each way that there is. */
static void
change_all(up_store_t *store, apr_pool_t *pool)
{
    const up_item_t *nick = make_user("U1", UP_ACTIVE, 0, "Nick", pool);
    const up_item_t *gone = make_user("U1", UP_LOCKED, 0, "", pool);
    const up_item_t *machine = make_machine("O1", "M1", pool);
    up_user_t locked = machine->as.user;

    must(up_admin_set_user(store, &nick->as.user, UP_FIELD_BIT(UP_NICK_NAME), 0,
                           "tool:me", pool));
    must(up_admin_set_user(store, &gone->as.user, UP_FIELD_BIT(UP_NICK_NAME), 1,
                           "tool:me", pool));
    locked.state = UP_INACTIVE;
    must(up_admin_set_user(store, &locked, 0, 1, "tool:me", pool));
    must(up_admin_remove_user(store, "O1", "U2", 0, "tool:me", pool));
    must(up_admin_remove_user(store, "O1", "U3", 1, "tool:me", pool));
}

/* An organisation that goes with a removed user, whose id another gets. */
static void
use_id_again(up_store_t *store, apr_pool_t *pool)
{
    up_item_t *user = make_human("O2", "again", UP_ACTIVE, "F", pool);

    put_org(store, "O2");
    must(up_admin_add_user(store, &user->as.user, "tool:me", pool));
    must(up_admin_remove_user(store, "O2", "again", 0, "tool:me", pool));
    must(up_admin_remove_org(store, "O2", "tool:me", pool));
    is(faults_of(store, pool), "",
       "the events of a user who went with an organisation are no fault");
    user->as.user.org = "O1";
    must(up_admin_add_user(store, &user->as.user, "tool:me", pool));
}

static void
check_sound(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);

    is(faults_of(store, pool), "", "an empty store has no fault");
    up_store_close(store);
    store = make_store(pool);
    is(faults_of(store, pool), "",
       "a store has no fault, and callers need not "
       "be users");
    change_all(store, pool);
    is(faults_of(store, pool), "",
       "a store whose users were changed, locked, "
       "removed and erased has no fault");
    use_id_again(store, pool);
    is(faults_of(store, pool), "", "an id that is used again is no fault");
    up_store_close(store);
}

static void
remove_item(up_store_t *store, const up_item_t *key, apr_pool_t *pool)
{
    up_batch_t *batch;
    int found;

    must(up_batch_begin(&batch, store, pool));
    must(up_batch_remove(&found, batch, key, pool));
    must(up_batch_commit(batch));
}

/* Remove the item of KEY, or put ITEM and MORE, in a sound store; the faults
 * are then FAULTS. */
static void
check_fault(const char *name,
            const up_item_t *key,
            const up_item_t *item,
            const up_item_t *more,
            const char *faults,
            apr_pool_t *pool)
{
    up_store_t *store = make_store(pool);

    if (key)
        remove_item(store, key, pool);
    if (item)
        must(put_item(store, item, pool));
    if (more)
        must(put_item(store, more, pool));
    is(faults_of(store, pool), faults, "%s", name);
    up_store_close(store);
}

static up_item_t *
make_dated(up_item_t *item, apr_time_t created, apr_time_t changed)
{
    item->as.user.created = created;
    item->as.user.changed = changed;
    return item;
}

static void
check_items(apr_pool_t *pool)
{
    up_item_t *token = make_token("U1", 1, pool);
    up_item_t *bad_event = make_event(UP_PROFILE_CHANGED, "x", 1, NULL, pool);

    token->as.token.created = 0;
    bad_event->as.event.time = -1;
    check_fault("a user with a sequence of 0", NULL,
                make_user("U9", UP_ACTIVE, 0, "", pool), NULL,
                "user 'U9' of organisation 'O1': the sequence 0 is none that a "
                "user can have",
                pool);
    check_fault(
        "a user who was changed before being made", NULL,
        make_dated(make_machine("O1", "U9", pool), LONG_AGO, LONG_AGO - 1),
        NULL,
        "user 'U9' of organisation 'O1': the dates of creation and "
        "change are none that a user can have",
        pool);
    check_fault("a profile that no call stores", NULL,
                make_human("O1", "U9", UP_ACTIVE, LONGEST_TEXT "x", pool), NULL,
                "the profile of user 'U9' is invalid: firstName: value length "
                "must be between 1 and 200 runes, inclusive",
                pool);
    check_fault("a role that no command stores", NULL,
                make_member("O1", "U1", "a b", pool), NULL,
                "a role of user 'U1' must be 1 to 200 bytes of UTF-8 without "
                "blanks, commas or control characters",
                pool);
    check_fault("a token that was never made", NULL, token, NULL,
                "a token of user 'U1': the dates of creation, expiry or "
                "revocation are none that a token can have",
                pool);
    check_fault("an event before 1970", NULL,
                make_user("x", UP_ACTIVE, 1, "", pool), bad_event,
                "event 6: its time is none that an event can have", pool);
}

static void
check_references(apr_pool_t *pool)
{
    up_item_t *revoked = make_token("U9", 1, pool);

    check_fault("an organisation that was lost", make_org("O1", "", pool), NULL,
                NULL,
                "user 'M1' of organisation 'O1': there is no such "
                "organisation, so the user cannot be reached\n"
                "user 'U1' of organisation 'O1': there is no such "
                "organisation, so the user cannot be reached\n"
                "user 'U2' of organisation 'O1': there is no such "
                "organisation, so the user cannot be reached\n"
                "user 'U3' of organisation 'O1': there is no such "
                "organisation, so the user cannot be reached\n"
                "the membership of user 'U2' in organisation 'O1': there is no "
                "such organisation",
                pool);
    check_fault("a membership of a removed user", NULL,
                make_user("U9", UP_REMOVED, 1, "", pool),
                make_member("", "U9", "R", pool),
                "the membership of user 'U9' on the instance: the user is "
                "removed, and should have no rights",
                pool);
    revoked->as.token.revoked = LONG_AGO;
    check_fault("a token of a removed user that is revoked", NULL,
                make_user("U9", UP_REMOVED, 1, "", pool), revoked, "", pool);
    check_fault("a token of a removed user", NULL,
                make_user("U9", UP_REMOVED, 1, "", pool),
                make_token("U9", 1, pool),
                "a token of user 'U9': the user is removed, and should have "
                "none",
                pool);
}

static void
check_history(apr_pool_t *pool)
{
    check_fault(
        "a record that was lost", make_machine("O1", "U1", pool), NULL, NULL,
        "user 'U1' has events, but no record, and was not removed", pool);
    check_fault("a record that is older than its last event", NULL,
                make_event(UP_PROFILE_CHANGED, "U1", 2, NULL, pool), NULL,
                "user 'U1' of organisation 'O1' has sequence 1, but 2 after "
                "the last event: the record is older than the event",
                pool);
    check_fault("a record that is newer than its last event", NULL,
                make_user("U1", UP_ACTIVE, 3, "", pool), NULL,
                "user 'U1' of organisation 'O1' has sequence 3, but 1 after "
                "the last event: events are lost",
                pool);
    check_fault("an event that was lost", NULL,
                make_user("U1", UP_ACTIVE, 3, "", pool),
                make_event(UP_PROFILE_CHANGED, "U1", 3, NULL, pool),
                "event 6: user 'U1' has sequence 3 after it, but 1 after the "
                "event before: changes are lost",
                pool);
    check_fault("a state that no event has left", NULL,
                make_user("U1", UP_LOCKED, 1, "", pool), NULL,
                "user 'U1' of organisation 'O1' is locked, but active after "
                "the last event about that",
                pool);
    check_fault("a user who is active after an event that says otherwise", NULL,
                make_user("U1", UP_ACTIVE, 2, "", pool),
                make_event(UP_USER_INITIALISED, "U1", 2, NULL, pool),
                "user 'U1' of organisation 'O1' is active, but initial after "
                "the last event about that",
                pool);
    check_fault("a value that no event has left", NULL,
                make_user("U1", UP_ACTIVE, 2, "Ann", pool),
                make_event(UP_PROFILE_CHANGED, "U1", 2, "Bo", pool),
                "user 'U1' of organisation 'O1' does not have the values that "
                "the last events left: nickName",
                pool);
    check_fault("a value that the last event has left", NULL,
                make_user("U1", UP_ACTIVE, 2, "Bo", pool),
                make_event(UP_PROFILE_CHANGED, "U1", 2, "Bo", pool), "", pool);
    check_fault("an import, which may have replaced any user", NULL,
                make_user("U1", UP_LOCKED, 7, "Ann", pool),
                make_event(UP_STORE_IMPORTED, "", 0, NULL, pool), "", pool);
    check_fault("an event about another thing than users", NULL,
                make_user("U1", UP_ACTIVE, 3, "", pool),
                make_event(UP_ORG_RENAMED, "", 0, NULL, pool),
                "user 'U1' of organisation 'O1' has sequence 3, but 1 after "
                "the last event: events are lost",
                pool);
}

static void
test(apr_pool_t *pool)
{
    check_sound(pool);
    check_items(pool);
    check_references(pool);
    check_history(pool);
}

int
main(void)
{
    return run_test(test);
}
