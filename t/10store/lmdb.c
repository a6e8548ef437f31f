/* lmdb.c -- an LMDB store's folder, files and sizes. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define MIB (1024 * 1024)

static const up_store_options_t scratch = {.no_sync = 1};

static const char *
uri_of(const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "lmdb:", temp_path(name, pool), NULL);
}

static up_error_t *
prepare(const char **identity, const char *name, uid_t uid, apr_pool_t *pool)
{
    return up_store_prepare(identity, uri_of(name, pool), &scratch, uid,
                            (gid_t)uid, pool, pool);
}

/* A new store called NAME, opened. */
static up_store_t *
make(const char *name, const up_store_options_t *options, apr_pool_t *pool)
{
    const char *identity;
    up_store_t *store;

    must(up_store_prepare(&identity, uri_of(name, pool), options, geteuid(),
                          getegid(), pool, pool));
    must(up_store_open(&store, uri_of(name, pool), options, pool));
    return store;
}

static void
is_reason(const up_error_t *err, const char *reason, const char *name)
{
    is(reason_of(err), reason, "%s", name);
    if (err)
        printf("# %s\n", err->message);
}

/* PATH's owner and mode. */
static const char *
who_and_how(const char *path, apr_pool_t *pool)
{
    struct stat status;

    if (lstat(path, &status))
        return "absent";
    return apr_psprintf(pool, "%lu:%lu %03o", (unsigned long)status.st_uid,
                        (unsigned long)status.st_gid,
                        (unsigned)status.st_mode & 0777);
}

static void
modes_and_owners(apr_pool_t *pool)
{
    static const mode_t masks[] = {0, 022, 077};
    uid_t uid = geteuid() == 0 ? NOBODY : geteuid();
    gid_t gid = geteuid() == 0 ? NOBODY : getegid();
    const char *identity;

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        const char *name = apr_psprintf(pool, "modes%d", (int)i);
        mode_t old = umask(masks[i]);
        must(up_store_prepare(&identity, uri_of(name, pool), &scratch, uid, gid,
                              pool, pool));
        umask(old);
        const char *path = temp_path(name, pool);
        const char *own = apr_psprintf(pool, "%lu:%lu", (unsigned long)uid,
                                       (unsigned long)gid);
        is(who_and_how(path, pool), apr_pstrcat(pool, own, " 700", NULL),
           "umask %03o: the folder", (unsigned)masks[i]);
        is(who_and_how(apr_pstrcat(pool, path, "/data.mdb", NULL), pool),
           apr_pstrcat(pool, own, " 600", NULL), "umask %03o: the data",
           (unsigned)masks[i]);
        is(who_and_how(apr_pstrcat(pool, path, "/lock.mdb", NULL), pool),
           apr_pstrcat(pool, own, " 600", NULL), "umask %03o: the locks",
           (unsigned)masks[i]);
    }
}

static void
identities(apr_pool_t *pool)
{
    const char *one, *other, *linked, *spelled;

    must(prepare(&one, "one", geteuid(), pool));
    must(prepare(&other, "other", geteuid(), pool));
    if (symlink(temp_path("one", pool), temp_path("link", pool)))
        exit(1);
    must(prepare(&linked, "link", geteuid(), pool));
    must(prepare(&spelled, "other/../one/.", geteuid(), pool));
    is(linked, one, "a symlink names the same store");
    is(spelled, one, "so does another spelling");
    ok(strcmp(one, other) != 0, "another folder is another store");
}

