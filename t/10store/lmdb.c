/* lmdb.c -- an LMDB store's folder and files. */
#include "store_items.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
identities(apr_pool_t *pool)
{
    const char *one, *other, *linked, *spelled;

    must(temp_lmdb_prepare(&one, "one", geteuid(), pool));
    must(temp_lmdb_prepare(&other, "other", geteuid(), pool));
    if (symlink(temp_path("one", pool), temp_path("link", pool)))
        exit(1);
    must(temp_lmdb_prepare(&linked, "link", geteuid(), pool));
    must(temp_lmdb_prepare(&spelled, "other/../one/.", geteuid(), pool));
    is(linked, one, "a symlink names the same store");
    is(spelled, one, "another spelling of the path names the same store");
    ok(strcmp(one, other) != 0, "another folder is another store");
}

/* The log is to say whether the store is a new one. */
static void
news(apr_pool_t *pool)
{
    static const struct {
        const char *what;
        int want;
    } turns[] = {
        {"no folder", 1}, {"a folder with a store", 0}, {"an empty folder", 1}};
    const char *identity, *uri = temp_lmdb_uri("news", pool);
    int made;

    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        if (i == 2) {
            unlink(temp_path("news/data.mdb", pool));
            unlink(temp_path("news/lock.mdb", pool));
        }
        must(up_store_prepare(&identity, &made, uri, temp_lmdb_scratch(pool),
                              geteuid(), getegid(), pool, pool));
        ok(made == turns[i].want, "preparing %s: a store is %s", turns[i].what,
           turns[i].want ? "made" : "not made");
    }
}

static void
refused_folders(apr_pool_t *pool)
{
    const char *identity = NULL;
    int made;

    is_reason(temp_lmdb_prepare(&identity, "no/such/parent", geteuid(), pool),
              "STORE_UNAVAILABLE",
              "a folder whose parent is missing is refused");
    fclose(fopen(temp_path("file", pool), "w"));
    is_reason(temp_lmdb_prepare(&identity, "file", geteuid(), pool),
              "STORE_UNAVAILABLE", "a file in place of the folder is refused");
    if (geteuid() != 0) /* for root see root_lmdb.c */
        is_reason(up_store_prepare(&identity, &made, "lmdb:/",
                                   temp_lmdb_scratch(pool), geteuid(),
                                   getegid(), pool, pool),
                  "STORE_UNAVAILABLE", "a folder of another user is refused");
    ok(!identity, "a refused folder has no identity");
}

static void
owners(apr_pool_t *pool)
{
    const char *held, *absent = temp_lmdb_uri("absent", pool);
    uid_t uid = 1;
    gid_t gid = 1;

    must(up_store_hold(&held, &uid, &gid, absent, pool));
    ok(uid == (uid_t)-1 && gid == (gid_t)-1,
       "a store that does not exist has no owner");
    is(held, absent, "a store that does not exist is named by its URI");
    must(up_store_hold(&held, &uid, &gid, temp_lmdb_uri("one", pool), pool));
    ok(uid == geteuid() && gid == getegid(),
       "the owner of a store is its folder's");
}

