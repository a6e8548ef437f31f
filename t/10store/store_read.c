/* store_read.c -- up_store_read() where a call is about users of any
 * organisation, and where the caller may not see the user. */
#include "store_contract.h"
#include "store_items.h"
#include "tap.h"

#include <apr_strings.h>
#include <string.h>

static void
fill(up_store_t *store)
{
    put_org(store, "O1");
    put_org(store, "O2");
    put_human(store, "O1", "A", UP_ACTIVE);
    put_human(store, "O2", "B", UP_LOCKED);
    put_human(store, "O2", "C", UP_REMOVED);
    put_machine(store, "O2", "M");
    put_member(store, "O1", "A", "ORG_OWNER");
    put_member(store, "O2", "A", "ORG_OWNER_VIEWER");
    put_member(store, "", "robot", "IAM_OWNER");
}

static const char *
roles_text(const apr_array_header_t *roles, apr_pool_t *pool)
{
    return roles ? apr_array_pstrcat(pool, roles, ' ') : "-";
}

/* What is known of the user and of what the call takes place in. */
static const char *
view_text(const up_view_t *view, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s, caller %s, wanted %s, roles %s and %s, %s",
                        view->org ? view->org : "-",
                        view->caller_org ? view->caller_org : "-",
                        view->wanted_exists ? "exists" : "does not",
                        roles_text(view->org_roles, pool),
                        roles_text(view->instance_roles, pool),
                        view->user ? view->user->id : "-");
}

static void
any_organisation(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *caller, *wanted, *user, *view;
    } rows[] = {
        {"a user of the caller's organisation", "A", NULL, "A",
         "O1, caller O1, wanted does not, roles ORG_OWNER and -, A"},
        {"a user of another organisation", "A", NULL, "B",
         "O2, caller O1, wanted does not, roles ORG_OWNER_VIEWER and -, B"},
        {"a machine", "A", NULL, "M",
         "O2, caller O1, wanted does not, roles ORG_OWNER_VIEWER and -, M"},
        {"a wanted organisation is looked up, and nothing else", "A", "O1", "B",
         "O2, caller O1, wanted exists, roles ORG_OWNER_VIEWER and -, B"},
        {"a wanted organisation that does not exist", "A", "O9", "B",
         "O2, caller O1, wanted does not, roles ORG_OWNER_VIEWER and -, B"},
        {"an unknown user", "A", "O2", "X",
         "-, caller O1, wanted exists, roles - and -, -"},
        {"no user", "A", "O1", NULL,
         "-, caller O1, wanted exists, roles - and -, -"},
        {"a caller on the instance", "robot", NULL, "B",
         "O2, caller -, wanted does not, roles - and IAM_OWNER, B"},
        {"a caller without membership", "B", NULL, "A",
         "O1, caller O2, wanted does not, roles - and -, A"},
        {"no caller", NULL, NULL, "B",
         "O2, caller -, wanted does not, roles - and -, B"},
    };
    static const struct {
        const char *user;
        up_state_t state;
    } states[] = {{"A", UP_ACTIVE}, {"B", UP_LOCKED}, {"C", UP_REMOVED}};
    up_view_t *view;

    fill(store);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_query_t query = {.caller = rows[i].caller,
                            .wanted = rows[i].wanted,
                            .user = rows[i].user,
                            .in_any_org = 1};
        must(up_store_read(&view, store, &query, pool, pool));
        is(view_text(view, pool), rows[i].view, "%s", rows[i].name);
    }
    for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        up_query_t query = {.user = states[i].user, .in_any_org = 1};
        must(up_store_read(&view, store, &query, pool, pool));
        is_number(view->user_state, states[i].state,
                  "the state of a user who is %s is known",
                  up_state_name(states[i].state));
    }
}

/* A caller who may not see the user, or may: what it was asked with. */
typedef struct asking_t {
    int times, may;
    const char *view;
    apr_pool_t *pool;
} asking_t;

static int
ask(void *baton, const up_view_t *view)
{
    asking_t *asking = baton;

    asking->times++;
    asking->view = view_text(view, asking->pool);
    return asking->may;
}

static void
permission(up_store_t *store, apr_pool_t *pool)
{
    static const struct {
        const char *name, *caller, *wanted, *user;
        int in_any_org;
        const char *view; /* but for the user; NULL: it is not asked */
    } rows[] = {
        {"a user of the wanted organisation", "A", "O2", "B", 0,
         "O2, caller O1, wanted exists, roles ORG_OWNER_VIEWER and -, "},
        {"a user of the caller's organisation", "A", NULL, "A", 0,
         "O1, caller O1, wanted does not, roles ORG_OWNER and -, "},
        {"a user of any organisation", "robot", NULL, "B", 1,
         "O2, caller -, wanted does not, roles - and IAM_OWNER, "},
        {"a user in no organisation", "A", "O9", "A", 0, NULL},
        {"no user", "A", "O2", NULL, 0, NULL},
        {"an unknown user of any organisation", "A", NULL, "X", 1, NULL},
    };

    fill(store);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int may = 0; may <= 1; may++) {
            asking_t asking = {0, may, NULL, pool};
            up_query_t query = {rows[i].caller,
                                rows[i].wanted,
                                rows[i].user,
                                rows[i].in_any_org,
                                ask,
                                &asking,
                                0};
            up_view_t *view;
            must(up_store_read(&view, store, &query, pool, pool));
            is(asking.view,
               rows[i].view ? apr_pstrcat(pool, rows[i].view, "-", NULL) : NULL,
               "%s: what is known when the caller's rights are judged",
               rows[i].name);
            is_number(asking.times, rows[i].view != NULL,
                      "%s: how often they are judged", rows[i].name);
            is(view->user ? view->user->id : NULL,
               rows[i].view && may ? rows[i].user : NULL,
               "%s: the user whom the caller may %ssee", rows[i].name,
               may ? "" : "not ");
        }
    }
}

static const part_t parts[] = {
    {"any organisation", any_organisation},
    {"permission", permission},
    {NULL, NULL},
};

int
main(void)
{
    return run_parts(parts);
}