static void
refused_folders(apr_pool_t *pool)
{
    const char *identity = NULL;
    uid_t stranger = geteuid() == 0 ? NOBODY : 0;
    struct stat status;

    is_reason(prepare(&identity, "no/such/parent", geteuid(), pool),
              "STORE_UNAVAILABLE", "a folder whose parent is missing");
    fclose(fopen(temp_path("file", pool), "w"));
    is_reason(prepare(&identity, "file", geteuid(), pool), "STORE_UNAVAILABLE",
              "a file");
    if (geteuid() == 0) {
        mkdir(temp_path("roots", pool), 0700);
        is_reason(prepare(&identity, "roots", stranger, pool),
                  "STORE_UNAVAILABLE", "a folder of another user");
        ok(stat(temp_path("roots/data.mdb", pool), &status) != 0,
           "nothing is made in it");
    } else {
        is_reason(up_store_prepare(&identity, "lmdb:/", &scratch, geteuid(),
                                   getegid(), pool, pool),
                  "STORE_UNAVAILABLE", "a folder of another user");
    }
    ok(!identity, "none of them has an identity");
}

/* A folder that others own may have a symlink where root would make a file. */
static void
traps(apr_pool_t *pool)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    const char *identity, *treasure = temp_path("treasure", pool);
    struct stat status;

    if (geteuid() != 0)
        return;
    mkdir(treasure, 0700);
    for (int i = 0; i < 2; i++) {
        const char *trap = apr_psprintf(pool, "trap%d", i);
        const char *target = apr_psprintf(pool, "%s/%s", treasure, names[i]);
        const char *link =
            apr_psprintf(pool, "%s/%s", temp_path(trap, pool), names[i]);
        mkdir(temp_path(trap, pool), 0700);
        if (chown(temp_path(trap, pool), NOBODY, NOBODY) ||
            symlink(target, link))
            exit(1);
        is_reason(prepare(&identity, trap, NOBODY, pool), "STORE_UNAVAILABLE",
                  "a symlink instead of a file");
        ok(stat(target, &status) != 0, "root does not follow it: %s", names[i]);
        is_number(geteuid(), 0, "and is root again");
        is_number(getegid(), 0, "with its group");
    }
}

static void
owners(apr_pool_t *pool)
{
    uid_t uid = 1;
    gid_t gid = 1;

    must(up_store_owner(&uid, &gid, uri_of("absent", pool), pool));
    ok(uid == (uid_t)-1 && gid == (gid_t)-1, "nobody owns what is not there");
    must(up_store_owner(&uid, &gid, uri_of("one", pool), pool));
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

    is_reason(up_store_open(&store, uri_of("absent", pool), &scratch, pool),
              "STORE_UNAVAILABLE", "a folder that is not there");
    mkdir(temp_path("empty", pool), 0700);
    is_reason(up_store_open(&store, uri_of("empty", pool), &scratch, pool),
              "STORE_UNAVAILABLE", "a folder without a store");
    is(who_and_how(temp_path("empty/data.mdb", pool), pool), "absent",
       "opening makes none");

    must(up_store_open(&store, uri_of("one", pool), &scratch, pool));
    is_reason(up_store_open(&second, uri_of("one", pool), &scratch, pool),
              "STORE_UNAVAILABLE", "the same store again");
    is_reason(up_store_open(&second, uri_of("link", pool), &scratch, pool),
              "STORE_UNAVAILABLE", "the same store through a symlink");
    must(up_store_open(&second, uri_of("other", pool), &scratch, pool));
    ok(!prepare(&identity, "one", geteuid(), pool),
       "an open store can be prepared");
    must(put(store, ORG("O1", ""), pool));
    up_store_close(store);
    ok(!get(second, ORG("O1", ""), pool), "two open stores are two stores");
    up_store_close(second);

    must(up_store_open(&store, uri_of("link", pool), &scratch, pool));
    ok(get(store, ORG("O1", ""), pool) != NULL,
       "a store that was closed can be opened and has what it had");
    up_store_close(store);
}

static apr_uint64_t
map_size(const char *name, apr_uint64_t wanted, apr_pool_t *pool)
{
    up_store_options_t options = {.map_size = wanted, .no_sync = 1};
    up_store_stat_t stat;
    up_store_t *store;

    must(up_store_open(&store, uri_of(name, pool), &options, pool));
    must(up_store_stat(&stat, store, pool));
    up_store_close(store);
    return stat.bytes_max;
}

