/* up_pg_connection.c -- a connection: opening it, and having it execute a
 * statement, each within the deadline. */
#include "store/postgresql/up_pg.h"
#include "core/up_clock.h"

#include <apr_atomic.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* The longest list of parameters of a connection. */
#define MOST_KEYWORDS 64

/* How many more connections a call may try whose connection was lost. */
#define MORE 4

/* SQLSTATE, or the class that it begins with, and what is to be made of it. */
static const struct {
    const char *state;
    up_reason_t reason;
    int is_lost;       /* the connection is of no use any longer */
    int may_have_run;  /* the statement may be committed all the same */
    int may_run_again; /* as in pg_connection_t */
} states[] = {
    {"08", UP_STORE_UNAVAILABLE, 1, 1, MORE},
    {"25006", UP_STORE_UNAVAILABLE, 1, 0, 1}, /* it takes no changes */
    {"26000", UP_STORE_UNAVAILABLE, 0, 0, 1}, /* no such prepared statement */
    {"42P05", UP_STORE_UNAVAILABLE, 0, 0, 1}, /* it is there already */
    {"0A000", UP_STORE_UNAVAILABLE, 1, 0, MORE}, /* a plan's tables changed */
    {"23505", UP_STORE_UNAVAILABLE, 0, 0, 0},    /* another one was faster */
    {"40", UP_STORE_UNAVAILABLE, 0, 0, 1},       /* overtaken, or a deadlock */
    {"53100", UP_STORE_FULL, 0, 0, 0},
    {"53", UP_STORE_UNAVAILABLE, 0, 0, 0},
    {"55P03", UP_STORE_UNAVAILABLE, 0, 0, 0},
    {"57014", UP_STORE_UNAVAILABLE, 0, 0, 0}, /* it took too long */
    {"57", UP_STORE_UNAVAILABLE, 1, 1, MORE},
    {"58", UP_STORE_UNAVAILABLE, 1, 1, 0},
    {"42501", UP_STORE_UNAVAILABLE, 0, 0, 0}, /* a right is missing */
    {"42", UP_STORE_UNAVAILABLE, 0, 0, 0},    /* a table is */
    {"3F", UP_STORE_UNAVAILABLE, 0, 0, 0},
    {"", UP_INTERNAL, 0, 0, 0},
};

/* The first line of what libpq says, in POOL. */
static const char *
first_line(const char *text, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, text, strcspn(text, "\n"));
}

/* All lines of it, as one. */
static const char *
one_line(const char *text, apr_pool_t *pool)
{
    char *line = apr_pstrdup(pool, text);
    apr_size_t length = strlen(line);

    while (length && line[length - 1] == '\n')
        line[--length] = '\0';
    for (char *c = line; *c; c++) {
        if (apr_iscntrl(*c))
            *c = ' ';
    }
    return line;
}

/*
 * Waiting.
 */

/* Wait until HANDLE's socket is ready for EVENTS or DEADLINE; returns 0 then.
 */
static int
wait_for(PGconn *handle, short events, apr_time_t deadline)
{
    struct pollfd file = {.fd = PQsocket(handle), .events = events};

    for (;;) {
        apr_interval_time_t left = deadline - up_clock();
        if (left <= 0)
            return 0;
        int ready = poll(&file, 1, (int)((left + 999) / 1000));
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return 1; /* libpq says what is wrong */
    }
}

/*
 * Connecting.
 */

/* An error or a warning that belongs to no result. A commit that does not wait
 * for a standby as it should is warned of, and then reported as done. */
static void
take_notice(void *baton, const PGresult *notice)
{
    pg_connection_t *connection = baton;
    const char *severity =
        PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (severity && !strcmp(severity, "WARNING"))
        connection->commit_is_doubtful = 1;
}

void
up_pg_disconnect(pg_connection_t *connection)
{
    PQfinish(connection->handle);
    connection->handle = NULL;
    connection->prepared = 0;
}

/* Begin to connect CONNECTION to host I. */
static void
begin(pg_connection_t *connection, int i)
{
    const pg_store_t *store = connection->store;
    const char *keywords[MOST_KEYWORDS], *values[MOST_KEYWORDS];
    char patience[24];
    int count = 0, says_patience = 0;

    for (; count < MOST_KEYWORDS - 6 && store->keywords[count]; count++) {
        keywords[count] = store->keywords[count];
        values[count] = store->values[count];
        says_patience |= !strcmp(keywords[count], "tcp_user_timeout");
    }
    /* Of a keyword that is there twice the last one counts. */
    const char *const more[][2] = {
        {"host", store->hosts[i]},
        {"hostaddr", store->addresses[i]},
        {"port", store->ports[i]},
        {"target_session_attrs", up_pg_wanted_session(connection->pool)},
        {"tcp_user_timeout", patience},
    };
    apr_snprintf(patience, sizeof(patience), "%" APR_INT64_T_FMT,
                 apr_time_as_msec(store->timeout));
    for (size_t j = 0; j < sizeof(more) / sizeof(more[0]); j++) {
        if (!more[j][1] || (more[j][1] == patience && says_patience))
            continue;
        keywords[count] = more[j][0];
        values[count++] = more[j][1];
    }
    keywords[count] = NULL;
    values[count] = NULL;
    connection->handle = PQconnectStartParams(keywords, values, 0);
    if (connection->handle)
        PQsetNoticeReceiver(connection->handle, take_notice, connection);
}

