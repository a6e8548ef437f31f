/* pg_threads.c -- threads share a store's few connections while these are cut:
 * each call has an answer that is true, and no connection is lost from the
 * pool. 'make tsan' runs it under ThreadSanitizer. */
#include "store_contract.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"
#include "temp_postgresql.h"

#include <stdio.h>

#ifdef UP_POSTGRESQL

#include <apr_strings.h>
#include <pthread.h>
#include <string.h>

#define THREADS 8
#define CONNECTIONS "3"
#define CUTS 40
#define CALLS 30

/* What a worker does, besides its CALLS, while connections are cut. */
static int is_cutting; /* atomic, as is: */
static int served;     /* how many calls were */

typedef struct worker_t {
    up_store_t *store;
    int changed, unknown, read; /* of its calls */
    char wrong[512];            /* "": nothing */
    pthread_t thread;
} worker_t;

/* Count what ERR, of a change or a read, says. */
static void
count(worker_t *worker, const up_error_t *err, int *done, apr_pool_t *pool)
{
    if (!err) {
        ++*done;
        __atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
    } else if (err->reason == UP_OUTCOME_UNKNOWN) {
        worker->unknown++;
    } else if (err->reason != UP_STORE_UNAVAILABLE) {
        apr_cpystrn(worker->wrong, up_error_story(err, pool),
                    sizeof(worker->wrong));
    }
}

static void *
work(void *baton)
{
    worker_t *worker = baton;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    for (int i = 0; i < CALLS || __atomic_load_n(&is_cutting, __ATOMIC_ACQUIRE);
         i++) {
        script_t script = {.action = CHANGE};
        up_query_t query = {.caller = "A", .user = "A"};
        const up_user_t *after;
        up_view_t *view;

        apr_pool_clear(pool);
        count(worker,
              up_store_update(&after, worker->store, "O1", "A", decide, &script,
                              pool, pool),
              &worker->changed, pool);
        count(worker, up_store_read(&view, worker->store, &query, pool, pool),
              &worker->read, pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

/* Wait for WORKERS, and add up what they have counted. */
static worker_t
collect(const worker_t *workers)
{
    worker_t sum = {0};

    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        sum.changed += workers[i].changed;
        sum.unknown += workers[i].unknown;
        sum.read += workers[i].read;
        if (*workers[i].wrong)
            memcpy(sum.wrong, workers[i].wrong, sizeof(sum.wrong));
    }
    return sum;
}

/* Cut the connections of the database of URI, again when some more calls were
 * served. */
static void *
cut(void *uri)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    for (int i = 0; i < CUTS; i++) {
        int enough = __atomic_load_n(&served, __ATOMIC_RELAXED) + THREADS;
        while (__atomic_load_n(&served, __ATOMIC_RELAXED) < enough)
            apr_sleep(1000);
        apr_pool_clear(pool);
        temp_postgresql_sql(uri,
                            "SELECT pg_terminate_backend(pid) "
                            "FROM pg_stat_activity WHERE datname = "
                            "current_database() AND pid <> pg_backend_pid()",
                            pool);
    }
    apr_pool_destroy(pool);
    __atomic_store_n(&is_cutting, 0, __ATOMIC_RELEASE);
    return NULL;
}

static void
start(pthread_t *thread, void *(*run)(void *), void *baton, apr_pool_t *pool)
{
    if (pthread_create(thread, NULL, run, baton))
        must(up_error(pool, UP_INTERNAL, APR_SUCCESS, "no thread"));
}

static void
test(apr_pool_t *pool)
{
    char *uri = apr_pstrdup(pool, temp_postgresql_uri(pool));
    worker_t workers[THREADS] = {0}, sum;
    apr_table_t *options = apr_table_make(pool, 1);
    const char *identity;
    pthread_t cutter;
    up_store_t *store;
    up_view_t *view;
    int made;

    must(up_store_prepare(&identity, &made, uri, NULL, 0, 0, pool, pool));
    apr_table_setn(options, "pool", CONNECTIONS);
    must(up_store_open(&store, uri, options, pool));
    put_small(store);
    is_cutting = 1;
    for (int i = 0; i < THREADS; i++) {
        workers[i].store = store;
        start(&workers[i].thread, work, &workers[i], pool);
    }
    start(&cutter, cut, uri, pool);
    sum = collect(workers);
    pthread_join(cutter, NULL);

    is(sum.wrong, "", "calls fail for no other reason than a connection");
    ok(sum.changed > 0 && sum.read > 0, "changes and reads are served");
    up_query_t query = {.caller = "A", .user = "A"};
    up_error_t *err;
    do
        err = up_store_read(&view, store, &query, pool, pool);
    while (err && err->reason == UP_STORE_UNAVAILABLE);
    must(err);
    long long changes = (long long)view->user->sequence - 1;
    ok(changes >= sum.changed && changes <= sum.changed + sum.unknown,
       "each change that is acknowledged was made once: of %d to %d",
       sum.changed, sum.changed + sum.unknown);
    is_number(count_items(store, UP_KIND_EVENT, pool), changes,
              "each change has one event");

    /* All at once, and none is cut: if the pool had lost one, it would show. */
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){.store = store};
        start(&workers[i].thread, work, &workers[i], pool);
    }
    sum = collect(workers);
    is(sum.wrong, "", "when no connection is cut, no call fails");
    is_number(sum.changed + sum.read, 2LL * THREADS * CALLS,
              "and all are served");
    is(temp_postgresql_sql(uri,
                           "SELECT count(*) FROM pg_stat_activity WHERE "
                           "datname = current_database() AND "
                           "pid <> pg_backend_pid()",
                           pool),
       CONNECTIONS, "by as many connections as there may be");
    up_store_close(store);
}

int
main(void)
{
    return run_test(test);
}

#else

int
main(void)
{
    printf("1..1\nok 1 - no driver for PostgreSQL is built in\n");
    return 0;
}

#endif
