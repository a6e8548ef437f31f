/* service_access.c -- who may. */
#include "service/up_access.h"
#include "store/up_store_driver.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <string.h>

#define PROFILE "\"profile\":{\"firstName\":\"F\",\"lastName\":\"L\"}"
#define HUMAN(id, org, state)                                                  \
    "{\"user\":{\"id\":\"" id "\",\"orgId\":\"" org                            \
    "\",\"type\":\"human\",\"state\":\"" state "\"," PROFILE "}}"
#define MEMBER(org, user, role)                                                \
    "{\"member\":{\"orgId\":\"" org "\",\"userId\":\"" user                    \
    "\",\"roles\":[\"" role "\"]}}"
#define MANAGER(user, role)                                                    \
    "{\"member\":{\"userId\":\"" user "\",\"roles\":[\"" role "\"]}}"

static const char *const lines[] = {
    "{\"org\":{\"id\":\"O1\"}}",
    "{\"org\":{\"id\":\"O2\"}}",
    HUMAN("owner", "O1", "active"),
    HUMAN("viewer", "O1", "active"),
    HUMAN("nobody", "O1", "active"),
    HUMAN("initial", "O1", "initial"),
    HUMAN("locked", "O1", "locked"),
    HUMAN("inactive", "O1", "inactive"),
    HUMAN("removed", "O1", "removed"),
    HUMAN("other", "O2", "active"),
    HUMAN("admin", "O1", "active"),
    MEMBER("O1", "owner", "ORG_OWNER"),
    MEMBER("O1", "viewer", "ORG_OWNER_VIEWER"),
    MEMBER("O1", "initial", "ORG_OWNER"),
    MEMBER("O1", "locked", "ORG_OWNER"),
    MEMBER("O1", "inactive", "ORG_OWNER"),
    MEMBER("O1", "removed", "ORG_OWNER"),
    MEMBER("O1", "custom", "AUDITOR"),
    MEMBER("O1", "stranger", "ORG_USER_MANAGER"),
    MANAGER("admin", "IAM_OWNER"),
    MANAGER("robot", "IAM_LOGIN_CLIENT"),
    MANAGER("watcher", "IAM_OWNER_VIEWER"),
    MEMBER("O1", "watcher", "ORG_USER_MANAGER"),
    NULL,
};

/* More bytes than any store could look up. */
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A200 A50 A50 A50 A50
#define LONG A200 A200 A200

static const struct {
    const char *name, *caller, *org;
    unsigned needed;
    const char *reason, *view_org; /* NULL: none, or no view */
} rows[] = {
    {"nobody calls", NULL, "O1", UP_USER_READ, "AUTH_HEADER_MISSING", NULL},
    {"an empty caller is nobody", "", "O1", UP_USER_READ, "AUTH_HEADER_MISSING",
     NULL},
    {"an owner writes at home", "owner", NULL, UP_USER_WRITE, "", "O1"},
    {"an empty organisation is none", "owner", "", UP_USER_WRITE, "", "O1"},
    {"an owner names the own organisation", "owner", "O1", UP_USER_WRITE, "",
     "O1"},
    {"an owner is none elsewhere", "owner", "O2", UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O2"},
    {"an organisation that does not exist", "owner", "O3", UP_USER_READ,
     "ORG_NOT_FOUND", NULL},
    {"an organisation that cannot exist", "owner", "O\n1", UP_USER_READ,
     "ORG_NOT_FOUND", NULL},
    {"one with too long an id", "owner", LONG, UP_USER_READ, "ORG_NOT_FOUND",
     NULL},
    {"one with an id that is not UTF-8", "owner", "\xff", UP_USER_READ,
     "ORG_NOT_FOUND", NULL},
    {"two headers, joined", "owner", "O1, O1", UP_USER_READ, "ORG_NOT_FOUND",
     NULL},
    {"a viewer reads", "viewer", NULL, UP_USER_READ, "", "O1"},
    {"a viewer does not write", "viewer", NULL, UP_USER_WRITE,
     "PERMISSION_DENIED", "O1"},
    {"a user without membership", "nobody", NULL, UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"an initial user calls as any", "initial", NULL, UP_USER_WRITE, "", "O1"},
    {"a locked one does not", "locked", NULL, UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"an inactive one does not", "inactive", "O1", UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"a removed one does not", "removed", "O1", UP_USER_READ,
     "MEMBERSHIP_NOT_FOUND", "O1"},
    {"a locked one first hears of the organisation", "locked", "O3",
     UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"an instance's manager writes at home", "admin", NULL, UP_USER_WRITE, "",
     "O1"},
    {"... and elsewhere", "admin", "O2", UP_USER_WRITE, "", "O2"},
    {"one who is not stored has no organisation", "robot", NULL, UP_USER_READ,
     "ORG_NOT_FOUND", NULL},
    {"... but may name one", "robot", "O2", UP_USER_WRITE, "", "O2"},
    {"a member who is not stored", "stranger", "O1", UP_USER_WRITE, "", "O1"},
    {"roles of both memberships count", "watcher", "O1", UP_USER_WRITE, "",
     "O1"},
    {"... where they are", "watcher", "O2", UP_USER_WRITE, "PERMISSION_DENIED",
     "O2"},
    {"a role that nobody knows", "custom", "O1", UP_USER_READ,
     "PERMISSION_DENIED", "O1"},
    {"a caller who cannot be stored, at no organisation", "a\x01", NULL,
     UP_USER_READ, "ORG_NOT_FOUND", NULL},
    {"... at one", "a\x01", "O1", UP_USER_READ, "MEMBERSHIP_NOT_FOUND", "O1"},
    {"... at one that does not exist", LONG, "O3", UP_USER_READ,
     "ORG_NOT_FOUND", NULL},
};

static void
check_rows(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_call_t call = {.store = store,
                          .caller = rows[i].caller,
                          .org = rows[i].org,
                          .user = "owner"};
        up_view_t *view;
        up_error_t *err =
            up_access_check(&view, &call, rows[i].needed, pool, pool);
        is(reason_of(err), rows[i].reason, "%s", rows[i].name);
        is(view ? view->org : NULL, rows[i].view_org, "... and where");
    }
}

