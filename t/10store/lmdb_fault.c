/* lmdb_fault.c -- an LMDB store on a disk that fails. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS 50

/* How far the time of day was set back, in seconds. */
static time_t set_back;

__attribute__((visibility("default"))) int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    int rc = (int)syscall(SYS_gettimeofday, time, zone);

    time->tv_sec -= set_back;
    return rc;
}

/* What fails next. LMDB writes pages by pwrite() and writev(), flushes them by
 * fdatasync(), and then writes a meta page to a descriptor that is opened for
 * synchronous writing. */
typedef enum where_t {
    NOWHERE,
    IN_PAGES,
    IN_FLUSH,
    IN_META,
    IN_OPEN,   /* of a file for writing */
    IN_PROCESS /* the lock of this process, by its process id */
} where_t;

static where_t where;
static int times, why;

/* Whether a call at PLACE is to fail now; sets errno, to 0 if the call is to
 * write less than it is asked to. */
static int
fails(where_t place)
{
    if (__atomic_load_n(&where, __ATOMIC_ACQUIRE) != place ||
        __atomic_fetch_sub(&times, 1, __ATOMIC_RELAXED) <= 0)
        return 0;
    errno = __atomic_load_n(&why, __ATOMIC_RELAXED);
    return 1;
}

static where_t
place_of(int file)
{
    return fcntl(file, F_GETFL) & O_DSYNC ? IN_META : IN_PAGES;
}

/* LMDB calls the executable's functions rather than the C library's. */
__attribute__((visibility("default"))) ssize_t
pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    if (!fails(place_of(file)))
        return syscall(SYS_pwrite64, file, bytes, length, offset);
    return errno ? -1 : (ssize_t)length / 2;
}

__attribute__((visibility("default"))) ssize_t
writev(int file, const struct iovec *vector, int count)
{
    if (!fails(IN_PAGES))
        return syscall(SYS_writev, file, vector, count);
    return errno ? -1 : (ssize_t)vector[0].iov_len / 2;
}

__attribute__((visibility("default"))) int
fdatasync(int file)
{
    if (fails(IN_FLUSH))
        return -1;
    return (int)syscall(SYS_fdatasync, file);
}

__attribute__((visibility("default"))) int
open(const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (flags & (O_WRONLY | O_RDWR | O_CREAT) && fails(IN_OPEN))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

__attribute__((visibility("default"))) int
fcntl(int file, int command, ...)
{
    va_list args;

    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    if (command == F_SETLK &&
        ((const struct flock *)argument)->l_start == getpid() &&
        fails(IN_PROCESS))
        return -1;
    return (int)syscall(SYS_fcntl, file, command, argument);
}

static void
let_fail(where_t place, int how_often, int error)
{
    __atomic_store_n(&why, error, __ATOMIC_RELAXED);
    __atomic_store_n(&times, how_often, __ATOMIC_RELAXED);
    __atomic_store_n(&where, place, __ATOMIC_RELEASE);
}

static up_error_t *
change(up_store_t *store, const char *user, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, "O1", user, decide, &script, pool,
                           pool);
}

static long long
sequence(up_store_t *store, const char *user, apr_pool_t *pool)
{
    up_query_t query = {.wanted = "O1", .user = user};
    up_view_t *view;

    must(up_store_read(&view, store, &query, pool, pool));
    return view->user ? (long long)view->user->sequence : 0;
}

static up_store_t *
make(const char *name, apr_pool_t *pool)
{
    up_store_t *store =
        temp_lmdb_make(name, temp_lmdb_options("16M", NULL, pool), pool);

    put_small(store);
    return store;
}

static const struct {
    const char *name;
    where_t where;
    int error;
    const char *reason;
    int unknown; /* whether the change was made */
} rows[] = {
    {"no room for pages", IN_PAGES, ENOSPC, "STORE_FULL", 0},
    {"room for half a page", IN_PAGES, 0, "STORE_FULL", 0},
    {"pages cannot be written", IN_PAGES, EIO, "STORE_UNAVAILABLE", 0},
    {"pages cannot be flushed", IN_FLUSH, EIO, "STORE_UNAVAILABLE", 0},
    {"no room for the flush", IN_FLUSH, ENOSPC, "STORE_FULL", 0},
    {"the meta page cannot be written", IN_META, EIO, "STORE_UNAVAILABLE", 1},
};

static void
failing_updates(apr_pool_t *pool)
{
    up_store_t *store = make("updates", pool);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        long long before = sequence(store, "A", pool);
        let_fail(rows[i].where, 1, rows[i].error);
        const up_error_t *err = change(store, "A", pool);
        let_fail(NOWHERE, 0, 0);

        is(reason_of(err), rows[i].reason, "%s: the reason for an update",
           rows[i].name);
        is_number(err && err->reason == UP_OUTCOME_UNKNOWN, rows[i].unknown,
                  "%s: whether the outcome is unknown", rows[i].name);
        if (err)
            printf("# %s\n", err->message);
        long long then = sequence(store, "A", pool);
        ok(then == before || (rows[i].unknown && then == before + 1),
           "%s: the failed update changed nothing", rows[i].name);
        ok(!change(store, "A", pool), "%s: the next update is stored",
           rows[i].name);
        is_number(sequence(store, "A", pool), then + 1,
                  "%s: the next update is read", rows[i].name);
    }
    up_store_close(store);
}

