/* service_access_read.c -- what is looked up before a call, and that nothing is
 * read that the caller may not see. */
#include "service/up_access.h"
#include "store/up_store_driver.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <string.h>

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

/* A store that notes what is read, and what of it may be, as "caller wanted
 * user"; and has what it is given. */
static struct {
    up_view_t view;
    const char *asked;
    int may_read;
} noting;

static up_error_t *
note_read(up_view_t **view,
          up_store_t *store,
          const up_query_t *query,
          apr_pool_t *result_pool,
          apr_pool_t *scratch_pool)
{
    (void)store;
    (void)scratch_pool;
    noting.asked = apr_psprintf(
        result_pool, "%s %s %s%s", query->caller ? query->caller : "-",
        query->wanted ? query->wanted : "-", query->user ? query->user : "-",
        query->in_any_org ? " in any" : "");
    noting.may_read =
        !query->may_read || query->may_read(query->baton, &noting.view);
    *view = apr_pmemdup(result_pool, &noting.view, sizeof(noting.view));
    return NULL;
}

static const up_store_driver_t noting_driver = {.read = note_read};
static up_store_t noting_store = {.driver = &noting_driver};

/* An array of ROLE alone, NULL for NULL. */
static const apr_array_header_t *
roles(const char *role, apr_pool_t *pool)
{
    if (!role)
        return NULL;
    apr_array_header_t *array = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(array, const char *) = role;
    return array;
}

static void
check_look_ups(apr_pool_t *pool)
{
    static const struct {
        const char *name;
        up_scope_t scope;
        const char *caller, *org, *user, *asked;
    } calls[] = {
        {"caller, organisation and user", UP_SCOPE_ORG, "A1", "O1", "U1",
         "A1 O1 U1"},
        {"no organisation", UP_SCOPE_ORG, "A1", NULL, "U1", "A1 - U1"},
        {"an empty organisation", UP_SCOPE_ORG, "A1", "", "U1", "A1 - U1"},
        {"an organisation that cannot be stored", UP_SCOPE_ORG, "A1", LONG,
         "U1", "A1 - U1"},
        {"a caller who cannot be stored", UP_SCOPE_ORG, "\xff", "O1", "U1",
         "- O1 U1"},
        {"a user who cannot be stored", UP_SCOPE_ORG, "A1", "O1", "U\n1",
         "A1 O1 -"},
        {"an empty user", UP_SCOPE_ORG, "A1", "O1", "", "A1 O1 -"},
        {"no user", UP_SCOPE_ORG, "A1", "O1", NULL, "A1 O1 -"},
        {"a user of the store", UP_SCOPE_STORE, "A1", NULL, "U1",
         "A1 - U1 in any"},
        {"a user of the store, and an organisation", UP_SCOPE_STORE, "A1", "O1",
         "U1", "A1 O1 U1 in any"},
        {"the caller itself", UP_SCOPE_SELF, "A1", NULL, "A1",
         "A1 - A1 in any"},
        {"the caller itself, who cannot be stored", UP_SCOPE_SELF, "\xff", NULL,
         "\xff", "- - - in any"},
    };

    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        up_call_t call = {.store = &noting_store,
                          .caller = calls[i].caller,
                          .org = calls[i].org,
                          .pool = pool};
        up_target_t target = {calls[i].scope, calls[i].user, UP_USER_READ,
                              UP_USER_NOT_FOUND};
        up_view_t *view;
        memset(&noting, 0, sizeof(noting));
        up_error_t *err = check(&view, &call, &target);
        is(noting.asked, calls[i].asked, "what is looked up for %s",
           calls[i].name);
        ok(err && !noting.may_read, "an empty store refuses %s", calls[i].name);
    }
}

/* A call that names an organisation whose id cannot be stored does not take
 * place in the caller's own instead. */
static void
check_unstorable_org(apr_pool_t *pool)
{
    up_call_t call = {
        .store = &noting_store, .caller = "A1", .org = LONG, .pool = pool};
    up_target_t target = {UP_SCOPE_ORG, "U1", UP_USER_READ, UP_USER_NOT_FOUND};
    up_view_t *view;

    memset(&noting, 0, sizeof(noting));
    noting.view = (up_view_t){.caller_org = "O1", .org = "O1"};
    is(reason_of(check(&view, &call, &target)), "ORG_NOT_FOUND",
       "an organisation that cannot be stored is not the caller's own");
    is(call.found_org, NULL,
       "an organisation that cannot be stored is not reported as the call's");
}

