/* up_pg_statement.c -- the texts of the statements.
 *
 * Parameters and columns are in the order in which up_pg_value.c adds and gets
 * them: up_field_t's for fields. Numbers and times are cast where the server
 * cannot infer their types. */
#include "store/postgresql/up_pg.h"

#include <apr_strings.h>

/* The columns of a user in TABLE. */
#define PROFILE_OF(table)                                                      \
    table "first_name, " table "last_name, " table "nick_name, " table         \
          "display_name, " table "preferred_language, " table "gender"
#define USER_OF(table)                                                         \
    table "id, " table "org, " table "type, " table "state, " table            \
          "sequence, " table "created, " table "changed, " PROFILE_OF(table)
#define EVENT_COLUMNS                                                          \
    "type, at, org, user_id, author, sequence, fields, detail, " PROFILE_OF(   \
        "before_")
#define EVENT_PROFILES EVENT_COLUMNS ", " PROFILE_OF("after_")

/* A user, as the first parameters; an event, as the first ones of a statement,
 * and behind those of an update. */
#define USER_VALUES                                                            \
    "$1, $2, $3::bigint, $4::bigint, $5::bigint, $6::timestamptz, "            \
    "$7::timestamptz, $8, $9, $10, $11, $12, $13::bigint"
#define EVENT_VALUES                                                           \
    "$1::bigint, $2::timestamptz, $3, $4, $5, $6::bigint, $7::bigint, "        \
    "$8, $9, $10, $11, $12, $13, $14::bigint, $15, $16, $17, $18, $19, "       \
    "$20::bigint"
#define UPDATE_EVENT_VALUES                                                    \
    "$16::bigint, $17::timestamptz, $18, $19, $20, $21::bigint, "              \
    "$22::bigint, $23, $24, $25, $26, $27, $28, $29::bigint, $30, $31, $32, "  \
    "$33, $34, $35::bigint"

/* What follows the CTE "changed", which has a row if there was a change: the
 * event, if there is one, in the same step. */
#define WITH_EVENT                                                             \
    ", noted AS (INSERT INTO userprofile.event (" EVENT_PROFILES ", change) "  \
    "SELECT " UPDATE_EVENT_VALUES ", $15::uuid FROM changed "                  \
    "WHERE $16::bigint IS NOT NULL) SELECT 1::bigint FROM changed"

/* The oid of the table that tells one store from another: a constant of a plan,
 * which the server plans anew when there is another table of that name. */
#define STORE_OID "'userprofile.store'::regclass::bigint"

#define ORG_EXISTS(id) "EXISTS (SELECT FROM userprofile.org WHERE id = " id ")"

/* Of all sessions of this database, the lock of batches, and the sessions that
 * write events. Such a lock is taken before a number is, and held as long as
 * the transaction lasts. */
#define BATCH_LOCK "1970303599, 1"
#define THIS_DATABASE                                                          \
    "l.database = (SELECT oid FROM pg_database "                               \
    "WHERE datname = current_database())"
#define EVENT_WRITERS                                                          \
    "FROM pg_locks l WHERE l.locktype = 'relation' AND " THIS_DATABASE         \
    " AND l.relation = 'userprofile.event'::regclass "                         \
    "AND l.mode = 'RowExclusiveLock'"

/* How many rows TABLE has. If the first parameter is 0 and there are many, what
 * the server's own statistics say, since counting them takes long. */
#define COUNT(table)                                                           \
    "(SELECT CASE WHEN $1::bigint = 0 AND reltuples > 100000 "                 \
    "THEN reltuples::bigint ELSE (SELECT count(*) FROM userprofile." table     \
    ") END FROM pg_class WHERE oid = 'userprofile." table "'::regclass), "

/* How many bytes TABLE has, with all of its partitions if it has any. */
#define BYTES(table)                                                           \
    "(SELECT coalesce(sum(pg_total_relation_size(relid))::bigint, "            \
    "pg_total_relation_size('userprofile." table "')) "                        \
    "FROM pg_partition_tree('userprofile." table "')), "

/* The rows, as m, t or e, that have one of the keys in the parameters. */
#define THESE_MEMBERS                                                          \
    "WHERE (m.user_id, m.org) IN (SELECT k.user_id, k.org "                    \
    "FROM unnest($1::text[], $2::text[]) k (org, user_id))"
#define THESE_TOKENS                                                           \
    "WHERE t.sha256 IN (SELECT decode(k, 'hex') FROM unnest($1::text[]) k)"
#define THESE_EVENTS                                                           \
    "WHERE e.number IN (SELECT k::bigint FROM unnest($1::text[]) k)"

#define FROM_HERE " FROM STDIN (FORMAT binary)"

#define WALK "DECLARE walk NO SCROLL CURSOR FOR SELECT "

