/* store_contract.c -- what the tests of up_store.h share. */
#include "store_contract.h"
#include "tap.h"
#include "wire/up_item_json.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

/* How to get a new, empty store of each driver, and be rid of it. */
static const struct {
    const char *name;
    up_store_t *(*open)(apr_pool_t *pool);
    void (*close)(up_store_t *store);
} drivers[] = {
    {"lmdb", temp_store_open, temp_store_close},
};

const char *const small[] = {
    ORG("O1", "One"),
    ORG("O2", "Two"),
    USER("A", "O1", "active", "Ada"),
    USER("B", "O1", "locked", "Bea"),
    USER("C", "O2", "active", "Cleo"),
    MACHINE("M", "O2"),
    MEMBER("O1", "A", "ORG_OWNER"),
    MEMBER("O2", "A", "ORG_USER_MANAGER"),
    INSTANCE_MEMBER("C", "IAM_OWNER"),
    MEMBER("O1", "stranger", "ORG_OWNER"),
    TOKEN("A", "01"),
    TOKEN("B", "02"),
    TOKEN("stranger", "03"),
    TOKEN("A", "04"),
    NULL,
};

up_item_t *
item_of(const char *line, apr_pool_t *pool)
{
    const char *token_text;
    up_item_t *item;

    must(up_item_json_decode(&item, &token_text, line, strlen(line),
                             apr_time_now(), pool));
    return item;
}

const char *
line_of(const up_item_t *item, apr_pool_t *pool)
{
    const char *line;
    apr_size_t length;

    if (!item)
        return NULL;
    up_item_json_encode(&line, &length, item, pool);
    return line;
}

up_error_t *
put(up_store_t *store, const char *line, apr_pool_t *pool)
{
    up_batch_t *batch;
    apr_pool_t *batch_pool;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    up_error_t *err = up_batch_put(batch, item_of(line, pool), pool);
    if (err) {
        err = up_error(pool, err->reason, APR_SUCCESS, "%s",
                       up_error_story(err, pool));
        apr_pool_destroy(batch_pool);
        return err;
    }
    return up_batch_commit(batch);
}

const char *
get(up_store_t *store, const char *line, apr_pool_t *pool)
{
    const up_item_t *item;
    up_batch_t *batch;
    apr_pool_t *batch_pool;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    must(up_batch_get(&item, batch, item_of(line, pool), pool, pool));
    apr_pool_destroy(batch_pool);
    return line_of(item, pool);
}

long long
count(up_store_t *store, up_kind_t kind, apr_pool_t *pool)
{
    up_store_stat_t stat;

    must(up_store_stat(&stat, store, pool));
    return (long long)stat.count[kind];
}

static const char *
roles_text(const apr_array_header_t *roles, apr_pool_t *pool)
{
    return roles ? apr_array_pstrcat(pool, roles, ',') : "-";
}

/* VIEW in one line: the caller's organisation and state, the organisation, the
 * roles there and on the instance, the user. */
static const char *
view_text(const up_view_t *view, apr_pool_t *pool)
{
    return apr_psprintf(
        pool, "%s %s %s %s %s %s", view->caller_org ? view->caller_org : "-",
        view->caller_org ? up_state_name(view->caller_state) : "-",
        view->org ? view->org : "-", roles_text(view->org_roles, pool),
        roles_text(view->instance_roles, pool),
        view->user
            ? apr_psprintf(pool, "%s/%s", view->user->org, view->user->id)
            : "-");
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
    script->before = before ? line_of(&item, pool) : NULL;
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
    event->sequence = after->sequence;
    event->number = 4711; /* is the store's to say */
    change->event = event;
    return NULL;
}

/* What was visited: a word for each item. */
typedef struct visited_t {
    apr_array_header_t *words;
    int most; /* then it ends; 0: it does not */
} visited_t;

static const char *
word_of(const up_item_t *item, apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_ORG:
        return apr_pstrdup(pool, item->as.org.id);
    case UP_KIND_USER:
        return apr_pstrcat(pool, item->as.user.org, "/", item->as.user.id,
                           NULL);
    case UP_KIND_MEMBER:
        return apr_pstrcat(pool, item->as.member.org, "+", item->as.member.user,
                           NULL);
    case UP_KIND_TOKEN:
        return apr_psprintf(pool, "#%d", item->as.token.sha256[0]);
    default:
        return apr_psprintf(pool, "%d:%s", (int)item->as.event.number,
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

int
run_parts(const part_t *parts)
{
    apr_initialize();
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        for (const part_t *part = parts; part->name; part++) {
            apr_pool_t *pool;

            apr_pool_create(&pool, NULL);
            up_store_t *store = drivers[i].open(pool);
            printf("# %s: %s\n", drivers[i].name, part->name);
            part->run(store, pool);
            drivers[i].close(store);
            apr_pool_destroy(pool);
        }
    }
    apr_terminate();
    return done_testing();
}
