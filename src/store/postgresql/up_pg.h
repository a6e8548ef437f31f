/*
 * up_pg.h -- what the files of the PostgreSQL driver share.
 *
 * The tables are those of conf/schema.sql. A call takes a connection of the
 * store's pool, has it execute one or a few statements, and gives it back; it
 * ends at its deadline, whatever the server and the network do: libpq is used
 * without blocking, but for the look-up of a host's name.
 *
 * The tables may be dropped and made anew while a connection lives, and its
 * prepared statements would use the new ones without a word. So what requests
 * execute compares the oid of the table "store", which costs the server
 * nothing, with the one that the connection began with; a batch and a walk ask
 * for it once.
 *
 * With the option "reads" a store has a second pool, of connections to
 * standbys: what may lag is read there, and where that fails, from the primary.
 *
 * A statement may be executed again if its connection was lost: one that reads
 * changes nothing, and one that changes a user does so only where the user has
 * the sequence that the change was decided on.
 */
#ifndef UP_PG_H
#define UP_PG_H

#include "store/up_store_driver.h"

#include <libpq-fe.h>
#include <pthread.h>

/* The version of conf/schema.sql. */
#define UP_PG_VERSION 1

typedef struct pg_store_t pg_store_t;

/* What the driver has the server execute; up_pg_statement.c has the texts. */
typedef enum pg_statement_t {
    PG_READ,
    PG_TOKEN,
    PG_USER,
    PG_CHANGE_USER,
    PG_ADD_USER,
    PG_FIND_CHANGE,
    PG_WHICH,
    PG_HOME,
    PG_BEGIN,
    PG_BEGIN_WALK,
    PG_COMMIT,
    PG_LOCK_BATCH,
    PG_WHO_LOCKS_BATCH,
    PG_GET_ORG,
    PG_GET_USER,
    PG_GET_MEMBER,
    PG_GET_TOKEN,
    PG_PLAN_BY_KEYS,
    PG_FIND_ORGS,
    PG_FIND_USERS,
    PG_FIND_MEMBERS,
    PG_FIND_TOKENS,
    PG_FIND_EVENTS,
    PG_LOCK_EVENTS,
    PG_LAST_EVENT,
    PG_PUT_ORG,
    PG_PUT_USER,
    PG_PUT_MEMBER,
    PG_PUT_TOKEN,
    PG_PUT_EVENT,
    PG_DELETE_ORGS,
    PG_DELETE_USERS,
    PG_DELETE_MEMBERS,
    PG_DELETE_TOKENS,
    PG_DELETE_EVENTS,
    PG_COPY_ORGS,
    PG_COPY_USERS,
    PG_COPY_MEMBERS,
    PG_COPY_TOKENS,
    PG_COPY_EVENTS,
    PG_SET_NUMBER,
    PG_REMOVE_ORG,
    PG_REMOVE_USER,
    PG_REMOVE_MEMBER,
    PG_REMOVE_TOKEN,
    PG_REMOVE_EVENT,
    PG_REMOVE_MEMBERS_OF,
    PG_HAVE_TOKENS,
    PG_REVOKE_TOKENS_OF,
    PG_ERASE_EVENTS,
    PG_WALK_ORGS,
    PG_WALK_USERS,
    PG_WALK_MEMBERS,
    PG_WALK_TOKENS,
    PG_WALK_EVENTS,
    PG_FETCH,
    PG_CLOSE_WALK,
    PG_LAST_NUMBER,
    PG_EVENT_WRITERS,
    PG_EVENT_WRITERS_LEFT,
    PG_STAT,
    PG_STATEMENTS
} pg_statement_t;

/* A connection. It is used by one thread at a time. */
typedef struct pg_connection_t {
    pg_store_t *store;
    struct pg_pool_t *pool;
    PGconn *handle;
    apr_time_t deadline;   /* of the statement, by up_clock() */
    apr_uint64_t prepared; /* bit 1 << pg_statement_t each */
    apr_int64_t oid;       /* of the table "store" when it was opened */

    /* What is known when a statement has failed: */
    int is_lost;          /* the connection is of no use any longer */
    int may_have_run;     /* nothing says that the statement was not executed */
    int may_run_again;    /* 0: it was the statement's fault; else, if the
                           * connection is lost, how many more may be tried */
    int has_other_tables; /* than it began with */

    int commit_is_doubtful; /* the server has warned of that */
    struct pg_connection_t *next;
} pg_connection_t;

