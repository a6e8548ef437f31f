/* up_pg_request.c -- what requests ask for: one read, or one update of a user.
 *
 * An update is decided on what was read, by the caller if it says so, and
 * stored by one statement that changes the user only if it still has the
 * sequence that was read. If the answer to that is lost, the same statement is
 * sent again: wherever the first one is by then, at most one of the two finds
 * that sequence. The change's own id, in its event, tells which change it was
 * that took the sequence on. */
#include "store/postgresql/up_pg.h"
#include "core/up_clock.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <string.h>

#define CHANGE_ID_BYTES 16

/*
 * Reading.
 */

typedef struct reading_t {
    up_view_t *view;
    const up_query_t *query;
    apr_pool_t *result_pool;
} reading_t;

/* Set VIEW to what ROW, PG_READ's but for the oid, says. */
static up_error_t *
get_view(up_view_t *view, pg_row_t *row, const up_query_t *query)
{
    const char *wanted = query->wanted;
    const up_item_t *item;

    view->caller_org = up_pg_get_text(row);
    if (view->caller_org)
        view->caller_state = up_pg_get_state(row);
    else
        up_pg_skip(row, 1);
    view->wanted_exists = !up_pg_is_null(row);
    up_pg_skip(row, 1);
    view->instance_roles = up_pg_get_texts(row);
    view->org_roles = up_pg_get_texts(row);
    UP_ERR(up_pg_get_item(&item, row, UP_KIND_USER));
    if (row->is_spoilt)
        return up_error(row->pool, UP_INTERNAL, APR_SUCCESS,
                        "the stored rights of user '%s' cannot be read",
                        query->caller);

    const up_user_t *user = item ? &item->as.user : NULL;
    if (query->in_any_org) {
        view->org = user ? user->org : NULL;
        view->user_state = user ? user->state : UP_ACTIVE;
    } else if (!wanted) {
        view->org = view->caller_org;
    } else if (view->wanted_exists) {
        view->org = apr_pstrdup(row->pool, wanted);
    }
    if (user && view->org && !strcmp(user->org, view->org) &&
        (!query->may_read || query->may_read(query->baton, view)))
        view->user = user;
    return NULL;
}

static up_error_t *
read_view(pg_connection_t *connection, void *baton, apr_pool_t *pool)
{
    reading_t *reading = baton;
    const up_query_t *query = reading->query;
    pg_parameters_t parameters = {.pool = pool};
    PGresult *result;

    up_pg_add_text(&parameters, query->caller);
    up_pg_add_text(&parameters, query->wanted);
    up_pg_add_text(&parameters, query->user);
    up_pg_add_number(&parameters, query->in_any_org);
    UP_ERR(up_pg_run(&result, connection, PG_READ, &parameters, "read a user",
                     pool));
    pg_row_t row = {.result = result, .pool = reading->result_pool};
    UP_ERR(up_pg_check_oid(connection, up_pg_get_number(&row), pool));
    reading->view = apr_pcalloc(reading->result_pool, sizeof(*reading->view));
    return get_view(reading->view, &row, query);
}

up_error_t *
up_pg_read(up_view_t **view,
           up_store_t *base,
           const up_query_t *query,
           apr_pool_t *result_pool,
           apr_pool_t *scratch_pool)
{
    reading_t reading = {.query = query, .result_pool = result_pool};

    (void)scratch_pool;
    UP_ERR(up_pg_read_with(up_pg_downcast(base), query->may_lag, read_view,
                           &reading, result_pool));
    *view = reading.view;
    return NULL;
}

typedef struct token_reading_t {
    const unsigned char *sha256;
    const up_token_t *token;
    int owner_stored;
    up_state_t owner_state;
    apr_pool_t *result_pool;
} token_reading_t;

