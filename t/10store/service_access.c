/* service_access.c -- who may make a call, and in which organisation. */
#include "service/up_access.h"
#include "store/up_store_driver.h"
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

static const struct {
    const char *name, *caller, *org;
    unsigned needed;
    const char *reason, *view_org; /* NULL: none, or no view */
} rows[] = {
    {"no caller", NULL, "O1", UP_USER_READ, "AUTH_HEADER_MISSING", NULL},
    {"an empty caller is no caller", "", "O1", UP_USER_READ,
     "AUTH_HEADER_MISSING", NULL},
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
                          .user = "owner"};
        up_view_t *view;
        up_error_t *err =
            up_access_check(&view, &call, rows[i].needed, pool, pool);
        is(reason_of(err), rows[i].reason, "%s", rows[i].name);
        is(view ? view->org : NULL, rows[i].view_org, "%s: the organisation",
           rows[i].name);
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
        up_call_t call = {.store = store,
                          .caller = "owner",
                          .org = NULL,
                          .user = targets[i].user};
        up_view_t *view;
        must(up_access_check(&view, &call, UP_USER_READ, pool, pool));
        is_number(view->user != NULL, targets[i].found, "%s", targets[i].name);
    }
}

/* A store without items that notes what is read. */
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
        {"caller, organisation and user", "A1", "O1", "U1", "A1 O1 U1"},
        {"no organisation", "A1", NULL, "U1", "A1 - U1"},
        {"an empty organisation", "A1", "", "U1", "A1 - U1"},
        {"an organisation that cannot be stored", "A1", LONG, "U1", NULL},
        {"a caller who cannot be stored", "\xff", "O1", "U1", "- O1 U1"},
        {"a user who cannot be stored", "A1", "O1", "U\n1", "A1 O1 -"},
        {"an empty user", "A1", "O1", "", "A1 O1 -"},
        {"no caller", NULL, "O1", "U1", NULL},
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
           "an empty store refuses %s", calls[i].name);
        is(asked, calls[i].asked, "what is looked up for %s", calls[i].name);
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
       "PERMISSION_DENIED", "a role of the site permits no more than it says");
    call.caller = "owner";
    is(reason_of(up_access_check(&view, &call, UP_USER_READ, pool, pool)),
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
    check_look_ups(pool);
    check_site_roles(store, pool);
    check_api_roles();
    up_store_close(store);
}

int
main(void)
{
    return run_test(test);
}
