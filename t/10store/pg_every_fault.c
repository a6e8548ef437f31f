/* pg_every_fault.c -- each call of libpq that an operation makes fails in turn,
 * or has its connection cut behind it, or its result spoilt, and each
 * allocation within libpq fails: with open connections reads are served all the
 * same, and a change is made once; what needs a new one, and cannot have it,
 * changes nothing; and a batch is stored or not. The one connection that the
 * store may have is there for the next call. */
#include "store_contract.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"
#include "temp_postgresql.h"

#include <stdio.h>

#ifdef UP_POSTGRESQL

#include <apr_strings.h>
#include <dlfcn.h>
#include <errno.h>
#include <libpq-fe.h>
#include <string.h>
#include <sys/socket.h>

/* What fails: a call does nothing and says so, or its connection is cut when it
 * has done its work; a result is replaced by an error of libpq's own; or there
 * is no memory for something within a call. */
typedef enum fault_t { REFUSED, CUT, SPOILT, NO_MEMORY, FAULTS } fault_t;

static int calls;   /* or results, or allocations, since the operation began */
static int failing; /* the number of the one that fails; 0: none */
static int inside;  /* libpq */
static fault_t fault;

static int
is_the_one(void)
{
    return ++calls == failing;
}

/* Whether a call is to be refused. */
static int
is_refused(void)
{
    return fault <= CUT && is_the_one() && fault == REFUSED;
}

static void
cut(const PGconn *connection)
{
    if (fault == CUT && calls == failing && connection)
        shutdown(PQsocket(connection), SHUT_RDWR);
}

/* Libraries call the executable's functions rather than the C library's. The
 * sanitizers bring their own allocator, which cannot be made to fail. */
#ifdef __SANITIZE_ADDRESS__
#define FAULTS_HERE NO_MEMORY
#else
#define FAULTS_HERE FAULTS
#define EXPORTED __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static int
allocation_fails(void)
{
    if (!inside || fault != NO_MEMORY || !is_the_one())
        return 0;
    errno = ENOMEM;
    return 1;
}

EXPORTED void *
malloc(size_t size)
{
    return allocation_fails() ? NULL : __libc_malloc(size);
}

EXPORTED void *
calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __libc_calloc(count, size);
}

EXPORTED void *
realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __libc_realloc(memory, size);
}

EXPORTED void
free(void *memory)
{
    __libc_free(memory);
}
#endif

/* The driver calls these rather than libpq's, which they call. A function that
 * cannot fail, and allocates nothing, is not here. */
#define REAL(type, name, parameters)                                           \
    type(*real) parameters;                                                    \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

#define INTERPOSE(type, name, parameters, arguments, connection, refusal)      \
    type name parameters                                                       \
    {                                                                          \
        REAL(type, name, parameters);                                          \
        if (is_refused())                                                      \
            return refusal;                                                    \
        inside = 1;                                                            \
        type result = real arguments;                                          \
        inside = 0;                                                            \
        cut(connection);                                                       \
        return result;                                                         \
    }

INTERPOSE(PGconn *,
          PQconnectStartParams,
          (const char *const *keywords,
           const char *const *values,
           int expand_dbname),
          (keywords, values, expand_dbname),
          result,
          NULL)

INTERPOSE(PostgresPollingStatusType,
          PQconnectPoll,
          (PGconn * connection),
          (connection),
          connection,
          PGRES_POLLING_FAILED)

INTERPOSE(int,
          PQsetnonblocking,
          (PGconn * connection, int on),
          (connection, on),
          connection,
          -1)

INTERPOSE(int,
          PQsendQuery,
          (PGconn * connection, const char *text),
          (connection, text),
          connection,
          0)

INTERPOSE(int,
          PQsendPrepare,
          (PGconn * connection,
           const char *name,
           const char *text,
           int count,
           const Oid *types),
          (connection, name, text, count, types),
          connection,
          0)

INTERPOSE(int,
          PQsendQueryPrepared,
          (PGconn * connection,
           const char *name,
           int count,
           const char *const *values,
           const int *lengths,
           const int *formats,
           int format),
          (connection, name, count, values, lengths, formats, format),
          connection,
          0)

INTERPOSE(int,
          PQsendQueryParams,
          (PGconn * connection,
           const char *text,
           int count,
           const Oid *types,
           const char *const *values,
           const int *lengths,
           const int *formats,
           int format),
          (connection, text, count, types, values, lengths, formats, format),
          connection,
          0)