/* Connections of a process to a store. */
typedef struct pg_pool_t {
    pg_store_t *store;
    int is_of_standbys;
    apr_uint32_t host; /* atomic: the last one that a connection was made to */
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    pg_connection_t *idle;   /* open, and not in use; the last used first */
    pg_connection_t *unused; /* not open */
    int open;                /* in use or idle */
    int connecting;          /* of those: not open yet */
    apr_time_t next_try;     /* after a failure: when to connect again */
    char why[512];           /* the last failure; "": none since a success */
    up_reason_t reason;      /* of that */
} pg_pool_t;

struct pg_store_t {
    up_store_t base;
    const char *name;   /* for people: "postgresql://db1,db2/site" */
    const char **hosts; /* each with its port, up_pg_uri.c's; the last NULL */
    const char **ports;
    const char **addresses;
    const char **keywords; /* the rest of the URI; the last NULL */
    const char **values;
    int host_count;
    apr_interval_time_t timeout; /* of a call */
    up_store_tell_t *tell;       /* see up_store_set_wait() */
    void *tell_baton;
    int is_for_tool;
    int is_old;   /* nothing but an upgrade may use it */
    int is_known; /* its first connection has told its id: */
    apr_int64_t id;
    apr_uint32_t unnamed; /* atomic: a pooler stands between, which loses
                           * prepared statements */
    char statement_name[PG_STATEMENTS][24];
    pg_pool_t pool;     /* of the primary, or of what the URI leads to */
    pg_pool_t standbys; /* if base.may_lag */
    apr_pool_t *memory;
    struct pg_store_t *next_open; /* in this process */
    unsigned opened;
};

pg_store_t *up_pg_downcast(up_store_t *store);

/*
 * up_pg_uri.c
 */

/* Set STORE's name, hosts and parameters, in POOL, to what the URI
 * "postgresql:LOCATION" says. Fails with UP_CONFLICT if libpq would not take
 * it, or if it has a password, which is not repeated. */
UP_MUST_CHECK up_error_t *up_pg_uri_parse(pg_store_t *store,
                                          const char *location,
                                          apr_pool_t *pool);

up_driver_check_t up_pg_check;
up_driver_hold_t up_pg_hold;

/* The value of target_session_attrs for connections of POOL, if it is not left
 * to the URI; else NULL. */
const char *up_pg_wanted_session(const pg_pool_t *pool);

/* Text, in POOL, that is the same for two stores that have the same hosts and
 * database. */
const char *up_pg_identity(const pg_store_t *store, apr_pool_t *pool);

/*
 * up_pg_connection.c
 */

/* What up_pg_connect() found. */
typedef struct pg_schema_t {
    int exists;
    int version;
    apr_int64_t id;
} pg_schema_t;

/* Open CONNECTION, whose store, pool and deadline are set, to the first of the
 * hosts that serves, and set *SCHEMA. On failure, with an error of
 * UP_STORE_UNAVAILABLE in POOL, it is closed. */
UP_MUST_CHECK up_error_t *up_pg_connect(pg_schema_t *schema,
                                        pg_connection_t *connection,
                                        apr_pool_t *pool);

void up_pg_disconnect(pg_connection_t *connection);

/* Whether CONNECTION, which was idle, seems to be alive. */
int up_pg_is_alive(pg_connection_t *connection);

/* The parameters of a statement, in their order, all of them binary. */
#define UP_PG_PARAMETERS 36
typedef struct pg_parameters_t {
    int count;
    const char *value[UP_PG_PARAMETERS];
    int length[UP_PG_PARAMETERS];
    apr_pool_t *pool;
} pg_parameters_t;

/* Have CONNECTION execute STATEMENT with PARAMETERS (NULL: none), and set
 * *RESULT, which lives as long as POOL. On failure the fields of CONNECTION say
 * more; WHAT, "read a user", is for the message. */
UP_MUST_CHECK up_error_t *up_pg_run(PGresult **result,
                                    pg_connection_t *connection,
                                    pg_statement_t statement,
                                    const pg_parameters_t *parameters,
                                    const char *what,
                                    apr_pool_t *pool);

/* Fail with UP_STORE_REPLACED if OID, of the table "store" as a statement of
 * CONNECTION has just found it, is not the one that it began with: it is of no
 * use any longer, and another one will tell which store is there now. */
UP_MUST_CHECK up_error_t *up_pg_check_oid(pg_connection_t *connection,
                                          apr_int64_t oid,
                                          apr_pool_t *pool);

/* Likewise ask the server. In a transaction it stays as it is until the end. */
UP_MUST_CHECK up_error_t *up_pg_ask_oid(pg_connection_t *connection,
                                        apr_pool_t *pool);

