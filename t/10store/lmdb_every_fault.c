/* lmdb_every_fault.c -- what users rely on when memory or the disk fails: each
 * allocation, and each system call, of an operation fails in turn, until the
 * operation has no more of them. Whatever fails, the store is sound afterwards
 * and the answer was true. */
#include "ctl/up_ctl.h"
#include "service/up_tokens.h"
#include "store_contract.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "wire/up_json.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

/* An operation that takes longer hangs. */
#define SECONDS 60

/* No operation has more calls. */
#define MOST_TRIES 20000

typedef enum kind_t { NOTHING, ALLOCATION, SYSTEM_CALL } kind_t;

/* What fails: the call of KIND that comes after so many others. Shared with the
 * process that made this one. */
static kind_t failing;
static long before_it;
static int *has_failed;

/* Whether a call of KIND is the one to fail. */
static int
fails(kind_t kind)
{
    if (__atomic_load_n(&failing, __ATOMIC_ACQUIRE) != kind ||
        __atomic_fetch_sub(&before_it, 1, __ATOMIC_RELAXED) != 0)
        return 0;
    *has_failed = 1;
    return 1;
}

static int
fails_with(int error)
{
    if (!fails(SYSTEM_CALL))
        return 0;
    errno = error;
    return 1;
}

static void
let_fail(kind_t kind, long after)
{
    __atomic_store_n(&before_it, after, __ATOMIC_RELAXED);
    __atomic_store_n(&failing, kind, __ATOMIC_RELEASE);
}

/* Libraries call the executable's functions rather than the C library's. The
 * sanitizers bring their own allocator, which cannot be made to fail. */
#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static int
allocation_fails(void)
{
    if (!fails(ALLOCATION))
        return 0;
    errno = ENOMEM;
    return 1;
}

EXPORTED void *
malloc(size_t size)
{
    return allocation_fails() ? NULL : __libc_malloc(size);
}

EXPORTED void *
calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __libc_calloc(count, size);
}

EXPORTED void *
realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __libc_realloc(memory, size);
}

EXPORTED void
free(void *memory)
{
    __libc_free(memory);
}
#endif

EXPORTED int
open(const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (fails_with(EMFILE))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

EXPORTED int
openat(int folder, const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (fails_with(EMFILE))
        return -1;
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

EXPORTED int
fcntl(int file, int command, ...)
{
    va_list args;

    va_start(args, command);
    void *arg = va_arg(args, void *);
    va_end(args);
    if (fails_with(ENOLCK))
        return -1;
    return (int)syscall(SYS_fcntl, file, command, arg);
}

EXPORTED void *
mmap(void *at, size_t length, int access, int flags, int file, off_t offset)
{
    if (fails_with(ENOMEM))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, length, access, flags, file, offset);
}

EXPORTED ssize_t
read(int file, void *bytes, size_t length)
{
    return fails_with(EIO) ? -1 : syscall(SYS_read, file, bytes, length);
}

EXPORTED ssize_t
pread(int file, void *bytes, size_t length, off_t offset)
{
    if (fails_with(EIO))
        return -1;
    return syscall(SYS_pread64, file, bytes, length, offset);
}

EXPORTED ssize_t
write(int file, const void *bytes, size_t length)
{
    return fails_with(EIO) ? -1 : syscall(SYS_write, file, bytes, length);
}

EXPORTED ssize_t
pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    if (fails_with(EIO))
        return -1;
    return syscall(SYS_pwrite64, file, bytes, length, offset);
}

EXPORTED ssize_t
writev(int file, const struct iovec *vector, int count)
{
    return fails_with(EIO) ? -1 : syscall(SYS_writev, file, vector, count);
}

#define FILE_CALL(name, number, error)                                         \
    EXPORTED int name(int file)                                                \
    {                                                                          \
        return fails_with(error) ? -1 : (int)syscall(number, file);            \
    }

FILE_CALL(fdatasync, SYS_fdatasync, EIO)
FILE_CALL(fsync, SYS_fsync, EIO)

EXPORTED int
msync(void *at, size_t length, int flags)
{
    return fails_with(EIO) ? -1 : (int)syscall(SYS_msync, at, length, flags);
}

EXPORTED int
ftruncate(int file, off_t length)
{
    return fails_with(EIO) ? -1 : (int)syscall(SYS_ftruncate, file, length);
}

EXPORTED int
fallocate(int file, int mode, off_t offset, off_t length)
{
    if (fails_with(ENOSPC))
        return -1;
    return (int)syscall(SYS_fallocate, file, mode, offset, length);
}