/* Go on with what begin() began, until DEADLINE; returns 0 if it fails. */
static int
complete(pg_connection_t *connection, apr_time_t deadline)
{
    PGconn *handle = connection->handle;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;

    if (!handle || PQstatus(handle) == CONNECTION_BAD)
        return 0;
    while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
        if (!wait_for(handle, next == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                      deadline))
            return 0;
        next = PQconnectPoll(handle);
    }
    return next == PGRES_POLLING_OK && !PQsetnonblocking(handle, 1);
}

/* Why host I of CONNECTION's store cannot be connected to. */
static up_error_t *
refused(const pg_connection_t *connection, int i, apr_pool_t *pool)
{
    const pg_store_t *store = connection->store;
    const char *host = store->hosts[i]       ? store->hosts[i]
                       : store->addresses[i] ? store->addresses[i]
                                             : "its host";
    const char *why = connection->handle
                          ? one_line(PQerrorMessage(connection->handle), pool)
                          : "there is no memory";

    return up_error(
        pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
        "cannot connect to the store '%s': %s", store->name,
        *why ? why : apr_pstrcat(pool, host, " did not answer in time", NULL));
}

/* Set *SCHEMA and CONNECTION's oid, and the session's limit for a statement: a
 * connection that is closed ends none. What a tool asks for may take long. */
static up_error_t *
look_at_schema(pg_schema_t *schema,
               pg_connection_t *connection,
               apr_pool_t *pool)
{
    const char *text = apr_psprintf(
        pool,
        "SET statement_timeout = %" APR_INT64_T_FMT ";"
        "SELECT coalesce(to_regclass('userprofile.store')::bigint, 0)",
        connection->store->is_for_tool
            ? APR_INT64_C(0)
            : apr_time_as_msec(connection->store->timeout));
    PGresult *result;

    *schema = (pg_schema_t){0};
    UP_ERR(up_pg_run_text(&result, connection, text, "find", pool));
    connection->oid = apr_atoi64(PQgetvalue(result, 0, 0));
    schema->exists = connection->oid != 0;
    if (!schema->exists)
        return NULL;
    UP_ERR(up_pg_run_text(&result, connection,
                          "SELECT version, id FROM userprofile.store",
                          "read the version of", pool));
    if (PQntuples(result) != 1)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the table userprofile.store of the store '%s' has not "
                        "one row",
                        connection->store->name);
    schema->version = (int)apr_atoi64(PQgetvalue(result, 0, 0));
    schema->id = apr_atoi64(PQgetvalue(result, 0, 1));
    return NULL;
}

/* Connect to host I, until DEADLINE. */
static up_error_t *
connect_to(pg_schema_t *schema,
           pg_connection_t *connection,
           int i,
           apr_time_t deadline,
           apr_pool_t *pool)
{
    apr_time_t whole = connection->deadline;

    begin(connection, i);
    if (!complete(connection, deadline))
        return refused(connection, i, pool);
    connection->deadline = deadline;
    up_error_t *err = look_at_schema(schema, connection, pool);
    connection->deadline = whole;
    return err;
}

up_error_t *
up_pg_connect(pg_schema_t *schema,
              pg_connection_t *connection,
              apr_pool_t *pool)
{
    pg_store_t *store = connection->store;
    int count = store->host_count;
    apr_uint32_t *last = &connection->pool->host;
    int first = (int)apr_atomic_read32(last);
    up_error_t *err = NULL;

    connection->is_lost = connection->commit_is_doubtful = 0;
    connection->has_other_tables = 0;
    for (int tried = 0; tried < count; tried++) {
        int i = (first + tried) % count;
        apr_time_t now = up_clock();
        /* Each of those that are left gets an equal part of what is left. */
        apr_time_t deadline =
            now + (connection->deadline - now) / (count - tried);
        err = connect_to(schema, connection, i, deadline, pool);
        if (!err) {
            apr_atomic_set32(last, (apr_uint32_t)i);
            return NULL;
        }
        up_pg_disconnect(connection);
    }
    return err;
}

