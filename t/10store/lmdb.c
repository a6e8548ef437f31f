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

static const up_store_options_t scratch = {.no_sync = 1};

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
        must(up_store_prepare(&identity, &made, uri, &scratch, geteuid(),
                              getegid(), pool, pool));
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
        is_reason(up_store_prepare(&identity, &made, "lmdb:/", &scratch,
                                   geteuid(), getegid(), pool, pool),
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

static void
opening(apr_pool_t *pool)
{
    up_store_t *store, *second;
    const char *identity;

    is_reason(
        up_store_open(&store, temp_lmdb_uri("absent", pool), &scratch, pool),
        "STORE_UNAVAILABLE", "a folder that is not there");
    mkdir(temp_path("empty", pool), 0700);
    is_reason(
        up_store_open(&store, temp_lmdb_uri("empty", pool), &scratch, pool),
        "STORE_UNAVAILABLE", "a folder without a store");
    is(who_and_how(temp_path("empty/data.mdb", pool), pool), "absent",
       "opening makes none");

    must(up_store_open(&store, temp_lmdb_uri("one", pool), &scratch, pool));
    must(up_store_open(&second, temp_lmdb_uri("one", pool), &scratch, pool));
    ok(second == store, "opened again, it is the same store");
    must(up_store_open(&second, temp_lmdb_uri("link", pool), &scratch, pool));
    ok(second == store, "through a symlink too");
    up_store_close(second);
    up_store_close(second);
    must(up_store_open(&second, temp_lmdb_uri("other", pool), &scratch, pool));
    ok(!temp_lmdb_prepare(&identity, "one", geteuid(), pool),
       "an open store can be prepared");
    must(put(store, ORG("O1", ""), pool));
    up_store_close(store);
    ok(!get(second, ORG("O1", ""), pool), "two open stores are two stores");
    up_store_close(second);

    must(up_store_open(&store, temp_lmdb_uri("link", pool), &scratch, pool));
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
    opening(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
