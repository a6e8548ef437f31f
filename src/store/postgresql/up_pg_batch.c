/* up_pg_batch.c -- the administration: batches of changes, each a transaction.
 *
 * A lock of the database keeps other batches out, as what a batch checks has to
 * hold until its commit. Updates of users go on meanwhile; one whom a batch has
 * got is locked, since what is put is decided on that. */
#include "store/postgresql/up_pg_bulk.h"
#include "core/up_clock.h"

#include <apr_strings.h>
#include <assert.h>
#include <string.h>

/* How long a batch waits before it asks for the lock again, and how often it
 * tells who has it. */
#define LOCK_PAUSE (APR_USEC_PER_SEC / 20)
#define TELL_EVERY APR_USEC_PER_SEC

static pg_batch_t *
downcast(up_batch_t *batch)
{
    assert(batch->store->driver == &up_store_postgresql);
    return (pg_batch_t *)batch;
}

/* End BATCH's transaction, if it is open, by closing its connection. */
static apr_status_t
end(void *baton)
{
    pg_batch_t *batch = baton;

    if (batch->connection)
        up_pg_give_back(batch->connection);
    batch->connection = NULL;
    return APR_SUCCESS;
}

up_error_t *
up_pg_batch_run(PGresult **result,
                pg_batch_t *batch,
                pg_statement_t statement,
                const pg_parameters_t *parameters,
                const char *what,
                apr_pool_t *pool)
{
    if (batch->spoilt)
        return up_error_copy(batch->spoilt, pool);
    batch->connection->deadline = up_pg_deadline(batch->store);
    up_error_t *err =
        up_pg_run(result, batch->connection, statement, parameters, what, pool);
    if (err)
        batch->spoilt = up_error_copy(err, batch->pool);
    return err;
}

/* Tell STORE's user who has the lock of batches. */
static void
tell(pg_batch_t *batch, apr_pool_t *pool)
{
    const pg_store_t *store = batch->store;
    PGresult *result;

    up_error_t *err = up_pg_batch_run(&result, batch, PG_WHO_LOCKS_BATCH, NULL,
                                      "find who has the lock", pool);
    if (err || !PQntuples(result))
        return;
    pg_row_t row = {.result = result, .pool = pool};
    apr_int64_t process = up_pg_get_number(&row);
    store->tell(store->tell_baton,
                apr_psprintf(pool,
                             "the server's process %" APR_INT64_T_FMT " (%s)",
                             process, up_pg_get_text(&row)));
}

/* Begin BATCH's transaction, and get the lock. */
static up_error_t *
lock(pg_batch_t *batch, apr_pool_t *pool)
{
    apr_time_t deadline = up_pg_deadline(batch->store);
    apr_time_t next_tell = up_clock() + TELL_EVERY;
    PGresult *result;

    UP_ERR(
        up_pg_batch_run(&result, batch, PG_BEGIN, NULL, "begin a batch", pool));
    for (;;) {
        UP_ERR(up_pg_batch_run(&result, batch, PG_LOCK_BATCH, NULL,
                               "begin a batch", pool));
        pg_row_t row = {.result = result, .pool = pool};
        if (up_pg_get_number(&row))
            return up_pg_ask_oid(batch->connection, pool);
        if (up_clock() > deadline)
            return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                            "another batch of changes of the store '%s' was "
                            "not over in time",
                            batch->store->name);
        if (batch->store->tell && up_clock() > next_tell) {
            tell(batch, pool);
            next_tell += TELL_EVERY;
        }
        apr_sleep(LOCK_PAUSE);
    }
}

up_error_t *
up_pg_batch_begin(up_batch_t **batch, up_store_t *base, apr_pool_t *pool)
{
    pg_batch_t *pg = apr_pcalloc(pool, sizeof(*pg));
    pg_store_t *store = up_pg_downcast(base);
    int again, tries = 0;
    up_error_t *err;

    pg->base.store = base;
    pg->store = store;
    pg->pool = pool;
    apr_pool_cleanup_register(pool, pg, end, apr_pool_cleanup_null);
    do {
        pg->spoilt = NULL;
        UP_ERR(up_pg_take(&pg->connection, store, up_pg_deadline(store), pool));
        err = lock(pg, pool);
        again = err && up_pg_may_try_again(&tries, pg->connection);
        if (err)
            end(pg);
    } while (again);
    *batch = &pg->base;
    return err;
}

up_error_t *
up_pg_refuse_org(const char *org, apr_pool_t *pool)
{
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "there is no organisation '%s'", org);
}

up_error_t *
up_pg_refuse_home(const up_user_t *user, const char *home, apr_pool_t *pool)
{
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "user '%s' cannot be in organisation '%s': the id is one "
                    "of organisation '%s'",
                    user->id, user->org, home);
}