/* How a try ended; the exit code of its process. */
typedef enum outcome_t {
    DONE,
    REFUSED,  /* an error said that nothing was done */
    UNCLEAR,  /* an error said that it may be done */
    ENDED,    /* a pool had no memory, which ends the process */
    WRONG,    /* the answer was not that of the operation, or was no failure of
               * the machine's */
    STRANDED, /* it could not be done afterwards either */
} outcome_t;

static const char *const outcomes[] = {"done",    "refused",
                                       "unclear", "ended for lack of memory",
                                       "wrong",   "stranded"};

static int
end_process(int status)
{
    (void)status;
    _exit(ENDED);
}

/* An operation on the store that the folder has; sets *RIGHT to 0 if what it
 * read is wrong. */
typedef up_error_t *(*operation_t)(int *right,
                                   up_store_t *store,
                                   apr_pool_t *pool);

static const char *store_uri;

static up_error_t *
read_user(int *right, up_store_t *store, apr_pool_t *pool)
{
    up_query_t query = {.caller = "A", .wanted = "O1", .user = "A"};
    up_view_t *view;

    UP_ERR(up_store_read(&view, store, &query, pool, pool));
    *right = view->user && view->org_roles && !strcmp(view->caller_org, "O1") &&
             !strcmp(view->user->profile->text[UP_DISPLAY_NAME], "D");
    return NULL;
}

static up_error_t *
change_user(int *right, up_store_t *store, apr_pool_t *pool)
{
    script_t script = {.action = CHANGE};
    const up_user_t *after;

    UP_ERR(
        up_store_update(&after, store, "O1", "A", decide, &script, pool, pool));
    *right = after->sequence == 2;
    return NULL;
}

static up_error_t *
check_token(int *right, up_store_t *store, apr_pool_t *pool)
{
    const char *user;

    UP_ERR(up_token_check(&user, store, 0, "the-token-of-A", pool, pool));
    *right = !strcmp(user, "A");
    return NULL;
}

/* Run the tool's COMMAND with OPERAND, or without if that is NULL. */
static up_error_t *
run_tool(up_error_t *(*command)(up_ctl_t *ctl),
         const char *operand,
         apr_pool_t *pool)
{
    const char *const operands[] = {operand, NULL};
    up_ctl_t ctl = {.pool = pool, .author = "tool:me"};

    ctl.line.option[UP_CTL_STORE] = store_uri;
    ctl.line.operand = operands;
    ctl.line.operands = operand != NULL;
    up_error_t *err = command(&ctl);
    if (ctl.store)
        up_store_close(ctl.store);
    return err;
}

static up_error_t *
import_items(int *right, up_store_t *store, apr_pool_t *pool)
{
    (void)right;
    (void)store;
    up_error_t *err = run_tool(up_ctl_import, temp_path("lines", pool), pool);
    if (err &&
        err->reason == UP_CONFLICT)       /* the file cannot be read further: */
        err->reason = UP_OUTCOME_UNKNOWN; /* the lines before are kept */
    return err;
}

static up_error_t *
export_items(int *right, up_store_t *store, apr_pool_t *pool)
{
    (void)right;
    (void)store;
    UP_ERR(run_tool(up_ctl_export, NULL, pool));
    if (fflush(stdout))
        return up_error(pool, UP_INTERNAL, APR_SUCCESS, "output");
    return NULL;
}

/* Opening comes with every operation that gets no store. */
static up_error_t *
open_store(int *right, up_store_t *store, apr_pool_t *pool)
{
    (void)store;
    UP_ERR(up_store_open(&store, store_uri, NULL, pool));
    up_error_t *err = read_user(right, store, pool);
    up_store_close(store);
    return err;
}

/* Longer than most buffers that grow. */
#define NAME TIMES_10("Gigi \\u00e9 ")
#define READ_NAME TIMES_10("Gigi \xc3\xa9 ")

static up_error_t *
parse_body(int *right, up_store_t *store, apr_pool_t *pool)
{
    static const char *const names[] = {"a", "aRatherLongNameOfAMember", NULL};
    const up_json_t *array;
    up_json_t *object;
    char *body = apr_pstrdup(pool, "");

    (void)store;
    for (int i = 0; i < 100; i++)
        body =
            apr_pstrcat(pool, body, i ? "," : "", "{\"y\":\"" NAME "\"}", NULL);
    body = apr_pstrcat(pool, "{\"a\":[", body, "],\"", names[1],
                       "\":12345678901234567890}", NULL);
    UP_ERR(up_json_parse(&object, body, strlen(body), pool));
    array = up_json_member(object, "a");
    *right = !up_json_unknown_member(object, names) && array &&
             up_json_count(array) == 100 &&
             up_json_number(up_json_member(object, names[1])) ==
                 12345678901234567890.0;
    for (int i = 0; i < 100 && *right; i++) {
        const up_json_t *y =
            up_json_member(up_json_element(array, (apr_size_t)i), "y");
        *right = y && !strcmp(up_json_string(y), READ_NAME);
    }
    return NULL;
}

