/* lmdb_size.c -- how large an LMDB store may be, and what if it is full. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

#include <apr_strings.h>
#include <sys/stat.h>

#define MIB (1024 * 1024)

static apr_uint64_t
map_size(const char *name, apr_uint64_t wanted, apr_pool_t *pool)
{
    up_store_options_t options = {.map_size = wanted, .no_sync = 1};
    up_store_stat_t stat;
    up_store_t *store;

    must(up_store_open(&store, temp_lmdb_uri(name, pool), &options, pool));
    must(up_store_stat(&stat, store, pool));
    up_store_close(store);
    return stat.bytes_max;
}

static void
sizes(apr_pool_t *pool)
{
    up_store_stat_t stat;
    const char *identity;

    must(temp_lmdb_prepare(&identity, "sizes", geteuid(), pool));
    is_number((long long)map_size("sizes", 0, pool), 16LL << 30,
              "a new store's map has 16 GiB");
    is_number((long long)map_size("sizes", 64 * MIB, pool), 64 * MIB,
              "a server may set a smaller size");
    is_number((long long)map_size("sizes", 0, pool), 64 * MIB,
              "without a size the one that was set last is used");
    is_number((long long)map_size("sizes", 1LL << 30, pool), 1LL << 30,
              "a server may set a larger size");
    is_number((long long)map_size("sizes", 0, pool), 1LL << 30,
              "without a size the larger one is used then");

    up_store_options_t options = {.map_size = 8 * MIB, .no_sync = 1};
    up_store_t *store = temp_lmdb_make("sized", &options, pool);
    must(up_store_stat(&stat, store, pool));
    up_store_close(store);
    is(stat.driver, "lmdb", "the driver is named lmdb");
    is_number(stat.readers_max, UP_STORE_READERS, "the number of reader slots");
    ok(stat.bytes_used > 0 && stat.bytes_used < MIB,
       "a new store uses little: %d", (int)stat.bytes_used);
    is_number((long long)map_size("sized", 0, pool), 8 * MIB,
              "a store may be made with another size");
}

/* A hole among the slots would kill a reader on a full disk. */
static void
slots(apr_pool_t *pool)
{
    up_store_options_t options = {.map_size = MIB, .no_sync = 1};
    struct stat file = {0};

    up_store_t *store = temp_lmdb_make("slots", &options, pool);
    stat(temp_path("slots/lock.mdb", pool), &file);
    ok(file.st_size >= 64LL * UP_STORE_READERS - 64,
       "the file of locks has the slots of all readers");
    ok(file.st_blocks * 512LL >= file.st_size,
       "the slots of all readers have room on the disk");
    up_store_close(store);
}

static up_item_t *
large_user(int number, apr_pool_t *pool)
{
    return make_human("O1", apr_itoa(pool, number), UP_ACTIVE, LONGEST_TEXT,
                      pool);
}

/* Put users, each with the longest text, until that fails; returns how many
 * could be put. */
static int
fill(up_error_t **err, up_store_t *store, apr_pool_t *pool)
{
    int done = 0;

    for (*err = NULL; !*err && done < 100000; done++)
        *err = put_item(store, large_user(done, pool), pool);
    return done - 1;
}

static void
full_map(apr_pool_t *pool)
{
    up_store_options_t options = {.map_size = MIB, .no_sync = 1};
    up_store_t *store = temp_lmdb_make("full", &options, pool);
    script_t script = {.action = CHANGE};
    const up_user_t *after;
    up_error_t *err;

    put_org(store, "O1");
    int users = fill(&err, store, pool);
    is_reason(err, "STORE_FULL", "putting into a full store is STORE_FULL");
    is_number(count_items(store, UP_KIND_USER, pool), users,
              "the item that did not fit is not stored");
    for (int i = 0; i < 1000 && !err; i++)
        err = up_store_update(&after, store, "O1", "0", decide, &script, pool,
                              pool);
    is_reason(err, "STORE_FULL", "an update in a full store is STORE_FULL");
    is(read_text(store, NULL, "O1", "0", pool), "org O1, user O1/0",
       "a full store can be read");
    is_number(count_items(store, UP_KIND_USER, pool), users,
              "an update in a full store changes nothing");
    up_store_close(store);

    options.map_size = 8 * MIB;
    must(up_store_open(&store, temp_lmdb_uri("full", pool), &options, pool));
    ok(!up_store_update(&after, store, "O1", "0", decide, &script, pool, pool),
       "a full store that is made larger takes updates");
    ok(fill(&err, store, pool) > users,
       "a full store that is made larger takes more items");
    up_store_close(store);
}

/* After a failure in a batch, the rest cannot be committed alone. */
static void
spoilt_batch(apr_pool_t *pool)
{
    up_store_options_t options = {.map_size = MIB, .no_sync = 1};
    up_store_t *store = temp_lmdb_make("spoilt", &options, pool);
    up_error_t *err = NULL;
    up_batch_t *batch;

    put_org(store, "O1");
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < 100000 && !err; i++)
        err = up_batch_put(batch, large_user(i, pool), pool);
    is_reason(err, "STORE_FULL", "a batch that does not fit is STORE_FULL");
    is_reason(up_batch_commit(batch), "STORE_FULL",
              "the commit after that is STORE_FULL");
    is_number(count_items(store, UP_KIND_USER, pool), 0,
              "nothing of a batch that does not fit is stored");
    put_human(store, "O1", "U1", UP_ACTIVE);
    is_number(count_items(store, UP_KIND_USER, pool), 1,
              "a batch that fits is stored after that");
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    sizes(pool);
    slots(pool);
    full_map(pool);
    spoilt_batch(pool);
}

int
main(void)
{
    return run_test(test);
}
