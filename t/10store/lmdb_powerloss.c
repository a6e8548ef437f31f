/* lmdb_powerloss.c -- an LMDB store on a machine that loses its power.
 *
 * The driver's writes to data.mdb, its flushes, and the name that the file gets
 * are recorded while stores are made, changed and upgraded, on disks that work
 * and on disks where writing a meta page fails. Then the disk is put together
 * as a loss of power at any moment may have left it: what was flushed is there;
 * of what was written since then, any part, in sectors of 512 bytes. Each such
 * store must be opened and have all changes that were acknowledged, and no half
 * of one.
 *
 * The argument, or POWERLOSS_STATES, says how many disks are tried for each
 * scenario: the more, the more parts. */
#include "raw_lmdb.h"
#include "store_contract.h"
#include "store_items.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR 512
#define STATES 250
#define MAX_IMAGE (4 << 20)
#define MAX_TEXTS 1000

/* What is recorded. */
typedef enum what_t {
    WRITTEN,      /* to the page cache */
    FLUSHED,      /* all that was written before */
    NAMED,        /* the file got the name data.mdb */
    NAME_FLUSHED, /* the folder was */
    BEGUN,        /* the change that leads to the text of this number */
    ACKNOWLEDGED  /* likewise */
} what_t;

typedef struct event_t {
    what_t what;
    off_t offset;
    size_t length;
    unsigned char *bytes;
    int synchronous; /* a write that is on the disk once it has returned */
    int number;
} event_t;

/* A recording, which begins with the bytes FIRST of the file. */
static struct {
    int on;
    event_t *events;
    size_t count, room;
    unsigned char *first;
    size_t first_length;
    int named;                    /* the file had its name at first */
    const char *texts[MAX_TEXTS]; /* what the store has after each change */
    int text;                     /* the number of the last one */
} tape;

static int meta_failures; /* how many writes of a meta page are to fail */

static void
record(event_t event)
{
    if (!tape.on)
        return;
    if (tape.count == tape.room) {
        tape.room = tape.room ? 2 * tape.room : 1000;
        tape.events = realloc(tape.events, tape.room * sizeof(tape.events[0]));
        if (!tape.events)
            exit(1);
    }
    tape.events[tape.count++] = event;
}

/* Whether FILE is data.mdb, or what is to get that name. Sets *HAS_NAME to
 * whether it has it. */
static int
is_data(int file, int *has_name)
{
    char link[64], path[4096];

    apr_snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    const char *name = strrchr(path, '/');
    *has_name = name && !strcmp(name, "/data.mdb");
    return name && !strncmp(name, "/data.mdb", strlen("/data.mdb"));
}

static void
record_write(int file, const void *bytes, size_t length, off_t offset, int ok)
{
    event_t event = {.what = WRITTEN, .offset = offset, .length = length};
    int has_name;

    if (!tape.on || !is_data(file, &has_name))
        return;
    if (has_name && !tape.named) {
        tape.named = 1;
        record((event_t){.what = NAMED});
        record((event_t){.what = NAME_FLUSHED}); /* to the driver's favour */
    }
    event.bytes = malloc(length);
    if (!event.bytes)
        exit(1);
    memcpy(event.bytes, bytes, length);
    event.synchronous = ok && fcntl(file, F_GETFL) & O_DSYNC;
    record(event);
}

/* LMDB and the driver call the executable's functions rather than the C
 * library's. */
__attribute__((visibility("default"))) ssize_t
pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    int fails = meta_failures > 0 && fcntl(file, F_GETFL) & O_DSYNC;

    ssize_t written = syscall(SYS_pwrite64, file, bytes, length, offset);
    record_write(file, bytes, length, offset, !fails);
    if (!fails)
        return written;
    /* As Linux does it: the page cache has it, the disk perhaps. */
    meta_failures--;
    errno = EIO;
    return -1;
}

__attribute__((visibility("default"))) ssize_t
writev(int file, const struct iovec *vector, int count)
{
    off_t offset = (off_t)syscall(SYS_lseek, file, 0, SEEK_CUR);

    for (int i = 0; i < count; i++) {
        record_write(file, vector[i].iov_base, vector[i].iov_len, offset, 1);
        offset += (off_t)vector[i].iov_len;
    }
    return syscall(SYS_writev, file, vector, count);
}

__attribute__((visibility("default"))) int
fdatasync(int file)
{
    int has_name;

    int rc = (int)syscall(SYS_fdatasync, file);
    if (!rc && tape.on && is_data(file, &has_name))
        record((event_t){.what = FLUSHED});
    return rc;
}

