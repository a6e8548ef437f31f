/* queue.c -- many threads' jobs, done in batches: none lost, none done twice,
 * none answered early, one batch at a time. */
#include "store/lmdb/up_queue.h"
#include "tap.h"

#include <apr_time.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS 32
#define ROUNDS 2000
#define MAX 8

typedef struct job_t {
    up_job_t job;
    int thread, round;
    int done; /* how often */
    int failed;
} job_t;

/* What the batches were. Only they write it, one at a time: ThreadSanitizer
 * would tell otherwise. */
typedef struct seen_t {
    up_queue_t *queue;
    long jobs, batches, largest, together, late;
    long handed;   /* batches that the queue's own thread did */
    long foreign;  /* batches by a thread whose job was done before */
    int deaf;      /* a signal that its own fault raises is not for it */
    int disturbed; /* one that others send is */
    int under_way; /* at this moment */
    int too_many;
} seen_t;

/* The thread's, if it has submitted one. */
static __thread const job_t *own;

/* Look at the signals that reach the queue's own thread. */
static void
look_at_signals(seen_t *seen)
{
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    seen->deaf |=
        sigismember(&blocked, SIGSEGV) || sigismember(&blocked, SIGBUS);
    seen->disturbed |=
        !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGUSR1);
}

/* Every seventh job fails, and leaves its neighbours alone. */
static void
run(void *baton, up_queue_t *queue)
{
    seen_t *seen = baton;
    int first, count;

    if (__atomic_add_fetch(&seen->under_way, 1, __ATOMIC_SEQ_CST) != 1)
        seen->too_many = 1;
    up_queue_take(&first, queue);
    if (++seen->batches % 16 == 0)
        apr_sleep(100); /* as for a lock or a flush: others gather */
    up_job_t *const *jobs = up_queue_take(&count, queue);
    seen->late += count > first;
    seen->jobs += count;
    seen->together += count > 1;
    seen->handed += !own;
    seen->foreign += own && own->done;
    if (!own)
        look_at_signals(seen);
    if (count > seen->largest)
        seen->largest = count;
    for (int i = 0; i < count; i++) {
        job_t *job = (job_t *)jobs[i];
        job->done++;
        job->failed = (job->thread + job->round) % 7 == 0;
    }
    __atomic_sub_fetch(&seen->under_way, 1, __ATOMIC_SEQ_CST);
}

typedef struct worker_t {
    pthread_t thread;
    pthread_barrier_t *start;
    seen_t *seen;
    int number;
    long wrong; /* jobs not done just once, or with another's outcome */
} worker_t;

static void *
work(void *data)
{
    worker_t *worker = data;

    pthread_barrier_wait(worker->start);
    for (int round = 0; round < ROUNDS; round++) {
        job_t job = {.thread = worker->number, .round = round};
        own = &job;
        up_queue_submit(worker->seen->queue, &job.job);
        if (job.done != 1 || job.failed != ((worker->number + round) % 7 == 0))
            worker->wrong++;
    }
    return NULL;
}

/* Have many threads submit jobs; between their making and their start, call
 * PREPARE. */
static void
submit_many(seen_t *seen, void (*prepare)(void), apr_pool_t *pool)
{
    static worker_t workers[THREADS];
    pthread_barrier_t start;
    long wrong = 0;

    *seen = (seen_t){0};
    ok(!up_queue_make(&seen->queue, MAX, run, seen, pool), "a queue is made");
    pthread_barrier_init(&start, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){.start = &start, .seen = seen, .number = i};
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    prepare();
    pthread_barrier_wait(&start);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong += workers[i].wrong;
    }
    pthread_barrier_destroy(&start);
    is_number(wrong, 0,
              "each job was done once, with its own outcome, when "
              "its thread went on");
    is_number(seen->jobs, (long long)THREADS * ROUNDS, "no job was lost");
    ok(!seen->too_many, "one batch ran at a time");
    is_number(seen->foreign, 0, "no thread ran a batch without its own job");
    ok(seen->largest <= MAX,
       "no batch has more jobs than allowed (the largest had %ld)",
       seen->largest);
}

static void
do_nothing(void)
{
}

static void
many_threads(apr_pool_t *pool)
{
    seen_t seen;

    submit_many(&seen, do_nothing, pool);
    ok(seen.together > 0, "jobs that wait are done in one batch");
    ok(seen.late > 0,
       "jobs that come once a batch has begun are done in that batch");
    ok(seen.handed > 0, "the queue's own thread runs batches");
    ok(!seen.disturbed,
       "the queue's own thread gets no signals to the process");
    ok(!seen.deaf,
       "a fault in the queue's own thread has the process's handler");
}

static struct rlimit processes;

/* Which are threads, too, to the kernel; it does not hold root to it. */
static void
forbid_threads(void)
{
    struct rlimit none = {0, processes.rlim_max};

    setrlimit(RLIMIT_NPROC, &none);
}

static void
no_thread_to_be_had(apr_pool_t *pool)
{
    seen_t seen;

    getrlimit(RLIMIT_NPROC, &processes);
    submit_many(&seen, forbid_threads, pool);
    setrlimit(RLIMIT_NPROC, &processes);
    if (geteuid())
        is_number(seen.handed, 0,
                  "where no thread can be made, submitters run the batches");
}

/* Counts what one thread alone sees. */
static void
count_alone(void *baton, up_queue_t *queue)
{
    int *batches = baton, count;

    up_queue_take(&count, queue);
    *batches += count == 1;
}

static void
one_thread(apr_pool_t *pool)
{
    int batches = 0;
    up_queue_t *queue;
    job_t job = {0};

    ok(!up_queue_make(&queue, MAX, count_alone, &batches, pool),
       "a queue is made");
    for (int i = 0; i < 3; i++)
        up_queue_submit(queue, &job.job);
    is_number(batches, 3, "a single thread's jobs are each done at once");
}

static void
test(apr_pool_t *pool)
{
    one_thread(pool);
    many_threads(pool);
    no_thread_to_be_had(pool);
}

int
main(void)
{
    return run_test(test);
}