static void
failing_batches(apr_pool_t *pool)
{
    up_store_t *store = make("batches", pool);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_item_t *org =
            make_org(apr_psprintf(pool, "N%d", (int)i), "", pool);
        let_fail(rows[i].where, 1, rows[i].error);
        const up_error_t *err = put_item(store, org, pool);
        let_fail(NOWHERE, 0, 0);

        is(reason_of(err), rows[i].reason, "%s: the reason for a batch",
           rows[i].name);
        if (!rows[i].unknown)
            ok(!get_item(store, org, pool),
               "%s: nothing of the batch is stored", rows[i].name);
        ok(!put_item(store, org, pool), "%s: the next batch is stored",
           rows[i].name);
    }
    up_store_close(store);
}

/* A store that is lost while a read transaction is open is unavailable until
 * that has ended. */
static up_error_t *
lose_while_reading(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    up_query_t query = {.wanted = "O1", .user = "A"};
    up_store_t *store = baton;
    up_view_t *view;

    (void)item;
    let_fail(IN_META, 1, EIO);
    const up_error_t *err = change(store, "A", pool);
    let_fail(NOWHERE, 0, 0);
    ok(err && err->reason == UP_OUTCOME_UNKNOWN, "the store is lost");
    is(reason_of(up_store_read(&view, store, &query, pool, pool)),
       "STORE_UNAVAILABLE",
       "a lost store is not opened again while a reader is inside");
    return NULL;
}

static void
lost_while_read(apr_pool_t *pool)
{
    up_store_t *store = make("read", pool);
    up_filter_t user = {.kinds = 1u << UP_KIND_USER, .org = "O9"};

    put_org(store, "O9");
    put_human(store, "O9", "Z", UP_ACTIVE);
    must(up_store_each(store, &user, lose_while_reading, store, pool));
    ok(!change(store, "A", pool),
       "a lost store is opened again once the reader has left");
    up_store_close(store);
}

typedef struct worker_t {
    up_store_t *store;
    const char *user; /* that no other worker changes */
    int done, failed, wrong;
} worker_t;

static void *APR_THREAD_FUNC
work(apr_thread_t *thread, void *baton)
{
    worker_t *worker = baton;
    apr_pool_t *pool;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        script_t refuse = {.action = REFUSE};
        const up_user_t *after;

        const up_error_t *err = change(worker->store, worker->user, pool);
        worker->done += !err;
        worker->failed += err && err->reason == UP_STORE_UNAVAILABLE;
        worker->wrong += err && err->reason != UP_STORE_UNAVAILABLE;
        err = up_store_update(&after, worker->store, "O1", worker->user, decide,
                              &refuse, pool, pool);
        worker->wrong += !err || err->reason != UP_PROFILE_NOT_FOUND;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

/* Flushes fail now and then; exactly those updates fail that were in them. */
static void
failing_together(apr_pool_t *pool)
{
    up_store_t *store = make("together", pool);
    apr_thread_t *threads[THREADS];
    worker_t workers[THREADS];
    apr_status_t rv;
    int done = 0, failed = 0, wrong = 0, lost = 0;
    up_store_stat_t stat;

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){store, apr_psprintf(pool, "T%d", i), 0, 0, 0};
        put_human(store, "O1", workers[i].user, UP_ACTIVE);
    }
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, work, &workers[i], pool))
            exit(1);
    }
    for (int i = 0; i < 20; i++) {
        let_fail(IN_FLUSH, 1, EIO);
        apr_sleep(2000);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        done += workers[i].done;
        failed += workers[i].failed;
        wrong += workers[i].wrong;
        lost += sequence(store, workers[i].user, pool) != 1 + workers[i].done;
    }
    let_fail(NOWHERE, 0, 0);
    ok(failed > 0 && done > 0, "%d updates fail, %d do not", failed, done);
    is_number(wrong, 0, "a refusal is a refusal while flushes fail");
    is_number(lost, 0, "updates that failed changed nothing, the others did");
    must(up_store_stat(&stat, store, pool));
    is_number((long long)stat.last_event, done,
              "there are as many events as updates that succeeded");
    up_store_close(store);
}

/* A store is lost, and cannot be opened again at first; then the time of day is
 * set back by an hour. */
static void
clock_set_back(apr_pool_t *pool)
{
    up_store_t *store = make("clock", pool);
    const char *path = temp_path("clock", pool);
    const char *away = temp_path("away", pool);
    const up_error_t *err;

    let_fail(IN_META, 1, EIO);
    err = change(store, "A", pool);
    let_fail(NOWHERE, 0, 0);
    is(reason_of(err), "STORE_UNAVAILABLE", "a store is lost");
    rename(path, away);
    is(reason_of(change(store, "A", pool)), "STORE_UNAVAILABLE",
       "a lost store whose folder is away cannot be opened again");
    rename(away, path);
    set_back = 3600;
    for (int i = 0; i < 200 && err; i++) {
        apr_sleep(apr_time_from_msec(100));
        err = change(store, "A", pool);
    }
    set_back = 0;
    ok(!err, "a clock that is set back does not delay the next opening");
    up_store_close(store);
}

