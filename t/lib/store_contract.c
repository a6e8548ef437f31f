/* store_contract.c -- what the tests of up_store.h share. */
#include "store_contract.h"
#include "tap.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
put_small(up_store_t *store)
{
    put_org(store, "O1");
    put_org(store, "O2");
    put_human(store, "O1", "A", UP_ACTIVE);
    put_human(store, "O1", "B", UP_LOCKED);
    put_human(store, "O2", "C", UP_ACTIVE);
    put_machine(store, "O2", "M");
    put_member(store, "O1", "A", "ORG_OWNER");
    put_member(store, "O2", "A", "ORG_USER_MANAGER");
    put_member(store, "", "C", "IAM_OWNER");
    put_member(store, "O1", "stranger", "ORG_OWNER");
    put_token(store, "A", 1);
    put_token(store, "B", 2);
    put_token(store, "stranger", 3);
    put_token(store, "A", 4);
}

/* Append to PARTS what is printed from FORMAT. */
static void add_part(apr_array_header_t *parts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add_part(apr_array_header_t *parts, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    APR_ARRAY_PUSH(parts, const char *) =
        apr_pvsprintf(parts->pool, format, args);
    va_end(args);
}

static const char *
view_text(const up_view_t *view, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 5, sizeof(const char *));
    const char *text = "";

    if (view->caller_org)
        add_part(parts, "caller of %s %s", view->caller_org,
                 up_state_name(view->caller_state));
    if (view->org)
        add_part(parts, "org %s", view->org);
    if (view->org_roles)
        add_part(parts, "roles %s",
                 apr_array_pstrcat(pool, view->org_roles, ' '));
    if (view->instance_roles)
        add_part(parts, "instance roles %s",
                 apr_array_pstrcat(pool, view->instance_roles, ' '));
    if (view->user)
        add_part(parts, "user %s/%s", view->user->org, view->user->id);
    for (int i = 0; i < parts->nelts; i++)
        text = apr_pstrcat(pool, text, i ? ", " : "",
                           APR_ARRAY_IDX(parts, i, const char *), NULL);
    return parts->nelts ? text : "nothing";
}

const char *
read_text(up_store_t *store,
          const char *caller,
          const char *wanted,
          const char *user,
          apr_pool_t *pool)
{
    up_query_t query = {.caller = caller, .wanted = wanted, .user = user};
    up_view_t *view;

    must(up_store_read(&view, store, &query, pool, pool));
    return view_text(view, pool);
}

up_error_t *
decide(up_change_t *change,
       void *baton,
       const up_user_t *before,
       apr_pool_t *pool)
{
    script_t *script = baton;
    up_event_t *event = apr_pcalloc(pool, sizeof(*event));
    up_item_t item = {.kind = UP_KIND_USER};

    if (before)
        item.as.user = *before;
    script->before = before ? item_text(&item, pool) : NULL;
    if (script->action == REFUSE)
        return up_error(pool, UP_PROFILE_NOT_FOUND, APR_SUCCESS, "refused");
    if (script->action == KEEP)
        return NULL;

    up_user_t *after = apr_pmemdup(
        pool, script->instead ? script->instead : before, sizeof(*after));
    after->sequence++;
    change->user = after;
    if (script->action == CHANGE_WITHOUT_EVENT)
        return NULL;
    event->type = UP_PROFILE_CHANGED;
    event->org = after->org;
    event->user = after->id;
    event->author = "A";
    event->detail = "";
    event->sequence = after->sequence;
    event->number = 4711; /* which the store replaces */
    change->event = event;
    return NULL;
}

/* The words of the items that were visited. */
typedef struct visited_t {
    apr_array_header_t *words;
    int most; /* ends after so many; 0: never */
} visited_t;

static const char *
word_of(const up_item_t *item, apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        return apr_pstrcat(pool, "org:", item->as.org.id, NULL);
    case UP_KIND_USER:
        return apr_psprintf(pool, "user:%s/%s", item->as.user.org,
                            item->as.user.id);
    case UP_KIND_MEMBER:
        return apr_psprintf(pool, "member:%s/%s",
                            *item->as.member.org ? item->as.member.org
                                                 : "instance",
                            item->as.member.user);
    case UP_KIND_TOKEN:
        return apr_psprintf(pool, "token:%d", item->as.token.sha256[0]);
    default:
        return apr_psprintf(pool, "event:%d:%s", (int)item->as.event.number,
                            item->as.event.user);
    }
}

static up_error_t *
visit(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    visited_t *visited = baton;
    apr_array_header_t *words = visited->words;

    APR_ARRAY_PUSH(words, const char *) = word_of(item, words->pool);
    if (words->nelts == visited->most)
        return up_error(pool, UP_CONFLICT, APR_SUCCESS, "enough");
    return NULL;
}

const char *
visited_text(up_error_t **err,
             up_store_t *store,
             const up_filter_t *filter,
             int most,
             apr_pool_t *pool)
{
    visited_t visited = {apr_array_make(pool, 20, sizeof(const char *)), most};

    *err = up_store_each(store, filter, visit, &visited, pool);
    return apr_array_pstrcat(pool, visited.words, ' ');
}

static const part_t *parts_to_run;

static void
run_all(apr_pool_t *pool)
{
    for (const part_t *part = parts_to_run; part->name; part++) {
        apr_pool_t *part_pool;

        apr_pool_create(&part_pool, pool);
        up_store_t *store = temp_store_open(part_pool);
        printf("# %s\n", part->name);
        part->run(store, part_pool);
        up_store_close(store);
        apr_pool_destroy(part_pool);
    }
}

int
run_parts(const part_t *parts)
{
    parts_to_run = parts;
    return run_for_each_driver(run_all);
}
