/* queue.c -- many threads' jobs, done in batches by one thread: none lost, none
 * done twice, none answered early, none done that was withdrawn. */
#include "store/lmdb/up_queue.h"
#include "core/up_clock.h"
#include "tap.h"

#include <apr_time.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS 32
#define ROUNDS 2000
#define MAX 8

#define SOON apr_time_from_msec(20)
#define LATE apr_time_from_sec(60)

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
    apr_interval_time_t wait; /* of every 16th batch, before it takes jobs */
    long jobs, batches, largest, together;
    long not_alone;
    int singly;      /* so many batches to come are to have one job */
    long not_singly; /* those that had more */
    long foreign;    /* batches by a thread that submits */
    int deaf;        /* a signal that its own fault raises is not for it */
    int disturbed;   /* one that others send is */
} seen_t;

static __thread int submits;

/* Look at the signals that reach the worker. */
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
    int count;

    if (++seen->batches % 16 == 0)
        apr_sleep(seen->wait); /* as for a lock */
    up_job_t *const *jobs = up_queue_take(&count, queue);
    seen->not_singly += seen->singly && count > 1;
    seen->singly -= seen->singly > 0;
    seen->jobs += count;
    seen->together += count > 1;
    seen->foreign += submits;
    look_at_signals(seen);
    if (count > seen->largest)
        seen->largest = count;
    if (seen->batches % 64 == 0) {
        int singly = seen->batches % 128 == 0;
        up_queue_put_back(queue, singly);
        if (singly)
            seen->singly = count;
        seen->jobs -= count;
        return;
    }
    for (int i = 0; i < count; i++) {
        job_t *job = (job_t *)jobs[i];
        job->done++;
        job->failed = (job->thread + job->round) % 7 == 0;
        seen->not_alone += job->job.alone && count > 1;
        up_queue_done(&job->job);
    }
}

typedef struct submitter_t {
    pthread_t thread;
    pthread_barrier_t *start;
    seen_t *seen;
    apr_interval_time_t timeout;
    int number;
    long done, withdrawn, refused;
    long wrong; /* jobs that did not end as the queue says */
} submitter_t;

static void *
submit(void *data)
{
    submitter_t *self = data;

    submits = 1;
    pthread_barrier_wait(self->start);
    for (int round = 0; round < ROUNDS; round++) {
        job_t job = {.job = {.alone = round % 50 == 0},
                     .thread = self->number,
                     .round = round};
        up_job_end_t end =
            up_queue_submit(self->seen->queue, &job.job, self->timeout);
        self->done += end == UP_JOB_DONE;
        self->withdrawn += end == UP_JOB_WITHDRAWN;
        self->refused += end == UP_JOB_REFUSED;
        if (job.done != (end == UP_JOB_DONE) ||
            job.failed != (job.done && (self->number + round) % 7 == 0))
            self->wrong++;
    }
    return NULL;
}

/* Have many threads submit jobs, each of which gives up after TIMEOUT; between
 * their making and their start, call PREPARE. Returns the sum of what they
 * met. */
static submitter_t
submit_many(seen_t *seen,
            apr_interval_time_t timeout,
            void (*prepare)(void),
            apr_pool_t *pool)
{
    static submitter_t submitters[THREADS];
    submitter_t sum = {0};
    pthread_barrier_t start;

    ok(!up_queue_make(&seen->queue, MAX, run, seen, pool), "a queue is made");
    pthread_barrier_init(&start, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) {
        submitters[i] = (submitter_t){
            .start = &start, .seen = seen, .timeout = timeout, .number = i};
        pthread_create(&submitters[i].thread, NULL, submit, &submitters[i]);
    }
    prepare();
    pthread_barrier_wait(&start);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(submitters[i].thread, NULL);
        sum.done += submitters[i].done;
        sum.withdrawn += submitters[i].withdrawn;
        sum.refused += submitters[i].refused;
        sum.wrong += submitters[i].wrong;
    }
    pthread_barrier_destroy(&start);
    is_number(sum.done + sum.withdrawn + sum.refused,
              (long long)THREADS * ROUNDS, "no job was lost");
    is_number(sum.wrong, 0,
              "each was done once, with its own outcome, or not at all, as its "
              "thread was told");
    return sum;
}

static void
do_nothing(void)
{
}

static void
many_threads(apr_pool_t *pool)
{
    seen_t seen = {.wait = 100};

    submitter_t sum = submit_many(&seen, LATE, do_nothing, pool);
    is_number(sum.done, (long long)THREADS * ROUNDS, "all jobs were done");
    ok(up_queue_stop(seen.queue, LATE), "the worker can be ended");
    is_number(seen.jobs, sum.done, "each in one batch");
    ok(seen.largest <= MAX, "no batch is over the bound (the largest was %ld)",
       seen.largest);
    ok(seen.together > 0, "jobs that wait are done together");
    is_number(seen.not_alone, 0, "but not those that are to be alone");
    is_number(seen.not_singly, 0, "nor those that were put back singly");
    is_number(seen.foreign, 0, "a thread that submits runs no batch");
    ok(!seen.disturbed, "signals to the process are for other threads");
    ok(!seen.deaf, "a fault of its own has the handler that the process set");
}

