/* pg.c -- what the PostgreSQL driver alone promises: its URIs, its tables, its
 * connections, and what an update sends. */
#include "store_contract.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"
#include "temp_postgresql.h"

#include <stdio.h>

#ifdef UP_POSTGRESQL

#include "store/postgresql/up_pg.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

static void
uris(apr_pool_t *pool)
{
    static const struct {
        const char *uri, *says; /* NULL: it is taken */
    } rows[] = {
        {"postgresql://db/site", NULL},
        {"postgresql:///site?host=/run/postgresql", NULL},
        {"postgresql://u@db1:5433,db2/site?target_session_attrs=read-write",
         NULL},
        {"postgresql://?service=site", NULL},
        {"postgresql:/site", "'postgresql:/site' is not a URI such as "},
        {"postgresql:", "'postgresql:' is not a URI such as "},
        {"postgresql://db/site?colour=red", "invalid URI query parameter"},
        {"postgresql://u:secret@db/site", "must not have a password"},
        {"postgresql://db/site?password=secret", "must not have a password"},
        {"postgresql://db/site?sslpassword=secret", "must not have a password"},
        {"postgresql://u:%zzsecret@db/site", "must not have a password"},
        {"postgres://u:secret@db/site", "'postgres:...' is not the URI"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_error_t *err = up_store_check_uri(rows[i].uri, pool);
        const char *said = err ? up_error_story(err, pool) : "";
        if (rows[i].says)
            ok(strstr(said, rows[i].says) && !strstr(said, "secret"),
               "%s is refused, and no password is said", rows[i].uri);
        else
            is(said, "", "%s is taken", rows[i].uri);
    }
}

static void
identities(apr_pool_t *pool)
{
    static const struct {
        const char *a, *b;
        int are_equal;
    } rows[] = {
        {"postgresql://db/site", "postgresql://u@db:5432/site", 1},
        {"postgresql://db/site", "postgresql:///site?host=db&sslmode=require",
         1},
        {"postgresql://db/site", "postgresql://db/other", 0},
        {"postgresql://db/site", "postgresql://db:5433/site", 0},
        {"postgresql://db/site", "postgresql://db2/site", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *a, *b;
        must(up_store_inspect(&a, rows[i].a, geteuid(), pool));
        must(up_store_inspect(&b, rows[i].b, geteuid(), pool));
        is_number(!strcmp(a, b), rows[i].are_equal,
                  "%s and %s are %s store, as far as can be told", rows[i].a,
                  rows[i].b, rows[i].are_equal ? "one" : "not one");
    }
}

/* One test point: ok if TEXT has PART in it. */
static void
says(const char *text, const char *part, const char *name)
{
    if (!ok(strstr(text, part) != NULL, "%s", name))
        printf("# it says: %s\n", text);
}

static const char *
opening(const char *uri, const apr_table_t *options, apr_pool_t *pool)
{
    up_store_t *store;

    const up_error_t *err = up_store_open(&store, uri, options, pool);
    if (err)
        return apr_pstrcat(pool, reason_of(err), ": ",
                           up_error_story(err, pool), NULL);
    up_store_close(store);
    return "";
}

static void
versions(apr_pool_t *pool)
{
    const char *uri = temp_postgresql_uri(pool), *identity;
    const apr_table_t *options = apr_table_make(pool, 1);
    apr_uint64_t changed;
    up_store_t *store;
    up_view_t *view;
    int made;

    says(opening(uri, options, pool),
         "STORE_UNAVAILABLE: there is no "
         "store in the database of",
         "a database without tables is no store");
    must(up_store_prepare(&identity, &made, uri, options, geteuid(), getegid(),
                          pool, pool));
    ok(!made && *opening(uri, options, pool), "a server makes no tables");
    must(up_store_prepare(&identity, &made, uri, NULL, geteuid(), getegid(),
                          pool, pool));
    ok(made, "a tool does");
    must(up_store_prepare(&identity, &made, uri, NULL, geteuid(), getegid(),
                          pool, pool));
    ok(!made, "and leaves those that there are");
    is(opening(uri, options, pool), "", "a server can open them");

    temp_postgresql_sql(uri, "UPDATE userprofile.store SET version = 99", pool);
    says(opening(uri, options, pool), "are of version 99, which is newer",
         "tables of a newer version are refused");
    says(opening(uri, NULL, pool), "are of version 99, which is newer",
         "by a tool as well");
    temp_postgresql_sql(uri, "UPDATE userprofile.store SET version = 0", pool);
    says(opening(uri, options, pool), "'userprofilectl upgrade' brings",
         "of tables of an older version a server says what to do");
    must(up_store_open(&store, uri, NULL, pool));
    const up_query_t nothing = {0};
    is(reason_of(up_store_read(&view, store, &nothing, pool, pool)),
       "STORE_UNAVAILABLE", "a tool does not use them either");
    is(reason_of(up_store_upgrade(&changed, store, pool)), "STORE_UNAVAILABLE",
       "what nothing brings up stays as it is");
    up_store_close(store);
    temp_postgresql_sql(uri, "UPDATE userprofile.store SET version = 1", pool);
    must(up_store_open(&store, uri, NULL, pool));
    ok(!up_store_upgrade(&changed, store, pool) && !changed,
       "there is nothing to upgrade in tables of today's version");
    up_store_close(store);
}

/* Take STEPS up to version 3 in the database of URI, whose tables a program has
 * taken for those of version SEEN, or -1: as they are. Sets *SAID to the error,
 * or "". Returns how many steps were taken. */
static long long
take_steps(const char **said,
           const char *uri,
           const char *const steps[],
           int seen,
           apr_pool_t *pool)
{
    apr_uint64_t changed = 0;
    pg_schema_t schema;
    up_store_t *store;

    must(up_store_open(&store, uri, NULL, pool));
    pg_store_t *pg = up_pg_downcast(store);
    pg_connection_t connection = {
        .store = pg, .pool = &pg->pool, .deadline = up_pg_deadline(pg)};
    must(up_pg_connect(&schema, &connection, pool));
    if (seen >= 0)
        schema.version = seen;
    const up_error_t *err =
        up_pg_take_steps(&changed, &connection, &schema, steps, 3, pool);
    *said = err ? up_error_story(err, pool) : "";
    up_pg_disconnect(&connection);
    up_store_close(store);
    return (long long)changed;
}

/* An upgrade, by steps of the test's own, as if this were version 3. */
static void
steps(apr_pool_t *pool)
{
    static const char *const good[3] = {
        "CREATE TABLE userprofile.step1 (); CREATE TABLE userprofile.more ()",
        "CREATE TABLE userprofile.step2 ()",
        "CREATE TABLE userprofile.step3 ()",
    };
    static const char *const bad[3] = {
        "CREATE TABLE userprofile.step1 ()",
        "CREATE TABLE userprofile.step2 (); SELECT 1 / 0",
        "CREATE TABLE userprofile.step3 ()",
    };
    static const char made[] =
        "SELECT version || coalesce((SELECT string_agg(' ' || relname, '' "
        "ORDER BY relname) FROM pg_class WHERE relname ~ '^(step|more)'), '') "
        "FROM userprofile.store";
    const char *uri = temp_postgresql_uri(pool), *identity, *said;
    int was_made;

    must(up_store_prepare(&identity, &was_made, uri, NULL, geteuid(), getegid(),
                          pool, pool));
    temp_postgresql_sql(uri, "UPDATE userprofile.store SET version = 0", pool);
    is_number(take_steps(&said, uri, bad, -1, pool), 1,
              "an upgrade takes its steps until one fails");
    says(said, "cannot bring the tables to version 2 in the store",
         "and says so");
    says(said, "division by zero (SQLSTATE 22012)", "and why");
    is(temp_postgresql_sql(uri, made, pool), "1 step1",
       "what was done stays, and nothing of the step that failed");
    is_number(take_steps(&said, uri, good, 0, pool), 2,
              "a step that another program has taken since is not taken again");
    is(said, "", "without an error");
    is(temp_postgresql_sql(uri, made, pool), "3 step1 step2 step3",
       "the others are");
    temp_postgresql_sql(uri,
                        "UPDATE userprofile.store SET version = 0;"
                        "DROP TABLE userprofile.step1, userprofile.step2, "
                        "userprofile.step3",
                        pool);
    is_number(take_steps(&said, uri, good, -1, pool), 3,
              "an upgrade takes all steps from its version");
    is(said, "", "without an error");
    is(temp_postgresql_sql(uri, made, pool), "3 more step1 step2 step3",
       "and the tables are of the last version");
}

static void
sharing(apr_pool_t *pool)
{
    up_store_t *store = temp_postgresql_open(pool), *other;
    const char *uri = temp_postgresql_uri(pool), *identity;
    up_store_t *same;
    int made;

    must(up_store_prepare(&identity, &made, uri, NULL, geteuid(), getegid(),
                          pool, pool));
    must(up_store_open(&other, uri, NULL, pool));
    ok(other != store, "two databases are two stores");
    must(up_store_open(&same,
                       apr_pstrcat(pool, uri, "&application_name=x", NULL),
                       NULL, pool));
    ok(other == same, "a store that is open is the same by another URI");
    ok(up_store_stamp(store) != up_store_stamp(other),
       "two stores have two stamps");
    up_store_close(same);
    up_store_close(other);
    up_store_close(store);
}

/* The rows of an administrator's hand, that no program of ours writes. */
static void
strange_rows(apr_pool_t *pool)
{
    const char *uri = temp_postgresql_uri(pool), *identity;
    up_query_t query = {.wanted = "O1", .user = "A"};
    up_store_t *store;
    up_view_t *view;
    int made;

    must(up_store_prepare(&identity, &made, uri, NULL, geteuid(), getegid(),
                          pool, pool));
    must(up_store_open(&store, uri, NULL, pool));
    put_small(store);
    temp_postgresql_sql(uri,
                        "ALTER TABLE userprofile.profile "
                        "DROP CONSTRAINT profile_state_check;"
                        "UPDATE userprofile.profile SET state = 77",
                        pool);
    const up_error_t *err = up_store_read(&view, store, &query, pool, pool);
    is(reason_of(err), "INTERNAL", "a state that there is not is INTERNAL");
    is(err ? err->message : NULL, "the stored user 'A' cannot be read",
       "and the message names the user");
    up_store_close(store);
}

/* How often a change was decided on. */
static int decisions;

static up_error_t *
count_and_change(up_change_t *change,
                 void *baton,
                 const up_user_t *before,
                 apr_pool_t *pool)
{
    decisions++;
    return decide(change, baton, before, pool);
}

/* What was seen is not read again, unless another change was faster. */
static void
seen_users(apr_pool_t *pool)
{
    up_store_t *store = temp_postgresql_open(pool);
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    put_small(store);
    const up_item_t *item =
        get_item(store, make_machine("O1", "A", pool), pool);
    const up_user_t *seen = &item->as.user;
    decisions = 0;
    must(up_store_update_seen(&after, store, seen, count_and_change, &script,
                              pool, pool));
    is_number((long long)after->sequence, 2, "a user who was seen is changed");
    is_number(decisions, 1, "by one decision");
    decisions = 0;
    must(up_store_update_seen(&after, store, seen, count_and_change, &script,
                              pool, pool));
    is_number((long long)after->sequence, 3,
              "a change that was overtaken since is made on what is there");
    is_number(decisions, 2, "by a second decision");
    is_number(count_items(store, UP_KIND_EVENT, pool), 2,
              "each change has one event");
    up_store_close(store);
}

/* What a transaction that is not over has written comes between events that are
 * there already: nobody who asks for events after a number misses it. */
static void
late_events(apr_pool_t *pool)
{
    up_store_t *store = temp_postgresql_open(pool);
    up_filter_t events = {.kinds = 1u << UP_KIND_EVENT};
    script_t script = {.action = CHANGE};
    apr_pool_t *batch_pool;
    const up_user_t *after;
    up_batch_t *batch;
    up_error_t *err;

    put_small(store);
    up_item_t item = {.kind = UP_KIND_EVENT,
                      .as.event = {.type = UP_USER_ADDED,
                                   .org = "O1",
                                   .user = "late",
                                   .author = "",
                                   .detail = ""}};
    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    must(up_batch_put(batch, &item, pool));
    must(
        up_store_update(&after, store, "O1", "A", decide, &script, pool, pool));
    up_store_set_wait(store, apr_time_from_msec(300), NULL, NULL);
    is(visited_text(&err, store, &events, 0, pool), "",
       "no event is visited while one before it may still come");
    is(reason_of(err), "STORE_UNAVAILABLE", "which is said after a while");
    must(up_batch_commit(batch));
    is(visited_text(&err, store, &events, 0, pool), "event:1:late event:2:A",
       "then both are visited, in the order of their numbers");
    up_store_close(store);
}

/* The calls of a living connection, each of which finds other tables. */

static up_error_t *
by_read(up_store_t *store, const up_user_t *seen, apr_pool_t *pool)
{
    const up_query_t query = {.wanted = "O1", .user = seen->id};
    up_view_t *view;

    return up_store_read(&view, store, &query, pool, pool);
}

static up_error_t *
by_token(up_store_t *store, const up_user_t *seen, apr_pool_t *pool)
{
    static const unsigned char none[UP_SHA256_BYTES];
    const up_token_t *token;
    up_state_t state;
    int stored;

    (void)seen;
    return up_store_token(&token, &stored, &state, store, 0, none, pool, pool);
}

static up_error_t *
by_update(up_store_t *store, const up_user_t *seen, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, seen->org, seen->id, decide, &script,
                           pool, pool);
}

static up_error_t *
by_update_seen(up_store_t *store, const up_user_t *seen, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update_seen(&after, store, seen, decide, &script, pool,
                                pool);
}

static up_error_t *
by_batch(up_store_t *store, const up_user_t *seen, apr_pool_t *pool)
{
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    (void)seen;
    apr_pool_create(&batch_pool, pool);
    up_error_t *err = up_batch_begin(&batch, store, batch_pool);
    if (err)
        err = up_error_copy(err, pool);
    apr_pool_destroy(batch_pool);
    return err;
}

static up_error_t *
by_walk(up_store_t *store, const up_user_t *seen, apr_pool_t *pool)
{
    const up_filter_t users = {.kinds = 1u << UP_KIND_USER};
    up_error_t *err;

    (void)seen;
    visited_text(&err, store, &users, 0, pool);
    return err;
}

static up_error_t *
by_stat(up_store_t *store, const up_user_t *seen, apr_pool_t *pool)
{
    up_store_stat_t stat;

    (void)seen;
    return up_store_stat(&stat, store, pool);
}

/* Put another store with equal users in place of the one at URI; it has ID, or
 * "id" for one of its own. */
static void
replace(const char *uri, const char *id, apr_pool_t *pool)
{
    const char *identity;
    up_store_t *other;
    int made;

    temp_postgresql_sql(uri,
                        "SET client_min_messages = warning;"
                        "DROP SCHEMA userprofile CASCADE",
                        pool);
    must(up_store_prepare(&identity, &made, uri, NULL, geteuid(), getegid(),
                          pool, pool));
    must(up_store_open(&other, uri, NULL, pool));
    put_small(other);
    up_store_close(other);
    temp_postgresql_sql(
        uri, apr_pstrcat(pool, "UPDATE userprofile.store SET id = ", id, NULL),
        pool);
}

/* A connection that lives while the tables are dropped and made anew. */
static void
replaced(apr_pool_t *pool)
{
    static const struct {
        const char *name;
        up_error_t *(*call)(up_store_t *store,
                            const up_user_t *seen,
                            apr_pool_t *pool);
    } calls[] = {
        {"a read", by_read},
        {"a look-up of a token", by_token},
        {"an update", by_update},
        {"an update of a user who was seen", by_update_seen},
        {"a batch", by_batch},
        {"a walk", by_walk},
        {"a count", by_stat},
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (int is_same = 0; is_same <= 1; is_same++) {
            const char *uri = temp_postgresql_uri(pool), *identity;
            up_store_t *store;
            int made;

            must(up_store_prepare(&identity, &made, uri, NULL, geteuid(),
                                  getegid(), pool, pool));
            must(up_store_open(&store, uri, NULL, pool));
            put_small(store);
            const up_item_t *item =
                get_item(store, make_machine("O1", "A", pool), pool);
            const up_user_t *seen = &item->as.user;
            must(by_read(store, seen, pool));
            must(by_token(store, seen, pool));
            must(by_update(store, seen, pool)); /* all is prepared */
            must(by_update(store, seen, pool));
            temp_postgresql_sql(
                uri, "UPDATE userprofile.profile SET sequence = 1", pool);
            const char *id = temp_postgresql_sql(
                uri, "SELECT id FROM userprofile.store", pool);
            replace(uri, is_same ? id : "id", pool);

            const up_error_t *err = calls[i].call(store, seen, pool);
            ok(is_same ? !err : err && err->reason == UP_STORE_REPLACED,
               "%s by a connection that lived while the tables were made anew: "
               "%s store",
               calls[i].name, is_same ? "the same" : "another");
            if (!is_same)
                is(temp_postgresql_sql(uri,
                                       "SELECT (SELECT sum(sequence) - count(*)"
                                       "  FROM userprofile.profile)"
                                       "+ (SELECT count(*) "
                                       "   FROM userprofile.event)",
                                       pool),
                   "0", "%s: nothing is written into the other one",
                   calls[i].name);
            up_store_close(store);
        }
    }
}

static void
test(apr_pool_t *pool)
{
    uris(pool);
    identities(pool);
    versions(pool);
    steps(pool);
    sharing(pool);
    strange_rows(pool);
    seen_users(pool);
    late_events(pool);
    replaced(pool);
}

int
main(void)
{
    return run_test(test);
}

#else

int
main(void)
{
    printf("1..1\nok 1 - no driver for PostgreSQL is built in\n");
    return 0;
}

#endif
