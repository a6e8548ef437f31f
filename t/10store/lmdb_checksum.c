/* lmdb_checksum.c -- values of an LMDB store whose bits change on the disk. */
#include "raw_lmdb.h"
#include "store_contract.h"
#include "store_items.h"
#include "file_bytes.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Change BIT of the byte WHERE of each place that has WHAT in DATA. */
static int
flip(bytes_t data, bytes_t what, size_t where, int bit)
{
    unsigned char *found = data.at;
    int flips = 0;

    while ((found = memmem(found, data.length - (size_t)(found - data.at),
                           what.at, what.length))) {
        found[where] ^= (unsigned char)(1u << bit);
        found += what.length;
        flips++;
    }
    return flips;
}

static up_error_t *
ignore(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    (void)baton;
    (void)item;
    (void)pool;
    return NULL;
}

/* Walk through all items of the kind that DATABASE has. */
static up_error_t *
walk(up_store_t *store, const char *database, apr_pool_t *pool)
{
    static const char *const kinds[UP_KINDS] = {"org", "profile", "member",
                                                "token", "event"};
    up_filter_t filter = {0};

    for (int i = 0; i < UP_KINDS; i++)
        filter.kinds |= !strcmp(kinds[i], database) ? 1u << i : 0;
    return up_store_each(store, &filter, ignore, NULL, pool);
}

/* Read the record under KEY of DATABASE as a request does. */
static up_error_t *
ask(up_store_t *store,
    const char *database,
    const MDB_val *key,
    apr_pool_t *pool)
{
    const char *first = apr_pstrmemdup(pool, key->mv_data, key->mv_size);
    const char *second = first + strlen(first) + 1;
    up_query_t query = {0};
    const up_token_t *token;
    up_store_stat_t stat;
    up_state_t state;
    up_view_t *view;
    int stored;

    if (!strcmp(database, "token"))
        return up_store_token(&token, &stored, &state, store, 0, key->mv_data,
                              pool, pool);
    if (!strcmp(database, "event"))
        return up_store_stat(&stat, store, pool); /* it reads the last one */
    if (!strcmp(database, "home"))
        query.caller = first;
    else
        query.wanted = *first ? first : NULL;
    if (!strcmp(database, "profile"))
        query.user = second;
    if (!strcmp(database, "member"))
        query.caller = second;
    return up_store_read(&view, store, &query, pool, pool);
}

static int
is_noticed(const up_error_t *err)
{
    return err && err->reason == UP_INTERNAL &&
           strstr(err->message, "is damaged") &&
           strstr(err->message, "checksum");
}

/* The store "flipped", which is DATA. */
static up_store_t *
open_flipped(bytes_t data, apr_pool_t *pool)
{
    up_store_t *store;

    mkdir(temp_path("flipped", pool), 0700);
    spew(temp_path("flipped/data.mdb", pool), data);
    must(up_store_open(&store, temp_lmdb_uri("flipped", pool),
                       temp_lmdb_scratch(pool), pool));
    return store;
}

/* Change a bit of each byte of RECORD's value in DATA, one after the other. */
static void
flip_value(bytes_t data, const raw_record_t *record, apr_pool_t *pool)
{
    bytes_t value = {record->value.mv_data, record->value.mv_size};
    int unnoticed = 0, absent = 0;
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, pool);
    for (size_t i = 0; i < value.length; i++) {
        bytes_t copy = {apr_pmemdup(iterpool, data.at, data.length),
                        data.length};
        absent += !flip(copy, value, i, (int)(i % 8));
        up_store_t *store = open_flipped(copy, iterpool);
        unnoticed +=
            !is_noticed(ask(store, record->database, &record->key, iterpool));
        if (strcmp(record->database, "home") != 0)
            unnoticed += !is_noticed(walk(store, record->database, iterpool));
        up_store_close(store);
        apr_pool_clear(iterpool);
    }
    apr_pool_destroy(iterpool);
    is_number(unnoticed + absent, 0,
              "%s: a changed bit in any of %d bytes of the value is noticed",
              record->database, (int)value.length);
}

/* The same for its key, which its value follows. */
static void
flip_key(bytes_t data, const raw_record_t *record, apr_pool_t *pool)
{
    size_t length = record->key.mv_size + record->value.mv_size;
    bytes_t both = {apr_palloc(pool, length), length};
    int unnoticed = 0, absent = 0;
    apr_pool_t *iterpool;

    memcpy(both.at, record->key.mv_data, record->key.mv_size);
    memcpy(both.at + record->key.mv_size, record->value.mv_data,
           record->value.mv_size);
    apr_pool_create(&iterpool, pool);
    for (size_t i = 0; i < record->key.mv_size; i++) {
        bytes_t copy = {apr_pmemdup(iterpool, data.at, data.length),
                        data.length};
        absent += !flip(copy, both, i, (int)(i % 8));
        up_store_t *store = open_flipped(copy, iterpool);
        const up_error_t *err = walk(store, record->database, iterpool);
        unnoticed += !err || err->reason != UP_INTERNAL;
        if (!strcmp(record->database, "profile")) {
            err = ask(store, record->database, &record->key, iterpool);
            unnoticed += !err || err->reason != UP_INTERNAL;
        }
        up_store_close(store);
        apr_pool_clear(iterpool);
    }
    apr_pool_destroy(iterpool);
    is_number(unnoticed + absent, 0,
              "%s: a changed bit in any of %d bytes of the key is noticed",
              record->database, (int)record->key.mv_size);
}