up_error_t *
up_pg_explain_conflict(pg_connection_t *connection,
                       const up_user_t *user,
                       apr_pool_t *pool)
{
    pg_parameters_t org = {.pool = pool}, id = {.pool = pool};
    PGresult *result;

    up_pg_add_text(&org, user->org);
    UP_ERR(up_pg_run(&result, connection, PG_GET_ORG, &org,
                     "read an organisation", pool));
    if (!PQntuples(result))
        return up_pg_refuse_org(user->org, pool);
    up_pg_add_text(&id, user->id);
    UP_ERR(up_pg_run(&result, connection, PG_HOME, &id,
                     "read a user's organisation", pool));
    if (!PQntuples(result))
        return NULL;
    pg_row_t row = {.result = result, .pool = pool};
    const char *home = up_pg_get_text(&row);
    return strcmp(home, user->org) ? up_pg_refuse_home(user, home, pool) : NULL;
}

/* From now on BATCH goes by up_pg_bulk.c. */
static void
go_by_bulk(pg_batch_t *batch)
{
    if (!batch->bulk)
        batch->bulk = up_pg_bulk_make(batch->pool);
}

/* From now on BATCH executes a statement for each call. */
static up_error_t *
leave_bulk(pg_batch_t *batch, apr_pool_t *pool)
{
    if (batch->bulk)
        UP_ERR(up_pg_bulk_store(batch, pool));
    batch->bulk = NULL;
    return NULL;
}

up_error_t *
up_pg_batch_expect(up_batch_t *base,
                   const up_item_t *const *items,
                   int count,
                   apr_pool_t *scratch_pool)
{
    pg_batch_t *batch = downcast(base);

    go_by_bulk(batch);
    return up_pg_bulk_expect(batch, items, count, scratch_pool);
}

up_error_t *
up_pg_batch_last_event(apr_uint64_t *number,
                       up_batch_t *base,
                       apr_pool_t *scratch_pool)
{
    pg_batch_t *batch = downcast(base);

    go_by_bulk(batch);
    return up_pg_bulk_last_event(number, batch, scratch_pool);
}

up_error_t *
up_pg_batch_put(up_batch_t *base,
                const up_item_t *item,
                apr_pool_t *scratch_pool)
{
    static const pg_statement_t statements[UP_KINDS] = {
        [UP_KIND_ORG] = PG_PUT_ORG,       [UP_KIND_USER] = PG_PUT_USER,
        [UP_KIND_MEMBER] = PG_PUT_MEMBER, [UP_KIND_TOKEN] = PG_PUT_TOKEN,
        [UP_KIND_EVENT] = PG_PUT_EVENT,
    };
    pg_parameters_t parameters = {.pool = scratch_pool};
    pg_batch_t *batch = downcast(base);
    int is_new_event = item->kind == UP_KIND_EVENT && !item->as.event.number;
    PGresult *result;

    if (is_new_event)
        UP_ERR(leave_bulk(batch, scratch_pool));
    else if (item->kind == UP_KIND_EVENT)
        go_by_bulk(batch);
    if (batch->bulk)
        return up_pg_bulk_put(batch, item, scratch_pool);
    up_pg_add_item(&parameters, item);
    UP_ERR(up_pg_batch_run(&result, batch, statements[item->kind], &parameters,
                           "store a record", scratch_pool));
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result))
        return NULL;
    if (item->kind == UP_KIND_MEMBER)
        return up_pg_refuse_org(item->as.member.org, scratch_pool);
    up_error_t *err =
        up_pg_explain_conflict(batch->connection, &item->as.user, scratch_pool);
    if (!err)
        err = up_error(scratch_pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                       "user '%s' was not stored, as what kept it out was "
                       "changed just then",
                       item->as.user.id);
    if (err->reason != UP_CONFLICT)
        batch->spoilt = up_error_copy(err, batch->pool);
    return err;
}

/* Append the key fields of KEY; of a user, the organisation if IS_WHOLE. */
static void
add_key(pg_parameters_t *parameters, const up_item_t *key, int is_whole)
{
    switch (key->kind) {
    case UP_KIND_ORG:
        up_pg_add_text(parameters, key->as.org.id);
        break;
    case UP_KIND_USER:
        if (is_whole)
            up_pg_add_text(parameters, key->as.user.org);
        up_pg_add_text(parameters, key->as.user.id);
        break;
    case UP_KIND_MEMBER:
        up_pg_add_text(parameters, key->as.member.org);
        up_pg_add_text(parameters, key->as.member.user);
        break;
    case UP_KIND_TOKEN:
        up_pg_add_bytes(parameters, key->as.token.sha256, UP_SHA256_BYTES);
        break;
    default:
        up_pg_add_number(parameters, (apr_int64_t)key->as.event.number);
        break;
    }
}

