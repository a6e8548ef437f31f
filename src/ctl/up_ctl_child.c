/* up_ctl_child.c -- a part of a command in a process of its own. */
#include "ctl/up_ctl_child.h"
#include "ctl/up_ctl_print.h"

#include <apr_strings.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A message is cut off after so many bytes. */
#define MAX_MESSAGE 8192

/* What the child says of its work. */
typedef struct outcome_t {
    int is_over; /* the work has ended by itself */
    int failed;
    up_reason_t reason;
    char message[MAX_MESSAGE];
} outcome_t;

typedef struct shared_t {
    void *memory;
    apr_size_t size;
} shared_t;

static apr_status_t
unmap(void *baton)
{
    shared_t *shared = baton;

    munmap(shared->memory, shared->size);
    return APR_SUCCESS;
}

void *
up_ctl_shared(up_ctl_t *ctl, apr_size_t size)
{
    shared_t *shared = apr_palloc(ctl->pool, sizeof(*shared));

    shared->size = size;
    shared->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared->memory == MAP_FAILED)
        return NULL;
    apr_pool_cleanup_register(ctl->pool, shared, unmap, apr_pool_cleanup_null);
    return shared->memory;
}

static const int endings[] = {SIGHUP, SIGINT, SIGTERM};

#define ENDINGS (sizeof(endings) / sizeof(endings[0]))

/* Block or unblock them, as HOW says; *BEFORE, which may be NULL, is the mask
 * as it was. */
static void
mask_endings(int how, sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ENDINGS; i++)
        sigaddset(&set, endings[i]);
    sigprocmask(how, &set, before);
}

void
up_ctl_put_off_endings(void)
{
    mask_endings(SIG_BLOCK, NULL);
}

/* The child, for end_child(). */
static volatile sig_atomic_t child;

/* A signal that would end this process ends the child; then this process
 * removes what the two have made, and ends with an error. */
static void
end_child(int number)
{
    (void)number;
    if (child > 0)
        kill((pid_t)child, SIGKILL);
}

/* What the child does. A signal that came since it was made ends it now. */
static void
do_work(up_ctl_t *ctl,
        up_error_t *(*work)(up_ctl_t *, void *),
        void *baton,
        outcome_t *outcome)
{
    up_ctl_follow_parent(ctl);
    up_error_t *err = work(ctl, baton);
    if (ctl->store)
        up_store_close(ctl->store);
    up_error_t *unwritten = up_ctl_print_end(ctl->pool);
    if (!err)
        err = unwritten;
    outcome->failed = err != NULL;
    if (err) {
        outcome->reason = err->reason;
        apr_cpystrn(outcome->message, up_ctl_story(ctl, err), MAX_MESSAGE);
    }
    outcome->is_over = 1;
}

void
up_ctl_follow_parent(const up_ctl_t *ctl)
{
    if (!ctl->parent)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != ctl->parent)
        _exit(1);
}

/* The error of the child, which has ended with STATUS. */
static up_error_t *
error_of(const up_ctl_t *ctl,
         const outcome_t *outcome,
         int status,
         const char *what)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (outcome->is_over && !outcome->failed)
        return NULL;
    if (outcome->is_over)
        return up_error(ctl->pool, outcome->reason, APR_SUCCESS, "%s",
                        outcome->message);
    if (number == SIGSEGV || number == SIGBUS || number == SIGABRT)
        return up_error(ctl->pool, UP_INTERNAL, APR_SUCCESS,
                        "cannot %s: what is in its files is so damaged that "
                        "reading it ended the process that did (%s); a backup "
                        "is to be restored",
                        what, strsignal(number));
    return up_error(ctl->pool, UP_INTERNAL, APR_SUCCESS,
                    "cannot %s: it was interrupted", what);
}

up_error_t *
up_ctl_in_child(up_ctl_t *ctl,
                up_error_t *(*work)(up_ctl_t *ctl, void *baton),
                void *baton,
                const char *what)
{
    outcome_t *outcome = up_ctl_shared(ctl, sizeof(*outcome));
    struct sigaction action, before[ENDINGS];
    sigset_t mask;
    int status = 0;

    if (!outcome)
        return up_error(ctl->pool, UP_INTERNAL, APR_FROM_OS_ERROR(errno),
                        "cannot %s", what);
    fflush(stdout); /* or the child would print it again */
    memset(&action, 0, sizeof(action));
    action.sa_handler = end_child;
    sigemptyset(&action.sa_mask);
    mask_endings(SIG_BLOCK, &mask);
    pid_t own = getpid(), pid = fork();
    if (pid == 0) {
        mask_endings(SIG_UNBLOCK, NULL);
        ctl->parent = own;
        do_work(ctl, work, baton, outcome);
        _exit(0);
    }
    child = pid;
    for (size_t i = 0; i < ENDINGS; i++) {
        sigaction(endings[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* nohup's, it stays so */
            sigaction(endings[i], &action, NULL);
    }
    mask_endings(SIG_UNBLOCK, NULL);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    child = 0;
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &before[i], NULL);
    if (pid < 0)
        return up_error(ctl->pool, UP_INTERNAL, APR_FROM_OS_ERROR(errno),
                        "cannot %s: cannot make a process", what);
    return error_of(ctl, outcome, status, what);
}
