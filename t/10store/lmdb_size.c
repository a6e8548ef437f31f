/* lmdb_size.c -- how large an LMDB store may be, and what if it is full. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "store/lmdb/up_lmdb.h"

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
    const apr_table_t *smaller = temp_lmdb_options("64M", "off", pool);
    const apr_table_t *larger = temp_lmdb_options("1G", "off", pool);

    must(temp_lmdb_prepare(&identity, "sizes", geteuid(), pool));
    is_number(map_size("sizes", NULL, pool), 16LL << 30,
              "a new store's map has 16 GiB");
    is_number(map_size("sizes", smaller, pool), 64 * MIB,
              "a server may set a smaller size");
    is_number(map_size("sizes", NULL, pool), 64 * MIB,
              "a tool uses the size that was set last");
    is_number(map_size("sizes", larger, pool), 1LL << 30,
              "a server may set a larger size");
    is_number(map_size("sizes", NULL, pool), 1LL << 30,
              "a tool uses the larger size then");
    is_number(map_size("sizes", unsaid, pool), 16LL << 30,
              "a server without a size gets the default");
    is_number(map_size("sizes", NULL, pool), 16LL << 30,
              "a tool uses the default then");

    up_store_t *store =
        temp_lmdb_make("sized", temp_lmdb_options("8M", "off", pool), pool);
    must(up_store_stat(&stat, store, pool));
    is(stat.driver, "lmdb", "the driver is named lmdb");
    is_number(temp_lmdb_figure(store, "readersMax"), UP_LMDB_READERS,
              "the number of reader slots");
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
           "a store has %s for %d processes of %d threads each",
           rows[i].enough ? "readers enough" : "too few readers",
           rows[i].processes, rows[i].threads);
}

/* A hole among the slots would kill a reader on a full disk. */
static void
slots(apr_pool_t *pool)
{
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    struct stat file = {0};

    up_store_t *store = temp_lmdb_make("slots", options, pool);
    stat(temp_path("slots/lock.mdb", pool), &file);
    ok(file.st_size >= 64LL * UP_LMDB_READERS - 64,
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
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    up_store_t *store = temp_lmdb_make("full", options, pool);
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

    options = temp_lmdb_options("8M", "off", pool);
    must(up_store_open(&store, temp_lmdb_uri("full", pool), options, pool));
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
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    up_store_t *store = temp_lmdb_make("spoilt", options, pool);
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
    shortage(pool);
    slots(pool);
    full_map(pool);
    spoilt_batch(pool);
}

int
main(void)
{
    return run_test(test);
}