static void
sizes(apr_pool_t *pool)
{
    up_store_stat_t stat;
    const char *identity;

    must(prepare(&identity, "sizes", geteuid(), pool));
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
    up_store_t *store = make("sized", &options, pool);
    must(up_store_stat(&stat, store, pool));
    up_store_close(store);
    is(stat.driver, "lmdb", "the driver's name");
    is_number(stat.readers_max, UP_STORE_READERS, "readers at most");
    ok(stat.bytes_used > 0 && stat.bytes_used < MIB,
       "a new store uses little: %d", (int)stat.bytes_used);
    is_number((long long)map_size("sized", 0, pool), 8 * MIB,
              "a store may be made with another size");
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
    up_store_t *store = make("full", &options, pool);
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
    must(up_store_open(&store, uri_of("full", pool), &options, pool));
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
    up_store_t *store = make("spoilt", &options, pool);
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

/* In a child, since LMDB wants a folder opened once in a process: put VALUE
 * into the meta database of the store called NAME, or, if it is NULL, make an
 * environment without databases. */
static void
tamper(const char *name, const char *value, apr_pool_t *pool)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        MDB_val key = {5, "store"}, data = {0, NULL};
        MDB_env *env;
        MDB_txn *txn;
        MDB_dbi meta;
        int rc = mdb_env_create(&env) || mdb_env_set_maxdbs(env, 1) ||
                 mdb_env_open(env, temp_path(name, pool), 0, 0600);
        if (!rc && value) {
            data.mv_size = strlen(value);
            data.mv_data = apr_pstrdup(pool, value);
            rc = mdb_txn_begin(env, NULL, 0, &txn) ||
                 mdb_dbi_open(txn, "meta", 0, &meta) ||
                 mdb_put(txn, meta, &key, &data, 0) || mdb_txn_commit(txn);
        }
        mdb_env_close(env);
        _exit(rc != 0);
    }
    if (waitpid(child, &status, 0) != child || status) {
        printf("Bail out! cannot tamper with %s\n", name);
        exit(1);
    }
}

static void
strange_files(apr_pool_t *pool)
{
    up_store_t *store;
    const char *identity;

    must(prepare(&identity, "newer", geteuid(), pool));
    tamper("newer", "\x08\x02", pool);
    up_error_t *err =
        up_store_open(&store, uri_of("newer", pool), &scratch, pool);
    is(reason_of(err), "STORE_UNAVAILABLE", "a newer format");
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the store '%s' has format 2, this version reads format 1",
                    temp_path("newer", pool)),
       "a newer format: what is said");
    tamper("newer", "\x08\x01", pool);
    must(up_store_open(&store, uri_of("newer", pool), &scratch, pool));
    ok(1, "the refusal left the store alone");
    up_store_close(store);

    must(prepare(&identity, "senseless", geteuid(), pool));
    tamper("senseless", "\x0a", pool);
    is_reason(up_store_open(&store, uri_of("senseless", pool), &scratch, pool),
              "STORE_UNAVAILABLE", "a store that says nonsense of itself");

    mkdir(temp_path("cut", pool), 0700);
    tamper("cut", NULL, pool);
    ok(!up_store_open(&store, uri_of("cut", pool), &scratch, pool),
       "a store whose making was cut off is made");
    must(put(store, ORG("O1", ""), pool));
    up_store_close(store);

    mkdir(temp_path("garbage", pool), 0700);
    FILE *file = fopen(temp_path("garbage/data.mdb", pool), "w");
    for (int i = 0; i < 20000; i++)
        fputc(i % 251, file);
    fclose(file);
    is_reason(up_store_open(&store, uri_of("garbage", pool), &scratch, pool),
              "STORE_UNAVAILABLE", "a file that is no LMDB file");
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    modes_and_owners(pool);
    identities(pool);
    refused_folders(pool);
    traps(pool);
    owners(pool);
    uris(pool);
    opening(pool);
    sizes(pool);
    full_map(pool);
    spoilt_batch(pool);
    strange_files(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
