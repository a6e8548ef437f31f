/* up_pg_walk.c -- walks through all items, and how many there are. */
#include "store/postgresql/up_pg.h"
#include "core/up_clock.h"

#include <apr_strings.h>
#include <string.h>

/* How long to wait before the writers of events are looked at again. */
#define WRITERS_PAUSE (APR_USEC_PER_SEC / 100)

/* After how many items a check tells of its progress. */
#define PROGRESS_EVERY 1000

/* A walk through the items of one kind after the other. */
typedef struct walk_t {
    pg_connection_t *connection;
    const up_filter_t *filter;
    apr_uint64_t last; /* the number of the last event to visit */
    int is_begun;      /* the tables stay those that there are now */
    up_visit_t visit;
    void *baton;
    const up_check_t *check; /* NULL: what cannot be read ends the walk */
    apr_uint64_t done, all;  /* items, if it is a check */
} walk_t;

static up_error_t *
run(PGresult **result,
    walk_t *walk,
    pg_statement_t statement,
    const pg_parameters_t *parameters,
    apr_pool_t *pool)
{
    walk->connection->deadline = up_pg_deadline(walk->connection->store);
    return up_pg_run(result, walk->connection, statement, parameters, "read on",
                     pool);
}

/* Events become visible when their transactions commit, which is not in the
 * order of their numbers. Whoever asks for events after a number would miss one
 * that is committed late. So set WALK's last number to one up to which all
 * transactions are over: the last that was given, once those have ended that
 * wrote events then. */
static up_error_t *
find_last_event(walk_t *walk, apr_pool_t *pool)
{
    apr_time_t deadline = up_pg_deadline(walk->connection->store);
    const apr_array_header_t *writers;
    PGresult *result;

    UP_ERR(run(&result, walk, PG_LAST_NUMBER, NULL, pool));
    pg_row_t last = {.result = result, .pool = pool};
    walk->last = (apr_uint64_t)up_pg_get_number(&last);
    UP_ERR(run(&result, walk, PG_EVENT_WRITERS, NULL, pool));
    for (;;) {
        pg_row_t row = {.result = result, .pool = pool};
        writers = up_pg_get_texts(&row);
        if (!writers || !writers->nelts)
            return NULL;
        if (up_clock() > deadline)
            return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                            "which events of the store '%s' are final cannot "
                            "be told, as a transaction that writes events is "
                            "not over",
                            walk->connection->store->name);
        apr_sleep(WRITERS_PAUSE);
        pg_parameters_t parameters = {.pool = pool};
        up_pg_add_texts(&parameters, writers);
        UP_ERR(run(&result, walk, PG_EVENT_WRITERS_LEFT, &parameters, pool));
    }
}

/* Declare the cursor for the items of KIND. */
static up_error_t *
declare(walk_t *walk, up_kind_t kind, apr_pool_t *pool)
{
    static const pg_statement_t statements[UP_KINDS] = {
        [UP_KIND_ORG] = PG_WALK_ORGS,       [UP_KIND_USER] = PG_WALK_USERS,
        [UP_KIND_MEMBER] = PG_WALK_MEMBERS, [UP_KIND_TOKEN] = PG_WALK_TOKENS,
        [UP_KIND_EVENT] = PG_WALK_EVENTS,
    };
    pg_parameters_t parameters = {.pool = pool};
    PGresult *result;

    if (kind == UP_KIND_USER || kind == UP_KIND_MEMBER) {
        up_pg_add_text(&parameters, walk->filter->org);
    } else if (kind == UP_KIND_EVENT) {
        up_pg_add_number(&parameters, (apr_int64_t)walk->filter->after);
        up_pg_add_number(&parameters, (apr_int64_t)walk->last);
    }
    return run(&result, walk, statements[kind], &parameters, pool);
}

/* Visit what ROW has, an item of KIND. */
static up_error_t *
visit_row(walk_t *walk, pg_row_t *row, up_kind_t kind)
{
    const up_check_t *check = walk->check;
    const up_item_t *item;

    if (check && ++walk->done % PROGRESS_EVERY == 0)
        UP_ERR(check->progress(check->baton, walk->done, walk->all, row->pool));
    up_error_t *err = up_pg_get_item(&item, row, kind);
    if (err && check)
        return check->fault(check->baton, err->message,
                            "it has to be put right in the database",
                            row->pool);
    return err ? err : walk->visit(walk->baton, item, row->pool);
}

/* Visit the items, of KIND, that RESULT has. An error is in POOL. */
static up_error_t *
visit_all(walk_t *walk,
          const PGresult *result,
          up_kind_t kind,
          apr_pool_t *pool)
{
    up_error_t *err = NULL;
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, pool);
    for (int i = 0; i < PQntuples(result) && !err; i++) {
        apr_pool_clear(iterpool);
        pg_row_t row = {.result = result, .row = i, .pool = iterpool};
        err = visit_row(walk, &row, kind);
    }
    if (err)
        err = up_error_copy(err, pool);
    apr_pool_destroy(iterpool);
    return err;
}

