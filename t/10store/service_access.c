/* service_access.c -- who may make a call, and in which organisation. */
#include "service/up_access.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <string.h>

static void
fill(up_store_t *store)
{
    put_org(store, "O1");
    put_org(store, "O2");
    put_human(store, "O1", "owner", UP_ACTIVE);
    put_human(store, "O1", "viewer", UP_ACTIVE);
    put_human(store, "O1", "nobody", UP_ACTIVE);
    put_human(store, "O1", "initial", UP_INITIAL);
    put_human(store, "O1", "locked", UP_LOCKED);
    put_human(store, "O1", "inactive", UP_INACTIVE);
    put_human(store, "O1", "removed", UP_REMOVED);
    put_human(store, "O2", "other", UP_ACTIVE);
    put_human(store, "O1", "admin", UP_ACTIVE);
    put_member(store, "O1", "owner", "ORG_OWNER");
    put_member(store, "O1", "viewer", "ORG_OWNER_VIEWER");
    put_member(store, "O1", "initial", "ORG_OWNER");
    put_member(store, "O1", "locked", "ORG_OWNER");
    put_member(store, "O1", "inactive", "ORG_OWNER");
    put_member(store, "O1", "removed", "ORG_OWNER");
    put_member(store, "O1", "custom", "AUDITOR");
    put_member(store, "O1", "stranger", "ORG_USER_MANAGER");
    put_member(store, "", "admin", "IAM_OWNER");
    put_member(store, "", "robot", "IAM_LOGIN_CLIENT");
    put_member(store, "", "watcher", "IAM_OWNER_VIEWER");
    put_member(store, "O1", "watcher", "ORG_USER_MANAGER");
}

/* More bytes than any store could look up. */
#define LONG LONGEST_ID LONGEST_ID LONGEST_ID

/* All that is checked before a call, as it is for calls of UP_SCOPE_ORG. */
static up_error_t *
check(up_view_t **view, up_call_t *call, const up_target_t *target)
{
    *view = NULL;
    UP_ERR(up_access_read(view, call, target, 0));
    UP_ERR(up_access_check_org(*view, call, target));
    return up_access_check_rights(*view, call, target);
}

/* The same for the user USER of an organisation. */
static up_error_t *
check_in_org(up_view_t **view,
             up_call_t *call,
             const char *user,
             unsigned needed)
{
    up_target_t target = {UP_SCOPE_ORG, user, needed, UP_USER_NOT_FOUND};

    return check(view, call, &target);
}

static const struct {
    const char *name, *caller, *org;
    unsigned needed;
    const char *reason, *found_org; /* NULL: none */
} rows[] = {
    {"an owner writes in the own organisation", "owner", NULL, UP_USER_WRITE,
     "", "O1"},
    {"an empty organisation is the own one", "owner", "", UP_USER_WRITE, "",
     "O1"},
    {"an owner may name the own organisation", "owner", "O1", UP_USER_WRITE, "",
     "O1"},
    {"an owner has no rights in another organisation", "owner", "O2",
     UP_USER_READ, "MEMBERSHIP_NOT_FOUND", "O2"},
    {"an organisation that does not exist is refused", "owner", "O3",
     UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"an organisation whose id has a control character is refused", "owner",
     "O\n1", UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"an organisation whose id is too long is refused", "owner", LONG,
     UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"an organisation whose id is not UTF-8 is refused", "owner", "\xff",
     UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"two ids joined by a comma are one id, which is refused", "owner",
     "O1, O1", UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"a viewer reads", "viewer", NULL, UP_USER_READ, "", "O1"},
    {"a viewer does not write", "viewer", NULL, UP_USER_WRITE,
     "PERMISSION_DENIED", "O1"},
    {"a user without a membership is refused", "nobody", NULL, UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"an initial user has the rights of its membership", "initial", NULL,
     UP_USER_WRITE, "", "O1"},
    {"a locked user has no rights", "locked", NULL, UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"an inactive user has no rights", "inactive", "O1", UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"a removed user has no rights", "removed", "O1", UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"for a locked user the organisation is checked first", "locked", "O3",
     UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"a manager of the instance writes in the own organisation", "admin", NULL,
     UP_USER_WRITE, "", "O1"},
    {"a manager of the instance writes in a named organisation", "admin", "O2",
     UP_USER_WRITE, "", "O2"},
    {"a caller who is not stored has no own organisation", "robot", NULL,
     UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"a caller who is not stored may name an organisation", "robot", "O2",
     UP_USER_WRITE, "", "O2"},
    {"a member who is not stored has the rights of its membership", "stranger",
     "O1", UP_USER_WRITE, "", "O1"},
    {"roles in the organisation and on the instance add up", "watcher", "O1",
     UP_USER_WRITE, "", "O1"},
    {"roles in one organisation do not count in another", "watcher", "O2",
     UP_USER_WRITE, "PERMISSION_DENIED", "O2"},
    {"an unknown role permits nothing", "custom", "O1", UP_USER_READ,
     "PERMISSION_DENIED", "O1"},
    {"a caller whose id cannot be stored has no own organisation", "a\x01",
     NULL, UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"a caller whose id cannot be stored has no membership", "a\x01", "O1",
     UP_USER_READ, "MEMBERSHIP_NOT_FOUND", "O1"},
    {"for a caller whose id is too long the organisation is checked first",
     LONG, "O3", UP_USER_READ, "ORG_NOT_FOUND", NULL},
};

