/* lmdb_files.c -- the files of an LMDB store that are cut off, or that others
 * take away from an open store. */
#include "store_contract.h"
#include "store_items.h"
#include "program.h"
#include "raw_lmdb.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static const char *
data_path(const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, temp_path(name, pool), "/data.mdb", NULL);
}

static const char *
lock_path(const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, temp_path(name, pool), "/lock.mdb", NULL);
}

static long long
size_of(const char *path)
{
    struct stat status;

    return stat(path, &status) ? -1 : (long long)status.st_size;
}

static void
fill(up_store_t *store, int users)
{
    char id[20];

    put_org(store, "O1");
    for (int i = 0; i < users; i++) {
        apr_snprintf(id, sizeof(id), "U%d", i);
        put_human(store, "O1", id, UP_ACTIVE);
        put_token(store, id, (unsigned char)i);
    }
}

/* What a process that opens and reads the store NAME says of it: the name of a
 * reason, "" if all can be read, or "died". */
static const char *
open_and_read(const char *name, apr_pool_t *pool)
{
    char *said = apr_pcalloc(pool, 100);
    int status, ends[2];

    if (pipe(ends))
        exit(1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        up_store_t *store;
        up_error_t *err = up_store_open(&store, temp_lmdb_uri(name, pool),
                                        temp_lmdb_scratch(pool), pool);
        if (!err)
            (void)store_text(store, ALL_KINDS, pool);
        const char *reason = reason_of(err);
        _exit(write(ends[1], reason, strlen(reason)) < 0);
    }
    close(ends[1]);
    if (read(ends[0], said, 99) < 0 || waitpid(child, &status, 0) != child)
        exit(1);
    close(ends[0]);
    return status ? "died" : said;
}

/* An interrupted copy: whatever is missing, no process dies of it. */
static void
cut_copies(apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make("whole", temp_lmdb_scratch(pool), pool);
    int died = 0, opened = 0, refused = 0;

    fill(store, 60);
    up_store_close(store);
    long long size = size_of(data_path("whole", pool));
    mkdir(temp_path("cut", pool), 0700);
    for (long long length = 0; length < size; length += PAGE / 2) {
        apr_file_copy(data_path("whole", pool), data_path("cut", pool),
                      APR_FPROT_UREAD | APR_FPROT_UWRITE, pool);
        if (truncate(data_path("cut", pool), length))
            exit(1);
        const char *said = open_and_read("cut", pool);
        died += !strcmp(said, "died");
        opened += !*said;
        refused += !strcmp(said, "STORE_UNAVAILABLE");
    }
    is_number(died, 0, "no process dies of a data file that is cut off");
    is_number(opened, 0, "no data file that is cut off is opened");
    is_number(refused, size / (PAGE / 2), "each one is refused");
}

static void
cut_message(apr_pool_t *pool)
{
    up_store_t *store;

    if (truncate(data_path("cut", pool), 5 * PAGE))
        exit(1);
    const up_error_t *err = up_store_open(&store, temp_lmdb_uri("cut", pool),
                                          temp_lmdb_scratch(pool), pool);
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the LMDB file '%s' is damaged: it has 20480 bytes and had "
                    "%" APR_INT64_T_FMT
                    " at least; put a whole copy in its place",
                    data_path("cut", pool),
                    (apr_int64_t)size_of(data_path("whole", pool))),
       "a file that is cut off: the message");
    if (truncate(data_path("cut", pool), 0))
        exit(1);
    is_reason(up_store_open(&store, temp_lmdb_uri("cut", pool),
                            temp_lmdb_scratch(pool), pool),
              "STORE_UNAVAILABLE", "an empty file is no new store");
    is_number(size_of(data_path("cut", pool)), 0, "an empty file stays empty");
}

/* Put COUNT organisations, named LENGTH bytes each, in one batch, and remove
 * them in it if IN_VAIN. */