INTERPOSE(int,
          PQputCopyData,
          (PGconn * connection, const char *bytes, int length),
          (connection, bytes, length),
          connection,
          -1)

INTERPOSE(int,
          PQputCopyEnd,
          (PGconn * connection, const char *failure),
          (connection, failure),
          connection,
          -1)

INTERPOSE(int, PQflush, (PGconn * connection), (connection), connection, -1)

INTERPOSE(int,
          PQconsumeInput,
          (PGconn * connection),
          (connection),
          connection,
          0)

/* It reads results out of what has arrived. */
int
PQisBusy(PGconn *connection)
{
    REAL(int, PQisBusy, (PGconn *));
    inside = 1;
    int is_busy = real(connection);
    inside = 0;
    return is_busy;
}

/* Refused, it has no result to give, as if there were no more. */
PGresult *
PQgetResult(PGconn *connection)
{
    REAL(PGresult *, PQgetResult, (PGconn *));
    if (is_refused())
        return NULL;
    inside = 1;
    PGresult *result = real(connection);
    inside = 0;
    cut(connection);
    if (fault != SPOILT || !result || !is_the_one())
        return result;
    PQclear(result);
    return PQmakeEmptyPGresult(connection, PGRES_FATAL_ERROR);
}

PQconninfoOption *
PQconninfoParse(const char *text, char **why)
{
    REAL(PQconninfoOption *, PQconninfoParse, (const char *, char **));
    inside = 1;
    PQconninfoOption *options = real(text, why);
    inside = 0;
    return options;
}

/*
 * The operations. Each returns its error.
 */

static up_error_t *
read_user(up_store_t *store, apr_pool_t *pool)
{
    up_query_t query = {.caller = "A", .user = "B"};
    up_view_t *view;

    UP_ERR(up_store_read(&view, store, &query, pool, pool));
    return view->user ? NULL
                      : up_error(pool, UP_INTERNAL, APR_SUCCESS, "no user");
}

static up_error_t *
read_token(up_store_t *store, apr_pool_t *pool)
{
    unsigned char sha256[UP_SHA256_BYTES] = {1};
    const up_token_t *token;
    up_state_t state;
    int stored;

    UP_ERR(
        up_store_token(&token, &stored, &state, store, 0, sha256, pool, pool));
    return token ? NULL : up_error(pool, UP_INTERNAL, APR_SUCCESS, "no token");
}

static up_error_t *
change_user(up_store_t *store, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, "O1", "A", decide, &script, pool,
                           pool);
}

/* Put three organisations, which the batch is told of before if it EXPECTS. */
static up_error_t *
put_in_batch(up_store_t *store, int expects, apr_pool_t *pool)
{
    const up_item_t *orgs[3];
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    for (int i = 0; i < 3; i++)
        orgs[i] = make_org(apr_psprintf(pool, "batch%d", i), "", pool);
    apr_pool_create(&batch_pool, pool);
    up_error_t *err = up_batch_begin(&batch, store, batch_pool);
    if (!err && expects)
        err = up_batch_expect(batch, orgs, 3, pool);
    for (int i = 0; i < 3 && !err; i++)
        err = up_batch_put(batch, orgs[i], pool);
    if (!err)
        err = up_batch_commit(batch);
    if (err)
        err = up_error_copy(err, pool);
    apr_pool_destroy(batch_pool);
    return err;
}

static up_error_t *
change_in_batch(up_store_t *store, apr_pool_t *pool)
{
    return put_in_batch(store, 0, pool);
}

static up_error_t *
copy_in_batch(up_store_t *store, apr_pool_t *pool)
{
    return put_in_batch(store, 1, pool);
}

static up_error_t *
ignore(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    (void)item;
    (void)pool;
    ++*(int *)baton;
    return NULL;
}

static up_error_t *
visit_all(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t all = {.kinds = ALL_KINDS};
    int count = 0;

    return up_store_each(store, &all, ignore, &count, pool);
}

static up_error_t *
measure(up_store_t *store, apr_pool_t *pool)
{
    up_store_stat_t stat;

    return up_store_stat(&stat, store, pool);
}

/* Has the commit of a change fail, after the statement was done. */
static const char refusing_commits[] =
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE SQLSTATE '55P03'; END $$;"
    "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON userprofile.profile "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()";

