/* lmdb_upgrade.c -- LMDB stores of format 1: as they are, and as they become
 * stores of format 2 while others use them. */
#include "raw_lmdb.h"
#include "store_contract.h"
#include "store_items.h"
#include "program.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 5000

static up_store_t *
open_store(const char *name, apr_pool_t *pool)
{
    up_store_t *store;

    must(up_store_open(&store, temp_lmdb_uri(name, pool),
                       temp_lmdb_scratch(pool), pool));
    return store;
}

static up_error_t *
change(up_store_t *store, const char *user, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, "O1", user, decide, &script, pool,
                           pool);
}

/* A store of format 1 that has what put_small() puts, and MORE users; sets
 * *TEXT to all of it. */
static void
make_old(const char **text, const char *name, int more, apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make(name, temp_lmdb_scratch(pool), pool);
    up_batch_t *batch;

    put_small(store);
    must(change(store, "A", pool));
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < more; i++)
        must(up_batch_put(batch,
                          make_human("O1", apr_psprintf(pool, "M%d", i),
                                     UP_ACTIVE, "Many", pool),
                          pool));
    must(up_batch_commit(batch));
    *text = store_text(store, ALL_KINDS, pool);
    up_store_close(store);
    raw_lmdb_downgrade(name, pool);
}

/* Test points: the store NAME has FORMAT, and values of one kind alone. */
static void
is_all_of(const char *name, int format, const char *what, apr_pool_t *pool)
{
    int marked, plain;

    raw_lmdb_count(&marked, &plain, name, pool);
    is_number(raw_lmdb_format(name, pool), format, "%s: the format", what);
    is_number(format == 1 ? marked : plain, 0,
              "%s: no value is of another format", what);
    ok(marked + plain > 10, "%s: there are values", what);
}

static void
used_as_it_is(apr_pool_t *pool)
{
    const char *text;

    make_old(&text, "old", 0, pool);
    is_all_of("old", 1, "a store of format 1", pool);
    up_store_t *store = open_store("old", pool);
    is(store_text(store, ALL_KINDS, pool), text, "a store of format 1 is read");
    is_reason(change(store, "A", pool), "", "a store of format 1 is changed");
    put_human(store, "O2", "New", UP_LOCKED);
    up_store_close(store);
    is_all_of("old", 1, "a store of format 1 that was changed", pool);
}

static void
upgraded(apr_pool_t *pool)
{
    apr_uint64_t changed = 0;
    const char *text;
    int marked, plain;

    make_old(&text, "up", MANY, pool);
    raw_lmdb_count(&marked, &plain, "up", pool);
    up_store_t *store = open_store("up", pool);
    is_reason(up_store_upgrade(&changed, store, pool), "",
              "a store is upgraded");
    is_number((long long)changed, plain, "each value was written anew");
    is(store_text(store, ALL_KINDS, pool), text, "what it holds is the same");
    is_reason(up_store_upgrade(&changed, store, pool), "",
              "an upgraded store is upgraded again");
    is_number((long long)changed, 0, "nothing is written then");
    is_reason(change(store, "A", pool), "", "an upgraded store is changed");
    up_store_close(store);
    is_all_of("up", 2, "an upgraded store", pool);
}

/* Take the checksum from the first value of the store NAME in DATABASE. */
static void
strip(const char *name, const char *database, apr_pool_t *pool)
{
    const apr_array_header_t *records = raw_lmdb_read(name, pool);
    apr_array_header_t *one = apr_array_make(pool, 1, sizeof(raw_record_t));

    for (int i = 0; i < records->nelts && !one->nelts; i++) {
        raw_record_t record = APR_ARRAY_IDX(records, i, raw_record_t);
        if (strcmp(record.database, database) != 0)
            continue;
        record.value.mv_size -= 5;
        record.value.mv_data = (char *)record.value.mv_data + 5;
        APR_ARRAY_PUSH(one, raw_record_t) = record;
    }
    raw_lmdb_write(name, one, pool);
}

static void
strict_afterwards(apr_pool_t *pool)
{
    up_filter_t users = {.kinds = 1u << UP_KIND_USER};

    strip("up", "profile", pool);
    up_store_t *store = open_store("up", pool);
    up_error_t *err = up_store_each(store, &users, NULL, NULL, pool);
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the LMDB store '%s' is damaged: user 'A' of organisation "
                    "'O1' has no checksum",
                    temp_path("up", pool)),
       "a value of an upgraded store that has no checksum is damaged");
    up_store_close(store);
}

static void
lost_meanwhile(apr_pool_t *pool)
{
    const char *text;
    apr_uint64_t changed;

    make_old(&text, "lost", 0, pool);
    up_store_t *store = open_store("lost", pool);
    unlink(temp_path("lost/data.mdb", pool));
    is_reason(up_store_upgrade(&changed, store, pool), "STORE_UNAVAILABLE",
              "a store that was removed meanwhile is not upgraded");
    up_store_close(store);
}

/* Upgrade the store NAME in a process of its own, which is killed after PAUSE
 * microseconds unless that is 0. Returns whether it came to the end. */
static int
upgrade_elsewhere(const char *name, apr_interval_time_t pause, apr_pool_t *pool)
{
    int status;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl(program_path(pool), "lmdb_upgrade", temp_path(name, pool), NULL);
        _exit(1);
    }
    if (pause) {
        apr_sleep(pause);
        kill(child, SIGKILL);
    }
    if (waitpid(child, &status, 0) != child)
        exit(1);
    return status == 0;
}