__attribute__((visibility("default"))) int
fsync(int file)
{
    struct stat status;

    int rc = (int)syscall(SYS_fsync, file);
    if (!rc && !fstat(file, &status) && S_ISDIR(status.st_mode))
        record((event_t){.what = NAME_FLUSHED});
    return rc;
}

__attribute__((visibility("default"))) int
link(const char *from, const char *to)
{
    int rc = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);

    if (!rc && tape.on) {
        tape.named = 1;
        record((event_t){.what = NAMED});
    }
    return rc;
}

/* A disk. */
typedef struct disk_t {
    unsigned char bytes[MAX_IMAGE];
    size_t length;
    int named;
} disk_t;

static void
put_part(disk_t *disk, const event_t *event, size_t from, size_t to)
{
    size_t end = (size_t)event->offset + to;

    if (end > MAX_IMAGE) {
        printf("Bail out! the file is larger than is provided for\n");
        exit(1);
    }
    if (end > disk->length) {
        memset(disk->bytes + disk->length, 0, end - disk->length);
        disk->length = end;
    }
    memcpy(disk->bytes + event->offset + from, event->bytes + from, to - from);
}

/* A generator of numbers, the same in each run. */
static unsigned long long seed;

static unsigned
draw(unsigned below)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % below;
}

/* How much of what was written and not flushed reaches the disk. */
typedef enum part_kind_t { NOTHING, ALL, SOME, TORN, PARTS } part_kind_t;

/* Put EVENT, which was not flushed, on DISK, as far as KIND says. */
static void
put_unflushed(disk_t *disk, const event_t *event, part_kind_t kind)
{
    if (kind == NOTHING || (kind != ALL && draw(2)))
        return;
    if (kind != TORN) {
        put_part(disk, event, 0, event->length);
        return;
    }
    /* Sectors begin at multiples of their size in the file. */
    size_t from = 0;
    while (from < event->length) {
        size_t at = (size_t)event->offset + from;
        size_t to = from + SECTOR - at % SECTOR;
        if (to > event->length)
            to = event->length;
        if (draw(2))
            put_part(disk, event, from, to);
        from = to;
    }
}

/* Put DISK together as a loss of power leaves it while the event MOMENT is
 * under way. Sets *FROM and *TO to the numbers of the texts that it may have.
 */
static void
lose_power(disk_t *disk, int *from, int *to, size_t moment, part_kind_t kind)
{
    size_t flushed = 0;
    int named = 0;

    if (tape.first)
        memcpy(disk->bytes, tape.first, tape.first_length);
    disk->length = tape.first_length;
    disk->named = tape.first_length > 0;
    *from = *to = 0;
    for (size_t i = 0; i < moment; i++) {
        if (tape.events[i].what == FLUSHED)
            flushed = i;
    }
    for (size_t i = 0; i <= moment && i < tape.count; i++) {
        const event_t *event = &tape.events[i];
        int complete = i < moment;
        switch (event->what) {
        case WRITTEN:
            if (complete && (i < flushed || event->synchronous))
                put_part(disk, event, 0, event->length);
            else
                put_unflushed(disk, event, kind);
            break;
        case NAMED:
            named = 1;
            disk->named = kind == ALL || (kind != NOTHING && draw(2));
            break;
        case NAME_FLUSHED:
            disk->named |= named && complete;
            break;
        case BEGUN:
            *to = event->number;
            break;
        case ACKNOWLEDGED:
            if (complete)
                *from = event->number;
            break;
        default:
            break;
        }
    }
}

static void
write_disk(const disk_t *disk, apr_pool_t *pool)
{
    const char *path = temp_path("disk/data.mdb", pool);

    mkdir(temp_path("disk", pool), 0700);
    unlink(temp_path("disk/lock.mdb", pool));
    unlink(path);
    if (!disk->named)
        return;
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 ||
        write(file, disk->bytes, disk->length) != (ssize_t)disk->length)
        exit(1);
    close(file);
}

/* What is wrong with the store that DISK has, in POOL: NULL if it has one of
 * the texts from FROM to TO. */
static const char *
check_disk(const disk_t *disk, int from, int to, apr_pool_t *pool)
{
    const char *identity, *uri = temp_lmdb_uri("disk", pool);
    const apr_table_t *options = temp_lmdb_scratch(pool);
    up_store_t *store;
    int made;

    write_disk(disk, pool);
    if (!disk->named && from > 0)
        return "the file has no name";
    up_error_t *err = up_store_prepare(&identity, &made, uri, options,
                                       geteuid(), getegid(), pool, pool);
    if (!err)
        err = up_store_open(&store, uri, options, pool);
    if (err)
        return err->message;
    const char *text = store_text(store, ALL_KINDS, pool);
    up_store_close(store);
    for (int i = from; i <= to; i++) {
        if (!strcmp(text, tape.texts[i]))
            return NULL;
    }
    return "it has other items";
}

