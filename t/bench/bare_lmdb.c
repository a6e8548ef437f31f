/*
 * bare_lmdb.c -- what a change of a profile costs without a server: the same
 * transactions on the same store, by LMDB alone, and the disk's own rate.
 *
 *     bare_lmdb change FOLDER ORG USERS BATCH SECONDS
 *         changes of random users, BATCH in each transaction, flushed
 *     bare_lmdb flush FOLDER SECONDS
 *         write 4 KiB to a file there and fdatasync it, again and again
 *     bare_lmdb transaction FOLDER
 *         the number of the last transaction
 *     bare_lmdb settle FOLDER
 *         drop the store's file from the page cache, and read it again, page by
 *         page: a write to one of the large folios that reading ahead makes
 *         costs several times as much
 *
 * A change reads a profile, puts it back as it is, and appends a copy of the
 * last event, with the checksum that belongs to its key: LMDB copies, writes
 * and flushes the same pages as for other bytes of that length, and the store
 * stays what it was, but for events that did not happen. The first two print
 * one line: operations a second, and the microseconds of a transaction: median,
 * 95th, 99th percentile, longest.
 */
#include "samples.h"
#include "store/lmdb/up_checksum.h"
#include "store/lmdb/up_lmdb.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DATABASES 16
#define PAGE 4096
#define FLUSH_PAGES 1024 /* of the file that is flushed */

static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "bare_lmdb: cannot %s: %s\n", what, why);
    exit(1);
}

static void
check(int rc, const char *what)
{
    if (rc)
        fail(what, mdb_strerror(rc));
}

/* Run OPERATION for SECONDS; each counts for WEIGHT. */
static void
measure(void (*operation)(void *), void *baton, double weight, double seconds)
{
    double start = samples_now(), before = start, after = start, count = 0;

    for (; after - start < seconds; before = after, count++) {
        operation(baton);
        after = samples_now();
        samples_add(after - before);
    }
    if (!samples_print(weight * count / (after - start)))
        fail("measure", "no time, or no place for the result");
}

typedef struct store_t {
    MDB_env *env;
    MDB_dbi profile, event;
    const char *org;
    unsigned long users, batch;
} store_t;

static void
open_store(store_t *store, const char *folder)
{
    MDB_txn *txn;

    check(mdb_env_create(&store->env), "make an environment");
    check(mdb_env_set_maxreaders(store->env, UP_LMDB_READERS), "set readers");
    check(mdb_env_set_maxdbs(store->env, DATABASES), "set databases");
    check(mdb_env_open(store->env, folder, MDB_NOTLS | MDB_NORDAHEAD, 0600),
          folder);
    check(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn), "begin");
    check(mdb_dbi_open(txn, "profile", 0, &store->profile), "open profile");
    check(mdb_dbi_open(txn, "event", 0, &store->event), "open event");
    check(mdb_txn_commit(txn), "keep the databases");
}

/* The key of a random user: see Users.pm. */
static MDB_val
random_key(const store_t *store, char *bytes, size_t size)
{
    unsigned long number = (unsigned long)random() % store->users;
    int length = snprintf(bytes, size, "%s%c3%017lu", store->org, 0, number);
    MDB_val key = {(size_t)length, bytes};

    return key;
}

static void
change_profile(const store_t *store, MDB_txn *txn)
{
    char bytes[512], copy[4096];
    MDB_val key = random_key(store, bytes, sizeof(bytes)), value;

    check(mdb_get(txn, store->profile, &key, &value), "read a profile");
    if (value.mv_size > sizeof(copy))
        fail("change a profile", "it is too long");
    memcpy(copy, value.mv_data, value.mv_size);
    value.mv_data = copy;
    check(mdb_put(txn, store->profile, &key, &value, 0), "put a profile");
}

/* Write the checksum of the event of LENGTH bytes at BYTES for its new KEY: see
 * up_lmdb_value.c. */
static void
mark_event(unsigned char *bytes, size_t length, const MDB_val *key)
{
    const size_t front = 1 + UP_CHECKSUM_BYTES;

    if (length < front || bytes[0] != UP_LMDB_MARK)
        return; /* a store of format 1 has no checksums */
    up_checksum_write(
        bytes + 1,
        up_checksum(up_checksum(LMDB_EVENT, key->mv_data, key->mv_size),
                    bytes + front, length - front));
}