static void
check_rows(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_call_t call = {.store = store,
                          .caller = rows[i].caller,
                          .org = rows[i].org,
                          .pool = pool};
        up_view_t *view;
        up_error_t *err = check_in_org(&view, &call, "owner", rows[i].needed);
        is(reason_of(err), rows[i].reason, "%s", rows[i].name);
        is(view->org, rows[i].found_org, "%s: the organisation", rows[i].name);
        is(call.found_org, rows[i].found_org, "%s: the call's organisation",
           rows[i].name);
        if (*rows[i].reason && rows[i].found_org)
            ok(!view->user, "%s: the user is not read", rows[i].name);
    }
}

static void
check_target(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *user;
        int found;
    } targets[] = {
        {"the user is read with the rest", "viewer", 1},
        {"a locked user is read", "locked", 1},
        {"a removed user is read", "removed", 1},
        {"a user of another organisation is not read", "other", 0},
        {"a user whose id cannot be stored is not looked up", LONG, 0},
        {"an empty user id is not looked up", "", 0},
        {"no user id is not looked up", NULL, 0},
    };

    for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        up_call_t call = {.store = store, .caller = "owner", .pool = pool};
        up_view_t *view;
        must(check_in_org(&view, &call, targets[i].user, UP_USER_READ));
        is_number(view->user != NULL, targets[i].found, "%s", targets[i].name);
        is(call.target, targets[i].user, "%s: the call's target",
           targets[i].name);
    }
}

enum { READ = UP_USER_READ, WRITE = UP_USER_WRITE, BOTH = READ | WRITE };

#define DENIED "No matching permissions found (AUTH-AWfge)"
#define UNKNOWN "User could not be found (QUERY-Dfbg2)"
#define NO_MEMBER "membership not found (AUTHZ-cdgFk)"
#define NO_ORG "Organisation doesn't exist (AUTH-Bs7Ds)"

static const struct {
    const char *name, *caller, *org, *user;
    unsigned self, needed;
    const char *says;
} store_calls[] = {
    {"an owner, of a user there", "owner", NULL, "viewer", 0, WRITE, ""},
    {"an owner, of a user elsewhere", "owner", NULL, "other", 0, READ, UNKNOWN},
    {"an owner, of a user elsewhere, naming that organisation", "owner", "O2",
     "other", 0, READ, UNKNOWN},
    {"a viewer, to write", "viewer", NULL, "owner", BOTH, WRITE, DENIED},
    {"a viewer, to read", "viewer", "O2", "owner", 0, READ, ""},
    {"a member whose role is unknown", "custom", NULL, "owner", BOTH, READ,
     DENIED},
    {"a user without a membership", "nobody", NULL, "owner", BOTH, READ,
     UNKNOWN},
    {"a user without a membership, of itself", "nobody", NULL, "nobody", BOTH,
     WRITE, ""},
    {"a user without a membership, reading itself, where the site permits that",
     "nobody", NULL, "nobody", READ, READ, ""},
    {"a user without a membership, writing itself, where the site permits "
     "reading",
     "nobody", NULL, "nobody", READ, WRITE, DENIED},
    {"a user without a membership, reading itself, where the site permits "
     "nothing",
     "nobody", NULL, "nobody", 0, READ, DENIED},
    {"an owner, of itself, where the site permits nothing", "owner", NULL,
     "owner", 0, WRITE, ""},
    {"a viewer, of itself, where the site permits it", "viewer", NULL, "viewer",
     BOTH, WRITE, ""},
    {"a viewer, of itself, where the site permits nothing", "viewer", NULL,
     "viewer", 0, WRITE, DENIED},
    {"a manager of the instance, without an organisation", "robot", NULL,
     "other", 0, WRITE, ""},
    {"a manager of the instance, to write as a viewer", "watcher", NULL,
     "other", 0, WRITE, DENIED},
    {"a locked caller, of itself", "locked", NULL, "locked", BOTH, READ,
     NO_MEMBER},
    {"an inactive owner", "inactive", NULL, "owner", BOTH, READ, NO_MEMBER},
    {"a removed caller, of itself", "removed", NULL, "removed", BOTH, READ,
     NO_MEMBER},
    {"an organisation that does not exist", "owner", "O3", "owner", BOTH, READ,
     NO_ORG},
    {"an organisation that cannot be stored", "owner", LONG, "owner", BOTH,
     READ, NO_ORG},
    {"a locked caller, naming such an organisation", "locked", "O3", "owner",
     BOTH, READ, NO_ORG},
};

