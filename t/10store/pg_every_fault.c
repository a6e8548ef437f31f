/* pg_every_fault.c -- each call of libpq that an operation makes fails in turn,
 * or has its connection cut behind it: with open connections reads are served
 * all the same, and a change is made once; what needs a new one, and cannot
 * have it, changes nothing; and a batch is stored or not. */
#include "store_contract.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"
#include "temp_postgresql.h"

#include <stdio.h>

#ifdef UP_POSTGRESQL

#include <apr_strings.h>
#include <dlfcn.h>
#include <libpq-fe.h>
#include <string.h>
#include <sys/socket.h>

/* How a call fails: it does nothing and says so, or its connection is cut when
 * it has done its work. */
typedef enum fault_t { REFUSED, CUT, FAULTS } fault_t;

static int calls;   /* since the operation began */
static int failing; /* the number of the call that fails; 0: none */
static fault_t fault;

/* Count a call. Returns whether it is to be refused. */
static int
is_refused(void)
{
    return ++calls == failing && fault == REFUSED;
}

static void
cut(const PGconn *connection)
{
    if (calls == failing && fault == CUT && connection)
        shutdown(PQsocket(connection), SHUT_RDWR);
}

/* The driver calls these rather than libpq's, which it does itself. */
#define REAL(type, name, parameters)                                           \
    type(*real) parameters;                                                    \
    *(void **)&real = dlsym(RTLD_NEXT, name)

PGconn *
PQconnectStartParams(const char *const *keywords,
                     const char *const *values,
                     int expand_dbname)
{
    REAL(PGconn *, "PQconnectStartParams",
         (const char *const *, const char *const *, int));
    if (is_refused())
        return NULL;
    PGconn *connection = real(keywords, values, expand_dbname);
    cut(connection);
    return connection;
}

PostgresPollingStatusType
PQconnectPoll(PGconn *connection)
{
    REAL(PostgresPollingStatusType, "PQconnectPoll", (PGconn *));
    if (is_refused())
        return PGRES_POLLING_FAILED;
    PostgresPollingStatusType next = real(connection);
    cut(connection);
    return next;
}

int
PQsetnonblocking(PGconn *connection, int on)
{
    REAL(int, "PQsetnonblocking", (PGconn *, int));
    if (is_refused())
        return -1;
    int rc = real(connection, on);
    cut(connection);
    return rc;
}

int
PQsendQuery(PGconn *connection, const char *text)
{
    REAL(int, "PQsendQuery", (PGconn *, const char *));
    if (is_refused())
        return 0;
    int sent = real(connection, text);
    cut(connection);
    return sent;
}

int
PQputCopyData(PGconn *connection, const char *bytes, int length)
{
    REAL(int, "PQputCopyData", (PGconn *, const char *, int));
    if (is_refused())
        return -1;
    int sent = real(connection, bytes, length);
    cut(connection);
    return sent;
}

int
PQputCopyEnd(PGconn *connection, const char *failure)
{
    REAL(int, "PQputCopyEnd", (PGconn *, const char *));
    if (is_refused())
        return -1;
    int sent = real(connection, failure);
    cut(connection);
    return sent;
}

int
PQsendPrepare(PGconn *connection,
              const char *name,
              const char *text,
              int count,
              const Oid *types)
{
    REAL(int, "PQsendPrepare",
         (PGconn *, const char *, const char *, int, const Oid *));
    if (is_refused())
        return 0;
    int sent = real(connection, name, text, count, types);
    cut(connection);
    return sent;
}

int
PQsendQueryPrepared(PGconn *connection,
                    const char *name,
                    int count,
                    const char *const *values,
                    const int *lengths,
                    const int *formats,
                    int format)
{
    REAL(int, "PQsendQueryPrepared",
         (PGconn *, const char *, int, const char *const *, const int *,
          const int *, int));
    if (is_refused())
        return 0;
    int sent = real(connection, name, count, values, lengths, formats, format);
    cut(connection);
    return sent;
}