static void
put_orgs(up_store_t *store,
         int count,
         apr_size_t length,
         int in_vain,
         apr_pool_t *pool)
{
    char *name = apr_pcalloc(pool, length + 1);
    up_item_t org = {.kind = UP_KIND_ORG, .as.org.name = name};
    up_batch_t *batch;
    int found;

    memset(name, 'N', length);
    must(up_batch_begin(&batch, store, pool));
    for (int i = 0; i < count; i++) {
        org.as.org.id = apr_psprintf(pool, "L%d", i);
        must(up_batch_put(batch, &org, pool));
    }
    for (int i = 0; i < count && in_vain; i++) {
        org.as.org.id = apr_psprintf(pool, "L%d", i);
        must(up_batch_remove(&found, batch, &org, pool));
    }
    must(up_batch_commit(batch));
}

/* Change one organisation TIMES times, whose old pages are free then. */
static void
free_pages(up_store_t *store, int times, apr_pool_t *pool)
{
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, pool);
    for (int i = 0; i < times; i++) {
        apr_pool_clear(iterpool);
        put_orgs(store, 6, i % 2 ? 100 : 9000, 0, iterpool);
    }
    apr_pool_destroy(iterpool);
}

/* Meanwhile no free page is used again, and so the list of them grows. */
static up_error_t *
free_while_reading(void *store, const up_item_t *item, apr_pool_t *pool)
{
    (void)item;
    free_pages(store, 400, pool);
    return NULL;
}

/* Pages that a transaction takes and gives back are never written, so that a
 * sound file can end before them: those of COUNT long values, for which the
 * free pages do not do. The list of those IS_LONG or short. */
static void
short_but_whole(const char *name, int count, int is_long, apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make(name, temp_lmdb_scratch(pool), pool);
    up_filter_t orgs = {.kinds = 1U << UP_KIND_ORG};

    fill(store, 20);
    if (is_long)
        must(up_store_each(store, &orgs, free_while_reading, store, pool));
    free_pages(store, 8, pool);
    put_orgs(store, count, 9000, 1, pool);
    up_store_close(store);

    long long size = size_of(data_path(name, pool));
    long long named = raw_lmdb_size(name, pool);
    ok(size < named, "%s: a file of %lld bytes lacks pages, of %lld", name,
       size, named);
    is(open_and_read(name, pool), "",
       "%s: a file that lacks free pages alone is opened", name);
    /* Other free pages may be the next. */
    const char *said = "";
    while (!*said && size > 0) {
        size -= PAGE;
        if (truncate(data_path(name, pool), size))
            exit(1);
        said = open_and_read(name, pool);
    }
    is(said, "STORE_UNAVAILABLE",
       "%s: without one more page, which is not free, it is refused", name);
}

static up_error_t *
change(up_store_t *store, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, "O1", "U1", decide, &script, pool,
                           pool);
}

static up_error_t *
read_user(up_store_t *store, apr_pool_t *pool)
{
    up_query_t query = {.wanted = "O1", .user = "U1"};
    up_view_t *view;

    return up_store_read(&view, store, &query, pool, pool);
}

typedef void (*tampering_t)(const char *name, apr_pool_t *pool);

static void
must_rename(const char *from, const char *to)
{
    if (rename(from, to)) {
        printf("Bail out! cannot rename %s\n", from);
        exit(1);
    }
}

static void
must_copy(const char *from, const char *to, apr_pool_t *pool)
{
    if (apr_file_copy(from, to, APR_FPROT_UREAD | APR_FPROT_UWRITE, pool)) {
        printf("Bail out! cannot copy %s\n", from);
        exit(1);
    }
}

static void
replace_data(const char *name, apr_pool_t *pool)
{
    const char *data = data_path(name, pool);
    const char *copy = apr_pstrcat(pool, data, ".copy", NULL);

    must_copy(data, copy, pool);
    must_rename(copy, data);
}

static void
remove_data(const char *name, apr_pool_t *pool)
{
    unlink(data_path(name, pool));
}

static void
remove_lock(const char *name, apr_pool_t *pool)
{
    unlink(lock_path(name, pool));
}

static void
replace_lock(const char *name, apr_pool_t *pool)
{
    const char *lock = lock_path(name, pool);
    const char *copy = apr_pstrcat(pool, lock, ".copy", NULL);

    must_copy(lock, copy, pool);
    must_rename(copy, lock);
}