static up_error_t *
read_token(pg_connection_t *connection, void *baton, apr_pool_t *pool)
{
    token_reading_t *reading = baton;
    pg_parameters_t parameters = {.pool = pool};
    const up_item_t *item;
    PGresult *result;

    up_pg_add_bytes(&parameters, reading->sha256, UP_SHA256_BYTES);
    UP_ERR(up_pg_run(&result, connection, PG_TOKEN, &parameters, "read a token",
                     pool));
    reading->token = NULL;
    pg_row_t row = {.result = result, .pool = reading->result_pool};
    UP_ERR(up_pg_check_oid(connection, up_pg_get_number(&row), pool));
    UP_ERR(up_pg_get_item(&item, &row, UP_KIND_TOKEN));
    if (!item)
        return NULL;
    reading->token = &item->as.token;
    reading->owner_stored = !up_pg_is_null(&row);
    if (reading->owner_stored)
        reading->owner_state = up_pg_get_state(&row);
    return row.is_spoilt ? up_error(pool, UP_INTERNAL, APR_SUCCESS,
                                    "the state of the user of a token cannot "
                                    "be read")
                         : NULL;
}

up_error_t *
up_pg_token(const up_token_t **token,
            int *owner_stored,
            up_state_t *owner_state,
            up_store_t *base,
            int may_lag,
            const unsigned char sha256[UP_SHA256_BYTES],
            apr_pool_t *result_pool,
            apr_pool_t *scratch_pool)
{
    token_reading_t reading = {.sha256 = sha256, .result_pool = result_pool};

    (void)scratch_pool;
    UP_ERR(up_pg_read_with(up_pg_downcast(base), may_lag, read_token, &reading,
                           result_pool));
    *token = reading.token;
    if (reading.token) {
        *owner_stored = reading.owner_stored;
        if (reading.owner_stored)
            *owner_state = reading.owner_state;
    }
    return NULL;
}

/*
 * Updates.
 */

typedef struct update_t {
    pg_store_t *store;
    const char *org, *user;
    up_decide_t decide;
    void *baton;
    unsigned char id[CHANGE_ID_BYTES];
    apr_time_t deadline;
    int is_read;     /* BEFORE is known; */
    int is_decided;  /* CHANGE too; */
    int may_be_done; /* and it may be stored already */
    const up_user_t *before;
    up_change_t change;
    const up_user_t *after; /* once it IS_OVER */
    int is_over;
    apr_pool_t *pool; /* of the result */
} update_t;

/* Read the user. */
static up_error_t *
read_before(update_t *update, pg_connection_t *connection)
{
    pg_parameters_t parameters = {.pool = update->pool};
    const up_item_t *item;
    PGresult *result;

    up_pg_add_text(&parameters, update->user);
    up_pg_add_text(&parameters, update->org);
    UP_ERR(up_pg_run(&result, connection, PG_USER, &parameters, "read a user",
                     update->pool));
    pg_row_t row = {.result = result, .pool = update->pool};
    UP_ERR(up_pg_check_oid(connection, up_pg_get_number(&row), update->pool));
    UP_ERR(up_pg_get_item(&item, &row, UP_KIND_USER));
    update->before = item ? &item->as.user : NULL;
    update->is_read = 1;
    update->is_decided = 0;
    return NULL;
}

/* The change may have been stored by a statement that was lost: the update is
 * over if it was. */
static up_error_t *
find_change(update_t *update, pg_connection_t *connection)
{
    const up_event_t *event = update->change.event;
    pg_parameters_t parameters = {.pool = update->pool};
    PGresult *result;

    if (!event)
        return up_error(update->pool, UP_OUTCOME_UNKNOWN, APR_SUCCESS,
                        "whether user '%s' was changed is not known, as the "
                        "change has no event",
                        update->user);
    up_pg_add_text(&parameters, event->user);
    up_pg_add_number(&parameters, (apr_int64_t)event->sequence);
    up_pg_add_bytes(&parameters, update->id, CHANGE_ID_BYTES);
    UP_ERR(up_pg_run(&result, connection, PG_FIND_CHANGE, &parameters,
                     "find a change", update->pool));
    if (PQntuples(result)) {
        update->after = update->change.user;
        update->is_over = 1;
    }
    return NULL;
}