int
PQsendQueryParams(PGconn *connection,
                  const char *text,
                  int count,
                  const Oid *types,
                  const char *const *values,
                  const int *lengths,
                  const int *formats,
                  int format)
{
    REAL(int, "PQsendQueryParams",
         (PGconn *, const char *, int, const Oid *, const char *const *,
          const int *, const int *, int));
    if (is_refused())
        return 0;
    int sent =
        real(connection, text, count, types, values, lengths, formats, format);
    cut(connection);
    return sent;
}

int
PQflush(PGconn *connection)
{
    REAL(int, "PQflush", (PGconn *));
    if (is_refused())
        return -1;
    int rc = real(connection);
    cut(connection);
    return rc;
}

int
PQconsumeInput(PGconn *connection)
{
    REAL(int, "PQconsumeInput", (PGconn *));
    if (is_refused())
        return 0;
    int rc = real(connection);
    cut(connection);
    return rc;
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

static const struct {
    const char *name;
    up_error_t *(*run)(up_store_t *store, apr_pool_t *pool);
    int recovers; /* from a fault of a connection that was open */
} operations[] = {
    {"a read", read_user, 1},
    {"a token", read_token, 1},
    {"a change", change_user, 1},
    {"a batch", change_in_batch, 0},
    {"a batch that copies", copy_in_batch, 0},
    {"a walk", visit_all, 0},
    {"a count", measure, 1},
};

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
    if (orgs != 0 && orgs != 3)
        return "half a batch";
    if ((operations[i].run == change_in_batch ||
         operations[i].run == copy_in_batch) &&
        (err ? orgs && err->reason != UP_OUTCOME_UNKNOWN : orgs != 3))
        return apr_psprintf(pool, "a batch that is %s",
                            orgs ? "stored all the same" : "not stored");
    return "";
}

/* Let each call of operation I fail by FAULT, on connections that are open, or
 * have to be opened. */
static void
walk(int i, int is_open, apr_pool_t *pool)
{
    const char *uri = temp_postgresql_uri(pool), *identity, *what = "";
    int made, most, count = 0, changes = 0;
    up_store_t *store;

    must(up_store_prepare(&identity, &made, uri, NULL, 0, 0, pool, pool));
    must(up_store_open(&store, uri, NULL, pool));
    put_small(store);
    most = 1000;
    for (int n = 1; n <= most && !*what; n++) {
        apr_pool_t *round_pool;
        apr_pool_create(&round_pool, pool);
        temp_postgresql_sql(
            uri, "DELETE FROM userprofile.org WHERE id LIKE 'batch%'",
            round_pool);
        if (!is_open) {
            up_store_close(store);
            must(up_store_open(&store, uri, NULL, round_pool));
            temp_postgresql_sql(uri,
                                "SELECT pg_terminate_backend(pid) "
                                "FROM pg_stat_activity WHERE datname = "
                                "current_database() AND pid <> "
                                "pg_backend_pid()",
                                round_pool);
        } else {
            must(read_user(store, round_pool));
        }
        calls = 0;
        failing = n;
        const up_error_t *err = operations[i].run(store, round_pool);
        failing = 0;
        if (calls < n)
            most = 0; /* it makes no more calls */
        const char *found = wrong(uri, i, err, is_open, changes, round_pool);
        changes += !err;
        if (*found)
            what = apr_psprintf(pool, "call %d: %s", n, found);
        count += calls >= n;
        apr_pool_destroy(round_pool);
    }
    is(what, "", "%s, with %s connections, each of whose %d calls %s",
       operations[i].name, is_open ? "open" : "lost", count,
       fault == CUT ? "has its connection cut" : "is refused");
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        for (int f = 0; f < FAULTS; f++) {
            fault = (fault_t)f;
            walk((int)i, 1, pool);
            walk((int)i, 0, pool);
        }
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
