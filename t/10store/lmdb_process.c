/* lmdb_process.c -- an LMDB store and several processes, some of which die. */
#include "store_contract.h"
#include "core/up_clock.h"
#include "program.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#define CHILDREN 6
#define ROUNDS 60
#define TOGETHER 40
#define WHO_SIZE 200
#define LOCK_FILE_BEGIN 64
#define MIB (1024 * 1024)
#define FEW_PAGES (256 * 1024) /* 500 events have their own */

/* What the clock of pauses is ahead, for what happens every so many seconds.
 * up_clock() calls the executable's function rather than the C library's. */
static time_t ahead;

__attribute__((visibility("default"))) int
clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, now);

    now->tv_sec += ahead;
    return rc;
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

/* Start a child that begins a batch in the store NAME, changes something, and
 * stands still until it is continued; then it commits, and ends. */
static child_t
start_stopped_writer(const char *name, apr_pool_t *pool)
{
    up_batch_t *batch;
    child_t child;
    int status;

    if (!spawn(&child)) {
        up_store_t *store = open_store(name, temp_lmdb_scratch(pool), pool);
        must(up_batch_begin(&batch, store, pool));
        must(up_batch_put(batch, make_org("O2", "O2", pool), pool));
        raise(SIGSTOP);
        must(up_batch_commit(batch));
        _exit(0);
    }
    waitpid(child.pid, &status, WUNTRACED);
    if (!WIFSTOPPED(status)) {
        printf("Bail out! a writer ended before it stood still\n");
        _exit(1);
    }
    return child;
}

/* An up_store_tell_t. */
static void
note_who(void *baton, const char *who)
{
    apr_cpystrn(baton, who, WHO_SIZE);
}

/* The options of a store that waits a second for the writer lock. */
static const apr_table_t *
impatient(const char *map_size, apr_pool_t *pool)
{
    apr_table_t *options =
        apr_table_copy(pool, temp_lmdb_options(map_size, "off", pool));

    apr_table_set(options, "timeout", "1");
    return options;
}

/* A writer stands still with LMDB's writer lock. */
static void
stopped_writer(apr_pool_t *pool)
{
    make("stopped", impatient("64M", pool), pool);
    up_store_t *store = open_store("stopped", impatient("64M", pool), pool);
    apr_uint32_t episode, again;
    char who[WHO_SIZE] = "nobody";

    ok(!up_store_probe(&episode, store, pool),
       "a store that nobody has locked can be changed");
    child_t child = start_stopped_writer("stopped", pool);
    const char *name = apr_psprintf(pool, "process %d (%s, which is stopped)",
                                    (int)child.pid, program_name(pool));

    up_error_t *err = change(store, pool);
    is_reason(err, "STORE_UNAVAILABLE",
              "a change gives up while a stopped process has the lock");
    is(read_text(store, "A", NULL, NULL, pool), "caller of O1 active, org O1",
       "reads go on meanwhile");
    err = up_store_probe(&episode, store, pool);
    is_reason(err, "STORE_UNAVAILABLE", "a probe tells");
    ok(err && strstr(err->message, name), "and names the process");
    apr_time_t before = up_clock();
    for (int i = 0; i < 100; i++)
        err = change(store, pool);
    is_reason(err, "STORE_UNAVAILABLE", "further changes are refused");
    ok(up_clock() - before < apr_time_from_sec(50), "without another wait");
    err = up_store_probe(&again, store, pool);
    ok(err && again == episode, "it is the same episode to a probe");

    up_store_set_wait(store, apr_time_from_sec(3), note_who, who);
    up_batch_t *batch;
    err = up_batch_begin(&batch, store, pool);
    is_reason(err, "STORE_UNAVAILABLE", "a batch gives up too");
    ok(err && strstr(err->message, name), "and says who has the lock");
    is(who, name, "as it has while it waited");
    up_store_set_wait(store, apr_time_from_sec(1), NULL, NULL);

    up_store_close(store);
    store = open_store("stopped", impatient("32M", pool), pool);
    is(read_text(store, "A", NULL, NULL, pool), "caller of O1 active, org O1",
       "the store can be closed and opened again");
    is_number(sequence(store, pool), 1, "nothing was changed");

    kill(child.pid, SIGCONT);
    is_number(end_of(&child), 0, "continued, the process commits");
    up_store_set_wait(store, apr_time_from_sec(60), NULL, NULL);
    /* Changes are refused until the writer, which waits, has got the lock. */
    for (int i = 0; i < 1000 && up_store_probe(&again, store, pool); i++)
        apr_sleep(apr_time_from_msec(10));
    ok(!change(store, pool), "then the next change is made");
    is_number(sequence(store, pool), 2, "and none of those that gave up");
    ok(!up_store_probe(&episode, store, pool), "a probe finds no trouble");
    up_store_close(store);
}