static const struct {
    const char *text;
    int is_prepared; /* it is executed often enough for that */
} statements[PG_STATEMENTS] = {
    /* Caller, wanted organisation, user, whether in any organisation. */
    [PG_READ] = {"SELECT " STORE_OID
                 " AS store, c.org, c.state, w.id, i.roles, r.roles, " USER_OF(
                     "u.") " FROM (SELECT) one "
                           "LEFT JOIN userprofile.profile c ON c.id = $1 "
                           "LEFT JOIN userprofile.org w ON w.id = $2 "
                           "LEFT JOIN userprofile.profile u ON u.id = $3 "
                           "LEFT JOIN userprofile.member i "
                           "ON i.user_id = $1 AND i.org = '' "
                           "LEFT JOIN userprofile.member r "
                           "ON r.user_id = $1 AND r.org = CASE "
                           "WHEN $4::bigint <> 0 THEN u.org "
                           "WHEN $2::text IS NULL THEN c.org ELSE w.id END",
                 1},
    [PG_TOKEN] =
        {"SELECT " STORE_OID ", t.sha256, t.user_id, t.created, t.expires, "
         "t.revoked, p.state FROM (SELECT) one LEFT JOIN userprofile.token t "
         "ON t.sha256 = $1 AND t.revoked IS NULL "
         "LEFT JOIN userprofile.profile p ON p.id = t.user_id",
         1},
    [PG_USER] = {"SELECT " STORE_OID
                 ", " USER_OF("u.") " FROM (SELECT) one "
                                    "LEFT JOIN userprofile.profile u "
                                    "ON u.id = $1 AND u.org = $2",
                 1},

    /* A user, the sequence that it has in the store, the change's id, an event,
     * which may be nulls, and the oid that the store must have. */
    [PG_CHANGE_USER] =
        {"WITH changed AS (UPDATE userprofile.profile SET type = $3::bigint, "
         "state = $4::bigint, sequence = $5::bigint, "
         "created = $6::timestamptz, changed = $7::timestamptz, "
         "first_name = $8, last_name = $9, nick_name = $10, "
         "display_name = $11, preferred_language = $12, gender = $13::bigint "
         "WHERE id = $1 AND org = $2 AND sequence = $14::bigint "
         "AND $36::bigint = " STORE_OID " RETURNING id)" WITH_EVENT,
         1},
    [PG_ADD_USER] = {"WITH changed AS (INSERT INTO userprofile.profile "
                     "(" USER_OF("") ") SELECT " USER_VALUES
                                     " WHERE $14::bigint IS NULL "
                                     "AND $36::bigint = " STORE_OID
                                     " AND " ORG_EXISTS(
                                         "$2") " ON CONFLICT DO NOTHING "
                                               "RETURNING id)" WITH_EVENT,
                     0},
    [PG_FIND_CHANGE] = {"SELECT 1::bigint FROM userprofile.event "
                        "WHERE user_id = $1 AND sequence = $2::bigint "
                        "AND change = $3::uuid",
                        0},

    /* The lock on the table keeps it until the end of the transaction. */
    [PG_WHICH] = {"SELECT " STORE_OID " FROM userprofile.store", 0},
    [PG_HOME] = {"SELECT org FROM userprofile.profile WHERE id = $1", 0},

    /* Each statement of a batch sees what was committed before it, whatever the
     * database's default is: the wait for the lock is one of them. */
    [PG_BEGIN] = {"BEGIN ISOLATION LEVEL READ COMMITTED", 0},
    [PG_BEGIN_WALK] = {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0},
    [PG_COMMIT] = {"COMMIT", 0},
    [PG_LOCK_BATCH] = {"SELECT pg_try_advisory_xact_lock(" BATCH_LOCK
                       ")::integer",
                       0},
    [PG_WHO_LOCKS_BATCH] =
        {"SELECT a.pid, a.application_name FROM pg_locks l "
         "JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
         "AND " THIS_DATABASE " AND l.granted "
         "AND (l.classid, l.objid, l.objsubid) = (" BATCH_LOCK ", 2)",
         0},

    [PG_GET_ORG] = {"SELECT id, name FROM userprofile.org WHERE id = $1", 1},
    [PG_GET_USER] = {"SELECT " USER_OF("u.") " FROM userprofile.profile u "
                                             "WHERE u.id = $1 FOR UPDATE",
                     1},
    [PG_GET_MEMBER] = {"SELECT org, user_id, roles FROM userprofile.member "
                       "WHERE org = $1 AND user_id = $2",
                       1},
    [PG_GET_TOKEN] = {"SELECT sha256, user_id, created, expires, revoked "
                      "FROM userprofile.token WHERE sha256 = $1",
                      1},

    /* Keys, as arrays of text. The planner, which may have no statistics yet of
     * a table that is being filled, is not to read it whole for each of them.
     */
    [PG_PLAN_BY_KEYS] = {"SET LOCAL enable_seqscan = off", 0},
    [PG_FIND_ORGS] = {"SELECT id, name FROM userprofile.org "
                      "WHERE id = ANY ($1::text[])",
                      0},
    [PG_FIND_USERS] = {"SELECT " USER_OF("u.") " FROM userprofile.profile u "
                                               "WHERE u.id = ANY ($1::text[]) "
                                               "FOR UPDATE",
                       0},
    [PG_FIND_MEMBERS] = {"SELECT m.org, m.user_id, m.roles "
                         "FROM userprofile.member m " THESE_MEMBERS,
                         0},
    [PG_FIND_TOKENS] = {"SELECT t.sha256, t.user_id, t.created, t.expires, "
                        "t.revoked FROM userprofile.token t " THESE_TOKENS,
                        0},
    [PG_FIND_EVENTS] = {"SELECT e.number, " EVENT_PROFILES
                        " FROM userprofile.event e " THESE_EVENTS,
                        0},
    [PG_LOCK_EVENTS] =
        {"LOCK TABLE userprofile.event IN SHARE ROW EXCLUSIVE MODE", 0},
    [PG_LAST_EVENT] = {"SELECT coalesce(max(number), 0) FROM userprofile.event",
                       0},
    [PG_DELETE_ORGS] = {"DELETE FROM userprofile.org "
                        "WHERE id = ANY ($1::text[])",
                        0},
    [PG_DELETE_USERS] = {"DELETE FROM userprofile.profile "
                         "WHERE id = ANY ($1::text[])",
                         0},
    [PG_DELETE_MEMBERS] = {"DELETE FROM userprofile.member m " THESE_MEMBERS,
                           0},
    [PG_DELETE_TOKENS] = {"DELETE FROM userprofile.token t " THESE_TOKENS, 0},
    [PG_DELETE_EVENTS] = {"DELETE FROM userprofile.event e " THESE_EVENTS, 0},

    /* Rows in the binary format, whose columns are in the order of items. */
    [PG_COPY_ORGS] = {"COPY userprofile.org (id, name)" FROM_HERE, 0},
    [PG_COPY_USERS] = {"COPY userprofile.profile (" USER_OF("") ")" FROM_HERE,
                       0},
    [PG_COPY_MEMBERS] = {"COPY userprofile.member (org, user_id, "
                         "roles)" FROM_HERE,
                         0},
    [PG_COPY_TOKENS] = {"COPY userprofile.token (sha256, user_id, created, "
                        "expires, revoked)" FROM_HERE,
                        0},
    [PG_COPY_EVENTS] = {"COPY userprofile.event (number, " EVENT_PROFILES
                        ")" FROM_HERE,
                        0},
    [PG_SET_NUMBER] = {"SELECT setval('userprofile.event_number_seq', "
                       "$1::bigint) FROM userprofile.event_number_seq "
                       "WHERE last_value < $1::bigint OR NOT is_called",
                       0},

    [PG_PUT_ORG] = {"INSERT INTO userprofile.org (id, name) VALUES ($1, $2) "
                    "ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                    1},
    [PG_PUT_USER] =
        {"INSERT INTO userprofile.profile AS p (" USER_OF(
             "") ") SELECT " USER_VALUES
                 " WHERE " ORG_EXISTS(
                     "$2") " ON CONFLICT (id) DO UPDATE SET "
                           "type = excluded.type, state = excluded.state, "
                           "sequence = excluded.sequence, "
                           "created = excluded.created, "
                           "changed = excluded.changed, "
                           "first_name = excluded.first_name, "
                           "last_name = excluded.last_name, "
                           "nick_name = excluded.nick_name, "
                           "display_name = excluded.display_name, "
                           "preferred_language = excluded.preferred_language, "
                           "gender = excluded.gender "
                           "WHERE p.org = excluded.org RETURNING 1::bigint",
         1},
    [PG_PUT_MEMBER] = {"INSERT INTO userprofile.member (org, user_id, roles) "
                       "SELECT $1, $2, $3::text[] "
                       "WHERE $1 = '' OR " ORG_EXISTS(
                           "$1") " ON CONFLICT (user_id, org) "
                                 "DO UPDATE SET roles = excluded.roles "
                                 "RETURNING 1::bigint",
                       1},
    [PG_PUT_TOKEN] = {"INSERT INTO userprofile.token "
                      "(sha256, user_id, created, expires, revoked) "
                      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (sha256) "
                      "DO UPDATE SET user_id = excluded.user_id, "
                      "created = excluded.created, expires = excluded.expires, "
                      "revoked = excluded.revoked",
                      1},
    [PG_PUT_EVENT] = {"INSERT INTO userprofile.event (" EVENT_PROFILES
                      ") VALUES (" EVENT_VALUES ")",
                      1},

    [PG_REMOVE_ORG] = {"DELETE FROM userprofile.org WHERE id = $1", 0},
    [PG_REMOVE_USER] = {"DELETE FROM userprofile.profile "
                        "WHERE org = $1 AND id = $2",
                        0},
    [PG_REMOVE_MEMBER] = {"DELETE FROM userprofile.member "
                          "WHERE org = $1 AND user_id = $2",
                          0},
    [PG_REMOVE_TOKEN] = {"DELETE FROM userprofile.token WHERE sha256 = $1", 0},
    [PG_REMOVE_MEMBERS_OF] = {"DELETE FROM userprofile.member "
                              "WHERE user_id = ANY ($1::text[])",
                              0},
    /* The places of those users in the array. */
    [PG_HAVE_TOKENS] = {"SELECT k.place FROM unnest($1::text[]) "
                        "WITH ORDINALITY k (user_id, place) "
                        "WHERE EXISTS (SELECT FROM userprofile.token t "
                        "WHERE t.user_id = k.user_id AND t.revoked IS NULL)",
                        0},
    [PG_REMOVE_EVENT] = {"DELETE FROM userprofile.event "
                         "WHERE number = $1::bigint",
                         1},
    [PG_REVOKE_TOKENS_OF] = {"UPDATE userprofile.token SET expires = NULL, "
                             "revoked = $2 "
                             "WHERE user_id = $1 AND revoked IS NULL",
                             0},
    [PG_ERASE_EVENTS] =
        {"UPDATE userprofile.event SET before_first_name = NULL, "
         "before_last_name = NULL, before_nick_name = NULL, "
         "before_display_name = NULL, before_preferred_language = NULL, "
         "before_gender = NULL, after_first_name = NULL, "
         "after_last_name = NULL, after_nick_name = NULL, "
         "after_display_name = NULL, after_preferred_language = NULL, "
         "after_gender = NULL WHERE user_id = ANY ($1::text[]) "
         "AND num_nonnulls(" PROFILE_OF("before_") ", " PROFILE_OF(
             "after_") ") > 0",
         0},

    /* An organisation, or null for all; the numbers of events above the first
     * parameter and up to the second. */
    [PG_WALK_ORGS] = {WALK "id, name FROM userprofile.org ORDER BY id", 0},
    [PG_WALK_USERS] = {WALK USER_OF("u.") " FROM userprofile.profile u "
                                          "WHERE $1::text IS NULL OR org = $1 "
                                          "ORDER BY org, id",
                       0},
    [PG_WALK_MEMBERS] = {WALK "org, user_id, roles FROM userprofile.member "
                              "WHERE $1::text IS NULL OR org = $1 "
                              "ORDER BY org, user_id",
                         0},
    [PG_WALK_TOKENS] = {WALK "sha256, user_id, created, expires, revoked "
                             "FROM userprofile.token ORDER BY sha256",
                        0},
    [PG_WALK_EVENTS] = {WALK "number, " EVENT_PROFILES
                             " FROM userprofile.event "
                             "WHERE number > $1::bigint "
                             "AND number <= $2::bigint ORDER BY number",
                        0},
    [PG_FETCH] = {"FETCH 500 FROM walk", 0},
    [PG_CLOSE_WALK] = {"CLOSE walk", 0},

    [PG_LAST_NUMBER] = {"SELECT last_value FROM userprofile.event_number_seq",
                        0},
    [PG_EVENT_WRITERS] = {"SELECT coalesce(array_agg(l.virtualtransaction), "
                          "'{}') " EVENT_WRITERS,
                          0},
    [PG_EVENT_WRITERS_LEFT] = {"SELECT coalesce(array_agg("
                               "l.virtualtransaction), '{}') " EVENT_WRITERS
                               " AND l.virtualtransaction = ANY ($1::text[])",
                               0},
    [PG_STAT] =
        {"SELECT " COUNT("org") COUNT("profile") COUNT("member") COUNT("token")
             COUNT("event") "(SELECT coalesce(max(number), 0) FROM "
                            "userprofile.event), " BYTES("profile") BYTES(
                                "event") "pg_database_size(current_database())",
         0},
};

const char *
up_pg_statement_text(pg_statement_t statement)
{
    return statements[statement].text;
}

/* FNV-1a. */
static apr_uint64_t
hash(const char *text)
{
    apr_uint64_t value = APR_UINT64_C(14695981039346656037);

    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * APR_UINT64_C(1099511628211);
    return value;
}

void
up_pg_name_statements(pg_store_t *store)
{
    for (int i = 0; i < PG_STATEMENTS; i++) {
        if (statements[i].is_prepared)
            apr_snprintf(
                store->statement_name[i], sizeof(store->statement_name[i]),
                "up_%016" APR_UINT64_T_HEX_FMT, hash(statements[i].text));
    }
}