static void
flips(apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make("sound", temp_lmdb_scratch(pool), pool);
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    put_small(store);
    must(
        up_store_update(&after, store, "O1", "A", decide, &script, pool, pool));
    up_store_close(store);
    const apr_array_header_t *records = raw_lmdb_read("sound", pool);
    bytes_t data = slurp(temp_path("sound/data.mdb", pool), pool);
    for (int i = 0; i < records->nelts; i++) {
        const raw_record_t *record = &APR_ARRAY_IDX(records, i, raw_record_t);
        if (!strcmp(record->database, "meta"))
            continue;
        flip_value(data, record, pool);
        if (strcmp(record->database, "home") != 0)
            flip_key(data, record, pool);
    }
}

/* Put the value of the record FROM of DATABASE in place of that of TO. */
static void
misplace(const char *name,
         const apr_array_header_t *records,
         const char *database,
         apr_pool_t *pool)
{
    apr_array_header_t *misplaced =
        apr_array_make(pool, 1, sizeof(raw_record_t));
    const raw_record_t *found[2] = {NULL, NULL};

    for (int i = 0; i < records->nelts; i++) {
        const raw_record_t *record = &APR_ARRAY_IDX(records, i, raw_record_t);
        if (!strcmp(record->database, database))
            found[found[0] != NULL] = record;
    }
    APR_ARRAY_PUSH(misplaced, raw_record_t) =
        (raw_record_t){database, found[0]->key, found[1]->value};
    raw_lmdb_write(name, misplaced, pool);
}

/* A sound value in the place of another one. */
static void
swapped(apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make("swap", temp_lmdb_scratch(pool), pool);

    put_small(store);
    up_store_close(store);
    misplace("swap", raw_lmdb_read("swap", pool), "profile", pool);
    must(up_store_open(&store, temp_lmdb_uri("swap", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(is_noticed(walk(store, "profile", pool)),
       "the record of another user in a user's place is noticed");
    up_store_close(store);
}

/* A sound value under its own key, but in another database. */
static void
moved(apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make("moved", temp_lmdb_scratch(pool), pool);

    put_small(store);
    up_store_close(store);
    apr_array_header_t *records = raw_lmdb_read("moved", pool);
    apr_array_header_t *misplaced =
        apr_array_make(pool, 1, sizeof(raw_record_t));
    for (int i = 0; i < records->nelts; i++) {
        raw_record_t record = APR_ARRAY_IDX(records, i, raw_record_t);
        if (strcmp(record.database, "home") != 0)
            continue;
        record.database = "org";
        APR_ARRAY_PUSH(misplaced, raw_record_t) = record;
    }
    raw_lmdb_write("moved", misplaced, pool);
    must(up_store_open(&store, temp_lmdb_uri("moved", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(is_noticed(walk(store, "org", pool)),
       "the record of a user among the organisations is noticed");
    up_store_close(store);
}

static void
messages(apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make("said", temp_lmdb_scratch(pool), pool);
    up_query_t query = {.wanted = "O1", .user = "A"};
    up_view_t *view;

    put_small(store);
    up_store_close(store);
    misplace("said", raw_lmdb_read("said", pool), "profile", pool);
    must(up_store_open(&store, temp_lmdb_uri("said", pool),
                       temp_lmdb_scratch(pool), pool));
    const up_error_t *err = up_store_read(&view, store, &query, pool, pool);
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the LMDB store '%s' is damaged: user 'A' of organisation "
                    "'O1' does not have its checksum",
                    temp_path("said", pool)),
       "the message names what is damaged");
    query.user = "B";
    is_reason(up_store_read(&view, store, &query, pool, pool), "",
              "another user is read");
    up_store_close(store);
}

/* Open the store NAME, which put_small() filled and some changes followed, with
 * two values of DATABASE that are the same. */
static up_store_t *
make_damaged(const char *name, const char *database, apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make(name, temp_lmdb_scratch(pool), pool);
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    put_small(store);
    for (int i = 0; i < 2; i++)
        must(up_store_update(&after, store, "O1", "A", decide, &script, pool,
                             pool));
    up_store_close(store);
    misplace(name, raw_lmdb_read(name, pool), database, pool);
    must(up_store_open(&store, temp_lmdb_uri(name, pool),
                       temp_lmdb_scratch(pool), pool));
    return store;
}

/* What changes a record, or looks at it to remove it, notices. */
static void
changes(apr_pool_t *pool)
{
    up_store_t *store = make_damaged("change", "profile", pool);
    script_t script = {.action = CHANGE};
    const up_user_t *after;
    up_batch_t *batch;

    ok(is_noticed(up_store_update(&after, store, "O1", "A", decide, &script,
                                  pool, pool)),
       "a change of a user whose record is damaged is refused");
    must(
        up_store_update(&after, store, "O1", "B", decide, &script, pool, pool));
    up_store_close(store);

    store = make_damaged("rights", "token", pool);
    must(up_batch_begin(&batch, store, pool));
    ok(is_noticed(up_batch_remove_rights(batch, "A", 1, pool)),
       "tokens are not removed while one of them is damaged");
    is_reason(up_batch_commit(batch), "INTERNAL", "nor is the rest of that");
    up_store_close(store);

    store = make_damaged("events", "event", pool);
    must(up_batch_begin(&batch, store, pool));
    ok(is_noticed(up_batch_erase_events(batch, "A", pool)),
       "events are not erased while one of them is damaged");
    is_reason(up_batch_commit(batch), "INTERNAL", "nor is the rest of that");
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    flips(pool);
    swapped(pool);
    moved(pool);
    messages(pool);
    changes(pool);
}

int
main(void)
{
    return run_test(test);
}