static apr_uint64_t
hash(const disk_t *disk)
{
    apr_uint64_t sum = disk->named ? 14695981039346656037ULL : 1;

    for (size_t i = 0; i < disk->length; i += sizeof(apr_uint64_t)) {
        apr_uint64_t word = 0;
        memcpy(&word, disk->bytes + i,
               disk->length - i < sizeof(word) ? disk->length - i
                                               : sizeof(word));
        sum = (sum ^ word) * 1099511628211ULL;
        sum ^= sum >> 29;
    }
    return sum;
}

/* Whether SUM is among the COUNT numbers at SEEN. */
static int
is_among(const apr_uint64_t *seen, int count, apr_uint64_t sum)
{
    for (int i = 0; i < count; i++) {
        if (seen[i] == sum)
            return 1;
    }
    return 0;
}

/* One test point: up to STATES different disks of the recording. */
static void
replay(const char *name, int states, apr_pool_t *pool)
{
    apr_uint64_t *seen = apr_pcalloc(pool, (size_t)states * sizeof(*seen));
    disk_t *disk = malloc(sizeof(*disk));
    int wrong = 0, different = 0, from, to;
    apr_pool_t *iterpool;

    tape.on = 0;
    seed = 1;
    apr_pool_create(&iterpool, pool);
    for (int i = 0; disk && i < 5 * states && different < states; i++) {
        size_t moment = draw((unsigned)tape.count + 1);
        part_kind_t kind = (part_kind_t)(i % PARTS);
        lose_power(disk, &from, &to, moment, kind);
        apr_uint64_t sum = hash(disk);
        if (is_among(seen, different, sum))
            continue;
        seen[different++] = sum;
        apr_pool_clear(iterpool);
        const char *why = check_disk(disk, from, to, iterpool);
        if (why && wrong++ < 3)
            printf("# in event %d of %d, part %d: %s\n", (int)moment,
                   (int)tape.count, kind, why);
    }
    free(disk);
    apr_pool_destroy(iterpool);
    is_number(wrong, 0,
              "%s: after a loss of power the store has what was acknowledged "
              "(%d different states of %d events)",
              name, different, (int)tape.count);
}

static void
forget(void)
{
    for (size_t i = 0; i < tape.count; i++)
        free(tape.events[i].bytes);
    free(tape.first);
    tape.first = NULL;
    tape.first_length = tape.count = 0;
    tape.named = 0;
    tape.text = 0;
}

/* Begin to record, with the store NAME, which holds TEXT, as it is. */
static void
begin(const char *name, const char *text, apr_pool_t *pool)
{
    struct stat status;

    forget();
    int file = open(apr_pstrcat(pool, temp_path(name, pool), "/data.mdb", NULL),
                    O_RDONLY);
    if (file >= 0 && !fstat(file, &status)) {
        tape.first_length = (size_t)status.st_size;
        tape.first = malloc(tape.first_length);
        if (!tape.first ||
            read(file, tape.first, tape.first_length) != status.st_size)
            exit(1);
        close(file);
        tape.named = 1;
    }
    tape.texts[0] = text;
    tape.on = 1;
}

/* A change of a store; NUMBER says which. */
typedef up_error_t *(*change_t)(up_store_t *store,
                                int number,
                                apr_pool_t *pool);

/* What the store NAME, which is open, would have after CHANGE: found out in a
 * copy of it. */
static const char *
foresee(const char *name, change_t change, int number, apr_pool_t *pool)
{
    const char *folder = temp_path("twin", pool), *text;
    up_store_t *twin;

    mkdir(folder, 0700);
    unlink(temp_path("twin/lock.mdb", pool));
    if (apr_file_copy(
            apr_pstrcat(pool, temp_path(name, pool), "/data.mdb", NULL),
            temp_path("twin/data.mdb", pool), APR_FPROT_FILE_SOURCE_PERMS,
            pool))
        exit(1);
    tape.on = 0;
    must(up_store_open(&twin, temp_lmdb_uri("twin", pool),
                       temp_lmdb_scratch(pool), pool));
    must(change(twin, number, pool));
    text = store_text(twin, ALL_KINDS, pool);
    up_store_close(twin);
    tape.on = 1;
    return text;
}

/* Make CHANGE of the store NAME, and record when it was acknowledged. If FAILS,
 * writing its meta page does, and after a loss of power the store may have it
 * or not, until the next change is acknowledged. */
