/* lmdb_size.c -- how large an LMDB store may be, and what if it is full. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "store/lmdb/up_lmdb.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sys/stat.h>

#define MIB (1024 * 1024)

/* How large the map of the store NAME is, opened with OPTIONS. */
static long long
map_size(const char *name, const apr_table_t *options, apr_pool_t *pool)
{
    up_store_t *store;

    must(up_store_open(&store, temp_lmdb_uri(name, pool), options, pool));
    long long size = temp_lmdb_figure(store, "bytesMax");
    up_store_close(store);
    return size;
}

static void
sizes(apr_pool_t *pool)
{
    up_store_stat_t stat;
    const char *identity;

    const apr_table_t *unsaid = temp_lmdb_options(NULL, "off", pool);
    const apr_table_t *lesser = temp_lmdb_options("64M", "off", pool);
    const apr_table_t *larger = temp_lmdb_options("1G", "off", pool);

    must(temp_lmdb_prepare(&identity, "sizes", geteuid(), pool));
    is_number(map_size("sizes", NULL, pool), 16LL << 30,
              "a new store's map has 16 GiB");
    is_number(map_size("sizes", lesser, pool), 64 * MIB,
              "a server may want less");
    is_number(map_size("sizes", NULL, pool), 64 * MIB,
              "a tool gets what the server wanted last");
    is_number(map_size("sizes", larger, pool), 1LL << 30,
              "a server may want more");
    is_number(map_size("sizes", NULL, pool), 1LL << 30, "the tool gets that");
    is_number(map_size("sizes", unsaid, pool), 16LL << 30,
              "a server that does not say gets the default");
    is_number(map_size("sizes", NULL, pool), 16LL << 30, "and so the tool");

    up_store_t *store =
        temp_lmdb_make("sized", temp_lmdb_options("8M", "off", pool), pool);
    must(up_store_stat(&stat, store, pool));
    is(stat.driver, "lmdb", "the driver's name");
    is_number(temp_lmdb_figure(store, "readersMax"), UP_LMDB_READERS,
              "readers at most");
    long long used = temp_lmdb_figure(store, "bytesUsed");
    ok(used > 0 && used < MIB, "a new store uses little: %lld", used);
    up_store_close(store);
    is_number(map_size("sized", NULL, pool), 8 * MIB,
              "a store may be made with another size");
}

/* How many threads may read at once. */
static void
shortage(apr_pool_t *pool)
{
    static const struct {
        int processes, threads, enough;
    } rows[] = {
        {1, 1, 1},     {1, 16384, 1}, {16384, 1, 1},      {128, 128, 1},
        {128, 129, 0}, {1, 16385, 0}, {100000, 100000, 0} /* more than 32 bits
                                                             have */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is(up_store_shortage("lmdb:/x", rows[i].processes, rows[i].threads,
                             pool),
           rows[i].enough ? NULL
                          : "more than the 16384 readers that an LMDB store "
                            "has",
           "%d processes of %d threads each", rows[i].processes,
           rows[i].threads);
}

/* A hole among the slots would kill whoever reads on a full disk. */
static void
slots(apr_pool_t *pool)
{
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    struct stat file = {0};

    up_store_t *store = temp_lmdb_make("slots", options, pool);
    stat(temp_path("slots/lock.mdb", pool), &file);
    ok(file.st_size >= 64LL * UP_LMDB_READERS - 64,
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
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    up_store_t *store = temp_lmdb_make("full", options, pool);
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

    options = temp_lmdb_options("8M", "off", pool);
    must(up_store_open(&store, temp_lmdb_uri("full", pool), options, pool));
    ok(!up_store_update(&after, store, "O1", "0", decide, &script, pool, pool),
       "once it is made larger, it takes updates");
    ok(fill(&err, store, pool) > users, "and more than it could before");
    up_store_close(store);
}

/* In a batch, what comes after a failure cannot be committed alone. */
static void
spoilt_batch(apr_pool_t *pool)
{
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    up_store_t *store = temp_lmdb_make("spoilt", options, pool);
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
    shortage(pool);
    slots(pool);
    full_map(pool);
    spoilt_batch(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
