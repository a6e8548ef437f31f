/* up_lmdb_env.c -- LMDB's environment: opening it, and its transactions. */
#include "store/up_lmdb.h"

#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT "1" /* of record.proto and of the keys */
#define FILE_MODE 0600

/* How many updates may share a transaction. The bound keeps one from holding
 * up other processes for long; 1 would flush each by itself. */
#ifndef UP_LMDB_BATCH
#define UP_LMDB_BATCH 256
#endif

/* Two openers can disturb each other (lmdb.h), and children start together. */
#define OPEN_TRIES 20
#define OPEN_PAUSE apr_time_from_msec(50)

/* Between two looks for readers that died, and two tries to open again. */
#define READER_CHECK apr_time_from_sec(10)
#define REOPEN_PAUSE apr_time_from_sec(1)

static const char *const names[LMDB_DATABASES] = {
    [LMDB_META] = "meta",       [LMDB_ORG] = "org",
    [LMDB_PROFILE] = "profile", [LMDB_HOME] = "home",
    [LMDB_MEMBER] = "member",   [LMDB_TOKEN] = "token",
    [LMDB_EVENT] = "event",
};

/* Every environment open in this process: a second one of the same folder
 * would break the locks of the first (lmdb.h). */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static lmdb_store_t *open_stores;

static int
register_store(lmdb_store_t *store)
{
    int is_first = 1;

    pthread_mutex_lock(&list_lock);
    for (lmdb_store_t *other = open_stores; other; other = other->next_open) {
        if (other->device == store->device && other->inode == store->inode)
            is_first = 0;
    }
    if (is_first) {
        store->next_open = open_stores;
        open_stores = store;
    }
    pthread_mutex_unlock(&list_lock);
    return is_first;
}

static void
unregister_store(lmdb_store_t *store)
{
    lmdb_store_t **link = &open_stores;

    pthread_mutex_lock(&list_lock);
    while (*link != store)
        link = &(*link)->next_open;
    *link = store->next_open;
    pthread_mutex_unlock(&list_lock);
}

/* Open the environment into STORE; returns LMDB's result. */
static int
open_environment(lmdb_store_t *store)
{
    unsigned flags = MDB_NOTLS | (store->options.no_sync ? MDB_NOSYNC : 0);
    MDB_env *env;

    int rc = mdb_env_create(&env);
    if (rc)
        return rc;
    rc = mdb_env_set_maxreaders(env, UP_STORE_READERS);
    if (!rc)
        rc = mdb_env_set_maxdbs(env, LMDB_DATABASES);
    if (!rc && store->options.map_size)
        rc = mdb_env_set_mapsize(env, store->options.map_size);
    if (!rc)
        rc = mdb_env_open(env, store->path, flags, FILE_MODE);
    if (rc)
        mdb_env_close(env);
    else
        store->env = env;
    return rc;
}

/* Open all databases in TXN, making them if it may. */
static int
open_databases(lmdb_store_t *store, MDB_txn *txn, unsigned flags)
{
    int rc = 0;

    for (int i = 0; i < LMDB_DATABASES && !rc; i++)
        rc = mdb_dbi_open(txn, names[i], flags, &store->database[i]);
    return rc;
}

/* Make the databases of a store that has none yet. */
static int
lay_out(lmdb_store_t *store)
{
    MDB_val key = up_lmdb_text("format"), value = up_lmdb_text(FORMAT);
    MDB_txn *txn;

    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc)
        return rc;
    rc = open_databases(store, txn, MDB_CREATE);
    if (!rc)
        rc = mdb_put(txn, store->database[LMDB_META], &key, &value, 0);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

/* Look whether what is open is a store of ours, and open its databases;
 * returns LMDB's result and sets *FORMAT_FOUND, "" if it has none. */
static int
load(const char **format_found, lmdb_store_t *store, apr_pool_t *pool)
{
    MDB_val key = up_lmdb_text("format"), value;
    MDB_txn *txn;

    *format_found = "";
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return rc;
    rc = mdb_dbi_open(txn, names[LMDB_META], 0, &store->database[LMDB_META]);
    if (!rc)
        rc = mdb_get(txn, store->database[LMDB_META], &key, &value);
    if (!rc) {
        *format_found = apr_pstrmemdup(pool, value.mv_data, value.mv_size);
        if (!strcmp(*format_found, FORMAT))
            rc = open_databases(store, txn, 0);
    }
    if (rc) {
        mdb_txn_abort(txn);
        return rc == MDB_NOTFOUND && !**format_found ? 0 : rc;
    }
    return mdb_txn_commit(txn); /* keeps the handles */
}

