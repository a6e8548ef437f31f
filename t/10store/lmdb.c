/* lmdb.c -- an LMDB store's folder and files. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

#include <apr_general.h>
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
    is(spelled, one, "so does another spelling");
    ok(strcmp(one, other) != 0, "another folder is another store");
}

/* Whether there was no store before is what the log is to say. */
static void
news(apr_pool_t *pool)
{
    static const struct {
        const char *what;
        int want;
    } turns[] = {{"a folder that is not there", 1},
                 {"a store that is", 0},
                 {"an empty folder", 1}};
    const char *identity, *uri = temp_lmdb_uri("news", pool);
    int made;

    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        if (i == 2) {
            unlink(temp_path("news/data.mdb", pool));
            unlink(temp_path("news/lock.mdb", pool));
        }
        must(up_store_prepare(&identity, &made, uri, temp_lmdb_scratch(pool),
                              geteuid(), getegid(), pool, pool));
        ok(made == turns[i].want, "%s: a store is %s", turns[i].what,
           turns[i].want ? "made" : "not made");
    }
}

static void
refused_folders(apr_pool_t *pool)
{
    const char *identity = NULL;
    int made;

    is_reason(temp_lmdb_prepare(&identity, "no/such/parent", geteuid(), pool),
              "STORE_UNAVAILABLE", "a folder whose parent is missing");
    fclose(fopen(temp_path("file", pool), "w"));
    is_reason(temp_lmdb_prepare(&identity, "file", geteuid(), pool),
              "STORE_UNAVAILABLE", "a file");
    if (geteuid() != 0) /* for root see root_lmdb.c */
        is_reason(up_store_prepare(&identity, &made, "lmdb:/",
                                   temp_lmdb_scratch(pool), geteuid(),
                                   getegid(), pool, pool),
                  "STORE_UNAVAILABLE", "a folder of another user");
    ok(!identity, "none of them has an identity");
}

static void
owners(apr_pool_t *pool)
{
    uid_t uid = 1;
    gid_t gid = 1;

    must(up_store_owner(&uid, &gid, temp_lmdb_uri("absent", pool), pool));
    ok(uid == (uid_t)-1 && gid == (gid_t)-1, "nobody owns what is not there");
    must(up_store_owner(&uid, &gid, temp_lmdb_uri("one", pool), pool));
    ok(uid == geteuid() && gid == getegid(), "the folder's owner owns a store");
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
        is_reason(up_store_check_uri(rows[i].uri, pool), rows[i].reason,
                  apr_psprintf(pool, "'%s'", rows[i].uri));
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
        {"pool", "8", NULL},
    };
    const char *uri = temp_lmdb_uri("options", pool), *identity;
    up_store_t *store;
    int made;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int unknown = !strcmp(rows[i].name, "pool");
        const char *alone =
            unknown ? "no store has an option 'pool'" : rows[i].says;
        const char *all =
            unknown ? "the driver 'lmdb' has no option 'pool'"
            : alone ? apr_psprintf(pool, "option '%s': %s", rows[i].name, alone)
                    : NULL;
        const apr_table_t *table = option(rows[i].name, rows[i].value, pool);

        up_error_t *err =
            up_store_check_option(rows[i].name, rows[i].value, pool);
        is(err ? up_error_story(err, pool) : NULL, alone, "%s = '%s'",
           rows[i].name, rows[i].value);
        err = up_store_prepare(&identity, &made, uri, table, geteuid(),
                               getegid(), pool, pool);
        is(err ? up_error_story(err, pool) : NULL, all,
           "%s = '%s', of a store that is made", rows[i].name, rows[i].value);
        if (!all)
            continue;
        err = up_store_open(&store, uri, table, pool);
        is(err ? up_error_story(err, pool) : NULL, all,
           "%s = '%s', of a store that is opened", rows[i].name, rows[i].value);
        is_reason(err, "CONFLICT", "... is the administrator's mistake");
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
        {"pool", "8", "9", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name = rows[i].name, *a = rows[i].a_value,
                   *b = rows[i].b_value;
        is_number(up_store_option_differs("lmdb:/x", name,
                                          option(a ? name : NULL, a, pool),
                                          option(b ? name : NULL, b, pool)),
                  rows[i].differs, "%s: '%s' and '%s' %s", name,
                  a ? a : "the default", b ? b : "the default",
                  rows[i].differs ? "differ" : "do not differ");
    }
}

static void
opening(apr_pool_t *pool)
{
    up_store_t *store, *second;
    const char *identity;

    is_reason(up_store_open(&store, temp_lmdb_uri("absent", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE", "a folder that is not there");
    mkdir(temp_path("empty", pool), 0700);
    is_reason(up_store_open(&store, temp_lmdb_uri("empty", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE", "a folder without a store");
    is(who_and_how(temp_path("empty/data.mdb", pool), pool), "absent",
       "opening makes none");

    must(up_store_open(&store, temp_lmdb_uri("one", pool),
                       temp_lmdb_scratch(pool), pool));
    must(up_store_open(&second, temp_lmdb_uri("one", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(second == store, "opened again, it is the same store");
    must(up_store_open(&second, temp_lmdb_uri("link", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(second == store, "through a symlink too");
    up_store_close(second);
    up_store_close(second);
    must(up_store_open(&second, temp_lmdb_uri("other", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(!temp_lmdb_prepare(&identity, "one", geteuid(), pool),
       "an open store can be prepared");
    must(put(store, ORG("O1", ""), pool));
    up_store_close(store);
    ok(!get(second, ORG("O1", ""), pool), "two open stores are two stores");
    up_store_close(second);

    must(up_store_open(&store, temp_lmdb_uri("link", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(get(store, ORG("O1", ""), pool) != NULL,
       "a store that was closed can be opened and has what it had");
    up_store_close(store);
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    check_new_files(geteuid(), getegid(), pool);
    identities(pool);
    news(pool);
    refused_folders(pool);
    owners(pool);
    uris(pool);
    options(pool);
    differences(pool);
    opening(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