int
up_pg_is_alive(pg_connection_t *connection)
{
    struct pollfd file = {.fd = PQsocket(connection->handle), .events = POLLIN};

    if (PQstatus(connection->handle) != CONNECTION_OK)
        return 0;
    /* An idle server says nothing but that it ends. */
    return poll(&file, 1, 0) <= 0 ||
           (!(file.revents & (POLLERR | POLLHUP | POLLNVAL)) &&
            PQconsumeInput(connection->handle) &&
            PQstatus(connection->handle) == CONNECTION_OK &&
            !PQisBusy(connection->handle) && poll(&file, 1, 0) <= 0);
}

/*
 * Statements.
 */

/* CONNECTION was lost, or did not answer in time, while it was to do WHAT. */
static up_error_t *
lost(pg_connection_t *connection, const char *what, apr_pool_t *pool)
{
    int is_late = connection->deadline <= up_clock();
    const char *why = is_late
                          ? "the server did not answer in time"
                          : one_line(PQerrorMessage(connection->handle), pool);

    connection->is_lost = 1;
    connection->may_have_run = 1;
    connection->may_run_again = is_late ? 0 : MORE;
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "cannot %s in the store '%s': %s", what,
                    connection->store->name,
                    *why ? why : "the connection was lost");
}

/* The server says in RESULT that it cannot do WHAT. */
static up_error_t *
failed(pg_connection_t *connection,
       const PGresult *result,
       const char *what,
       apr_pool_t *pool)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *why = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    size_t i = 0;

    if (!state) /* libpq's own */
        return lost(connection, what, pool);
    while (strncmp(states[i].state, state, strlen(states[i].state)) != 0)
        i++;
    connection->is_lost = states[i].is_lost;
    connection->may_have_run = states[i].may_have_run;
    connection->may_run_again = states[i].may_run_again;
    if (!strcmp(state, "26000") || !strcmp(state, "42P05"))
        apr_atomic_set32(&connection->store->unnamed, 1);
    return up_error(pool, states[i].reason, APR_SUCCESS,
                    "cannot %s in the store '%s': %s (SQLSTATE %s)", what,
                    connection->store->name,
                    why ? first_line(why, pool) : "no reason is given", state);
}

/* Send what is to be sent, and wait until libpq has a result. Returns 0 if the
 * connection was lost or is late. */
static int
wait_for_result(const pg_connection_t *connection)
{
    PGconn *handle = connection->handle;

    for (;;) {
        int unsent = PQflush(handle);
        if (unsent < 0)
            return 0;
        if (!unsent && !PQisBusy(handle))
            return 1;
        if (!wait_for(handle, (short)(unsent ? POLLIN | POLLOUT : POLLIN),
                      connection->deadline) ||
            !PQconsumeInput(handle))
            return 0;
    }
}

static apr_status_t
clear_result(void *result)
{
    PQclear(result);
    return APR_SUCCESS;
}

/* Set *RESULT, in POOL, to that of the last statement that was sent, or to the
 * first error. Returns 0 if the connection was lost or is late; there may be a
 * result then too. */
static int
collect(PGresult **result, const pg_connection_t *connection, apr_pool_t *pool)
{
    PGresult *next, *last = NULL;
    int is_there;

    for (;;) {
        is_there = wait_for_result(connection);
        next = is_there ? PQgetResult(connection->handle) : NULL;
        if (!next)
            break;
        if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(next);
            continue;
        }
        PQclear(last);
        last = next;
    }
    if (last)
        apr_pool_cleanup_register(pool, last, clear_result,
                                  apr_pool_cleanup_null);
    *result = last;
    /* Without memory there is no next result either, before the server has said
     * that it is done: what it did may not be committed. */
    return is_there &&
           PQtransactionStatus(connection->handle) != PQTRANS_ACTIVE;
}

/* Set *RESULT to that of what CONNECTION was SENT, if that is not 0. */
static up_error_t *
finish(PGresult **result,
       pg_connection_t *connection,
       int sent,
       const char *what,
       apr_pool_t *pool)
{
    *result = NULL;
    int is_complete = sent && collect(result, connection, pool);
    ExecStatusType status = PQresultStatus(*result);

    if (*result && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        up_error_t *err = failed(connection, *result, what, pool);
        connection->is_lost |=
            !is_complete || PQstatus(connection->handle) != CONNECTION_OK;
        return err;
    }
    if (!*result || !is_complete)
        return lost(connection, what, pool);
    if (connection->commit_is_doubtful) {
        connection->is_lost = connection->may_have_run = 1;
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "cannot %s in the store '%s': the server has warned of "
                        "its commit",
                        what, connection->store->name);
    }
    return NULL;
}

/* Nothing has failed yet. */
static void
forget_failure(pg_connection_t *connection)
{
    connection->may_have_run = connection->may_run_again = 0;
    connection->commit_is_doubtful = 0;
}