static const struct {
    const char *name;
    up_error_t *(*run)(up_store_t *store, apr_pool_t *pool);
    int recovers;      /* from a fault of a connection that was open */
    const char *setup; /* of the database; NULL: none */
} operations[] = {
    {"a read", read_user, 1, NULL},
    {"a token", read_token, 1, NULL},
    {"a change", change_user, 1, NULL},
    {"a change that commit refuses", change_user, 0, refusing_commits},
    {"a batch", change_in_batch, 0, NULL},
    {"a batch that copies", copy_in_batch, 0, NULL},
    {"a walk", visit_all, 0, NULL},
    {"a count", measure, 1, NULL},
};

#define OPERATIONS (int)(sizeof(operations) / sizeof(operations[0]))

static apr_int64_t
number(const char *uri, const char *query, apr_pool_t *pool)
{
    return apr_atoi64(temp_postgresql_sql(uri, query, pool));
}

/* What is wrong after operation I has given ERR, or "". MUST_RECOVER is whether
 * it must not fail, and CHANGES how many changes were made before. */
static const char *
wrong(const char *uri,
      int i,
      const up_error_t *err,
      int must_recover,
      int changes,
      apr_pool_t *pool)
{
    apr_int64_t sequence = number(
        uri, "SELECT sequence FROM userprofile.profile WHERE id = 'A'", pool);
    apr_int64_t events =
        number(uri, "SELECT count(*) FROM userprofile.event", pool);
    apr_int64_t orgs = number(
        uri, "SELECT count(*) FROM userprofile.org WHERE id LIKE 'batch%'",
        pool);

    if (err && must_recover && operations[i].recovers)
        return up_error_story(err, pool);
    if (err && err->reason != UP_STORE_UNAVAILABLE &&
        err->reason != UP_OUTCOME_UNKNOWN)
        return reason_of(err);
    if (sequence != events + 1)
        return apr_psprintf(
            pool, "sequence %" APR_INT64_T_FMT ", %" APR_INT64_T_FMT " events",
            sequence, events);
    if (operations[i].run == change_user && sequence != changes + 1 + !err)
        return apr_psprintf(
            pool, "sequence %" APR_INT64_T_FMT " after %d changes and %s",
            sequence, changes, err ? "an error" : "another");
    if (operations[i].setup && !err)
        return "a change that was not committed is acknowledged";
    if (orgs != 0 && orgs != 3)
        return "half a batch";
    if ((operations[i].run == change_in_batch ||
         operations[i].run == copy_in_batch) &&
        (err ? orgs && err->reason != UP_OUTCOME_UNKNOWN : orgs != 3))
        return apr_psprintf(pool, "a batch that is %s",
                            orgs ? "stored all the same" : "not stored");
    return "";
}

/* How many connections URI's database has. */
static apr_int64_t
connections(const char *uri, apr_pool_t *pool)
{
    return number(uri,
                  "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                  "current_database() AND pid <> pg_backend_pid()",
                  pool);
}

/* Cut all of them, and wait until they are. */
static void
cut_all(const char *uri, apr_pool_t *pool)
{
    temp_postgresql_sql(uri,
                        "SELECT pg_terminate_backend(pid) "
                        "FROM pg_stat_activity WHERE datname = "
                        "current_database() AND pid <> pg_backend_pid()",
                        pool);
    while (connections(uri, pool))
        apr_sleep(1000);
}

/* Whether the store of URI, which may have one connection, has one at most, and
 * can use it; else says so. */
static const char *
leaked(up_store_t *store, const char *uri, apr_pool_t *pool)
{
    const up_error_t *err = NULL;

    /* A server's process ends a moment after its connection, and a store does
     * not connect for a moment after a failure. */
    for (int i = 0; i < 500; i++) {
        err = read_user(store, pool);
        if (!err && connections(uri, pool) <= 1)
            return "";
        apr_sleep(20000);
    }
    return err ? up_error_story(err, pool) : "connections that nobody closes";
}

/* Let each call of operation I fail by FAULT, on a connection that is open, or
 * has to be opened. */
