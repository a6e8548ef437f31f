/* up_queue.c -- runs the jobs of many threads in batches, in one thread. */
#include "store/lmdb/up_queue.h"
#include "core/up_clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

/* How often a thread whose time is up asks whether its job can be withdrawn,
 * while that is in a batch. */
#define TAKEN_PAUSE apr_time_from_sec(1)

struct up_queue_t {
    up_queue_run_t run;
    void *baton;
    int max;

    /* The worker's. */
    up_job_t **batch; /* of MAX jobs, the first COUNT of which are used */
    int count;

    /* Atomic, as every thread asks, and written with the lock held. */
    apr_time_t waits_since; /* the batch that takes no jobs yet; 0: none */
    int in_vain;            /* a job was withdrawn since */

    pthread_mutex_t lock; /* guards what follows */
    up_job_t *first, *last;
    int singly;             /* so many batches to come have one job each */
    int poked;              /* a batch is to be run, even without jobs */
    pthread_cond_t changed; /* for the worker: there is work, or STOPPING */
    pthread_cond_t ended;   /* the worker has ended */
    pthread_t worker;
    enum { NO_WORKER, RUNNING, ENDED } state;
    int stopping; /* the worker is to end */
};

static apr_status_t
destroy(void *data)
{
    up_queue_t *queue = data;

    while (!up_queue_stop(queue, apr_time_from_sec(1)))
        ;
    pthread_cond_destroy(&queue->ended);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    return APR_SUCCESS;
}

up_error_t *
up_queue_make(up_queue_t **queue,
              int max,
              up_queue_run_t run,
              void *baton,
              apr_pool_t *pool)
{
    up_queue_t *made = apr_pcalloc(pool, sizeof(*made));
    pthread_condattr_t monotonic; /* the clock is up_clock() */

    made->run = run;
    made->baton = baton;
    made->max = max;
    made->batch = apr_palloc(pool, (apr_size_t)max * sizeof(*made->batch));
    int rc = pthread_mutex_init(&made->lock, NULL);
    if (rc)
        return up_error(pool, UP_INTERNAL, APR_FROM_OS_ERROR(rc),
                        "cannot make the lock of a queue");
    /* None of these allocates anything that could be short. */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->changed, NULL);
    pthread_cond_init(&made->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    apr_pool_cleanup_register(pool, made, destroy, apr_pool_cleanup_null);
    *queue = made;
    return NULL;
}

/* WHEN, by up_clock(). */
static struct timespec
moment(apr_time_t when)
{
    return (struct timespec){.tv_sec = (time_t)apr_time_sec(when),
                             .tv_nsec = apr_time_usec(when) * 1000};
}

static void
set_waits_since(up_queue_t *queue, apr_time_t when)
{
    __atomic_store_n(&queue->waits_since, when, __ATOMIC_RELEASE);
}

up_job_t *const *
up_queue_take(int *count, up_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    int max = queue->singly ? 1 : queue->max;
    if (queue->singly)
        queue->singly--;
    set_waits_since(queue, 0);
    while (queue->first && queue->count < max &&
           !(queue->count && queue->first->alone)) {
        up_job_t *job = queue->first;
        queue->first = job->next;
        job->taken = 1;
        queue->batch[queue->count++] = job;
        if (job->alone)
            max = queue->count;
    }
    if (!queue->first)
        queue->last = NULL;
    pthread_mutex_unlock(&queue->lock);
    *count = queue->count;
    return queue->batch;
}

void
up_queue_done(up_job_t *job)
{
    __atomic_store_n(&job->done, 1, __ATOMIC_RELEASE);
    sem_post(&job->wake);
}

void
up_queue_put_back(up_queue_t *queue, int singly)
{
    pthread_mutex_lock(&queue->lock);
    if (singly)
        queue->singly = queue->count;
    if (!queue->first && queue->count)
        queue->last = queue->batch[queue->count - 1];
    while (queue->count) {
        up_job_t *job = queue->batch[--queue->count];
        job->taken = 0;
        job->next = queue->first;
        queue->first = job;
    }
    pthread_mutex_unlock(&queue->lock);
}

