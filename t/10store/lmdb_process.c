/* lmdb_process.c -- an LMDB store and several processes, some of which die. */
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

#include <apr_strings.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN 6
#define ROUNDS 60
#define MIB (1024 * 1024)
#define FEW_PAGES (256 * 1024) /* 500 events have their own */

/* What the clock is ahead, for what happens every so many seconds. LMDB and APR
 * call the executable's function rather than the C library's. */
static time_t ahead;

__attribute__((visibility("default"))) int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec + ahead;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

/* Make the store NAME with one organisation, O1, and one user, A. */
static void
make(const char *name, const apr_table_t *options, apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make(name, options, pool);

    put_org(store, "O1");
    put_human(store, "O1", "A", UP_ACTIVE);
    up_store_close(store);
}

static up_store_t *
open_store(const char *name, const apr_table_t *options, apr_pool_t *pool)
{
    up_store_t *store;

    must(up_store_open(&store, temp_lmdb_uri(name, pool), options, pool));
    return store;
}

static up_error_t *
change(up_store_t *store, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, "O1", "A", decide, &script, pool,
                           pool);
}

static long long
sequence(up_store_t *store, apr_pool_t *pool)
{
    up_query_t query = {.wanted = "O1", .user = "A"};
    up_view_t *view;

    must(up_store_read(&view, store, &query, pool, pool));
    return (long long)view->user->sequence;
}

/* A child process, and pipes through which each tells the other to go on. It
 * opens a store that this process has not open at the fork. */
typedef struct child_t {
    pid_t pid;
    int up[2], down[2];
} child_t;

/* Returns 0 in the child. */
static int
spawn(child_t *child)
{
    fflush(stdout);
    if (pipe(child->up) || pipe(child->down))
        exit(1);
    child->pid = fork();
    if (child->pid < 0)
        exit(1);
    return child->pid;
}

static void
tell(const int *pipe_ends)
{
    if (write(pipe_ends[1], "!", 1) != 1)
        _exit(1);
}

static void
wait_for(const int *pipe_ends)
{
    struct pollfd end = {pipe_ends[0], POLLIN, 0};
    char byte;

    if (poll(&end, 1, 20000) != 1 || read(pipe_ends[0], &byte, 1) != 1) {
        printf("Bail out! another process did not come so far\n");
        _exit(1);
    }
}

static void
kill_child(const child_t *child)
{
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
}