/* A full store must open, or it could not be made larger. */
static void
full_when_opened(apr_pool_t *pool)
{
    static const struct {
        const char *name;
        where_t where;
        int error;
    } full[] = {{"on the disk", IN_PAGES, ENOSPC},
                {"for a whole page", IN_PAGES, 0},
                {"within the quota", IN_PAGES, EDQUOT},
                {"in the largest file", IN_PAGES, EFBIG},
                {"for the flush", IN_FLUSH, ENOSPC},
                {"for a meta page", IN_META, ENOSPC},
                {"for a whole meta page", IN_META, 0},
                {"on a disk that fails", IN_META, EIO}};
    const apr_table_t *options = temp_lmdb_options("32M", NULL, pool);
    up_query_t query = {.wanted = "O1", .user = "A"};
    up_view_t *view;

    up_store_close(make("full", pool));
    for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
        up_store_t *store;
        let_fail(full[i].where, 1000, full[i].error);
        const up_error_t *err =
            up_store_open(&store, temp_lmdb_uri("full", pool), options, pool);
        is(reason_of(err), "", "a store with no room left %s is opened",
           full[i].name);
        if (!err) {
            is(reason_of(up_store_read(&view, store, &query, pool, pool)), "",
               "a store with no room left %s is read", full[i].name);
            up_store_close(store); /* once it has tried to record its size */
        }
        let_fail(NOWHERE, 0, 0);
    }
}

/* A file system that is read-only. */
static void
read_only(apr_pool_t *pool)
{
    unsigned all = (1u << UP_KINDS) - 1;
    const apr_table_t *larger = temp_lmdb_options("32M", NULL, pool);
    up_store_stat_t stat;
    up_store_t *store = make("readonly", pool);

    const char *text = store_text(store, all, pool);
    up_store_close(store);
    let_fail(IN_OPEN, 1000, EROFS);
    is_reason(
        up_store_open(&store, temp_lmdb_uri("readonly", pool), larger, pool),
        "", "a store on a read-only file system is opened");
    is_number(sequence(store, "A", pool), 1,
              "a store on a read-only file system is read");
    is(store_text(store, all, pool), text,
       "a store on a read-only file system is exported");
    is_reason(up_store_stat(&stat, store, pool), "",
              "a store on a read-only file system is measured");
    const up_error_t *err = change(store, "A", pool);
    is_reason(err, "STORE_UNAVAILABLE",
              "a store on a read-only file system is not changed");
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the LMDB store '%s' is on a file system that is read-only",
                    temp_lmdb_uri("readonly", pool) + strlen("lmdb:")),
       "a store on a read-only file system: the message");
    up_store_close(store);
    let_fail(NOWHERE, 0, 0);
}

/* Another PID namespace has a process with our process id. */
static void
another_namespace(apr_pool_t *pool)
{
    up_store_t *store;

    up_store_close(make("namespace", pool));
    let_fail(IN_PROCESS, 1000, EAGAIN);
    const up_error_t *err =
        up_store_open(&store, temp_lmdb_uri("namespace", pool), NULL, pool);
    let_fail(NOWHERE, 0, 0);
    is_reason(err, "STORE_UNAVAILABLE",
              "a store that a process of another PID namespace with our "
              "process id has open");
    ok(err && strstr(err->message, "PID namespace"),
       "a process of another PID namespace: the message says what it is");
}

/* A store that is lost, and replaced before it is opened again. */
static void
lost_and_replaced(apr_pool_t *pool)
{
    up_store_t *store = make("lost", pool);
    const char *path = temp_lmdb_uri("lost", pool) + strlen("lmdb:");

    must(change(store, "A", pool));
    let_fail(IN_META, 1, EIO);
    const up_error_t *err = change(store, "A", pool);
    let_fail(NOWHERE, 0, 0);
    ok(err && err->reason == UP_OUTCOME_UNKNOWN, "a store is lost");
    const char *data = apr_pstrcat(pool, path, "/data.mdb", NULL);
    const char *copy = apr_pstrcat(pool, path, "/copy", NULL);
    if (apr_file_copy(data, copy, APR_FPROT_FILE_SOURCE_PERMS, pool) ||
        rename(copy, data))
        exit(1);
    err = change(store, "A", pool);
    ok(err && err->reason == UP_STORE_REPLACED,
       "a lost store is not opened again as another one");
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    failing_updates(pool);
    failing_batches(pool);
    lost_while_read(pool);
    failing_together(pool);
    clock_set_back(pool);
    full_when_opened(pool);
    read_only(pool);
    another_namespace(pool);
    lost_and_replaced(pool);
}

int
main(void)
{
    return run_test(test);
}