/* The worker. */
static void *
work(void *data)
{
    up_queue_t *queue = data;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        while (!queue->first && !queue->poked && !queue->stopping)
            pthread_cond_wait(&queue->changed, &queue->lock);
        if (!queue->first && !queue->poked)
            break;
        queue->poked = 0;
        queue->count = 0;
        __atomic_store_n(&queue->in_vain, 0, __ATOMIC_RELAXED);
        set_waits_since(queue, up_clock());
        pthread_mutex_unlock(&queue->lock);
        queue->run(queue->baton, queue);
        pthread_mutex_lock(&queue->lock);
        set_waits_since(queue, 0);
    }
    queue->state = ENDED;
    pthread_cond_signal(&queue->ended);
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Create QUEUE's worker, unless it is there. It takes no signals but those that
 * a thread causes itself. Returns 0 if it cannot be created. The caller holds
 * the lock. */
static int
start_worker(up_queue_t *queue)
{
    static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    sigset_t others, before;

    if (queue->state == RUNNING)
        return 1;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&others, faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    if (!pthread_create(&queue->worker, NULL, work, queue))
        queue->state = RUNNING;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return queue->state == RUNNING;
}

/* Add JOB to those that wait. Returns 0 if there can be no worker. */
static int
enqueue(up_queue_t *queue, up_job_t *job)
{
    pthread_mutex_lock(&queue->lock);
    int started = start_worker(queue);
    if (started && queue->first)
        queue->last->next = job;
    else if (started)
        queue->first = job;
    if (started)
        queue->last = job;
    pthread_mutex_unlock(&queue->lock);
    if (started)
        pthread_cond_signal(&queue->changed);
    return started;
}

/* Take JOB out of those that wait. Returns 0 if it is in a batch, or done. */
static int
withdraw(up_queue_t *queue, up_job_t *job)
{
    up_job_t *before = NULL;

    pthread_mutex_lock(&queue->lock);
    int waits = !job->taken;
    if (waits && queue->first == job) {
        queue->first = job->next;
    } else if (waits) {
        for (before = queue->first; before->next != job;)
            before = before->next;
        before->next = job->next;
    }
    if (waits && queue->last == job)
        queue->last = before;
    if (waits)
        __atomic_store_n(&queue->in_vain, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&queue->lock);
    return waits;
}

/* Whether JOB is done, at WHEN at the latest. */
static int
is_done_by(up_job_t *job, apr_time_t when)
{
    struct timespec until = moment(when);
    int rc = 0;

    do
        rc = sem_clockwait(&job->wake, CLOCK_MONOTONIC, &until);
    while (rc && errno == EINTR);
    return !rc && __atomic_load_n(&job->done, __ATOMIC_ACQUIRE);
}

up_job_end_t
up_queue_submit(up_queue_t *queue, up_job_t *job, apr_interval_time_t timeout)
{
    apr_time_t until = up_clock() + timeout;
    up_job_end_t end = UP_JOB_DONE;

    job->next = NULL;
    job->taken = job->done = 0;
    sem_init(&job->wake, 0, 0);
    if (!enqueue(queue, job))
        end = UP_JOB_REFUSED;
    while (end == UP_JOB_DONE && !is_done_by(job, until)) {
        if (withdraw(queue, job))
            end = UP_JOB_WITHDRAWN;
        until = up_clock() + TAKEN_PAUSE;
    }
    sem_destroy(&job->wake);
    return end;
}

void
up_queue_poke(up_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->poked = start_worker(queue);
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_signal(&queue->changed);
}

apr_time_t
up_queue_waits_since(up_queue_t *queue, int *in_vain)
{
    apr_time_t since = __atomic_load_n(&queue->waits_since, __ATOMIC_ACQUIRE);

    if (in_vain)
        *in_vain = since && __atomic_load_n(&queue->in_vain, __ATOMIC_RELAXED);
    return since;
}

int
up_queue_stop(up_queue_t *queue, apr_interval_time_t timeout)
{
    struct timespec until = moment(up_clock() + timeout);
    int rc = 0;

    pthread_mutex_lock(&queue->lock);
    queue->stopping = 1;
    pthread_cond_signal(&queue->changed);
    while (queue->state == RUNNING && !rc)
        rc = pthread_cond_timedwait(&queue->ended, &queue->lock, &until);
    queue->stopping = 0;
    int has_ended = queue->state == ENDED;
    int is_running = queue->state == RUNNING;
    if (has_ended)
        queue->state = NO_WORKER;
    pthread_mutex_unlock(&queue->lock);
    if (has_ended)
        pthread_join(queue->worker, NULL);
    return !is_running;
}