/* Make a store in a new folder. */
static up_error_t *
make_store(int *right, up_store_t *store, apr_pool_t *pool)
{
    const char *identity, *uri = temp_lmdb_uri("new", pool);
    int made;

    (void)store;
    UP_ERR(up_store_prepare(&identity, &made, uri, NULL, geteuid(), getegid(),
                            pool, pool));
    UP_ERR(up_store_open(&store, uri, NULL, pool));
    *right = count_items(store, UP_KIND_ORG, pool) == 0;
    up_store_close(store);
    return NULL;
}

static const struct {
    const char *name;
    operation_t run;
    int opens;   /* it opens the store itself */
    int repeats; /* it can be done again */
} operations[] = {
    {"a body of JSON", parse_body, 0, 1},
    {"open", open_store, 1, 1},
    {"GET", read_user, 0, 1},
    {"PUT", change_user, 0, 0},
    {"a token", check_token, 0, 1},
    {"import", import_items, 1, 0},
    {"export", export_items, 1, 1},
    {"init", make_store, 1, 1},
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* The process of one try: run OPERATION, with what let_fail() was told. */
static void
run_operation(size_t operation, kind_t kind, long after)
{
    int right = 1, used = 1;
    up_store_t *store = NULL;
    apr_pool_t *pool;

    alarm(SECONDS);
    if (!freopen("/dev/null", "w", stdout))
        _exit(WRONG);
    apr_pool_create_ex(&pool, NULL, end_process, NULL);
    if (!operations[operation].opens)
        must(up_store_open(&store, store_uri, NULL, pool));
    let_fail(kind, after);
    const up_error_t *err = operations[operation].run(&right, store, pool);
    let_fail(NOTHING, 0);

    if (!store)
        must(up_store_open(&store, store_uri, NULL, pool));
    const up_error_t *later = read_user(&used, store, pool);
    if (!later && used && err && operations[operation].repeats)
        later = operations[operation].run(&used, store, pool);
    if (later || !used)
        _exit(STRANDED);
    if (!err)
        _exit(right ? DONE : WRONG);
    if (err->reason == UP_OUTCOME_UNKNOWN)
        _exit(UNCLEAR);
    _exit(err->reason == UP_STORE_UNAVAILABLE || err->reason == UP_STORE_FULL ||
                  err->reason == UP_INTERNAL || err->reason == UP_CONFLICT
              ? REFUSED
              : WRONG);
}

/* The store as it was made, whose file each try gets anew. */
static char *original;
static size_t original_length;

static void
keep_original(apr_pool_t *pool)
{
    FILE *file = fopen(temp_path("store/data.mdb", pool), "rb");

    original = apr_palloc(pool, 1 << 22);
    original_length = file ? fread(original, 1, 1 << 22, file) : 0;
    if (!original_length || fclose(file))
        exit(1);
}

static void
restore_original(apr_pool_t *pool)
{
    FILE *file = fopen(temp_path("store/data.mdb", pool), "wb");

    if (!file ||
        fwrite(original, 1, original_length, file) != original_length ||
        fclose(file))
        exit(1);
    unlink(temp_path("store/lock.mdb", pool));
}

/* All that the store has; of events, which have the time, how many. */
static const char *
content(apr_pool_t *pool)
{
    up_store_t *store;

    must(up_store_open(&store, store_uri, NULL, pool));
    const char *text = apr_psprintf(
        pool, "%s%lld events\n",
        store_text(store, ALL_KINDS & ~(1u << UP_KIND_EVENT), pool),
        count_items(store, UP_KIND_EVENT, pool));
    up_store_close(store);
    return text;
}

/* Try OPERATION in a process of its own. Sets *TEXT to what the store has then;
 * returns the outcome, or -1 if the process was killed. */
static int
try_operation(const char **text,
              size_t operation,
              kind_t kind,
              long after,
              apr_pool_t *pool)
{
    int status, right = 1;

    restore_original(pool);
    remove(temp_path("new/data.mdb", pool));
    remove(temp_path("new/lock.mdb", pool));
    remove(temp_path("new", pool));
    *has_failed = 0;
    pid_t child = fork();
    if (!child)
        run_operation(operation, kind, after);
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(1);
    if (operations[operation].run == make_store)
        must(make_store(&right, NULL, pool)); /* whatever was left */
    *text = content(pool);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether the outcome of an operation is true of a store that had BEFORE, would
 * have AFTER, and has TEXT. */
static int
is_true(int outcome, const char *before, const char *after, const char *text)
{
    int is_before = !strcmp(text, before), is_after = !strcmp(text, after);

    switch (outcome) {
    case DONE:
        return is_after;
    case REFUSED:
        return is_before;
    case UNCLEAR:
    case ENDED:
        return is_before || is_after;
    default:
        return 0;
    }
}

static void
walk(size_t operation, kind_t kind, const char *what, apr_pool_t *pool)
{
    const char *before, *after, *text;
    apr_pool_t *iterpool;
    int untrue = 0;
    long tries = 0;

    restore_original(pool);
    before = content(pool);
    ok(try_operation(&after, operation, NOTHING, 0, pool) == DONE,
       "%s: is done if nothing fails", operations[operation].name);
    apr_pool_create(&iterpool, pool);
    do {
        apr_pool_clear(iterpool);
        int outcome = try_operation(&text, operation, kind, tries, iterpool);
        if (!is_true(outcome, before, after, text)) {
            untrue++;
            printf("# %s %ld of %s: %s, the store is %s\n", what, tries + 1,
                   operations[operation].name,
                   outcome < 0 || outcome > STRANDED ? "killed"
                                                     : outcomes[outcome],
                   !strcmp(text, before)  ? "as before"
                   : !strcmp(text, after) ? "changed"
                                          : "neither as before nor changed");
            fflush(stdout); /* before the next fork() */
        }
        tries++;
    } while (*has_failed && tries < MOST_TRIES);
    apr_pool_destroy(iterpool);
    is_number(untrue, 0, "%s: whichever %s fails, of %ld, the answer is true",
              operations[operation].name, what, tries - 1);
    ok(tries < MOST_TRIES, "%s: the walk over each %s ends",
       operations[operation].name, what);
}

/* Make the store, in a process of its own: what this one does first, the tries
 * would not do any longer. */
static void
fill_store(apr_pool_t *pool)
{
    up_item_t token = {.kind = UP_KIND_TOKEN, .as.token = {.user = "A"}};
    int status;

    store_uri = temp_lmdb_uri("store", pool);
    pid_t child = fork();
    if (!child) {
        up_store_t *store =
            temp_lmdb_make("store", temp_lmdb_options("16M", NULL, pool), pool);
        put_small(store);
        must(up_token_hash(token.as.token.sha256, "the-token-of-A", pool));
        must(put_item(store, &token, pool));
        up_store_close(store);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        exit(1);
    keep_original(pool);
}

/* The lines that import_items() stores, in one batch. */
static void
write_lines(apr_pool_t *pool)
{
    FILE *file = fopen(temp_path("lines", pool), "w");

    if (!file)
        exit(1);
    fputs("{\"org\":{\"id\":\"O3\",\"name\":\"Three\"}}\n", file);
    for (int i = 0; i < 20; i++)
        fprintf(file,
                "{\"user\":{\"id\":\"N%d\",\"orgId\":\"O3\",\"type\":\"human\","
                "\"creationDate\":\"2025-03-25T09:00:00Z\","
                "\"changeDate\":\"2025-03-25T09:00:00Z\",\"profile\":"
                "{\"firstName\":\"" NAME "\",\"lastName\":\"N\"}}}\n",
                i);
    fputs("{\"member\":{\"orgId\":\"O3\",\"userId\":\"N1\",\"roles\":[\"X\"]}}"
          "\n",
          file);
    if (fclose(file))
        exit(1);
}

static void
test(apr_pool_t *pool)
{
    has_failed = mmap(NULL, sizeof(*has_failed), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (has_failed == MAP_FAILED)
        exit(1);
    up_json_init();
    /* As a server's child and the tool do before anything else: at its first
     * use libcrypto makes thousands of allocations, and one that fails leaves
     * it unusable for the rest of the process. */
    must(up_token_init(pool));
    /* The C library ends a process that has no memory at its first look for a
     * user's name. */
    if (!getpwuid(getuid()))
        printf("# the user %ld has no name\n", (long)getuid());
    fill_store(pool);
    write_lines(pool);
    for (size_t i = 0; i < OPERATIONS; i++) {
        walk(i, ALLOCATION, "allocation", pool);
        walk(i, SYSTEM_CALL, "system call", pool);
    }
}

int
main(void)
{
    return run_test(test);
}
