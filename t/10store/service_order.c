/* service_order.c -- of several errors of a call, the one that is answered; and
 * that a user whom the caller may not know of cannot be told from none. */
#include "service/up_profiles.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"
#include "wire/up_status.h"

#include <apr_escape.h>
#include <apr_strings.h>

static void
fill(up_store_t *store, apr_pool_t *pool)
{
    up_item_t *gone = make_machine("O1", "gone", pool);

    gone->as.user.state = UP_REMOVED;
    put_org(store, "O1");
    put_org(store, "O2");
    put_human(store, "O1", "owner", UP_ACTIVE);
    put_human(store, "O1", "viewer", UP_ACTIVE);
    put_human(store, "O1", "nobody", UP_ACTIVE);
    put_human(store, "O1", "locked", UP_LOCKED);
    put_human(store, "O1", "removed", UP_REMOVED);
    put_human(store, "O2", "other", UP_ACTIVE);
    put_machine(store, "O1", "machine");
    must(put_item(store, gone, pool));
    put_member(store, "O1", "owner", "ORG_OWNER");
    put_member(store, "O1", "viewer", "ORG_OWNER_VIEWER");
    put_member(store, "O1", "locked", "ORG_OWNER");
    put_member(store, "O1", "machine", "ORG_OWNER");
    put_member(store, "O1", "removed", "ORG_OWNER");
}

#define LONG LONGEST_ID "x"

#define NO_ORG "Organisation doesn't exist (AUTH-Bs7Ds)"
#define NO_MEMBER "membership not found (AUTHZ-cdgFk)"
#define DENIED "No matching permissions found (AUTH-5mWD2)"
#define DENIED_V2 "No matching permissions found (AUTH-AWfge)"
#define UNKNOWN "User could not be found (QUERY-Dfbg2)"
#define NO_HUMAN "User could not be found (COMMAND-ugjs0upun6)"
#define NO_USER "User could not be found (QUERY-HNhb3)"
#define NO_PROFILE "Profile not found (COMMAND-3M9sd)"
#define NOT_HUMAN "The User must be personal (QUERY-WLTce)"
#define SEQUENCE "the stored sequence is 1"
#define LENGTH                                                                 \
    "givenName: value length must be between 1 and 200 runes, inclusive"
#define ID_LENGTH                                                              \
    "userId: value length must be between 1 and 200 runes, inclusive"
#define UNKEPT "username is not kept"

/* What is wrong with an update, a bit each. */
enum { INVALID = 1, REFUSED = 2, MISMATCH = 4 };