/* Store the change; *STORED says whether it was, or another one was faster. */
static up_error_t *
store_change(int *stored, update_t *update, pg_connection_t *connection)
{
    const up_change_t *change = &update->change;
    pg_parameters_t parameters = {.pool = update->pool};
    PGresult *result;

    up_pg_add_user(&parameters, change->user);
    if (update->before)
        up_pg_add_number(&parameters, (apr_int64_t)update->before->sequence);
    else
        up_pg_add_null(&parameters);
    up_pg_add_bytes(&parameters, update->id, CHANGE_ID_BYTES);
    if (change->event)
        up_pg_add_event(&parameters, change->event);
    while (parameters.count < UP_PG_UPDATE_PARAMETERS - 1)
        up_pg_add_null(&parameters);
    up_pg_add_number(&parameters, connection->oid);

    apr_time_t begun = up_clock();
    up_error_t *err = up_pg_run(&result, connection,
                                update->before ? PG_CHANGE_USER : PG_ADD_USER,
                                &parameters, "change a user", update->pool);
    if (err) {
        update->may_be_done |= connection->may_have_run;
        return err;
    }
    *stored = PQntuples(result) == 1;
    if (*stored)
        up_driver_count(&update->store->base, 1, up_clock() - begun);
    return NULL;
}

/* Have the user's change decided; the update is over if there is none. */
static up_error_t *
decide(update_t *update)
{
    update->change = (up_change_t){0};
    UP_ERR(update->decide(&update->change, update->baton, update->before,
                          update->pool));
    update->after = update->before;
    update->is_over = !update->change.user;
    update->is_decided = !update->is_over;
    return NULL;
}

/* Read, decide and store, as far as that is not done yet. If the update is not
 * over then, another one was faster. */
static up_error_t *
try_update(update_t *update, pg_connection_t *connection)
{
    int stored;

    if (!update->is_read)
        UP_ERR(read_before(update, connection));
    if (update->may_be_done && !update->is_decided) {
        /* The sequence went on: by this change, or without it for good. */
        UP_ERR(find_change(update, connection));
        if (update->is_over)
            return NULL;
        update->may_be_done = 0;
    }
    if (!update->is_decided)
        UP_ERR(decide(update));
    if (update->is_over)
        return NULL;
    UP_ERR(store_change(&stored, update, connection));
    if (stored) {
        update->after = update->change.user;
        update->is_over = 1;
        return NULL;
    }
    UP_ERR(up_pg_ask_oid(connection, update->pool));
    if (!update->before)
        UP_ERR(up_pg_explain_conflict(connection, update->change.user,
                                      update->pool));
    update->is_read = 0;
    return update->deadline > up_clock()
               ? NULL
               : up_error(update->pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                          "other changes of user '%s' of the store '%s' were "
                          "faster each time",
                          update->user, update->store->name);
}

/* Try UPDATE until it is over, or fails for good. */
static up_error_t *
run_update(update_t *update)
{
    up_error_t *err = NULL;
    int again, tries = 0;

    do {
        pg_connection_t *connection;
        UP_ERR(up_pg_take(&connection, update->store, update->deadline,
                          update->pool));
        do
            err = try_update(update, connection);
        while (!err && !update->is_over);
        again = err && up_pg_may_try_again(&tries, connection);
        up_pg_give_back(connection);
    } while (again);
    return err;
}

up_error_t *
up_pg_update(const up_user_t **after,
             up_store_t *base,
             const char *org,
             const char *user,
             const up_user_t *seen,
             up_decide_t decide_change,
             void *baton,
             apr_pool_t *result_pool,
             apr_pool_t *scratch_pool)
{
    pg_store_t *store = up_pg_downcast(base);
    update_t update = {.store = store,
                       .org = org,
                       .user = user,
                       .decide = decide_change,
                       .baton = baton,
                       .deadline = up_pg_deadline(store),
                       .is_read = seen != NULL,
                       .before = seen,
                       .pool = result_pool};

    (void)scratch_pool;
    apr_status_t rv = apr_generate_random_bytes(update.id, CHANGE_ID_BYTES);
    if (rv)
        return up_error(result_pool, UP_STORE_UNAVAILABLE, rv,
                        "cannot make the id of a change");
    up_error_t *err = run_update(&update);
    if (err && update.may_be_done && err->reason != UP_OUTCOME_UNKNOWN)
        return up_error(result_pool, UP_OUTCOME_UNKNOWN, APR_SUCCESS,
                        "whether user '%s' was changed is not known: %s", user,
                        up_error_story(err, result_pool));
    *after = update.after;
    return err;
}