static void
move_folder(const char *name, apr_pool_t *pool)
{
    const char *folder = temp_path(name, pool);

    must_rename(folder, apr_pstrcat(pool, folder, ".moved", NULL));
}

static void
replace_folder(const char *name, apr_pool_t *pool)
{
    const char *folder = temp_path(name, pool);

    move_folder(name, pool);
    mkdir(folder, 0700);
    must_copy(apr_pstrcat(pool, folder, ".moved/data.mdb", NULL),
              data_path(name, pool), pool);
}

static void
replace_folder_by_file(const char *name, apr_pool_t *pool)
{
    move_folder(name, pool);
    must_copy(temp_path("older", pool), temp_path(name, pool), pool);
}

/* An older copy, over the same inode. */
static void
overwrite_data(const char *name, apr_pool_t *pool)
{
    must_copy(temp_path("older", pool), data_path(name, pool), pool);
}

static void
cut_data(const char *name, apr_pool_t *pool)
{
    if (truncate(data_path(name, pool), 2 * PAGE))
        exit(1);
}

static const struct {
    const char *name;
    tampering_t tamper;
    int keeps_pages; /* the map stays valid, so that a change may begin */
    const char *how;
} tamperings[] = {
    {"data.mdb replaced", replace_data, 1, "was replaced"},
    {"data.mdb removed", remove_data, 1, "was removed"},
    {"lock.mdb removed", remove_lock, 1, "was removed"},
    {"lock.mdb replaced", replace_lock, 1, "was replaced"},
    {"the folder moved away", move_folder, 1, "was removed"},
    {"the folder replaced", replace_folder, 1, "was replaced"},
    {"a file in the folder's place", replace_folder_by_file, 1,
     "became unreachable"},
    {"data.mdb overwritten by an older copy", overwrite_data, 1,
     "was overwritten"},
    {"data.mdb cut off", cut_data, 0, "was cut off"},
};

#define TAMPERINGS (sizeof(tamperings) / sizeof(tamperings[0]))

/* A store that is open, and tampered with. */
static up_store_t *
make_and_tamper(size_t i, apr_pool_t *pool)
{
    const char *name = apr_psprintf(pool, "open%d", (int)i);
    up_store_t *store =
        temp_lmdb_make(name, temp_lmdb_options("16M", NULL, pool), pool);

    fill(store, 10);
    for (int j = 0; j < 100; j++) {
        if (j == 95) /* of the same size: there are free pages by now */
            must_copy(data_path(name, pool), temp_path("older", pool), pool);
        must(change(store, pool));
    }
    tamperings[i].tamper(name, pool);
    return store;
}

static void
tampered(apr_pool_t *pool)
{
    up_store_t *stores[TAMPERINGS];
    up_batch_t *batch;

    for (size_t i = 0; i < TAMPERINGS; i++) {
        stores[i] = make_and_tamper(i, pool);
        if (tamperings[i].keeps_pages)
            is_reason(
                change(stores[i], pool), "STORE_UNAVAILABLE",
                apr_psprintf(pool, "%s: a change at once", tamperings[i].name));
    }
    apr_sleep(apr_time_from_msec(1100)); /* readers look each second */
    for (size_t i = 0; i < TAMPERINGS; i++) {
        const char *what = tamperings[i].name;
        const up_error_t *err = read_user(stores[i], pool);
        is_reason(err, "STORE_UNAVAILABLE",
                  apr_psprintf(pool, "%s: a read a second later", what));
        ok(err && err->reason == UP_STORE_REPLACED &&
               strstr(err->message, tamperings[i].how) &&
               strstr(err->message, "graceful restart"),
           "%s: the message says what was done and what to do", what);
        is_reason(read_user(stores[i], pool), "STORE_UNAVAILABLE",
                  apr_psprintf(pool, "%s: the read after that", what));
        is_reason(change(stores[i], pool), "STORE_UNAVAILABLE",
                  apr_psprintf(pool, "%s: a change after that", what));
        is_reason(up_batch_begin(&batch, stores[i], pool), "STORE_UNAVAILABLE",
                  apr_psprintf(pool, "%s: a batch", what));
        up_store_close(stores[i]);
    }
}