/* Who may do what to users of the store, and how refusals read. */
static void
check_store_scope(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(store_calls) / sizeof(store_calls[0]);
         i++) {
        up_call_t call = {.store = store,
                          .caller = store_calls[i].caller,
                          .org = store_calls[i].org,
                          .self = store_calls[i].self,
                          .pool = pool};
        up_target_t target = {UP_SCOPE_STORE, store_calls[i].user,
                              store_calls[i].needed, UP_USER_NOT_FOUND_V2};
        up_view_t *view;
        up_error_t *err = check(&view, &call, &target);
        is(err ? up_error_public(err, pool) : "", store_calls[i].says,
           "in the store: %s", store_calls[i].name);
        if (!err || err->reason != UP_ORG_NOT_FOUND)
            is_number(view->user != NULL, !err,
                      "in the store: %s: whether the user is read",
                      store_calls[i].name);
        is(call.found_org,
           strcmp(store_calls[i].user, "other") != 0 ? "O1" : "O2",
           "in the store: %s: the user's organisation", store_calls[i].name);
    }
}

#define DENIED_V1 "No matching permissions found (AUTH-5mWD2)"

static const struct {
    const char *name, *caller, *org;
    unsigned self, needed;
    const char *says, *found_org;
} self_calls[] = {
    {"to read", "nobody", NULL, BOTH, READ, "", "O1"},
    {"to write", "nobody", NULL, BOTH, WRITE, "", "O1"},
    {"to read, where the site permits no more", "nobody", NULL, READ, READ, "",
     "O1"},
    {"to write, where the site permits reading", "nobody", NULL, READ, WRITE,
     DENIED_V1, "O1"},
    {"to read, where the site permits nothing", "nobody", NULL, 0, READ,
     DENIED_V1, "O1"},
    {"an owner, where the site permits nothing", "owner", NULL, 0, WRITE,
     DENIED_V1, "O1"},
    {"naming another organisation changes nothing", "nobody", "O2", BOTH, WRITE,
     "", "O1"},
    {"naming one that does not exist", "nobody", "O3", BOTH, READ, NO_ORG,
     "O1"},
    {"an initial user", "initial", NULL, BOTH, WRITE, "", "O1"},
    {"a locked user", "locked", NULL, BOTH, READ, NO_MEMBER, "O1"},
    {"an inactive user", "inactive", NULL, BOTH, READ, NO_MEMBER, "O1"},
    {"a removed user", "removed", NULL, BOTH, READ, NO_MEMBER, "O1"},
    {"a caller who is not stored may ask", "stranger", NULL, BOTH, WRITE, "",
     NULL},
    {"a caller who cannot be stored may ask", "a\x01", NULL, BOTH, READ, "",
     NULL},
};

/* Who may do what by claims: in an organisation to the user "viewer", or in
 * the store to USER. */