/* Its exit status; -1 if it was killed. */
static int
end_of(const child_t *child)
{
    int status;

    waitpid(child->pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Make and open the store "many", and put the user NUMBER. Returns how much of
 * that failed. */
static int
start_up(int number, apr_pool_t *pool)
{
    const char *uri = temp_lmdb_uri("many", pool), *identity;
    int made;
    up_store_t *store;

    if (up_store_prepare(&identity, &made, uri, temp_lmdb_scratch(pool),
                         geteuid(), getegid(), pool, pool) ||
        up_store_open(&store, uri, temp_lmdb_scratch(pool), pool))
        return 1;
    const char *id = apr_itoa(pool, number);
    int failures = !!put_item(store, make_org("O1", "", pool), pool);
    failures +=
        !!put_item(store, make_human("O1", id, UP_ACTIVE, "X", pool), pool);
    return failures;
}

static int
change_often(int number, apr_pool_t *pool)
{
    up_store_t *store = open_store("many", temp_lmdb_scratch(pool), pool);
    int failures = 0;

    (void)number;
    for (int i = 0; i < ROUNDS; i++)
        failures += !!change(store, pool);
    return failures;
}

/* Let CHILDREN processes do WORK at once; returns how much of it failed. */
static int
let_children(int (*work)(int number, apr_pool_t *pool), apr_pool_t *pool)
{
    child_t children[CHILDREN];
    int failures = 0;

    for (int i = 0; i < CHILDREN; i++) {
        if (!spawn(&children[i]))
            _exit(work(i, pool));
    }
    for (int i = 0; i < CHILDREN; i++)
        failures += end_of(&children[i]) != 0;
    return failures;
}

static void
many_writers(apr_pool_t *pool)
{
    up_store_stat_t stat;

    is_number(let_children(start_up, pool), 0,
              "%d processes make and open a store at once", CHILDREN);
    up_store_t *store = open_store("many", temp_lmdb_scratch(pool), pool);
    is_number(count_items(store, UP_KIND_USER, pool), CHILDREN,
              "the user that each process put is there");
    put_human(store, "O1", "A", UP_ACTIVE);
    up_store_close(store);

    is_number(let_children(change_often, pool), 0,
              "%d processes change one user, %d times each", CHILDREN, ROUNDS);
    store = open_store("many", temp_lmdb_scratch(pool), pool);
    must(up_store_stat(&stat, store, pool));
    is_number(sequence(store, pool), 1 + CHILDREN * ROUNDS,
              "no change of several processes is lost");
    is_number((long long)stat.last_event, CHILDREN * ROUNDS,
              "no event of several processes is lost");
    is_number((long long)stat.count[UP_KIND_EVENT], CHILDREN * ROUNDS,
              "no event's number is used twice");
    up_store_close(store);
}

/* A writer is killed in its transaction, while others are at work. */
static void
killed_writer(apr_pool_t *pool)
{
    const apr_table_t *options = temp_lmdb_options(NULL, NULL, pool);
    up_batch_t *batch;
    child_t child;

    make("writer", options, pool);
    if (!spawn(&child)) {
        up_store_t *store = open_store("writer", options, pool);
        must(up_batch_begin(&batch, store, pool));
        must(up_batch_put(batch, make_human("O1", "A", UP_REMOVED, "X", pool),
                          pool));
        tell(child.up);
        pause();
        _exit(1);
    }
    wait_for(child.up);
    up_store_t *store = open_store("writer", options, pool);
    is(read_text(store, "A", NULL, NULL, pool), "caller of O1 active, org O1",
       "a store can be opened and read while another process writes");
    kill_child(&child);
    ok(!change(store, pool), "once a writer is killed, the next one can write");
    is(read_text(store, "A", NULL, NULL, pool), "caller of O1 active, org O1",
       "nothing is left of a killed writer's transaction");
    is_number(sequence(store, pool), 2,
              "a change after a killed writer's is stored");
    up_store_close(store);
}

static up_error_t *
sleep_in_visit(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    (void)item;
    (void)pool;
    tell(((child_t *)baton)->up);
    pause();
    return NULL;
}

static long long
file_size(apr_pool_t *pool)
{
    struct stat status;

    return stat(temp_path("reader/data.mdb", pool), &status) ? 0
                                                             : status.st_size;
}

/* How much the file grows by many changes of one user. */
static long long
growth(up_store_t *store, apr_pool_t *pool)
{
    long long before = file_size(pool);
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, pool);
    for (int i = 0; i < 500; i++) {
        apr_pool_clear(iterpool);
        must(change(store, iterpool));
    }
    apr_pool_destroy(iterpool);
    return file_size(pool) - before;
}

/* Start a child that reads the store NAME until it is killed. */
static child_t
start_reader(const char *name, const apr_table_t *options, apr_pool_t *pool)
{
    up_filter_t orgs = {.kinds = 1u << UP_KIND_ORG};
    child_t child;

    if (!spawn(&child)) {
        up_store_t *store = open_store(name, options, pool);
        _exit(up_store_each(store, &orgs, sleep_in_visit, &child, pool) !=
              NULL);
    }
    wait_for(child.up);
    return child;
}

/* A reader that is killed keeps all pages that are freed later from being used
 * again, until its slot is given back: when a store is opened, and some time
 * later at the latest. */
static void
killed_readers(apr_pool_t *pool)
{
    make("reader", temp_lmdb_scratch(pool), pool);
    up_store_t *store = open_store("reader", temp_lmdb_scratch(pool), pool);
    growth(store, pool);
    ok(growth(store, pool) < FEW_PAGES, "changes use freed pages again");
    up_store_close(store);

    child_t reader = start_reader("reader", temp_lmdb_scratch(pool), pool);
    kill_child(&reader);
    store = open_store("reader", temp_lmdb_scratch(pool), pool);
    ok(growth(store, pool) < FEW_PAGES,
       "opening a store frees the pages that a dead reader kept");
    up_store_close(store);

    reader = start_reader("reader", temp_lmdb_scratch(pool), pool);
    store = open_store("reader", temp_lmdb_scratch(pool), pool);
    must(change(store, pool));
    kill_child(&reader);
    ok(growth(store, pool) > 10 * FEW_PAGES,
       "a reader that dies after that keeps pages for a while");
    ahead += 11;
    must(change(store, pool));
    ok(growth(store, pool) < FEW_PAGES,
       "after ten seconds an update frees the pages of a dead reader");
    up_store_close(store);
}

/* Read the user that is visited. */
static up_error_t *
read_inside(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    up_query_t query = {.wanted = "O1", .user = item->as.user.id};
    up_view_t *view;

    return up_store_read(&view, baton, &query, pool, pool);
}

static void
grown_by_another(apr_pool_t *pool)
{
    const apr_table_t *small_map = temp_lmdb_options("1M", "off", pool);
    const apr_table_t *large_map = temp_lmdb_options("64M", "off", pool);
    up_filter_t users = {.kinds = 1u << UP_KIND_USER};
    child_t child;

    make("grown", small_map, pool);
    if (!spawn(&child)) {
        up_store_t *other = open_store("grown", large_map, pool);
        tell(child.up);
        wait_for(child.down);
        for (int i = 0; i < 3000; i++)
            must(put_item(other,
                          make_human("O1", apr_itoa(pool, i), UP_ACTIVE,
                                     LONGEST_TEXT, pool),
                          pool));
        _exit(0);
    }
    wait_for(child.up);
    up_store_t *store = open_store("grown", small_map, pool);
    tell(child.down);
    is_number(end_of(&child), 0, "another process makes the map larger");
    is(read_text(store, NULL, "O1", "2999", pool), "org O1, user O1/2999",
       "what another process put beyond the old size can be read");
    ok(!change(store, pool),
       "a store that another process made larger takes changes");
    is_number(temp_lmdb_figure(store, "bytesMax"), 64 * MIB,
              "the size is the other process's");
    ok(!up_store_each(store, &users, read_inside, store, pool),
       "a visitor may read the store that was made larger");
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    temp_path("", pool); /* before there are children */
    many_writers(pool);
    killed_writer(pool);
    killed_readers(pool);
    grown_by_another(pool);
}

int
main(void)
{
    return run_test(test);
}