static void
uris(apr_pool_t *pool)
{
    static const struct {
        const char *uri, *reason;
    } rows[] = {
        {"lmdb:/var/lib/apache2/userprofile", ""},
        {"lmdb:/", ""},
        {"lmdb:", "CONFLICT"},
        {"lmdb:store", "CONFLICT"},
        {"lmdb", "CONFLICT"},
        {"LMDB:/x", "CONFLICT"},
        {"lmdbx:/x", "CONFLICT"},
        {"/var/lib/apache2/userprofile", "CONFLICT"},
        {"", "CONFLICT"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_reason(
            up_store_check_uri(rows[i].uri, pool), rows[i].reason,
            apr_psprintf(pool, "up_store_check_uri() of '%s'", rows[i].uri));
}

/* A table of the option NAME, unless that is NULL. */
static const apr_table_t *
option(const char *name, const char *value, apr_pool_t *pool)
{
    apr_table_t *table = apr_table_make(pool, 1);

    if (name)
        apr_table_set(table, name, value);
    return table;
}

static void
options(apr_pool_t *pool)
{
    static const struct {
        const char *name, *value, *says;
    } rows[] = {
        {"map-size", "1M", NULL},
        {"map-size", "16384G", NULL},
        {"map-size", "1048576", NULL},
        {"map-size", "1K", "'1K' is not a size from 1M to 16384G, such as 16G"},
        {"map-size", "16385G",
         "'16385G' is not a size from 1M to 16384G, such as 16G"},
        {"map-size", "", "'' is not a size from 1M to 16384G, such as 16G"},
        {"sync", "full", NULL},
        {"sync", "OFF", NULL},
        {"sync", "maybe", "'maybe' is not 'full' or 'off'"},
        {"colour", "8", NULL},
    };
    const char *uri = temp_lmdb_uri("options", pool), *identity;
    up_store_t *store;
    int made;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int unknown = !strcmp(rows[i].name, "colour");
        const char *alone =
            unknown ? "no store has an option 'colour'" : rows[i].says;
        const char *all =
            unknown ? "the driver 'lmdb' has no option 'colour'"
            : alone ? apr_psprintf(pool, "option '%s': %s", rows[i].name, alone)
                    : NULL;
        const apr_table_t *table = option(rows[i].name, rows[i].value, pool);

        up_error_t *err =
            up_store_check_option(rows[i].name, rows[i].value, pool);
        is(err ? up_error_story(err, pool) : NULL, alone,
           "the option %s = '%s' is %s", rows[i].name, rows[i].value,
           alone ? "refused" : "allowed");
        err = up_store_prepare(&identity, &made, uri, table, geteuid(),
                               getegid(), pool, pool);
        is(err ? up_error_story(err, pool) : NULL, all,
           "making a store with %s = '%s' is %s", rows[i].name, rows[i].value,
           all ? "refused" : "allowed");
        if (!all)
            continue;
        err = up_store_open(&store, uri, table, pool);
        is(err ? up_error_story(err, pool) : NULL, all,
           "opening a store with %s = '%s' is refused", rows[i].name,
           rows[i].value);
        is_reason(err, "CONFLICT",
                  "opening a store with a wrong option is a CONFLICT");
    }
}

static void
differences(apr_pool_t *pool)
{
    static const struct {
        const char *name, *a_value, *b_value;
        int differs;
    } rows[] = {
        {"map-size", "1G", "1024M", 0}, {"map-size", "1G", "1025M", 1},
        {"map-size", "16G", NULL, 0},   {"map-size", NULL, "64M", 1},
        {"sync", "full", "Full", 0},    {"sync", "off", "full", 1},
        {"sync", "full", NULL, 0},      {"sync", NULL, "off", 1},
        {"pool", "8", "9", 0},          {"reads", "primary", "any", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name = rows[i].name, *a = rows[i].a_value,
                   *b = rows[i].b_value;
        is_number(up_store_option_differs("lmdb:/x", name,
                                          option(a ? name : NULL, a, pool),
                                          option(b ? name : NULL, b, pool)),
                  rows[i].differs, "option %s: '%s' and '%s' %s", name,
                  a ? a : "the default", b ? b : "the default",
                  rows[i].differs ? "differ" : "do not differ");
    }
}

static void
opening(apr_pool_t *pool)
{
    const up_item_t *org = make_org("O1", "", pool);
    up_store_t *store, *second;
    const char *identity;

    is_reason(up_store_open(&store, temp_lmdb_uri("absent", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE",
              "opening a folder that does not exist fails");
    mkdir(temp_path("empty", pool), 0700);
    is_reason(up_store_open(&store, temp_lmdb_uri("empty", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE", "opening a folder without a store fails");
    is(owner_and_mode(temp_path("empty/data.mdb", pool), pool), "absent",
       "opening a folder without a store makes none");

    must(up_store_open(&store, temp_lmdb_uri("one", pool),
                       temp_lmdb_scratch(pool), pool));
    must(up_store_open(&second, temp_lmdb_uri("one", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(second == store, "a store that is opened again is the same object");
    must(up_store_open(&second, temp_lmdb_uri("link", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(second == store,
       "a store that is opened through a symlink is the same object");
    up_store_close(second);
    up_store_close(second);
    must(up_store_open(&second, temp_lmdb_uri("other", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(!temp_lmdb_prepare(&identity, "one", geteuid(), pool),
       "an open store can be prepared");
    put_org(store, "O1");
    up_store_close(store);
    ok(!get_item(second, org, pool), "two open stores are two stores");
    up_store_close(second);

    must(up_store_open(&store, temp_lmdb_uri("link", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(get_item(store, org, pool) != NULL,
       "a store that was closed can be opened again and has its items");
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    check_new_files(geteuid(), getegid(), pool);
    identities(pool);
    news(pool);
    refused_folders(pool);
    owners(pool);
    uris(pool);
    options(pool);
    differences(pool);
    opening(pool);
}

int
main(void)
{
    return run_test(test);
}
