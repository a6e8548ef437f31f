/* up_queue.c -- many threads' jobs, done in batches by one thread at a time. */
#include "store/lmdb/up_queue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

struct up_queue_t {
    up_queue_run_t run;
    void *baton;
    int max;

    /* Of the thread that does the batch. */
    up_job_t **batch; /* with room for MAX */
    int count;

    pthread_mutex_t lock; /* guards what follows */
    up_job_t *first, *last;
    enum {
        IDLE,  /* no batch is under way, none waits */
        LED,   /* a thread that submitted a job does its batch */
        HANDED /* the queue's own thread is at work, or told to be */
    } state;
    pthread_cond_t handed;
    pthread_t thread; /* made when there is work for it */
    int has_thread;
    int ends; /* whether that is to return */
};

static apr_status_t
destroy(void *data)
{
    up_queue_t *queue = data;

    if (queue->has_thread) {
        pthread_mutex_lock(&queue->lock);
        queue->ends = 1;
        pthread_cond_signal(&queue->handed);
        pthread_mutex_unlock(&queue->lock);
        pthread_join(queue->thread, NULL);
    }
    pthread_cond_destroy(&queue->handed);
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
        rc = pthread_cond_init(&made->handed, NULL);
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

/* Do a batch. Returns its jobs but OWN, linked, whose threads are to be woken:
 * the batch's array is the next one's. */
static up_job_t *
do_batch(up_queue_t *queue, const up_job_t *own)
{
    up_job_t *chain = NULL;

    queue->count = 0;
    queue->run(queue->baton, queue);
    for (int i = queue->count; i > 0; i--) {
        up_job_t *job = queue->batch[i - 1];
        if (job != own) {
            job->next = chain;
            chain = job;
        }
    }
    return chain;
}

/* Wake the threads of the jobs of CHAIN. */
static void
wake(up_job_t *chain)
{
    up_job_t *next;

    for (; chain; chain = next) {
        next = chain->next; /* woken, a job is gone */
        sem_post(&chain->wake);
    }
}

/* The queue's own thread: do what it is handed. */
static void *
work(void *data)
{
    up_queue_t *queue = data;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        while (queue->state != HANDED && !queue->ends)
            pthread_cond_wait(&queue->handed, &queue->lock);
        if (queue->state != HANDED)
            break;
        pthread_mutex_unlock(&queue->lock);
        wake(do_batch(queue, NULL));
        pthread_mutex_lock(&queue->lock);
        if (!queue->first)
            queue->state = IDLE;
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Make QUEUE's thread, if there is none. Signals are for other threads, but for
 * those that a thread raises by what it does itself. */
static int
has_thread(up_queue_t *queue)
{
    static const int own[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    sigset_t others, before;

    if (queue->has_thread)
        return 1;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        sigdelset(&others, own[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    queue->has_thread = !pthread_create(&queue->thread, NULL, work, queue);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return queue->has_thread;
}

/* After a batch: hand on what waits, to the first thread that waits if the
 * queue can have none of its own. */
static void
hand_on(up_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (!queue->first) {
        queue->state = IDLE;
    } else if (has_thread(queue)) {
        queue->state = HANDED;
        pthread_cond_signal(&queue->handed);
    } else {
        queue->first->leads = 1;
        sem_post(&queue->first->wake);
    }
    pthread_mutex_unlock(&queue->lock);
}

/* Do the batch that OWN is in. */
static void
lead(up_queue_t *queue, const up_job_t *own)
{
    up_job_t *chain = do_batch(queue, own);

    hand_on(queue);
    wake(chain);
}

void
up_queue_submit(up_queue_t *queue, up_job_t *job)
{
    job->next = NULL;
    job->leads = 0;
    sem_init(&job->wake, 0, 0);

    pthread_mutex_lock(&queue->lock);
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
    int leads = queue->state == IDLE;
    if (leads)
        queue->state = LED;
    pthread_mutex_unlock(&queue->lock);

    if (!leads) {
        while (sem_wait(&job->wake) && errno == EINTR)
            ;
        leads = job->leads;
    }
    if (leads)
        lead(queue, job);
    sem_destroy(&job->wake);
}