static void
make_change(up_store_t *store,
            const char *name,
            change_t change,
            int number,
            int fails,
            apr_pool_t *pool)
{
    int text = ++tape.text;

    if (text >= MAX_TEXTS)
        exit(1);
    tape.texts[text] = foresee(name, change, number, pool);
    record((event_t){.what = BEGUN, .number = text});
    meta_failures = fails;
    up_error_t *err = change(store, number, pool);
    meta_failures = 0;
    if (!fails)
        must(err);
    else if (!err || err->reason != UP_OUTCOME_UNKNOWN)
        exit(1);
    if (!err)
        record((event_t){.what = ACKNOWLEDGED, .number = text});
    else /* the store is opened again */
        (void)store_text(store, ALL_KINDS, pool);
}

static up_error_t *
update(up_store_t *store, int number, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    return up_store_update(&after, store, "O1",
                           apr_psprintf(pool, "U%d", number % 50), decide,
                           &script, pool, pool);
}

static up_error_t *
batch(up_store_t *store, int number, apr_pool_t *pool)
{
    up_batch_t *many;
    int found;

    UP_ERR(up_batch_begin(&many, store, pool));
    UP_ERR(up_batch_put(
        many, make_org(apr_psprintf(pool, "N%d", number), "", pool), pool));
    for (int i = 0; i < 60; i++) {
        const up_item_t *token =
            make_token("T", (unsigned char)(number + i), pool);
        if (number % 2)
            UP_ERR(up_batch_put(many, token, pool));
        else
            UP_ERR(up_batch_remove(&found, many, token, pool));
    }
    return up_batch_commit(many);
}

static up_store_t *
open_store(const char *name, apr_pool_t *pool)
{
    up_store_t *store;

    must(up_store_open(&store, temp_lmdb_uri(name, pool),
                       temp_lmdb_options("16M", NULL, pool), pool));
    return store;
}

/* A store with 50 users, closed; returns its text. */
static const char *
make(const char *name, apr_pool_t *pool)
{
    up_store_t *store =
        temp_lmdb_make(name, temp_lmdb_options("16M", NULL, pool), pool);
    up_batch_t *many;

    put_org(store, "O1");
    must(up_batch_begin(&many, store, pool));
    for (int i = 0; i < 50; i++)
        must(up_batch_put(many,
                          make_human("O1", apr_psprintf(pool, "U%d", i),
                                     UP_ACTIVE, LONGEST_TEXT, pool),
                          pool));
    must(up_batch_commit(many));
    const char *text = store_text(store, ALL_KINDS, pool);
    up_store_close(store);
    return text;
}

static void
new_store(int states, apr_pool_t *pool)
{
    const char *identity;
    int made;

    begin("new", "", pool);
    must(up_store_prepare(&identity, &made, temp_lmdb_uri("new", pool),
                          temp_lmdb_options("16M", NULL, pool), geteuid(),
                          getegid(), pool, pool));
    up_store_t *store = open_store("new", pool);
    for (int i = 0; i < 3; i++)
        make_change(store, "new", batch, 2 * i + 1, 0, pool);
    up_store_close(store);
    replay("a new store", states, pool);
}

static void
changes(int states, apr_pool_t *pool)
{
    begin("changes", make("changes", pool), pool);
    up_store_t *store = open_store("changes", pool);
    for (int i = 0; i < 60; i++)
        make_change(store, "changes", i % 4 ? update : batch, i * 7, 0, pool);
    up_store_close(store);
    replay("changes", states, pool);
}

static void
failing_meta(int states, apr_pool_t *pool)
{
    begin("failing", make("failing", pool), pool);
    up_store_t *store = open_store("failing", pool);
    for (int i = 0; i < 60; i++)
        make_change(store, "failing", i % 4 ? update : batch, i * 7, i % 3 == 0,
                    pool);
    up_store_close(store);
    replay("changes, of which each third fails as its meta page is written",
           states, pool);
}

static void
upgrade(int states, apr_pool_t *pool)
{
    const char *text = make("upgrade", pool);
    apr_uint64_t changed;

    raw_lmdb_downgrade("upgrade", pool);
    begin("upgrade", text, pool);
    up_store_t *store = open_store("upgrade", pool);
    must(up_store_upgrade(&changed, store, pool));
    for (int i = 0; i < 5; i++)
        make_change(store, "upgrade", update, i, 0, pool);
    up_store_close(store);
    replay("an upgrade", states, pool);
}

/* How many states of each of the last three; a new store has few. */
static int most = STATES;

static void
test(apr_pool_t *pool)
{
    new_store(most, pool);
    changes(most, pool);
    failing_meta(most, pool);
    upgrade(most, pool);
    forget();
    free(tape.events);
}

int
main(void)
{
    const char *asked = getenv("POWERLOSS_STATES");

    if (asked)
        most = (int)apr_atoi64(asked) / 3;
    return run_test(test);
}
