/* lmdb_strange.c -- LMDB files that are not, or not quite, a store's. */
#include "hex.h"
#include "store_items.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child, since LMDB wants a folder opened once in a process: make an
 * environment in the folder NAME, if there is none, and put VALUE there under
 * KEY, unless that is NULL; in DATABASE, or if it is NULL, in the unnamed one.
 */
static void
tamper(const char *name,
       const char *database,
       const char *key,
       const char *value,
       apr_pool_t *pool)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        MDB_env *env;
        MDB_txn *txn;
        MDB_dbi dbi;
        int rc = mdb_env_create(&env) || mdb_env_set_maxdbs(env, 1) ||
                 mdb_env_open(env, temp_path(name, pool), 0, 0600);
        if (!rc && key) {
            MDB_val k = {strlen(key), apr_pstrdup(pool, key)};
            MDB_val v = {strlen(value), apr_pstrdup(pool, value)};
            rc = mdb_txn_begin(env, NULL, 0, &txn) ||
                 mdb_dbi_open(txn, database, database ? MDB_CREATE : 0, &dbi) ||
                 mdb_put(txn, dbi, &k, &v, 0) || mdb_txn_commit(txn);
        }
        mdb_env_close(env);
        _exit(rc != 0);
    }
    if (waitpid(child, &status, 0) != child || status) {
        printf("Bail out! cannot tamper with %s\n", name);
        exit(1);
    }
}

/* The bytes of the data in the folder NAME, as hex digits. */
static const char *
data_of(const char *name, apr_pool_t *pool)
{
    const char *path =
        apr_pstrcat(pool, temp_path(name, pool), "/data.mdb", NULL);
    apr_size_t length;
    struct stat status;
    int file = open(path, O_RDONLY);

    if (file < 0 || fstat(file, &status))
        return NULL;
    length = (apr_size_t)status.st_size;
    char *bytes = apr_palloc(pool, length);
    if (read(file, bytes, length) != status.st_size)
        bytes = NULL;
    close(file);
    return bytes ? hex_show(bytes, length, pool) : NULL;
}

static void
another_format(apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make("newer", temp_lmdb_scratch(pool), pool);

    put_org(store, "O1");
    up_store_close(store);
    tamper("newer", "meta", "store", "\x08\x02", pool);
    const char *before = data_of("newer", pool);
    up_error_t *err = up_store_open(&store, temp_lmdb_uri("newer", pool),
                                    temp_lmdb_scratch(pool), pool);
    is(reason_of(err), "STORE_UNAVAILABLE",
       "a store of a newer format is not opened");
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the store '%s' has format 2, this version reads format 1",
                    temp_path("newer", pool)),
       "a newer format: the message");
    ok(before && !strcmp(data_of("newer", pool), before),
       "a newer format: the store is left as it is");
    tamper("newer", "meta", "store", "\x08\x01", pool);
    must(up_store_open(&store, temp_lmdb_uri("newer", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(get_item(store, make_org("O1", "", pool), pool) != NULL,
       "a store of the known format is opened");
    up_store_close(store);
}

/* LMDB environments of other programs. */
static void
foreign_files(apr_pool_t *pool)
{
    static const struct {
        const char *name, *database, *key;
    } rows[] = {
        {"a database of another name is not opened", "id2entry", "store"},
        {"a database of the same name, but without our key, is not opened",
         "meta", "x"},
        {"a value without a named database is not opened", NULL, "x"},
        {"a value with the name of our database is not opened", NULL, "meta"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *folder = apr_psprintf(pool, "foreign%d", (int)i);
        up_store_t *store;
        mkdir(temp_path(folder, pool), 0700);
        tamper(folder, rows[i].database, rows[i].key, "theirs", pool);
        const char *before = data_of(folder, pool);
        is_reason(up_store_open(&store, temp_lmdb_uri(folder, pool),
                                temp_lmdb_scratch(pool), pool),
                  "STORE_UNAVAILABLE", rows[i].name);
        ok(before && !strcmp(data_of(folder, pool), before),
           "%s, and left as it is", rows[i].name);
    }
}

static void
damaged_files(apr_pool_t *pool)
{
    up_store_t *store;
    const char *identity;

    must(temp_lmdb_prepare(&identity, "senseless", geteuid(), pool));
    tamper("senseless", "meta", "store", "\x0a", pool);
    is_reason(up_store_open(&store, temp_lmdb_uri("senseless", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE",
              "a store whose own record cannot be read is not opened");

    mkdir(temp_path("cut", pool), 0700);
    tamper("cut", NULL, NULL, NULL, pool);
    ok(!up_store_open(&store, temp_lmdb_uri("cut", pool),
                      temp_lmdb_scratch(pool), pool),
       "an empty environment, left by a crash, becomes a store");
    put_org(store, "O1");
    up_store_close(store);

    mkdir(temp_path("garbage", pool), 0700);
    FILE *file = fopen(temp_path("garbage/data.mdb", pool), "w");
    for (int i = 0; i < 20000; i++)
        fputc(i % 251, file);
    fclose(file);
    is_reason(up_store_open(&store, temp_lmdb_uri("garbage", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE", "a file that is not LMDB's is not opened");
}

static void
test(apr_pool_t *pool)
{
    another_format(pool);
    foreign_files(pool);
    damaged_files(pool);
}

int
main(void)
{
    return run_test(test);
}