/* Have CONNECTION execute the statements of TEXT; *RESULT is the last one's. */
UP_MUST_CHECK up_error_t *up_pg_run_text(PGresult **result,
                                         pg_connection_t *connection,
                                         const char *text,
                                         const char *what,
                                         apr_pool_t *pool);

/* Have CONNECTION begin STATEMENT, a COPY from here; send it LENGTH of the
 * bytes to copy; and end it. */
UP_MUST_CHECK up_error_t *up_pg_copy_begin(pg_connection_t *connection,
                                           pg_statement_t statement,
                                           const char *what,
                                           apr_pool_t *pool);
UP_MUST_CHECK up_error_t *up_pg_copy_send(pg_connection_t *connection,
                                          const char *bytes,
                                          size_t length,
                                          const char *what,
                                          apr_pool_t *pool);
UP_MUST_CHECK up_error_t *up_pg_copy_end(pg_connection_t *connection,
                                         const char *what,
                                         apr_pool_t *pool);

/*
 * up_pg_pool.c
 */

/* Make STORE's pools of at most SIZE connections each, none of them open. */
void up_pg_pool_init(pg_store_t *store, int size, apr_pool_t *pool);

/* Close all of STORE's connections, none of which is in use. */
void up_pg_pool_destroy(pg_store_t *store);

/* Take an open connection of STORE's pool until up_pg_give_back(); waits for
 * one until DEADLINE, which is the connection's then. */
UP_MUST_CHECK up_error_t *up_pg_take(pg_connection_t **connection,
                                     pg_store_t *store,
                                     apr_time_t deadline,
                                     apr_pool_t *pool);

/* Likewise, a connection of a standby. */
UP_MUST_CHECK up_error_t *up_pg_take_standby(pg_connection_t **connection,
                                             pg_store_t *store,
                                             apr_time_t deadline,
                                             apr_pool_t *pool);

/* One that was lost, or is in a transaction, is closed. */
void up_pg_give_back(pg_connection_t *connection);

/* When a call of STORE that begins now has to end. */
apr_time_t up_pg_deadline(const pg_store_t *store);

/* Whether a call whose statement has failed by CONNECTION may try again, by any
 * connection, when that one was given back. TRIES, 0 at first, counts. May wait
 * a moment, so that two calls that are in each other's way do not meet again.
 */
int up_pg_may_try_again(int *tries, const pg_connection_t *connection);

/* A step of a call: executes statements by CONNECTION. */
typedef up_error_t *pg_step_t(pg_connection_t *connection,
                              void *baton,
                              apr_pool_t *pool);

/* Have STEP, which only reads, use a connection of STORE's; again by another
 * one, until the deadline, if that was lost. If it MAY_LAG, that is one of a
 * standby, and only if there is none that answers soon, not. */
UP_MUST_CHECK up_error_t *up_pg_read_with(pg_store_t *store,
                                          int may_lag,
                                          pg_step_t *step,
                                          void *baton,
                                          apr_pool_t *pool);

/*
 * up_pg_statement.c
 */

const char *up_pg_statement_text(pg_statement_t statement);

/* Set the names by which STORE prepares the statements. A name is made of the
 * text: where a pooler shares a server's connection among programs, one name
 * is the same statement to all of them. */
void up_pg_name_statements(pg_store_t *store);

/*
 * up_pg_value.c
 */

/* Append a parameter. Text is not copied; NULL is a null. */
void up_pg_add_text(pg_parameters_t *parameters, const char *text);
void up_pg_add_bytes(pg_parameters_t *parameters,
                     const void *bytes,
                     int length);
void up_pg_add_number(pg_parameters_t *parameters, apr_int64_t number);
void up_pg_add_null(pg_parameters_t *parameters);
void up_pg_add_time(pg_parameters_t *parameters, apr_time_t time);
void up_pg_add_texts(pg_parameters_t *parameters,
                     const apr_array_header_t *texts);

/* Append those FIELDS of PROFILE, a parameter for each field there is; all
 * nulls if PROFILE is NULL. */
void up_pg_add_profile(pg_parameters_t *parameters,
                       const up_profile_t *profile,
                       unsigned fields);

/* How many parameters PG_CHANGE_USER and PG_ADD_USER have. */
#define UP_PG_UPDATE_PARAMETERS 36

/* Append USER, EVENT but for its number, or ITEM. */
void up_pg_add_user(pg_parameters_t *parameters, const up_user_t *user);
void up_pg_add_event(pg_parameters_t *parameters, const up_event_t *event);
void up_pg_add_item(pg_parameters_t *parameters, const up_item_t *item);