static const struct {
    const char *name, *caller, *org;
    const char *claimed_org, *role; /* NULL: none */
    const char *user;               /* NULL: in an organisation */
    unsigned needed;
    const char *reason, *found_org;
} claims[] = {
    {"a role in the claimed organisation", "stranger", NULL, "O2", "ORG_OWNER",
     NULL, WRITE, "", "O2"},
    {"a role in the stored organisation", "nobody", NULL, NULL, "ORG_OWNER",
     NULL, WRITE, "", "O1"},
    {"a claimed organisation goes before the stored one", "nobody", NULL, "O2",
     "ORG_OWNER", NULL, WRITE, "", "O2"},
    {"a role does not count in the stored organisation where another is "
     "claimed",
     "nobody", "O1", "O2", "ORG_OWNER", NULL, READ, "MEMBERSHIP_NOT_FOUND",
     "O1"},
    {"a role does not count in another organisation that is named", "stranger",
     "O1", "O2", "ORG_OWNER", NULL, READ, "MEMBERSHIP_NOT_FOUND", "O1"},
    {"a role of a caller without an organisation counts in none", "x", "O1",
     NULL, "ORG_OWNER", NULL, READ, "MEMBERSHIP_NOT_FOUND", "O1"},
    {"a role on the instance counts in any organisation", "x", "O1", NULL,
     "IAM_OWNER_VIEWER", NULL, READ, "", "O1"},
    {"a role on the instance permits no more than it says", "x", "O1", NULL,
     "IAM_OWNER_VIEWER", NULL, WRITE, "PERMISSION_DENIED", "O1"},
    {"a role on the instance needs an organisation too", "x", NULL, NULL,
     "IAM_OWNER", NULL, READ, "ORG_NOT_FOUND", NULL},
    {"an unknown role is a membership that permits nothing", "x", NULL, "O1",
     "NONE", NULL, READ, "PERMISSION_DENIED", "O1"},
    {"a membership in the store does not count beside claimed roles", "owner",
     NULL, NULL, "ORG_OWNER_VIEWER", NULL, WRITE, "PERMISSION_DENIED", "O1"},
    {"a membership on the instance does not either", "admin", NULL, NULL,
     "ORG_OWNER_VIEWER", NULL, WRITE, "PERMISSION_DENIED", "O1"},
    {"a membership in the store counts where no roles are claimed", "stranger",
     NULL, "O1", NULL, NULL, WRITE, "", "O1"},
    {"a claimed organisation alone gives no rights", "x", NULL, "O1", NULL,
     NULL, READ, "MEMBERSHIP_NOT_FOUND", "O1"},
    {"a claimed organisation that does not exist", "owner", NULL, "O3",
     "ORG_OWNER", NULL, READ, "ORG_NOT_FOUND", NULL},
    {"a claimed organisation that cannot be stored", "owner", NULL, LONG,
     "ORG_OWNER", NULL, READ, "ORG_NOT_FOUND", NULL},
    {"a locked caller has no rights by claims", "locked", NULL, NULL,
     "ORG_OWNER", NULL, READ, "MEMBERSHIP_NOT_FOUND", "O1"},
    {"a removed caller has none, wherever its claims say", "removed", "O2",
     "O2", "IAM_OWNER", NULL, READ, "MEMBERSHIP_NOT_FOUND", "O2"},
    {"a caller whose id cannot be stored has no rights by claims", "a\x01",
     NULL, "O1", "IAM_OWNER", NULL, READ, "MEMBERSHIP_NOT_FOUND", "O1"},
    {"in the store: a user of the claimed organisation", "x", NULL, "O2",
     "ORG_OWNER", "other", WRITE, "", "O2"},
    {"in the store: a user of another organisation", "x", NULL, "O2",
     "ORG_OWNER", "viewer", READ, "USER_NOT_FOUND", "O1"},
    {"in the store: that one, naming its organisation", "x", "O1", "O2",
     "ORG_OWNER", "viewer", READ, "USER_NOT_FOUND", "O1"},
    {"in the store: a role on the instance, without an organisation", "x", NULL,
     NULL, "IAM_OWNER", "viewer", WRITE, "", "O1"},
};

static void
check_claims(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        up_call_t call = {.store = store,
                          .caller = claims[i].caller,
                          .org = claims[i].org,
                          .claimed_org = claims[i].claimed_org,
                          .pool = pool};
        up_target_t target = {
            claims[i].user ? UP_SCOPE_STORE : UP_SCOPE_ORG,
            claims[i].user ? claims[i].user : "viewer", claims[i].needed,
            claims[i].user ? UP_USER_NOT_FOUND_V2 : UP_USER_NOT_FOUND};
        apr_array_header_t *roles = apr_array_make(pool, 1, sizeof(char *));
        up_view_t *view;

        if (claims[i].role) {
            APR_ARRAY_PUSH(roles, const char *) = claims[i].role;
            call.claimed_roles = roles;
        }
        up_error_t *err = check(&view, &call, &target);
        is(reason_of(err), claims[i].reason, "%s", claims[i].name);
        is(call.found_org, claims[i].found_org, "%s: the organisation",
           claims[i].name);
        if (err)
            ok(!view->user, "%s: the user is not read", claims[i].name);
    }
}

