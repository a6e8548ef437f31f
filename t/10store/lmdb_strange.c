/* lmdb_strange.c -- LMDB files that are not, or not quite, a store's. */
#include "hex.h"
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

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

    must(put(store, ORG("O1", ""), pool));
    up_store_close(store);
    tamper("newer", "meta", "store", "\x08\x02", pool);
    const char *before = data_of("newer", pool);
    up_error_t *err = up_store_open(&store, temp_lmdb_uri("newer", pool),
                                    temp_lmdb_scratch(pool), pool);
    is(reason_of(err), "STORE_UNAVAILABLE", "a newer format");
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the store '%s' has format 2, this version reads format 1",
                    temp_path("newer", pool)),
       "a newer format: what is said");
    ok(before && !strcmp(data_of("newer", pool), before),
       "the refusal left the store alone");
    tamper("newer", "meta", "store", "\x08\x01", pool);
    must(up_store_open(&store, temp_lmdb_uri("newer", pool),
                       temp_lmdb_scratch(pool), pool));
    ok(get(store, ORG("O1", ""), pool) != NULL, "a known format is read");
    up_store_close(store);
}

/* What somebody else keeps in LMDB. */
static void
foreign_files(apr_pool_t *pool)
{
    static const struct {
        const char *name, *database, *key;
    } rows[] = {
        {"a database with a name of its own", "id2entry", "store"},
        {"a database with a name of ours", "meta", "x"},
        {"no database, but a value", NULL, "x"},
        {"a value with the name of a database of ours", NULL, "meta"},
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
           "%s: it is left alone", rows[i].name);
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
              "STORE_UNAVAILABLE", "a store that says nonsense of itself");

    mkdir(temp_path("cut", pool), 0700);
    tamper("cut", NULL, NULL, NULL, pool);
    ok(!up_store_open(&store, temp_lmdb_uri("cut", pool),
                      temp_lmdb_scratch(pool), pool),
       "a store whose making was cut off is made");
    must(put(store, ORG("O1", ""), pool));
    up_store_close(store);

    mkdir(temp_path("garbage", pool), 0700);
    FILE *file = fopen(temp_path("garbage/data.mdb", pool), "w");
    for (int i = 0; i < 20000; i++)
        fputc(i % 251, file);
    fclose(file);
    is_reason(up_store_open(&store, temp_lmdb_uri("garbage", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE", "a file that is no LMDB file");
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    another_format(pool);
    foreign_files(pool);
    damaged_files(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