up_error_t *
up_pg_batch_get(const up_item_t **item,
                up_batch_t *base,
                const up_item_t *key,
                apr_pool_t *result_pool,
                apr_pool_t *scratch_pool)
{
    static const pg_statement_t statements[UP_KINDS] = {
        [UP_KIND_ORG] = PG_GET_ORG,
        [UP_KIND_USER] = PG_GET_USER,
        [UP_KIND_MEMBER] = PG_GET_MEMBER,
        [UP_KIND_TOKEN] = PG_GET_TOKEN,
    };
    pg_parameters_t parameters = {.pool = scratch_pool};
    pg_batch_t *batch = downcast(base);
    PGresult *result;

    if (key->kind == UP_KIND_EVENT)
        go_by_bulk(batch);
    if (batch->bulk)
        return up_pg_bulk_get(item, batch, key, result_pool, scratch_pool);
    *item = NULL;
    add_key(&parameters, key, 0);
    UP_ERR(up_pg_batch_run(&result, batch, statements[key->kind], &parameters,
                           "read a record", result_pool));
    if (!PQntuples(result))
        return NULL;
    pg_row_t row = {.result = result, .pool = result_pool};
    return up_pg_get_item(item, &row, key->kind);
}

up_error_t *
up_pg_batch_remove(int *found,
                   up_batch_t *base,
                   const up_item_t *key,
                   apr_pool_t *scratch_pool)
{
    static const pg_statement_t statements[UP_KINDS] = {
        [UP_KIND_ORG] = PG_REMOVE_ORG,       [UP_KIND_USER] = PG_REMOVE_USER,
        [UP_KIND_MEMBER] = PG_REMOVE_MEMBER, [UP_KIND_TOKEN] = PG_REMOVE_TOKEN,
        [UP_KIND_EVENT] = PG_REMOVE_EVENT,
    };
    pg_parameters_t parameters = {.pool = scratch_pool};
    pg_batch_t *batch = downcast(base);
    PGresult *result;

    *found = 0;
    UP_ERR(leave_bulk(batch, scratch_pool));
    add_key(&parameters, key, 1);
    UP_ERR(up_pg_batch_run(&result, batch, statements[key->kind], &parameters,
                           "remove a record", scratch_pool));
    *found = strcmp(PQcmdTuples(result), "0") != 0;
    return NULL;
}

/* A parameter for USER alone where a statement takes many. */
static void
add_one_user(pg_parameters_t *parameters, const char *user)
{
    apr_array_header_t *users =
        apr_array_make(parameters->pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(users, const char *) = user;
    up_pg_add_texts(parameters, users);
}

up_error_t *
up_pg_batch_remove_rights(up_batch_t *base,
                          const char *user,
                          apr_time_t now,
                          apr_pool_t *scratch_pool)
{
    pg_parameters_t users = {.pool = scratch_pool}, one = users;
    pg_batch_t *batch = downcast(base);
    PGresult *result;

    if (batch->bulk)
        return up_pg_bulk_remove_rights(batch, user, now, scratch_pool);
    add_one_user(&users, user);
    UP_ERR(up_pg_batch_run(&result, batch, PG_REMOVE_MEMBERS_OF, &users,
                           "remove memberships", scratch_pool));
    up_pg_add_text(&one, user);
    up_pg_add_time(&one, now);
    return up_pg_batch_run(&result, batch, PG_REVOKE_TOKENS_OF, &one,
                           "revoke tokens", scratch_pool);
}

up_error_t *
up_pg_batch_erase_events(up_batch_t *base,
                         const char *user,
                         apr_pool_t *scratch_pool)
{
    pg_parameters_t users = {.pool = scratch_pool};
    pg_batch_t *batch = downcast(base);
    PGresult *result;

    if (batch->bulk)
        return up_pg_bulk_erase_events(batch, user, scratch_pool);
    add_one_user(&users, user);
    return up_pg_batch_run(&result, batch, PG_ERASE_EVENTS, &users,
                           "erase events", scratch_pool);
}

/* ERR, of BATCH's commit, which may be done all the same. */
static up_error_t *
doubt(const pg_batch_t *batch, const up_error_t *err)
{
    return up_error(batch->pool, UP_OUTCOME_UNKNOWN, APR_SUCCESS,
                    "whether the batch was stored is not known: %s",
                    up_error_story(err, batch->pool));
}

up_error_t *
up_pg_batch_commit(up_batch_t *base)
{
    pg_batch_t *batch = downcast(base);
    PGresult *result;

    up_error_t *err =
        batch->spoilt ? batch->spoilt : leave_bulk(batch, batch->pool);
    if (err) {
        end(batch);
        return up_error_wrap(batch->pool, err,
                             "nothing of the batch was stored");
    }
    err =
        up_pg_batch_run(&result, batch, PG_COMMIT, NULL, "commit", batch->pool);
    if (err && batch->connection->may_have_run)
        err = doubt(batch, err);
    end(batch);
    return err;
}