static void
walk(int i, int is_open, apr_pool_t *pool)
{
    static const char *const says[FAULTS] = {
        "calls is refused", "calls has its connection cut", "results is spoilt",
        "allocations within libpq fails"};
    const char *uri = temp_postgresql_uri(pool), *identity, *what = "";
    apr_table_t *options = apr_table_make(pool, 1);
    int made, most, count = 0, changes = 0;
    up_store_t *store;

    must(up_store_prepare(&identity, &made, uri, NULL, 0, 0, pool, pool));
    apr_table_setn(options, "pool", "1");
    apr_table_setn(options, "timeout", "60"); /* for a machine that is busy */
    must(up_store_open(&store, uri, options, pool));
    put_small(store);
    if (operations[i].setup)
        temp_postgresql_sql(uri, operations[i].setup, pool);
    /* What comes after a connection is open is the same as if it was. */
    most = is_open ? 1000 : 40;
    for (int n = 1; n <= most && !*what; n++) {
        apr_pool_t *round_pool;
        apr_pool_create(&round_pool, pool);
        temp_postgresql_sql(
            uri, "DELETE FROM userprofile.org WHERE id LIKE 'batch%'",
            round_pool);
        if (!is_open) {
            up_store_close(store);
            must(up_store_open(&store, uri, options, round_pool));
            cut_all(uri, round_pool);
        } else {
            must(read_user(store, round_pool));
        }
        calls = 0;
        failing = n;
        const up_error_t *err = operations[i].run(store, round_pool);
        failing = 0;
        const char *found = wrong(uri, i, err, is_open, changes, round_pool);
        if (calls < n)
            most = 0; /* it makes no more calls */
        if (calls < n && err && !operations[i].setup)
            found = up_error_story(err, round_pool);
        changes += !err;
        if (*found)
            what = apr_psprintf(pool, "call %d: %s", n, found);
        count += calls >= n;
        apr_pool_destroy(round_pool);
    }
    if (!*what)
        what = leaked(store, uri, pool);
    is(what, "", "%s, with %s connections, each of whose %d %s",
       operations[i].name, is_open ? "open" : "lost", count, says[fault]);
    up_store_close(store);
}

/* Let each call that the making of a store needs fail by FAULT: the next making
 * succeeds. */
static void
walk_making(apr_pool_t *pool)
{
    const char *uri = temp_postgresql_uri(pool), *what = "";
    int most = 1000, count = 0;

    for (int n = 1; n <= most && !*what; n++) {
        const char *identity;
        apr_pool_t *round_pool;
        up_store_t *store;
        int made;

        apr_pool_create(&round_pool, pool);
        temp_postgresql_sql(uri,
                            "SET client_min_messages = warning;"
                            "DROP SCHEMA IF EXISTS userprofile CASCADE",
                            round_pool);
        calls = 0;
        failing = n;
        const up_error_t *err = up_store_prepare(&identity, &made, uri, NULL, 0,
                                                 0, round_pool, round_pool);
        failing = 0;
        if (calls < n)
            most = 0;
        count += calls >= n;
        if (err && err->reason != UP_STORE_UNAVAILABLE)
            what = apr_psprintf(pool, "call %d: %s", n,
                                up_error_story(err, round_pool));
        must(up_store_prepare(&identity, &made, uri, NULL, 0, 0, round_pool,
                              round_pool));
        must(up_store_open(&store, uri, NULL, round_pool));
        up_store_close(store);
        apr_pool_destroy(round_pool);
    }
    is(what, "", "the making of a store, each of whose %d calls %s", count,
       fault == CUT ? "has its connection cut" : "is refused");
}

/* Let each allocation fail that a URI needs: it is not the URI's fault. */
static void
walk_uri(apr_pool_t *pool)
{
    const char *what = "";
    int most = 1000, count = 0;

    for (int n = 1; n <= most && !*what; n++) {
        calls = 0;
        failing = n;
        const up_error_t *err =
            up_store_check_uri("postgresql://u@db:5433/site", pool);
        failing = 0;
        if (calls < n)
            most = 0;
        count += calls >= n;
        if (err ? err->reason != UP_STORE_UNAVAILABLE : calls >= n)
            what = apr_psprintf(pool, "allocation %d: %s", n,
                                err ? up_error_story(err, pool) : "no error");
    }
    is(what, "", "a URI, each of whose %d allocations within libpq fails",
       count);
}

static void
test(apr_pool_t *pool)
{
    for (int f = 0; f < FAULTS_HERE; f++) {
        fault = (fault_t)f;
        for (int i = 0; i < OPERATIONS; i++) {
            walk(i, 1, pool);
            /* A new connection is the same for all of them. */
            if (fault <= CUT || i == 0)
                walk(i, 0, pool);
        }
        if (fault <= CUT)
            walk_making(pool);
        if (fault == NO_MEMORY)
            walk_uri(pool);
    }
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