/* Have STATEMENT prepared under NAME, unless CONNECTION has it. */
static up_error_t *
prepare(pg_connection_t *connection,
        pg_statement_t statement,
        const char *name,
        const char *what,
        apr_pool_t *pool)
{
    apr_uint64_t bit = APR_UINT64_C(1) << statement;
    PGresult *result;

    if (connection->prepared & bit)
        return NULL;
    int sent = PQsendPrepare(connection->handle, name,
                             up_pg_statement_text(statement), 0, NULL);
    up_error_t *err = finish(&result, connection, sent, what, pool);
    connection->may_have_run = 0;
    if (!err)
        connection->prepared |= bit;
    return err;
}

up_error_t *
up_pg_run(PGresult **result,
          pg_connection_t *connection,
          pg_statement_t statement,
          const pg_parameters_t *parameters,
          const char *what,
          apr_pool_t *pool)
{
    static const pg_parameters_t none;
    pg_store_t *store = connection->store;
    const char *name = store->statement_name[statement];
    int formats[UP_PG_PARAMETERS], sent;

    if (!parameters)
        parameters = &none;
    for (int i = 0; i < parameters->count; i++)
        formats[i] = 1;
    forget_failure(connection);
    if (*name && !apr_atomic_read32(&store->unnamed)) {
        UP_ERR(prepare(connection, statement, name, what, pool));
        sent = PQsendQueryPrepared(connection->handle, name, parameters->count,
                                   parameters->value, parameters->length,
                                   formats, 1);
    } else {
        sent = PQsendQueryParams(connection->handle,
                                 up_pg_statement_text(statement),
                                 parameters->count, NULL, parameters->value,
                                 parameters->length, formats, 1);
    }
    return finish(result, connection, sent, what, pool);
}

up_error_t *
up_pg_run_text(PGresult **result,
               pg_connection_t *connection,
               const char *text,
               const char *what,
               apr_pool_t *pool)
{
    forget_failure(connection);
    int sent = PQsendQuery(connection->handle, text);
    return finish(result, connection, sent, what, pool);
}

up_error_t *
up_pg_check_oid(pg_connection_t *connection, apr_int64_t oid, apr_pool_t *pool)
{
    if (oid == connection->oid)
        return NULL;
    connection->is_lost = connection->may_run_again = 1;
    connection->has_other_tables = 1;
    connection->may_have_run = 0;
    return up_error(pool, UP_STORE_REPLACED, APR_SUCCESS,
                    "the tables of the store '%s' were made anew since it was "
                    "opened",
                    connection->store->name);
}

up_error_t *
up_pg_ask_oid(pg_connection_t *connection, apr_pool_t *pool)
{
    PGresult *result;

    UP_ERR(up_pg_run(&result, connection, PG_WHICH, NULL, "find", pool));
    pg_row_t row = {.result = result, .pool = pool};
    return up_pg_check_oid(connection, up_pg_get_number(&row), pool);
}

/*
 * COPY.
 */

/* Send what is to be sent. Returns 0 if the connection was lost or is late. */
static int
send_all(const pg_connection_t *connection)
{
    PGconn *handle = connection->handle;
    int unsent;

    while ((unsent = PQflush(handle)) > 0) {
        if (!wait_for(handle, POLLIN | POLLOUT, connection->deadline) ||
            !PQconsumeInput(handle))
            return 0;
    }
    return !unsent;
}

up_error_t *
up_pg_copy_begin(pg_connection_t *connection,
                 pg_statement_t statement,
                 const char *what,
                 apr_pool_t *pool)
{
    PGresult *result;

    forget_failure(connection);
    if (!PQsendQuery(connection->handle, up_pg_statement_text(statement)) ||
        !wait_for_result(connection))
        return lost(connection, what, pool);
    result = PQgetResult(connection->handle);
    if (PQresultStatus(result) == PGRES_COPY_IN) {
        PQclear(result);
        return NULL;
    }
    if (!result)
        return lost(connection, what, pool);
    up_error_t *err = failed(connection, result, what, pool);
    connection->is_lost = 1; /* there may be further results */
    PQclear(result);
    return err;
}

up_error_t *
up_pg_copy_send(pg_connection_t *connection,
                const char *bytes,
                size_t length,
                const char *what,
                apr_pool_t *pool)
{
    if (PQputCopyData(connection->handle, bytes, (int)length) == 1 &&
        send_all(connection))
        return NULL;
    return lost(connection, what, pool);
}

up_error_t *
up_pg_copy_end(pg_connection_t *connection, const char *what, apr_pool_t *pool)
{
    int sent = PQputCopyEnd(connection->handle, NULL) == 1;
    PGresult *result;

    return finish(&result, connection, sent, what, pool);
}