static void
impatient_threads(apr_pool_t *pool)
{
    seen_t seen = {.wait = 2000};

    submitter_t sum = submit_many(&seen, 1000, do_nothing, pool);
    ok(sum.done > 0 && sum.withdrawn > 0,
       "some jobs were done, others withdrawn: %ld and %ld", sum.done,
       sum.withdrawn);
    ok(up_queue_stop(seen.queue, LATE), "the worker can be ended");
    is_number(seen.jobs, sum.done, "no batch had one that was withdrawn");
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
    seen_t seen = {0};

    getrlimit(RLIMIT_NPROC, &processes);
    submitter_t sum = submit_many(&seen, LATE, forbid_threads, pool);
    setrlimit(RLIMIT_NPROC, &processes);
    if (geteuid())
        is_number(sum.refused, (long long)THREADS * ROUNDS,
                  "where no thread can be created, jobs are refused");
    job_t job = {.round = 0};
    is_number(up_queue_submit(seen.queue, &job.job, LATE), UP_JOB_DONE,
              "once it can, they are done");
}

/* A lock that a test holds, and batches wait for before they take jobs, or
 * after that. */
typedef struct locked_t {
    pthread_mutex_t lock;
    int takes_first;
    int batches, jobs; /* guarded by LOCK */
} locked_t;

static void
run_locked(void *baton, up_queue_t *queue)
{
    locked_t *locked = baton;
    up_job_t *const *jobs;
    int count;

    if (locked->takes_first)
        up_queue_take(&count, queue);
    pthread_mutex_lock(&locked->lock);
    jobs = up_queue_take(&count, queue);
    locked->batches++;
    locked->jobs += count;
    pthread_mutex_unlock(&locked->lock);
    for (int i = 0; i < count; i++) {
        ((job_t *)jobs[i])->done++;
        up_queue_done(jobs[i]);
    }
}

/* Wait until a batch of QUEUE waits. */
static void
wait_for_batch(up_queue_t *queue)
{
    while (!up_queue_waits_since(queue, NULL))
        apr_sleep(1000);
}

static void
stuck(apr_pool_t *pool)
{
    locked_t locked = {.lock = PTHREAD_MUTEX_INITIALIZER};
    apr_time_t before = up_clock();
    up_queue_t *queue;
    job_t jobs[3] = {{.round = 0}};
    int in_vain;

    ok(!up_queue_make(&queue, MAX, run_locked, &locked, pool),
       "a queue is made");
    is_number(up_queue_waits_since(queue, NULL), 0, "no batch waits yet");
    pthread_mutex_lock(&locked.lock);
    for (int i = 0; i < 3; i++)
        is_number(up_queue_submit(queue, &jobs[i].job, SOON), UP_JOB_WITHDRAWN,
                  "a job is withdrawn while the batch waits in vain");
    apr_time_t since = up_queue_waits_since(queue, NULL);
    ok(since >= before && since <= up_clock(), "the queue says since when");
    ok(since == up_queue_waits_since(queue, &in_vain) && in_vain,
       "and that jobs were withdrawn since");
    ok(!up_queue_stop(queue, SOON), "the worker cannot be ended");
    is_number(locked.batches, 0, "as it waits still");
    pthread_mutex_unlock(&locked.lock);

    is_number(up_queue_submit(queue, &jobs[0].job, LATE), UP_JOB_DONE,
              "when the wait is over, the next job is done");
    ok(up_queue_stop(queue, LATE), "the worker can be ended");
    is_number(jobs[0].done + jobs[1].done + jobs[2].done, 1,
              "none was done that was withdrawn");
    is_number(locked.jobs, 1, "nor was in a batch");
    is_number(up_queue_waits_since(queue, NULL), 0,
              "no batch waits any longer");
    is_number(up_queue_submit(queue, &jobs[0].job, LATE), UP_JOB_DONE,
              "a worker that was ended is created anew");
}

/* What holds the lock for a while. */
typedef struct holder_t {
    locked_t *locked;
    pthread_barrier_t has_it;
} holder_t;

static void *
hold(void *data)
{
    holder_t *holder = data;

    pthread_mutex_lock(&holder->locked->lock);
    pthread_barrier_wait(&holder->has_it);
    apr_sleep(10 * SOON);
    holder->locked->batches = 100;
    pthread_mutex_unlock(&holder->locked->lock);
    return NULL;
}

/* A job's batch has begun when its time is up: its end is waited for. */
static void
slow_batch(apr_pool_t *pool)
{
    locked_t locked = {.lock = PTHREAD_MUTEX_INITIALIZER, .takes_first = 1};
    holder_t holder = {.locked = &locked};
    up_queue_t *queue;
    job_t job = {.round = 0};
    pthread_t thread;

    ok(!up_queue_make(&queue, MAX, run_locked, &locked, pool),
       "a queue is made");
    pthread_barrier_init(&holder.has_it, NULL, 2);
    pthread_create(&thread, NULL, hold, &holder);
    pthread_barrier_wait(&holder.has_it);
    is_number(up_queue_submit(queue, &job.job, SOON), UP_JOB_DONE,
              "a job in a batch is not withdrawn");
    is_number(job.done, 1, "it was done");
    is_number(locked.batches, 101, "and its end was waited for");
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&holder.has_it);
}

static void
poke(apr_pool_t *pool)
{
    locked_t locked = {.lock = PTHREAD_MUTEX_INITIALIZER};
    up_queue_t *queue;

    ok(!up_queue_make(&queue, MAX, run_locked, &locked, pool),
       "a queue is made");
    pthread_mutex_lock(&locked.lock);
    up_queue_poke(queue);
    wait_for_batch(queue);
    is_number(locked.batches, 0, "a batch can be asked for without waiting");
    pthread_mutex_unlock(&locked.lock);
    ok(up_queue_stop(queue, LATE), "the worker ends");
    is_number(locked.batches, 1, "after the batch, which was run");
    is_number(locked.jobs, 0, "and had no job");
}

static void
test(apr_pool_t *pool)
{
    stuck(pool);
    slow_batch(pool);
    poke(pool);
    many_threads(pool);
    impatient_threads(pool);
    no_thread_to_be_had(pool);
}

int
main(void)
{
    return run_test(test);
}