/* A process that sets up LMDB's lock file stands still. */
static void
stopped_setup(apr_pool_t *pool)
{
    const char *lock = temp_path("setup/lock.mdb", pool);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    up_store_t *store;
    child_t child;

    make("setup", impatient("64M", pool), pool);
    if (!spawn(&child)) {
        int file = open(lock, O_RDWR);
        if (file < 0 || fcntl(file, F_SETLK, &whole))
            _exit(1);
        tell(child.up);
        pause();
        _exit(1);
    }
    wait_for(child.up);
    is_reason(up_store_open(&store, temp_lmdb_uri("setup", pool),
                            impatient("64M", pool), pool),
              "STORE_UNAVAILABLE",
              "to open a store gives up while another process sets it up");
    kill_child(&child);
    store = open_store("setup", impatient("64M", pool), pool);
    ok(!change(store, pool), "when that is dead, it is opened");
    up_store_close(store);
}

/* Likewise; a process that has waited for it in vain can end. */
static void
ended_waiter(apr_pool_t *pool)
{
    child_t waiter;

    make("ended", impatient("64M", pool), pool);
    child_t child = start_stopped_writer("ended", pool);
    if (!spawn(&waiter)) {
#ifdef __SANITIZE_ADDRESS__
        /* A store that is open lives as long as its process, in memory where
         * LeakSanitizer does not look for pointers. */
        __lsan_disable();
#endif
        up_store_t *store = open_store("ended", impatient("32M", pool), pool);
        alarm(60);
        exit(change(store, pool) == NULL);
    }
    is_number(end_of(&waiter), 0,
              "a process whose writer waits for a lock can end");
    up_store_t *store = open_store("ended", impatient(NULL, pool), pool);
    kill_child(&child);
    up_store_set_wait(store, apr_time_from_sec(60), NULL, NULL);
    ok(!change(store, pool),
       "once the stopped process is killed, changes are made");
    is_number(count_items(store, UP_KIND_ORG, pool), 1,
              "and of its own nothing is left");
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

/* A reader that stands still makes the store full. */
static void
full_by_reader(apr_pool_t *pool)
{
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    const char *warning;
    up_error_t *err = NULL;
    int changes = 0;

    make("kept", options, pool);
    up_store_t *store = open_store("kept", options, pool);
    must(up_store_filling(&warning, store, pool));
    is(warning, NULL, "there is no warning of an empty store");
    is_number(temp_lmdb_figure(store, "oldestReader"), 0,
              "the oldest reader is 0 if nobody else reads");
    up_store_close(store);

    child_t reader = start_reader("kept", options, pool);
    store = open_store("kept", options, pool);
    for (; !err && changes < 1000; changes++)
        err = change(store, pool);
    is_reason(err, "STORE_FULL", "a reader that stands still fills a store");
    is_number(temp_lmdb_figure(store, "oldestReader"), reader.pid,
              "the oldest reader is that process");
    is_number(temp_lmdb_figure(store, "oldestReaderAge"), changes - 1,
              "its age is the number of changes since it began");
    ok(temp_lmdb_figure(store, "oldestReaderBytes") > MIB / 2,
       "the bytes that it keeps are counted");
    ok(temp_lmdb_figure(store, "bytesUsed") > MIB * 3 / 4,
       "the bytes that it keeps count as used");
    must(up_store_filling(&warning, store, pool));
    ok(warning && strstr(warning, apr_psprintf(pool, "only because process %d",
                                               (int)reader.pid)),
       "the warning names the process");
    printf("# %s\n", warning);
    kill_child(&reader);
    ok(!change(store, pool),
       "once the reader is dead, the next change finds room");
    up_store_close(store);
}

/* A change of one of many at once, to more than the store has room for. */
typedef struct large_t {
    up_store_t *store;
    const up_user_t *user; /* as it is to be */
    const char *reason;    /* of the error; "" for none */
} large_t;

static void *APR_THREAD_FUNC
change_to_large(apr_thread_t *thread, void *baton)
{
    large_t *large = baton;
    script_t script = {.action = CHANGE, .instead = large->user};
    apr_pool_t *pool = apr_thread_pool_get(thread);
    const up_user_t *after;

    large->reason =
        reason_of(up_store_update(&after, large->store, "O1", large->user->id,
                                  decide, &script, pool, pool));
    return NULL;
}

/* Changes that wait in one batch, for which the store has no room: each is made
 * by itself then, as long as there is some. */
static void
full_together(apr_pool_t *pool)
{
    const apr_table_t *options = temp_lmdb_options("1M", "off", pool);
    large_t large[TOGETHER];
    apr_thread_t *threads[TOGETHER];
    int made = 0, refused = 0, untrue = 0;
    apr_status_t status;
    child_t child;

    make("together", options, pool);
    if (!spawn(&child)) {
        up_batch_t *batch;
        up_store_t *store = open_store("together", options, pool);
        wait_for(child.down);
        must(up_batch_begin(&batch, store, pool));
        tell(child.up);
        pause();
        _exit(1);
    }
    up_store_t *store = open_store("together", options, pool);
    for (int i = 0; i < TOGETHER; i++) {
        const char *id = apr_psprintf(pool, "T%d", i);
        put_human(store, "O1", id, UP_ACTIVE);
        up_item_t *item =
            make_human("O1", id, UP_ACTIVE, LONGEST_TEXT LONGEST_TEXT, pool);
        item->as.user.sequence = 1;
        large[i] = (large_t){.store = store, .user = &item->as.user};
    }
    for (int i = 0; temp_lmdb_figure(store, "bytesFree") > 25 * 4096; i++)
        must(put_item(
            store,
            make_human("O1", apr_itoa(pool, i), UP_ACTIVE, LONGEST_TEXT, pool),
            pool));

    tell(child.down);
    wait_for(child.up);
    for (int i = 0; i < TOGETHER; i++)
        if (apr_thread_create(&threads[i], NULL, change_to_large, &large[i],
                              pool))
            exit(1);
    apr_sleep(apr_time_from_sec(1)); /* all wait */
    kill_child(&child);
    for (int i = 0; i < TOGETHER; i++) {
        apr_thread_join(&status, threads[i]);
        int is_made = !*large[i].reason;
        made += is_made;
        refused += !strcmp(large[i].reason, "STORE_FULL");
        up_item_t key = {.kind = UP_KIND_USER, .as.user = *large[i].user};
        untrue += get_item(store, &key, pool)->as.user.sequence !=
                  (is_made ? 2U : 1U);
    }
    is_number(made + refused, TOGETHER,
              "changes that find the store full together are made or refused");
    ok(made > 0, "some of them are made");
    is_number(untrue, 0, "those that are refused are not made, the others are");
    printf("# %d made, %d refused\n", made, refused);
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

/* Hold the lock of LMDB's reader table of the store NAME, whose lock file
 * begins with two numbers and this lock. */
static void
hold_reader_table(const char *name, apr_pool_t *pool)
{
    const char *path =
        temp_path(apr_pstrcat(pool, name, "/lock.mdb", NULL), pool);
    int file = open(path, O_RDWR | O_CLOEXEC);

    char *map = mmap(NULL, LOCK_FILE_BEGIN, PROT_READ | PROT_WRITE, MAP_SHARED,
                     file, 0);
    if (file < 0 || map == MAP_FAILED ||
        pthread_mutex_lock((pthread_mutex_t *)(map + 8)))
        _exit(1);
}

/* LMDB takes this lock to begin a transaction that reads. A process that stands
 * still just then must not keep others from reading. */
static void
stopped_in_reader_table(apr_pool_t *pool)
{
    child_t child;

    make("table", temp_lmdb_scratch(pool), pool);
    up_store_t *store = open_store("table", temp_lmdb_scratch(pool), pool);
    is(read_text(store, NULL, "O1", "A", pool), "org O1, user O1/A", "read");
    if (!spawn(&child)) {
        hold_reader_table("table", pool);
        tell(child.up);
        wait_for(child.down);
        _exit(0);
    }
    wait_for(child.up);
    alarm(20); /* ends this program */
    is(read_text(store, NULL, "O1", "A", pool), "org O1, user O1/A",
       "a process that holds the lock of the reader table does not stop one "
       "that has read before");
    alarm(0);
    kill_child(&child);
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    temp_path("", pool); /* before there are children */
    many_writers(pool);
    killed_writer(pool);
    stopped_writer(pool);
    stopped_setup(pool);
    ended_waiter(pool);
    killed_readers(pool);
    full_by_reader(pool);
    full_together(pool);
    grown_by_another(pool);
    stopped_in_reader_table(pool);
}

int
main(void)
{
    return run_test(test);
}
