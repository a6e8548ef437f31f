/* up_queue.c -- many threads' jobs, done in batches by one of them at a time.
 */
#include "store/up_queue.h"

#include <errno.h>
#include <pthread.h>

struct up_queue_t {
    up_queue_run_t run;
    void *baton;
    int max;
    up_job_t **batch; /* the leader's, with room for MAX */

    pthread_mutex_t lock; /* guards what follows */
    up_job_t *first, *last;
    int is_led; /* whether someone leads or was told to */
};

static apr_status_t
destroy_lock(void *lock)
{
    pthread_mutex_destroy(lock);
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
    if (rc)
        return up_error(pool, UP_INTERNAL, APR_FROM_OS_ERROR(rc),
                        "cannot make the lock of a queue");
    apr_pool_cleanup_register(pool, &made->lock, destroy_lock,
                              apr_pool_cleanup_null);
    *queue = made;
    return NULL;
}

/* Take what waits, up to the bound, as the batch: sets *CHAIN to its jobs,
 * linked, and returns how many there are. */
static int
take_batch(up_job_t **chain, up_queue_t *queue)
{
    up_job_t *last = NULL;
    int count = 0;

    pthread_mutex_lock(&queue->lock);
    *chain = queue->first;
    for (; queue->first && count < queue->max; count++) {
        last = queue->batch[count] = queue->first;
        queue->first = last->next;
    }
    if (!queue->first)
        queue->last = NULL;
    pthread_mutex_unlock(&queue->lock);
    if (last)
        last->next = NULL;
    return count;
}

/* Do a batch, in which OWN is, hand on the lead, and wake the others. */
static void
lead(up_queue_t *queue, const up_job_t *own)
{
    up_job_t *chain, *next;

    int count = take_batch(&chain, queue);
    queue->run(queue->baton, queue->batch, count);

    pthread_mutex_lock(&queue->lock);
    next = queue->first;
    queue->is_led = next != NULL;
    pthread_mutex_unlock(&queue->lock);
    /* First, so that the next batch is under way while these are woken. */
    if (next) {
        next->leads = 1;
        sem_post(&next->wake);
    }
    for (; chain; chain = next) {
        next = chain->next; /* woken, a job is gone */
        if (chain != own)
            sem_post(&chain->wake);
    }
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
    int leads = !queue->is_led;
    queue->is_led = 1;
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