/* Open STORE's environment and databases. A store that is empty, as one is
 * whose making was cut off, is laid out. Closes it again on failure. */
static up_error_t *
open_store(lmdb_store_t *store, apr_pool_t *pool)
{
    const char *format = "";
    up_error_t *err = NULL;
    MDB_stat stat;

    int rc = open_environment(store);
    if (rc)
        return up_lmdb_error(rc, "open what is", store, pool);
    mdb_reader_check(store->env, NULL);
    rc = load(&format, store, pool);
    if (!rc && !*format) {
        mdb_env_stat(store->env, &stat);
        rc = stat.ms_entries ? MDB_INVALID : lay_out(store);
    } else if (!rc && strcmp(format, FORMAT) != 0) {
        err = up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                       "the LMDB store '%s' has format %s, and this version "
                       "reads format " FORMAT,
                       store->path, format);
    }
    if (rc)
        err = up_lmdb_error(rc, "find databases of ours", store, pool);
    if (err) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
    return err;
}

/* The same, tried for up to a second while another opener may be at work. */
static up_error_t *
open_patiently(lmdb_store_t *store, apr_pool_t *pool)
{
    up_error_t *err = NULL;

    for (int i = 0; i < OPEN_TRIES; i++) {
        err = open_store(store, pool);
        if (!err || err->reason != UP_STORE_UNAVAILABLE)
            return err;
        if (access(store->path, R_OK | W_OK | X_OK))
            return err; /* waiting will not help */
        apr_sleep(OPEN_PAUSE);
    }
    return err;
}

up_error_t *
up_lmdb_create(up_store_t **store,
               const char *location,
               const up_store_options_t *options,
               apr_pool_t *result_pool)
{
    lmdb_store_t *lmdb = apr_pcalloc(result_pool, sizeof(*lmdb));
    struct stat status;

    lmdb->base.driver = &up_store_lmdb;
    lmdb->path = apr_pstrdup(result_pool, location);
    lmdb->options = *options;
    if (stat(location, &status))
        return up_error(result_pool, UP_STORE_UNAVAILABLE, errno,
                        "cannot find the LMDB store '%s'", location);
    UP_ERR(up_queue_make(&lmdb->queue, UP_LMDB_BATCH, up_lmdb_run_updates, lmdb,
                         result_pool));
    lmdb->device = status.st_dev;
    lmdb->inode = status.st_ino;
    if (!register_store(lmdb))
        return up_error(result_pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' is open in this process already",
                        location);
    up_error_t *err = open_patiently(lmdb, result_pool);
    if (err) {
        unregister_store(lmdb);
        return err;
    }
    pthread_mutex_init(&lmdb->gate, NULL);
    pthread_cond_init(&lmdb->changed, NULL);
    *store = &lmdb->base;
    return NULL;
}

up_error_t *
up_lmdb_open(up_store_t **store,
             const char *location,
             const up_store_options_t *options,
             apr_pool_t *result_pool)
{
    struct stat status;

    UP_ERR(up_lmdb_check(location, result_pool));
    if (stat(apr_pstrcat(result_pool, location, "/data.mdb", NULL), &status))
        return up_error(result_pool, UP_STORE_UNAVAILABLE, errno,
                        "cannot find an LMDB store in '%s'", location);
    return up_lmdb_create(store, location, options, result_pool);
}

void
up_lmdb_close(up_store_t *store)
{
    lmdb_store_t *lmdb = up_lmdb_downcast(store);

    if (lmdb->env)
        mdb_env_close(lmdb->env);
    unregister_store(lmdb);
    pthread_cond_destroy(&lmdb->changed);
    pthread_mutex_destroy(&lmdb->gate);
}

/* Leave the gate. Who closes it first says so and then looks who is inside;
 * here it is the other way round, so that one sees the other. */