static void
put_back(apr_pool_t *pool)
{
    up_store_t *store =
        temp_lmdb_make("back", temp_lmdb_options("16M", NULL, pool), pool);

    fill(store, 10);
    move_folder("back", pool);
    is_reason(change(store, pool), "STORE_UNAVAILABLE",
              "a folder that was moved away: a change");
    must_rename(temp_path("back.moved", pool), temp_path("back", pool));
    is_reason(read_user(store, pool), "", "the folder moved back: a read");
    is_reason(change(store, pool), "", "the folder moved back: a change");
    up_store_close(store);
}

/* Files that others may write, or that lie elsewhere than they seem to. */
static void
looked_at(apr_pool_t *pool)
{
    static const struct {
        const char *uri, *message;
    } rows[] = {
        {"lmdb:/nowhere/store//",
         "the LMDB store '/nowhere/store//' cannot be made, as there is no "
         "folder '/nowhere/'"},
        /* Its files are root's affair, or there are none yet. */
        {"lmdb:/usr", NULL},
    };
    up_store_t *store = temp_lmdb_make("open", temp_lmdb_scratch(pool), pool);
    const char *identity, *data = data_path("open", pool);

    up_store_close(store);
    if (chmod(data, 0620))
        exit(1);
    const up_error_t *err =
        temp_lmdb_prepare(&identity, "open", geteuid(), pool);
    is(err ? err->message : NULL,
       apr_psprintf(pool,
                    "the file '%s' of the LMDB store may be written to by "
                    "others than its owner",
                    data),
       "a data file that others may write is refused");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        err = up_store_inspect(&identity, rows[i].uri, 0, pool);
        is(err ? err->message : NULL, rows[i].message, "a look at %s",
           rows[i].uri);
    }
    /* For root there is nothing that it may not see. */
    if (mkdir(temp_path("dark", pool), 0))
        exit(1);
    is_reason(up_store_inspect(&identity, temp_lmdb_uri("dark/store", pool),
                               geteuid(), pool),
              "", "a store in a folder that cannot be looked at may be there");
}

/* A server and a tool with different lock files would both write. */
static void
two_locks(apr_pool_t *pool)
{
    up_store_t *store =
        temp_lmdb_make("locks", temp_lmdb_options("16M", NULL, pool), pool);
    int acknowledged = 0, status;
    up_view_t *view;
    up_query_t query = {.wanted = "O1", .user = "U1"};

    fill(store, 10);
    unlink(lock_path("locks", pool));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* A program of its own, since this one has the store open. */
        execl(program_path(pool), "lmdb_files", temp_path("locks", pool), NULL);
        _exit(1);
    }
    for (int i = 0; i < 200; i++)
        acknowledged += !change(store, pool);
    if (waitpid(child, &status, 0) != child)
        exit(1);
    is_number(status, 0, "a second process opens the store with a new lock");
    up_store_close(store);
    must(up_store_open(&store, temp_lmdb_uri("locks", pool),
                       temp_lmdb_scratch(pool), pool));
    must(up_store_read(&view, store, &query, pool, pool));
    is_number((long long)view->user->sequence, 1 + acknowledged + 200,
              "no acknowledged change of the two is lost");
    up_store_close(store);
}

static void
test(apr_pool_t *pool)
{
    cut_copies(pool);
    cut_message(pool);
    short_but_whole("short", 8, 0, pool);
    short_but_whole("shorter", 400, 0, pool);
    short_but_whole("long", 2500, 1, pool);
    tampered(pool);
    put_back(pool);
    looked_at(pool);
    two_locks(pool);
}

/* The second process of two_locks(): 200 changes of the store in FOLDER. */
static int
change_200(const char *folder)
{
    apr_pool_t *pool;
    up_store_t *store;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    must(up_store_open(&store, apr_pstrcat(pool, "lmdb:", folder, NULL),
                       temp_lmdb_options("16M", NULL, pool), pool));
    for (int i = 0; i < 200; i++)
        must(change(store, pool));
    up_store_close(store);
    apr_terminate();
    return 0;
}

int
main(int argc, char **argv)
{
    return argc == 2 ? change_200(argv[1]) : run_test(test);
}