/* What the log says where the call takes place in no organisation. */
static void
check_missing_org(up_store_t *store, apr_pool_t *pool)
{
    up_call_t call = {.store = store, .caller = "x", .pool = pool};
    up_view_t *view;

    is(check_in_org(&view, &call, "viewer", READ)->message,
       "the caller has no organisation: it is no user in the store, "
       "x-zitadel-orgid names none, and UserProfileCallerOrg gives none",
       "the log names all that could have named an organisation");
    call.claimed_org = "O3";
    is(check_in_org(&view, &call, "viewer", READ)->message,
       "the organisation 'O3' that UserProfileCallerOrg gives does not exist",
       "the log names a claimed organisation that does not exist");
    call.org = "O4";
    is(check_in_org(&view, &call, "viewer", READ)->message,
       "the organisation that the caller names does not exist",
       "the log does not name what a client sends");
}

/* What callers may do to themselves is the site's to say. */
static void
check_self_scope(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(self_calls) / sizeof(self_calls[0]); i++) {
        up_call_t call = {.store = store,
                          .caller = self_calls[i].caller,
                          .org = self_calls[i].org,
                          .self = self_calls[i].self,
                          .pool = pool};
        up_target_t target = {UP_SCOPE_SELF, self_calls[i].caller,
                              self_calls[i].needed, UP_USER_NOT_FOUND};
        up_view_t *view;
        up_error_t *err = check(&view, &call, &target);
        is(err ? up_error_public(err, pool) : "", self_calls[i].says,
           "of itself: %s", self_calls[i].name);
        is(call.found_org, self_calls[i].found_org,
           "of itself: %s: the organisation", self_calls[i].name);
    }
}

/* The site's roles: the last of a name counts, before the API's. */
static void
check_site_roles(up_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *site = apr_array_make(pool, 4, sizeof(up_role_t));
    up_call_t call = {.store = store,
                      .caller = "custom",
                      .org = "O1",
                      .roles = site,
                      .pool = pool};
    up_view_t *view;

    APR_ARRAY_PUSH(site, up_role_t) = (up_role_t){"AUDITOR", UP_USER_WRITE};
    APR_ARRAY_PUSH(site, up_role_t) = (up_role_t){"AUDITOR", UP_USER_READ};
    APR_ARRAY_PUSH(site, up_role_t) = (up_role_t){"ORG_OWNER", 0};
    is(reason_of(check_in_org(&view, &call, "owner", UP_USER_READ)), "",
       "a role of the site permits what it says");
    is(reason_of(check_in_org(&view, &call, "owner", UP_USER_WRITE)),
       "PERMISSION_DENIED", "a role of the site permits no more than it says");
    call.caller = "owner";
    is(reason_of(check_in_org(&view, &call, "owner", UP_USER_READ)),
       "PERMISSION_DENIED", "a role of the site replaces the API's");
    is_number(up_role_permissions(site, "IAM_OWNER"),
              UP_USER_READ | UP_USER_WRITE,
              "a role of the site leaves the API's other roles as they are");
}

static void
check_api_roles(void)
{
    static const char *const managers[] = {
        "IAM_OWNER",        "IAM_ORG_MANAGER", "IAM_USER_MANAGER",
        "IAM_LOGIN_CLIENT", "ORG_OWNER",       "ORG_USER_MANAGER"};
    static const char *const viewers[] = {"IAM_OWNER_VIEWER",
                                          "ORG_OWNER_VIEWER",
                                          "ORG_USER_PERMISSION_EDITOR",
                                          "ORG_PROJECT_PERMISSION_EDITOR",
                                          "PROJECT_OWNER",
                                          "PROJECT_OWNER_VIEWER",
                                          "PROJECT_GRANT_OWNER",
                                          "PROJECT_GRANT_OWNER_VIEWER"};

    for (unsigned i = 0; i < sizeof(managers) / sizeof(managers[0]); i++)
        is_number(up_role_permissions(NULL, managers[i]),
                  UP_USER_READ | UP_USER_WRITE, "%s reads and writes",
                  managers[i]);
    for (unsigned i = 0; i < sizeof(viewers) / sizeof(viewers[0]); i++)
        is_number(up_role_permissions(NULL, viewers[i]), UP_USER_READ,
                  "%s reads", viewers[i]);
    is_number(up_role_permissions(NULL, "org_owner"), 0,
              "the case of a role's name counts");
    is_number(up_permission_by_name("user.read"), UP_USER_READ,
              "user.read is a permission");
    is_number(up_permission_by_name("user.write"), UP_USER_WRITE,
              "user.write is a permission");
    is_number(up_permission_by_name("user"), 0, "user is no permission");
}

static void
test(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);
    fill(store);
    check_rows(store, pool);
    check_target(store, pool);
    check_store_scope(store, pool);
    check_self_scope(store, pool);
    check_claims(store, pool);
    check_missing_org(store, pool);
    check_site_roles(store, pool);
    check_api_roles();
    up_store_close(store);
}

int
main(void)
{
    return run_for_each_driver(test);
}