static void
leave(lmdb_store_t *store)
{
    if (__atomic_sub_fetch(&store->inside, 1, __ATOMIC_SEQ_CST) ||
        !__atomic_load_n(&store->closed, __ATOMIC_SEQ_CST))
        return;
    pthread_mutex_lock(&store->gate);
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->gate);
}

/* Pass the gate. */
static void
enter(lmdb_store_t *store)
{
    for (;;) {
        __atomic_add_fetch(&store->inside, 1, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&store->closed, __ATOMIC_SEQ_CST))
            return;
        leave(store);
        pthread_mutex_lock(&store->gate);
        while (store->closed)
            pthread_cond_wait(&store->changed, &store->gate);
        pthread_mutex_unlock(&store->gate);
    }
}

/* Adopt the map size that another process has set. */
static up_error_t *
adopt_size(lmdb_store_t *store, apr_pool_t *pool)
{
    int rc = mdb_env_set_mapsize(store->env, 0);

    if (!rc)
        return NULL;
    return up_lmdb_error(rc, "adopt a new map size", store, pool);
}

/* Close the environment, in which a meta write failed, and open it again. */
static up_error_t *
reopen(lmdb_store_t *store, apr_pool_t *pool)
{
    if (apr_time_now() < store->next_reopen)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the LMDB store '%s' could not be opened again a "
                        "moment ago",
                        store->path);
    if (store->env)
        mdb_env_close(store->env);
    store->env = NULL;
    store->openings++;
    store->next_reopen = apr_time_now() + REOPEN_PAUSE;
    return open_store(store, pool);
}

/* Close the gate, wait until nobody is inside, and apply REMEDY, unless
 * another thread was at it already. SEEN tells the environment in trouble from
 * a later one. */
static up_error_t *
remedy(lmdb_store_t *store,
       up_error_t *(*apply)(lmdb_store_t *, apr_pool_t *),
       unsigned seen,
       apr_pool_t *pool)
{
    up_error_t *err = NULL;

    pthread_mutex_lock(&store->gate);
    if (store->closed) {
        while (store->closed)
            pthread_cond_wait(&store->changed, &store->gate);
    } else {
        __atomic_store_n(&store->closed, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&store->inside, __ATOMIC_SEQ_CST))
            pthread_cond_wait(&store->changed, &store->gate);
        if (store->openings == seen)
            err = apply(store, pool);
        __atomic_store_n(&store->closed, 0, __ATOMIC_SEQ_CST);
        pthread_cond_broadcast(&store->changed);
    }
    pthread_mutex_unlock(&store->gate);
    return err;
}

/* Give back the reader slots of processes that died: each keeps every freed
 * page from being used again. The gate is passed. */
static void
check_readers(lmdb_store_t *store)
{
    apr_time_t now = apr_time_now();
    int due;

    pthread_mutex_lock(&store->gate);
    due = now >= store->next_reader_check;
    if (due)
        store->next_reader_check = now + READER_CHECK;
    pthread_mutex_unlock(&store->gate);
    if (due)
        mdb_reader_check(store->env, NULL);
}

up_error_t *
up_lmdb_begin(MDB_txn **txn,
              lmdb_store_t *store,
              unsigned flags,
              apr_pool_t *pool)
{
    for (int tries = 0;; tries++) {
        enter(store);
        unsigned seen = store->openings;
        int rc = MDB_PANIC;
        if (store->env) {
            if (!(flags & MDB_RDONLY))
                check_readers(store);
            rc = mdb_txn_begin(store->env, NULL, flags, txn);
        }
        if (!rc)
            return NULL;
        leave(store);
        if (rc == MDB_MAP_RESIZED && tries < 3)
            UP_ERR(remedy(store, adopt_size, seen, pool));
        else if (rc == MDB_PANIC && tries < 1)
            UP_ERR(remedy(store, reopen, seen, pool));
        else
            return up_lmdb_error(rc, "begin a transaction", store, pool);
    }
}

void
up_lmdb_abort(lmdb_store_t *store, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    leave(store);
}

up_error_t *
up_lmdb_commit(lmdb_store_t *store, MDB_txn *txn, apr_pool_t *pool)
{
    int rc = mdb_txn_commit(txn);

    leave(store);
    return rc ? up_lmdb_commit_error(rc, store, pool) : NULL;
}
