/* lmdb_strange.c -- LMDB files that are not, or not quite, a store's. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const up_store_options_t scratch = {.no_sync = 1};

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

    must(temp_lmdb_prepare(&identity, "newer", geteuid(), pool));
    tamper("newer", "\x08\x02", pool);
    up_error_t *err =
        up_store_open(&store, temp_lmdb_uri("newer", pool), &scratch, pool);
    is(reason_of(err), "STORE_UNAVAILABLE", "a newer format");
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the store '%s' has format 2, this version reads format 1",
                    temp_path("newer", pool)),
       "a newer format: what is said");
    tamper("newer", "\x08\x01", pool);
    must(up_store_open(&store, temp_lmdb_uri("newer", pool), &scratch, pool));
    ok(1, "the refusal left the store alone");
    up_store_close(store);

    must(temp_lmdb_prepare(&identity, "senseless", geteuid(), pool));
    tamper("senseless", "\x0a", pool);
    is_reason(
        up_store_open(&store, temp_lmdb_uri("senseless", pool), &scratch, pool),
        "STORE_UNAVAILABLE", "a store that says nonsense of itself");

    mkdir(temp_path("cut", pool), 0700);
    tamper("cut", NULL, pool);
    ok(!up_store_open(&store, temp_lmdb_uri("cut", pool), &scratch, pool),
       "a store whose making was cut off is made");
    must(put(store, ORG("O1", ""), pool));
    up_store_close(store);

    mkdir(temp_path("garbage", pool), 0700);
    FILE *file = fopen(temp_path("garbage/data.mdb", pool), "w");
    for (int i = 0; i < 20000; i++)
        fputc(i % 251, file);
    fclose(file);
    is_reason(
        up_store_open(&store, temp_lmdb_uri("garbage", pool), &scratch, pool),
        "STORE_UNAVAILABLE", "a file that is no LMDB file");
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    strange_files(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