/* Updates of the given name, of users of the store. */
static const struct {
    const char *name, *caller, *org, *user;
    int faults;
    const char *says; /* "" for none */
} updates[] = {
    {"the organisation is checked before all else", "nobody", "O9", LONG,
     INVALID | REFUSED | MISMATCH, NO_ORG},
    {"the caller's state is checked before the id", "locked", NULL, LONG,
     INVALID | REFUSED | MISMATCH, NO_MEMBER},
    {"the id is checked before the fields", "nobody", NULL, LONG,
     INVALID | REFUSED | MISMATCH, ID_LENGTH},
    {"the fields are checked before what is not kept", "nobody", NULL,
     "unknown", INVALID | REFUSED | MISMATCH, LENGTH},
    {"what is not kept is refused before the user is looked for", "nobody",
     NULL, "unknown", REFUSED | MISMATCH, UNKEPT},
    {"the user is looked for before the precondition", "owner", NULL, "unknown",
     MISMATCH, NO_HUMAN},
    {"the rights are checked before the precondition", "viewer", NULL, "nobody",
     MISMATCH, DENIED_V2},
    {"the precondition is checked last", "owner", NULL, "nobody", MISMATCH,
     SEQUENCE},
    {"an update without a fault is made", "owner", NULL, "nobody", 0, ""},

    {"the fields of a caller without membership are checked before the rights",
     "nobody", NULL, "owner", INVALID, LENGTH},
    {"the fields of a viewer are checked before the rights", "viewer", NULL,
     "owner", INVALID, LENGTH},
    {"what is not kept is refused to a viewer before the rights are checked",
     "viewer", NULL, "owner", REFUSED, UNKEPT},
    {"a user that a caller without membership may not know of", "nobody", NULL,
     "owner", MISMATCH, NO_HUMAN},
    {"a user of another organisation", "owner", NULL, "other", MISMATCH,
     NO_HUMAN},
    {"a user of another organisation that is named", "owner", "O2", "other", 0,
     NO_HUMAN},
    {"an owner who names another organisation keeps its rights", "owner", "O2",
     "viewer", 0, ""},
    {"a removed user", "owner", NULL, "removed", MISMATCH, NO_HUMAN},
    {"a removed user, whatever the rights", "viewer", NULL, "removed", 0,
     NO_HUMAN},
    {"a machine", "owner", NULL, "machine", MISMATCH, NO_HUMAN},
    {"a machine, without the rights", "viewer", NULL, "machine", MISMATCH,
     DENIED_V2},
    {"a machine, of itself", "machine", NULL, "machine", MISMATCH, NO_HUMAN},
    {"an id that cannot be stored", "owner", NULL, "U\n1", MISMATCH, NO_HUMAN},
    {"a caller of itself", "nobody", NULL, "nobody", 0, ""},
    {"a locked caller of itself", "locked", NULL, "locked", 0, NO_MEMBER},
    {"a removed caller of itself", "removed", NULL, "removed", 0, NO_MEMBER},
    {"a caller who is not stored, of itself", "ghost", NULL, "ghost", 0,
     NO_HUMAN},
};

/* Set the given name of TARGET to NAME. */
static up_error_t *
set_name(up_call_t *call,
         const up_target_t *target,
         const char *name,
         up_error_t *refusal,
         apr_pool_t *pool)
{
    up_profile_t *profile = up_profile_make(pool);
    up_update_t update = {.fields = UP_FIELD_BIT(UP_FIRST_NAME),
                          .profile = profile,
                          .rules = UP_RULES_UPDATE,
                          .prefix = "",
                          .refusal = refusal};
    const up_user_t *user;

    profile->text[UP_FIRST_NAME] = name;
    return up_profiles_update(&user, call, target, &update);
}

static const char *
said(const up_error_t *err, apr_pool_t *pool)
{
    return err ? up_error_public(err, pool) : "";
}

static void
check_updates(up_store_t *store, apr_pool_t *pool)
{
    up_error_t *refusal = up_error(pool, UP_FIELD_UNSUPPORTED, 0, UNKEPT);
    up_precondition_t *other;

    must(up_precondition_parse(&other, "\"7\"", NULL, pool));
    for (unsigned i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        int faults = updates[i].faults;
        up_call_t call = {.store = store,
                          .caller = updates[i].caller,
                          .org = updates[i].org,
                          .self = UP_USER_WRITE,
                          .precondition = faults & MISMATCH ? other : NULL,
                          .pool = pool};
        up_target_t target = {UP_SCOPE_STORE, updates[i].user, UP_USER_WRITE,
                              UP_HUMAN_NOT_FOUND_V2};
        const char *before = store_text(store, ALL_KINDS, pool);

        up_error_t *err = set_name(&call, &target, faults & INVALID ? "" : "X",
                                   faults & REFUSED ? refusal : NULL, pool);
        is(said(err, pool), updates[i].says, "update: %s", updates[i].name);
        if (err)
            is(store_text(store, ALL_KINDS, pool), before,
               "update: %s: nothing is written", updates[i].name);
    }
}