static void
beside_a_server(apr_pool_t *pool)
{
    const char *text;

    make_old(&text, "beside", MANY, pool);
    up_store_t *store = open_store("beside", pool);
    ok(upgrade_elsewhere("beside", 0, pool),
       "another process upgrades a store that this one has open");
    is(store_text(store, ALL_KINDS, pool), text, "this one reads the same");
    is_reason(change(store, "B", pool), "", "this one changes it");
    put_human(store, "O2", "Late", UP_ACTIVE);
    up_store_close(store);
    is_all_of("beside", 2, "a store changed by who opened it before", pool);
}

static void
cut_off(apr_pool_t *pool)
{
    static const int pauses[] = {2, 4, 6, 8, 10, 12, 15, 20, 25, 30};
    int halfway = 0, wrong = 0;

    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        const char *name = apr_psprintf(pool, "cut%d", (int)i), *text;
        apr_uint64_t changed;
        int marked, plain;
        make_old(&text, name, MANY, pool);
        upgrade_elsewhere(name, apr_time_from_msec(pauses[i]), pool);
        raw_lmdb_count(&marked, &plain, name, pool);
        halfway += marked && plain;
        printf(
            "# killed after %d ms: %d with checksums, %d without, format %d\n",
            pauses[i], marked, plain, raw_lmdb_format(name, pool));
        wrong += marked && raw_lmdb_format(name, pool) != 2;
        up_store_t *store = open_store(name, pool);
        wrong += strcmp(store_text(store, ALL_KINDS, pool), text) != 0;
        must(change(store, "A", pool));
        must(up_store_upgrade(&changed, store, pool));
        up_store_close(store);
        raw_lmdb_count(&marked, &plain, name, pool);
        wrong += plain || raw_lmdb_format(name, pool) != 2;
    }
    is_number(wrong, 0,
              "after an upgrade that was killed the store is used, and "
              "upgraded to the end (%d of 10 were killed halfway)",
              halfway);
}

/* What an upgrade leaves that is killed halfway, for certain. */
static void
of_both_formats(apr_pool_t *pool)
{
    apr_array_header_t *records;
    apr_uint64_t changed;
    const char *text, *bytes;
    up_meta_t meta = {2, 16 << 20, 1};
    apr_size_t length;
    int marked, plain;

    make_old(&text, "both", 0, pool);
    up_store_t *store = open_store("both", pool);
    must(up_store_upgrade(&changed, store, pool));
    up_store_close(store);
    strip("both", "profile", pool);
    strip("both", "home", pool);
    strip("both", "token", pool);
    records = apr_array_make(pool, 1, sizeof(raw_record_t));
    up_meta_pack(&bytes, &length, &meta, pool);
    APR_ARRAY_PUSH(records, raw_record_t) =
        (raw_record_t){"meta", {5, (void *)"store"}, {length, (void *)bytes}};
    raw_lmdb_write("both", records, pool);

    store = open_store("both", pool);
    is(store_text(store, ALL_KINDS, pool), text,
       "a store that is upgraded halfway is read");
    is_reason(change(store, "A", pool), "", "a store halfway is changed");
    up_store_close(store);
    raw_lmdb_count(&marked, &plain, "both", pool);
    is_number(plain, 2, "a change gives its value a checksum");
    store = open_store("both", pool);
    must(up_store_upgrade(&changed, store, pool));
    is_number((long long)changed, 2, "another upgrade does the rest");
    up_store_close(store);
    is_all_of("both", 2, "a store upgraded in two parts", pool);
}

/* A value that cannot be read gets no checksum, which would hide that. */
static void
damaged_before(apr_pool_t *pool)
{
    apr_array_header_t *one = apr_array_make(pool, 1, sizeof(raw_record_t));
    apr_uint64_t changed;
    const char *text;
    int marked, plain;

    make_old(&text, "bad", 0, pool);
    const apr_array_header_t *records = raw_lmdb_read("bad", pool);
    for (int i = 0; i < records->nelts && !one->nelts; i++) {
        raw_record_t record = APR_ARRAY_IDX(records, i, raw_record_t);
        if (!strcmp(record.database, "profile")) {
            memset(record.value.mv_data, 0xff, record.value.mv_size);
            APR_ARRAY_PUSH(one, raw_record_t) = record;
        }
    }
    raw_lmdb_write("bad", one, pool);
    up_store_t *store = open_store("bad", pool);
    const up_error_t *err = up_store_upgrade(&changed, store, pool);
    is(err ? err->message : NULL,
       "the stored user 'A' of organisation 'O1' cannot be read",
       "the upgrade of a damaged store names what is damaged");
    up_store_close(store);
    raw_lmdb_count(&marked, &plain, "bad", pool);
    is_number(plain, 1, "all other values have checksums");
}

static void
test(apr_pool_t *pool)
{
    used_as_it_is(pool);
    upgraded(pool);
    strict_afterwards(pool);
    lost_meanwhile(pool);
    beside_a_server(pool);
    cut_off(pool);
    of_both_formats(pool);
    damaged_before(pool);
}

/* What upgrade_elsewhere() starts. */
static int
upgrade_folder(const char *folder)
{
    apr_uint64_t changed;
    apr_pool_t *pool;
    up_store_t *store;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    must(up_store_open(&store, apr_pstrcat(pool, "lmdb:", folder, NULL),
                       temp_lmdb_scratch(pool), pool));
    must(up_store_upgrade(&changed, store, pool));
    up_store_close(store);
    apr_terminate();
    return 0;
}

int
main(int argc, char **argv)
{
    return argc == 2 ? upgrade_folder(argv[1]) : run_test(test);
}