/* Visit the items of KIND; POOL may be cleared. */
static up_error_t *
visit_kind(walk_t *walk, up_kind_t kind, apr_pool_t *pool)
{
    PGresult *result;
    int count;

    UP_ERR(declare(walk, kind, pool));
    do {
        apr_pool_clear(pool);
        UP_ERR(run(&result, walk, PG_FETCH, NULL, pool));
        count = PQntuples(result);
        UP_ERR(visit_all(walk, result, kind, pool));
    } while (count);
    return run(&result, walk, PG_CLOSE_WALK, NULL, pool);
}

/* Visit the items of all kinds that are asked for, in one transaction. */
static up_error_t *
visit_kinds(walk_t *walk, apr_pool_t *pool)
{
    PGresult *result;

    if (walk->filter->kinds & 1u << UP_KIND_EVENT)
        UP_ERR(find_last_event(walk, pool));
    UP_ERR(run(&result, walk, PG_BEGIN_WALK, NULL, pool));
    UP_ERR(up_pg_ask_oid(walk->connection, pool));
    walk->is_begun = 1;
    for (int kind = 0; kind < UP_KINDS; kind++) {
        if (kind == UP_KIND_EVENT && walk->filter->after >= walk->last)
            continue;
        if (walk->filter->kinds & 1u << kind)
            UP_ERR(visit_kind(walk, (up_kind_t)kind, pool));
    }
    return run(&result, walk, PG_COMMIT, NULL, pool);
}

/* Go WALK, by a connection of STORE's. */
static up_error_t *
go(walk_t *walk, pg_store_t *store, apr_pool_t *scratch_pool)
{
    int again, tries = 0;
    apr_pool_t *pool;
    up_error_t *err;

    do {
        UP_ERR(up_pg_take(&walk->connection, store, up_pg_deadline(store),
                          scratch_pool));
        apr_pool_create(&pool, scratch_pool);
        err = visit_kinds(walk, pool);
        again = err && !walk->is_begun &&
                up_pg_may_try_again(&tries, walk->connection);
        up_pg_give_back(walk->connection);
        if (err)
            err = up_error_copy(err, scratch_pool);
        apr_pool_destroy(pool);
    } while (again);
    return err;
}

up_error_t *
up_pg_each(up_store_t *base,
           const up_filter_t *filter,
           up_visit_t visit,
           void *baton,
           apr_pool_t *scratch_pool)
{
    walk_t walk = {.filter = filter, .visit = visit, .baton = baton};

    return go(&walk, up_pg_downcast(base), scratch_pool);
}

/* PostgreSQL looks after its own pages, and keeps users and their organisations
 * in one row. */
up_error_t *
up_pg_check_store(up_store_t *base,
                  const up_check_t *check,
                  apr_pool_t *scratch_pool)
{
    const up_filter_t all = {.kinds = (1u << UP_KINDS) - 1};
    walk_t walk = {.filter = &all,
                   .visit = check->visit,
                   .baton = check->baton,
                   .check = check};
    up_store_stat_t stat;

    UP_ERR(up_pg_stat(&stat, base, scratch_pool));
    for (int i = 0; i < UP_KINDS; i++)
        walk.all += stat.count[i];
    return go(&walk, up_pg_downcast(base), scratch_pool);
}

static up_error_t *
read_stat(pg_connection_t *connection, void *baton, apr_pool_t *pool)
{
    static const struct {
        const char *label, *name;
    } figures[] = {
        {"bytes of users", "bytesUsers"},
        {"bytes of events", "bytesEvents"},
        {"bytes of the database", "bytesDatabase"},
    };
    up_store_stat_t *stat = baton;
    pg_parameters_t parameters = {.pool = pool};
    PGresult *result;

    UP_ERR(up_pg_ask_oid(connection, pool));
    up_pg_add_number(&parameters, connection->store->is_for_tool);
    UP_ERR(up_pg_run(&result, connection, PG_STAT, &parameters, "count what is",
                     pool));
    pg_row_t row = {.result = result, .pool = pool};
    for (int i = 0; i < UP_KINDS; i++)
        stat->count[i] = (apr_uint64_t)up_pg_get_number(&row);
    stat->last_event = (apr_uint64_t)up_pg_get_number(&row);
    apr_array_header_t *list =
        apr_array_make(pool, 3, sizeof(up_store_figure_t));
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        const up_store_figure_t figure = {figures[i].label, figures[i].name,
                                          (apr_uint64_t)up_pg_get_number(&row)};
        APR_ARRAY_PUSH(list, up_store_figure_t) = figure;
    }
    stat->figures = list;
    return NULL;
}

up_error_t *
up_pg_stat(up_store_stat_t *stat, up_store_t *base, apr_pool_t *result_pool)
{
    memset(stat, 0, sizeof(*stat));
    stat->driver = base->driver->scheme;
    return up_pg_read_with(up_pg_downcast(base), 0, read_stat, stat,
                           result_pool);
}
