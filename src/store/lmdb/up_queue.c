/* up_queue.c -- runs the jobs of many threads in batches, one at a time. */
#include "store/lmdb/up_queue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

struct up_queue_t {
    up_queue_run_t run;
    void *baton;
    int max;

    /* For the thread that runs the batch. */
    up_job_t **batch; /* of MAX jobs, the first COUNT of which are used */
    int count;

    pthread_mutex_t lock; /* guards what follows */
    up_job_t *first, *last;
    enum {
        IDLE,           /* no batch is running, and no job waits */
        SUBMITTER_RUNS, /* a batch is run, or about to be, by a submitter */
        WORKER_RUNS     /* likewise by the worker thread */
    } state;
    pthread_cond_t changed; /* for the worker: STATE or STOPPING */
    pthread_t worker;       /* created when there is work for it */
    int has_worker;
    int stopping; /* the worker is to return */
};

static apr_status_t
destroy(void *data)
{
    up_queue_t *queue = data;

    if (queue->has_worker) {
        pthread_mutex_lock(&queue->lock);
        queue->stopping = 1;
        pthread_cond_signal(&queue->changed);
        pthread_mutex_unlock(&queue->lock);
        pthread_join(queue->worker, NULL);
    }
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

    made->run = run;
    made->baton = baton;
    made->max = max;
    made->batch = apr_palloc(pool, (apr_size_t)max * sizeof(*made->batch));
    int rc = pthread_mutex_init(&made->lock, NULL);
    if (!rc) {
        rc = pthread_cond_init(&made->changed, NULL);
        if (rc)
            pthread_mutex_destroy(&made->lock);
    }
    if (rc)
        return up_error(pool, UP_INTERNAL, APR_FROM_OS_ERROR(rc),
                        "cannot make the lock of a queue");
    apr_pool_cleanup_register(pool, made, destroy, apr_pool_cleanup_null);
    *queue = made;
    return NULL;
}

up_job_t *const *
up_queue_take(int *count, up_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->first && queue->count < queue->max) {
        queue->batch[queue->count++] = queue->first;
        queue->first = queue->first->next;
    }
    if (!queue->first)
        queue->last = NULL;
    pthread_mutex_unlock(&queue->lock);
    *count = queue->count;
    return queue->batch;
}

/* Run a batch. Returns a list of its jobs but OWN, whose threads are to be
 * woken: the array of jobs is the next batch's. */
static up_job_t *
run_batch(up_queue_t *queue, const up_job_t *own)
{
    up_job_t *others = NULL;

    queue->count = 0;
    queue->run(queue->baton, queue);
    for (int i = queue->count; i > 0; i--) {
        up_job_t *job = queue->batch[i - 1];
        if (job != own) {
            job->next = others;
            others = job;
        }
    }
    return others;
}

/* Wake the threads that wait for JOB and those after it in its list. */
static void
wake_all(up_job_t *job)
{
    while (job) {
        up_job_t *next = job->next; /* a job that is woken may be gone */
        sem_post(&job->wake);
        job = next;
    }
}

/* The worker thread. */
static void *
work(void *data)
{
    up_queue_t *queue = data;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        while (queue->state != WORKER_RUNS && !queue->stopping)
            pthread_cond_wait(&queue->changed, &queue->lock);
        if (queue->state != WORKER_RUNS)
            break;
        pthread_mutex_unlock(&queue->lock);
        wake_all(run_batch(queue, NULL));
        pthread_mutex_lock(&queue->lock);
        if (!queue->first)
            queue->state = IDLE;
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Start QUEUE's worker thread, unless it has started. It takes no signals but
 * those that a thread causes itself. Returns 0 if it cannot be created. */
static int
start_worker(up_queue_t *queue)
{
    static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    sigset_t others, before;

    if (queue->has_worker)
        return 1;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&others, faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    queue->has_worker = !pthread_create(&queue->worker, NULL, work, queue);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return queue->has_worker;
}

/* After a batch: have the jobs that wait run by the worker, or, if there can be
 * none, by the first thread that waits. */
static void
pass_on(up_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (!queue->first) {
        queue->state = IDLE;
    } else if (start_worker(queue)) {
        queue->state = WORKER_RUNS;
        pthread_cond_signal(&queue->changed);
    } else {
        queue->first->runs_batch = 1;
        sem_post(&queue->first->wake);
    }
    pthread_mutex_unlock(&queue->lock);
}

void
up_queue_submit(up_queue_t *queue, up_job_t *job)
{
    job->next = NULL;
    job->runs_batch = 0;
    sem_init(&job->wake, 0, 0);

    pthread_mutex_lock(&queue->lock);
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
    int runs_batch = queue->state == IDLE;
    if (runs_batch)
        queue->state = SUBMITTER_RUNS;
    pthread_mutex_unlock(&queue->lock);

    if (!runs_batch) {
        while (sem_wait(&job->wake) && errno == EINTR)
            ;
        runs_batch = job->runs_batch;
    }
    if (runs_batch) {
        up_job_t *others = run_batch(queue, job);
        pass_on(queue); /* first, so that the next batch need not wait */
        wake_all(others);
    }
    sem_destroy(&job->wake);
}