#define OWNER "ORG_OWNER"
#define VIEWER "ORG_OWNER_VIEWER"
enum { READ = UP_USER_READ, WRITE = UP_USER_WRITE, BOTH = READ | WRITE };
static const struct {
    const char *name;
    up_scope_t scope;
    const char *user;
    const char *org_role, *instance_role;
    up_state_t state;
    unsigned self, needed;
    int may;
} sights[] = {
    {"no role", UP_SCOPE_ORG, "U1", NULL, NULL, UP_ACTIVE, 0, READ, 0},
    {"a role", UP_SCOPE_ORG, "U1", VIEWER, NULL, UP_ACTIVE, 0, READ, 1},
    {"a role on the instance", UP_SCOPE_ORG, "U1", NULL, VIEWER, UP_ACTIVE, 0,
     READ, 1},
    {"a role that does not permit it", UP_SCOPE_ORG, "U1", VIEWER, VIEWER,
     UP_ACTIVE, 0, WRITE, 0},
    {"one role of two", UP_SCOPE_ORG, "U1", VIEWER, OWNER, UP_ACTIVE, 0, WRITE,
     1},
    {"a locked caller", UP_SCOPE_ORG, "U1", OWNER, OWNER, UP_LOCKED, 0, READ,
     0},
    {"oneself among an organisation's users", UP_SCOPE_ORG, "A1", NULL, NULL,
     UP_ACTIVE, BOTH, READ, 0},
    {"a role, in the store", UP_SCOPE_STORE, "U1", VIEWER, NULL, UP_ACTIVE, 0,
     READ, 1},
    {"no role, in the store", UP_SCOPE_STORE, "U1", NULL, NULL, UP_ACTIVE, BOTH,
     READ, 0},
    {"oneself in the store", UP_SCOPE_STORE, "A1", NULL, NULL, UP_ACTIVE, READ,
     READ, 1},
    {"oneself in the store, to write", UP_SCOPE_STORE, "A1", NULL, NULL,
     UP_ACTIVE, READ, WRITE, 0},
    {"oneself in the store, where the site forbids it", UP_SCOPE_STORE, "A1",
     NULL, NULL, UP_ACTIVE, 0, READ, 0},
    {"oneself in the store, by a role", UP_SCOPE_STORE, "A1", OWNER, NULL,
     UP_ACTIVE, 0, WRITE, 1},
    {"oneself in the store, locked", UP_SCOPE_STORE, "A1", OWNER, NULL,
     UP_LOCKED, BOTH, READ, 0},
    {"oneself", UP_SCOPE_SELF, "A1", NULL, NULL, UP_ACTIVE, BOTH, WRITE, 1},
    {"oneself, to write", UP_SCOPE_SELF, "A1", NULL, NULL, UP_ACTIVE, READ,
     WRITE, 0},
    {"oneself, where the site forbids it, whatever the role", UP_SCOPE_SELF,
     "A1", OWNER, OWNER, UP_ACTIVE, 0, READ, 0},
    {"oneself, removed", UP_SCOPE_SELF, "A1", NULL, NULL, UP_REMOVED, BOTH,
     READ, 0},
};

/* What a caller may see is asked before it is read. */
static void
check_may_read(apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
        up_call_t call = {.store = &noting_store,
                          .caller = "A1",
                          .self = sights[i].self,
                          .pool = pool};
        up_target_t target = {sights[i].scope, sights[i].user, sights[i].needed,
                              UP_USER_NOT_FOUND};
        up_view_t *view;
        memset(&noting, 0, sizeof(noting));
        noting.view =
            (up_view_t){.caller_org = "O1",
                        .caller_state = sights[i].state,
                        .org = "O1",
                        .org_roles = roles(sights[i].org_role, pool),
                        .instance_roles = roles(sights[i].instance_role, pool)};
        up_error_t *err = check(&view, &call, &target);
        is_number(noting.may_read, sights[i].may,
                  "%s: whether the user may be read", sights[i].name);
        is_number(!err, sights[i].may, "%s: whether the call may be made",
                  sights[i].name);
    }
}

static void
test(apr_pool_t *pool)
{
    check_look_ups(pool);
    check_unstorable_org(pool);
    check_may_read(pool);
}

int
main(void)
{
    return run_test(test);
}
