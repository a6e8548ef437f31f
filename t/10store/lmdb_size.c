/* lmdb_size.c -- how large an LMDB store may be, and what if it is full. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

#include <apr_general.h>
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
              "a server may want less");
    is_number((long long)map_size("sizes", 0, pool), 64 * MIB,
              "a tool gets what the server wanted last");
    is_number((long long)map_size("sizes", 1LL << 30, pool), 1LL << 30,
              "a server may want more");
    is_number((long long)map_size("sizes", 0, pool), 1LL << 30,
              "the tool gets that");

    up_store_options_t options = {.map_size = 8 * MIB, .no_sync = 1};
    up_store_t *store = temp_lmdb_make("sized", &options, pool);
    must(up_store_stat(&stat, store, pool));
    up_store_close(store);
    is(stat.driver, "lmdb", "the driver's name");
    is_number(stat.readers_max, UP_STORE_READERS, "readers at most");
    ok(stat.bytes_used > 0 && stat.bytes_used < MIB,
       "a new store uses little: %d", (int)stat.bytes_used);
    is_number((long long)map_size("sized", 0, pool), 8 * MIB,
              "a store may be made with another size");
}

/* A hole among the slots would kill whoever reads on a full disk. */
static void
slots(apr_pool_t *pool)
{
    up_store_options_t options = {.map_size = MIB, .no_sync = 1};
    struct stat file = {0};

    up_store_t *store = temp_lmdb_make("slots", &options, pool);
    stat(temp_path("slots/lock.mdb", pool), &file);
    ok(file.st_size >= 64LL * UP_STORE_READERS - 64,
       "the file of locks has the slots of all readers");
    ok(file.st_blocks * 512LL >= file.st_size, "... and room for all of them");
    up_store_close(store);
}

/* Put users, each with the longest texts, until that fails; returns how many
 * could be put. */
static int
fill(up_error_t **err, up_store_t *store, apr_pool_t *pool)
{
    int done = 0;

    for (*err = NULL; !*err && done < 100000; done++)
        *err = put(
            store,
            apr_psprintf(pool, USER("%d", "O1", "active", LONGEST_TEXT), done),
            pool);
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

    must(put(store, ORG("O1", ""), pool));
    int users = fill(&err, store, pool);
    is_reason(err, "STORE_FULL", "a full store");
    is_number(count(store, UP_KIND_USER, pool), users,
              "what did not fit was not stored");
    for (int i = 0; i < 1000 && !err; i++)
        err = up_store_update(&after, store, "O1", "0", decide, &script, pool,
                              pool);
    is_reason(err, "STORE_FULL", "an update in a full store");
    is(read_text(store, NULL, "O1", "0", pool), "- - O1 - - O1/0",
       "a full store can be read");
    is_number(count(store, UP_KIND_USER, pool), users, "and is as it was");
    up_store_close(store);

    options.map_size = 8 * MIB;
    must(up_store_open(&store, temp_lmdb_uri("full", pool), &options, pool));
    ok(!up_store_update(&after, store, "O1", "0", decide, &script, pool, pool),
       "once it is made larger, it takes updates");
    ok(fill(&err, store, pool) > users, "and more than it could before");
    up_store_close(store);
}

/* In a batch, what comes after a failure cannot be committed alone. */
static void
spoilt_batch(apr_pool_t *pool)
{
    up_store_options_t options = {.map_size = MIB, .no_sync = 1};
    up_store_t *store = temp_lmdb_make("spoilt", &options, pool);
    up_error_t *err = NULL;
    up_batch_t *batch;

    must(put(store, ORG("O1", ""), pool));
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < 100000 && !err; i++)
        err = up_batch_put(
            batch,
            item_of(
                apr_psprintf(pool, USER("%d", "O1", "active", LONGEST_TEXT), i),
                pool),
            pool);
    is_reason(err, "STORE_FULL", "a batch that does not fit");
    is_reason(up_batch_commit(batch), "STORE_FULL",
              "the commit of what is left of it");
    is_number(count(store, UP_KIND_USER, pool), 0, "nothing of it is stored");
    must(put(store, USER("U1", "O1", "active", "Una"), pool));
    is_number(count(store, UP_KIND_USER, pool), 1, "what fits is stored later");
    up_store_close(store);
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    sizes(pool);
    slots(pool);
    full_map(pool);
    spoilt_batch(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