/* Reads of users of the store; a machine may be read. */
static const struct {
    const char *name, *caller, *org, *user;
    int is_mismatch;
    const char *says;
} reads[] = {
    {"the organisation is checked before all else", "nobody", "O9", LONG, 1,
     NO_ORG},
    {"the caller's state is checked before the id", "locked", NULL, LONG, 1,
     NO_MEMBER},
    {"the id is checked before the user is looked for", "nobody", NULL, LONG, 1,
     ID_LENGTH},
    {"no id", "owner", NULL, "", 1, ID_LENGTH},
    {"the user is looked for before the precondition", "owner", NULL, "unknown",
     1, UNKNOWN},
    {"the rights are checked before the precondition", "nobody", NULL, "owner",
     1, UNKNOWN},
    {"the precondition is checked last", "viewer", NULL, "owner", 1, SEQUENCE},
    {"a viewer reads", "viewer", NULL, "owner", 0, ""},
    {"a user of another organisation", "owner", NULL, "other", 0, UNKNOWN},
    {"a removed user", "owner", NULL, "removed", 0, UNKNOWN},
    {"a removed machine", "owner", NULL, "gone", 0, UNKNOWN},
    {"a locked user", "owner", NULL, "locked", 0, ""},
    {"a machine", "owner", NULL, "machine", 0, ""},
    {"an id that cannot be stored", "owner", NULL, "U\n1", 0, UNKNOWN},
    {"a caller of itself", "nobody", NULL, "nobody", 0, ""},
    {"a machine of itself", "machine", NULL, "machine", 0, ""},
    {"a caller who is not stored, of itself", "ghost", NULL, "ghost", 0,
     UNKNOWN},
};

static void
check_reads(up_store_t *store, apr_pool_t *pool)
{
    up_precondition_t *other;

    must(up_precondition_parse(&other, "\"7\"", NULL, pool));
    for (unsigned i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        up_call_t call = {.store = store,
                          .caller = reads[i].caller,
                          .org = reads[i].org,
                          .self = UP_USER_READ,
                          .precondition = reads[i].is_mismatch ? other : NULL,
                          .pool = pool};
        up_target_t target = {UP_SCOPE_STORE, reads[i].user, UP_USER_READ,
                              UP_USER_NOT_FOUND_V2};
        const up_user_t *user;

        up_error_t *err = up_profiles_get(&user, &call, &target, 0);
        is(said(err, pool), reads[i].says, "read: %s", reads[i].name);
        if (!err)
            is(user->id, reads[i].user, "read: %s: the user", reads[i].name);
    }
}

/* What callers do to themselves, in the calls that are about them alone. */
static const struct {
    const char *name, *caller, *org;
    unsigned self;
    int is_invalid;
    const char *update_says, *read_says;
} selves[] = {
    {"the organisation is checked before all else", "nobody", "O9", 0, 1,
     NO_ORG, NO_ORG},
    {"the caller's state is checked before the rights", "locked", NULL, 0, 1,
     NO_MEMBER, NO_MEMBER},
    {"the rights are checked before the fields", "nobody", NULL, 0, 1, DENIED,
     DENIED},
    {"the fields are checked before the user is looked for", "ghost", NULL,
     UP_USER_WRITE | UP_USER_READ, 1, LENGTH, NO_USER},
    {"a caller who is not stored", "ghost", NULL, UP_USER_WRITE | UP_USER_READ,
     0, NO_PROFILE, NO_USER},
    {"a machine", "machine", NULL, UP_USER_WRITE | UP_USER_READ, 0, NO_PROFILE,
     NOT_HUMAN},
    {"a caller who may read", "nobody", NULL, UP_USER_READ, 0, DENIED, ""},
    {"a caller who may do all", "nobody", "O2", UP_USER_WRITE | UP_USER_READ, 0,
     "", ""},
    {"a removed caller", "removed", NULL, UP_USER_WRITE | UP_USER_READ, 0,
     NO_MEMBER, NO_MEMBER},
    {"a caller with an id longer than any stored one", LONG, NULL,
     UP_USER_WRITE | UP_USER_READ, 0, NO_PROFILE, NO_USER},
};