/* A row of a result, and the column that is read next. A value that is not of
 * the type that is wanted spoils it. */
typedef struct pg_row_t {
    const PGresult *result;
    int row;
    int column;
    int is_spoilt;
    apr_pool_t *pool; /* what is read is copied there */
} pg_row_t;

/* The next column: NULL for a null, and where that cannot be, spoilt. */
const char *up_pg_get_text(pg_row_t *row);
apr_int64_t up_pg_get_number(pg_row_t *row);
int up_pg_is_null(const pg_row_t *row); /* does not pass over it */
void up_pg_skip(pg_row_t *row, int columns);
up_state_t up_pg_get_state(pg_row_t *row);
apr_time_t up_pg_get_time(pg_row_t *row);
const apr_array_header_t *up_pg_get_texts(pg_row_t *row);

/* The next columns, as an item of KIND in ROW's pool. *ITEM is NULL if the
 * first one is null. Fails with UP_INTERNAL if they make no sense. */
UP_MUST_CHECK up_error_t *up_pg_get_item(const up_item_t **item,
                                         pg_row_t *row,
                                         up_kind_t kind);

/*
 * The calls.
 */

/* up_pg_request.c */
up_driver_read_t up_pg_read;
up_driver_update_t up_pg_update;
up_driver_token_t up_pg_token;

/* up_pg_batch.c */
up_driver_begin_t up_pg_batch_begin;
up_driver_expect_t up_pg_batch_expect;
up_driver_put_t up_pg_batch_put;
up_driver_get_t up_pg_batch_get;
up_driver_last_event_t up_pg_batch_last_event;
up_driver_remove_t up_pg_batch_remove;
up_driver_remove_rights_t up_pg_batch_remove_rights;
up_driver_erase_events_t up_pg_batch_erase_events;
up_driver_commit_t up_pg_batch_commit;

typedef struct pg_bulk_t pg_bulk_t;

typedef struct pg_batch_t {
    up_batch_t base;
    pg_store_t *store;
    pg_connection_t *connection; /* NULL: the batch is over */
    pg_bulk_t *bulk;             /* NULL: each call is a statement of its own */
    apr_pool_t *pool;
    up_error_t *spoilt; /* why it cannot be committed any longer, or NULL */
} pg_batch_t;

/* Have STATEMENT executed in BATCH, for as long as a call may take. */
UP_MUST_CHECK up_error_t *up_pg_batch_run(PGresult **result,
                                          pg_batch_t *batch,
                                          pg_statement_t statement,
                                          const pg_parameters_t *parameters,
                                          const char *what,
                                          apr_pool_t *pool);

/* The error of UP_CONFLICT that there is no organisation ORG. */
up_error_t *up_pg_refuse_org(const char *org, apr_pool_t *pool);

/* Likewise, that USER is one of the organisation HOME. */
up_error_t *up_pg_refuse_home(const up_user_t *user,
                              const char *home,
                              apr_pool_t *pool);

/* USER could not be put by CONNECTION: UP_CONFLICT if its organisation is not
 * there or another one has its id. */
UP_MUST_CHECK up_error_t *up_pg_explain_conflict(pg_connection_t *connection,
                                                 const up_user_t *user,
                                                 apr_pool_t *pool);

/* up_pg_walk.c */
up_driver_each_t up_pg_each;
up_driver_stat_t up_pg_stat;
up_driver_check_store_t up_pg_check_store;

/* up_pg_schema.c */
up_driver_prepare_t up_pg_prepare;
up_driver_upgrade_t up_pg_upgrade;

/* Bring the tables of CONNECTION's store, which are as SCHEMA says, up to
 * version LAST: STEPS[N] are the statements from version N to N + 1, each step
 * in a transaction. *CHANGED counts those that were taken; one that fails
 * leaves what those before it have made. */
UP_MUST_CHECK up_error_t *up_pg_take_steps(apr_uint64_t *changed,
                                           pg_connection_t *connection,
                                           const pg_schema_t *schema,
                                           const char *const steps[],
                                           int last,
                                           apr_pool_t *pool);

/* The error of UP_STORE_UNAVAILABLE, in POOL, that STORE's tables are old. */
up_error_t *up_pg_refuse_old(const pg_store_t *store, apr_pool_t *pool);

/* Fail with UP_STORE_UNAVAILABLE unless SCHEMA is one that STORE can use. */
UP_MUST_CHECK up_error_t *up_pg_check_schema(const pg_schema_t *schema,
                                             const pg_store_t *store,
                                             apr_pool_t *pool);

#endif