static void
check_target(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *user;
        int found;
    } targets[] = {
        {"the target is read with the rest", "viewer", 1},
        {"a locked target too", "locked", 1},
        {"a removed one too", "removed", 1},
        {"another organisation's is not", "other", 0},
        {"one that cannot be stored is not looked up", LONG, 0},
        {"an empty one is not", "", 0},
        {"none is not", NULL, 0},
    };

    for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        up_call_t call = {.store = store,
                          .caller = "owner",
                          .org = NULL,
                          .user = targets[i].user};
        up_view_t *view;
        must(up_access_check(&view, &call, UP_USER_READ, pool, pool));
        is_number(view->user != NULL, targets[i].found, "%s", targets[i].name);
    }
}

/* A store that notes what it is asked for, and has nothing. */
static const char *asked;

static up_error_t *
note_read(up_view_t **view,
          up_store_t *store,
          const char *caller,
          const char *wanted,
          const char *user,
          apr_pool_t *result_pool,
          apr_pool_t *scratch_pool)
{
    (void)store;
    (void)scratch_pool;
    asked = apr_psprintf(result_pool, "%s %s %s", caller ? caller : "-",
                         wanted ? wanted : "-", user ? user : "-");
    *view = apr_pcalloc(result_pool, sizeof(**view));
    return NULL;
}

static void
check_look_ups(apr_pool_t *pool)
{
    static const up_store_driver_t driver = {.read = note_read};
    static const struct {
        const char *name, *caller, *org, *user, *asked;
    } calls[] = {
        {"all three", "A1", "O1", "U1", "A1 O1 U1"},
        {"no organisation", "A1", NULL, "U1", "A1 - U1"},
        {"an empty one", "A1", "", "U1", "A1 - U1"},
        {"one that cannot be stored", "A1", LONG, "U1", NULL},
        {"a caller who cannot be stored", "\xff", "O1", "U1", "- O1 U1"},
        {"a user who cannot be stored", "A1", "O1", "U\n1", "A1 O1 -"},
        {"an empty user", "A1", "O1", "", "A1 O1 -"},
        {"nobody", NULL, "O1", "U1", NULL},
    };
    up_store_t store = {&driver};

    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        up_call_t call = {.store = &store,
                          .caller = calls[i].caller,
                          .org = calls[i].org,
                          .user = calls[i].user};
        up_view_t *view;
        asked = NULL;
        ok(up_access_check(&view, &call, UP_USER_READ, pool, pool) != NULL,
           "%s in an empty store", calls[i].name);
        is(asked, calls[i].asked, "... what is looked up");
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
                      .user = "owner",
                      .roles = site};
    up_view_t *view;

    APR_ARRAY_PUSH(site, up_role_t) = (up_role_t){"AUDITOR", UP_USER_WRITE};
    APR_ARRAY_PUSH(site, up_role_t) = (up_role_t){"AUDITOR", UP_USER_READ};
    APR_ARRAY_PUSH(site, up_role_t) = (up_role_t){"ORG_OWNER", 0};
    is(reason_of(up_access_check(&view, &call, UP_USER_READ, pool, pool)), "",
       "a role of the site permits what it says");
    is(reason_of(up_access_check(&view, &call, UP_USER_WRITE, pool, pool)),
       "PERMISSION_DENIED", "... and no more");
    call.caller = "owner";
    is(reason_of(up_access_check(&view, &call, UP_USER_READ, pool, pool)),
       "PERMISSION_DENIED", "a role of the site replaces the API's");
    is_number(up_role_permissions(site, "IAM_OWNER"),
              UP_USER_READ | UP_USER_WRITE, "the others stay");
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
              "a role's name has its case");
    is_number(up_permission_by_name("user.read"), UP_USER_READ, "user.read");
    is_number(up_permission_by_name("user.write"), UP_USER_WRITE, "user.write");
    is_number(up_permission_by_name("user"), 0, "no other permission");
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    up_store_t *store = temp_store_open(pool);
    temp_store_fill(store, lines);
    check_rows(store, pool);
    check_target(store, pool);
    check_look_ups(pool);
    check_site_roles(store, pool);
    check_api_roles();
    temp_store_close(store);
    apr_terminate();
    return done_testing();
}