static void
check_selves(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(selves) / sizeof(selves[0]); i++) {
        up_call_t call = {.store = store,
                          .caller = selves[i].caller,
                          .org = selves[i].org,
                          .self = selves[i].self,
                          .pool = pool};
        up_target_t target = {UP_SCOPE_SELF, selves[i].caller, UP_USER_WRITE,
                              UP_PROFILE_NOT_FOUND};
        const up_user_t *user;

        up_error_t *err = set_name(
            &call, &target, selves[i].is_invalid ? "" : "Self", NULL, pool);
        is(said(err, pool), selves[i].update_says, "update of oneself: %s",
           selves[i].name);
        target = (up_target_t){UP_SCOPE_SELF, selves[i].caller, UP_USER_READ,
                               UP_USER_NOT_FOUND};
        err = up_profiles_get(&user, &call, &target, 1);
        is(said(err, pool), selves[i].read_says, "read of oneself: %s",
           selves[i].name);
    }
}

/* Why there is no store is what a call without one answers. */
static void
check_no_store(apr_pool_t *pool)
{
    up_error_t *why =
        up_error(pool, UP_STORE_UNAVAILABLE, APR_ENOENT, "cannot open it");
    up_call_t call = {.store_error = why, .caller = "owner", .pool = pool};
    up_target_t target = {UP_SCOPE_ORG, "viewer", UP_USER_READ,
                          UP_USER_NOT_FOUND};
    const up_user_t *user;

    up_error_t *err = up_profiles_get(&user, &call, &target, 1);
    is(err ? err->message : NULL, why->message,
       "a read without a store says why there is none");
    ok(err != why, "a read without a store has an error of its own");
    is(call.target, "viewer", "the target is known without a store");
    err = set_name(&call, &target, "X", NULL, pool);
    is(reason_of(err), "STORE_UNAVAILABLE",
       "an update without a store says why there is none");
}

/* All that a client sees of the error of a call of NOBODY about USER. */
static const char *
seen(up_store_t *store, const char *user, unsigned needed, apr_pool_t *pool)
{
    up_call_t call = {.store = store, .caller = "nobody", .pool = pool};
    up_target_t target = {UP_SCOPE_STORE, user, needed,
                          needed == UP_USER_READ ? UP_USER_NOT_FOUND_V2
                                                 : UP_HUMAN_NOT_FOUND_V2};
    const up_user_t *found;
    const char *json, *proto;
    apr_size_t json_length, proto_length;

    up_error_t *err = needed == UP_USER_READ
                          ? up_profiles_get(&found, &call, &target, 0)
                          : set_name(&call, &target, "X", NULL, pool);
    if (!err)
        return "no error";
    up_status_t *status = up_status_of(err, pool);
    up_status_json(&json, &json_length, status, pool);
    up_status_proto(&proto, &proto_length, status, pool);
    return apr_psprintf(
        pool, "%d %s %s %s %s", up_error_http(err), json,
        apr_pescape_hex(pool, proto, proto_length, 0),
        up_error_story(err, pool),
        call.sequence || call.unmodified || err->headers ? "and more" : "");
}

static void
check_secrecy(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *id;
    } users[] = {
        {"a user of the caller's organisation", "owner"},
        {"a locked user", "locked"},
        {"a user of another organisation", "other"},
        {"a machine", "machine"},
        {"a removed user", "removed"},
        {"a removed machine", "gone"},
        {"an id that cannot be stored", "U\n1"},
    };

    for (unsigned i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        is(seen(store, users[i].id, UP_USER_READ, pool),
           seen(store, "unknown", UP_USER_READ, pool),
           "read: %s cannot be told from an unknown user", users[i].name);
        is(seen(store, users[i].id, UP_USER_WRITE, pool),
           seen(store, "unknown", UP_USER_WRITE, pool),
           "update: %s cannot be told from an unknown user", users[i].name);
    }
}

static void
test(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);

    fill(store, pool);
    check_reads(store, pool);
    check_secrecy(store, pool);
    check_updates(store, pool);
    check_selves(store, pool);
    check_no_store(pool);
    up_store_close(store);
}

int
main(void)
{
    return run_for_each_driver(test);
}