static void
append_event(const store_t *store, MDB_txn *txn)
{
    unsigned char number[8], copy[4096];
    MDB_cursor *cursor;
    MDB_val key, value;

    check(mdb_cursor_open(txn, store->event, &cursor), "open a cursor");
    check(mdb_cursor_get(cursor, &key, &value, MDB_LAST), "find an event");
    if (key.mv_size != sizeof(number) || value.mv_size > sizeof(copy))
        fail("append an event", "the last is none of ours");
    memcpy(number, key.mv_data, sizeof(number));
    for (int i = sizeof(number) - 1; i >= 0 && ++number[i] == 0; i--)
        ;
    memcpy(copy, value.mv_data, value.mv_size);
    key.mv_data = number;
    value.mv_data = copy;
    mark_event(copy, value.mv_size, &key);
    check(mdb_cursor_put(cursor, &key, &value, MDB_APPEND), "put an event");
    mdb_cursor_close(cursor);
}

static void
change_batch(void *baton)
{
    const store_t *store = baton;
    MDB_txn *txn;

    check(mdb_txn_begin(store->env, NULL, 0, &txn), "begin");
    for (unsigned long i = 0; i < store->batch; i++) {
        change_profile(store, txn);
        append_event(store, txn);
    }
    check(mdb_txn_commit(txn), "commit");
}

/* Walk through the profiles once: their pages are mapped then, as they are in a
 * server that has been at work for a while. */
static void
map_pages(const store_t *store)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;

    check(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn), "begin");
    check(mdb_cursor_open(txn, store->profile, &cursor), "open a cursor");
    while (!mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
        ;
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
}

static int
change(char **argument)
{
    store_t store = {.org = argument[1],
                     .users = strtoul(argument[2], NULL, 10),
                     .batch = strtoul(argument[3], NULL, 10)};

    if (!store.users || !store.batch)
        fail("change profiles", "no number of users, or of changes");
    srandom((unsigned)time(NULL) ^ (unsigned)getpid());
    open_store(&store, argument[0]);
    map_pages(&store);
    measure(change_batch, &store, (double)store.batch, atof(argument[4]));
    return 0;
}

typedef struct file_t {
    int fd;
    off_t page;
} file_t;

static void
flush_page(void *baton)
{
    static const char bytes[PAGE] = {1};
    file_t *file = baton;

    if (pwrite(file->fd, bytes, PAGE, PAGE * file->page) != PAGE ||
        fdatasync(file->fd))
        fail("flush", "write or fdatasync failed");
    file->page = (file->page + 1) % FLUSH_PAGES;
}

static int
flush(char **argument)
{
    char path[4096];
    file_t file = {0};

    snprintf(path, sizeof(path), "%s/flush", argument[0]);
    file.fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file.fd < 0 || unlink(path))
        fail("make a file in", argument[0]);
    /* Written once, so that the rest is of data and not of the file's size. */
    for (int i = 0; i < FLUSH_PAGES; i++) {
        if (pwrite(file.fd, path, PAGE, PAGE * (off_t)i) != PAGE)
            fail("write", path);
    }
    if (fsync(file.fd))
        fail("flush", path);
    measure(flush_page, &file, 1, atof(argument[1]));
    return 0;
}

static int
transaction(char **argument)
{
    store_t store = {0};
    MDB_envinfo info;

    open_store(&store, argument[0]);
    check(mdb_env_info(store.env, &info), "look at the store");
    printf("%lu\n", (unsigned long)info.me_last_txnid);
    return 0;
}

static int
settle(char **argument)
{
    char bytes[PAGE], path[4096];

    snprintf(path, sizeof(path), "%s/data.mdb", argument[0]);
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fdatasync(fd) ||
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ||
        posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM)) /* no reading ahead */
        fail("drop from the page cache", path);
    while (read(fd, bytes, sizeof(bytes)) > 0)
        ;
    close(fd);
    return 0;
}

int
main(int count, char **argument)
{
    static const struct {
        const char *name;
        int arguments;
        int (*run)(char **argument);
    } commands[] = {
        {"change", 5, change},
        {"flush", 2, flush},
        {"transaction", 1, transaction},
        {"settle", 1, settle},
    };

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (count == commands[i].arguments + 2 &&
            !strcmp(argument[1], commands[i].name))
            return commands[i].run(argument + 2);
    }
    fprintf(stderr, "usage: see the head of bare_lmdb.c\n");
    return 2;
}
