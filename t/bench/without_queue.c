/*
 * without_queue.c -- linked into a mod_userprofile for the benchmark with
 * -Wl,--wrap: a queue where each job is a batch, and so each update a
 * transaction with a flush of its own, run by the thread that submits it.
 */
#include "store/lmdb/up_queue.h"

#include <pthread.h>

/* Of the child's one store. */
static up_queue_run_t run_batch;
static void *run_baton;

/* The job of the batch that is run, which LOCK guards. */
static up_job_t *own_job;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

up_error_t *__real_up_queue_make(up_queue_t **queue,
                                 int max,
                                 up_queue_run_t run,
                                 void *baton,
                                 apr_pool_t *pool);
up_error_t *__wrap_up_queue_make(up_queue_t **queue,
                                 int max,
                                 up_queue_run_t run,
                                 void *baton,
                                 apr_pool_t *pool);
up_job_t *const *__wrap_up_queue_take(int *count, up_queue_t *queue);
void __wrap_up_queue_done(up_job_t *job);
up_job_end_t __wrap_up_queue_submit(up_queue_t *queue,
                                    up_job_t *job,
                                    apr_interval_time_t timeout);

up_error_t *
__wrap_up_queue_make(up_queue_t **queue,
                     int max,
                     up_queue_run_t run,
                     void *baton,
                     apr_pool_t *pool)
{
    run_batch = run;
    run_baton = baton;
    return __real_up_queue_make(queue, max, run, baton, pool);
}

up_job_t *const *
__wrap_up_queue_take(int *count, up_queue_t *queue)
{
    (void)queue;
    *count = own_job != NULL;
    return &own_job;
}

void
__wrap_up_queue_done(up_job_t *job)
{
    (void)job;
}

up_job_end_t
__wrap_up_queue_submit(up_queue_t *queue,
                       up_job_t *job,
                       apr_interval_time_t timeout)
{
    (void)timeout;
    pthread_mutex_lock(&lock);
    own_job = job;
    run_batch(run_baton, queue);
    own_job = NULL;
    pthread_mutex_unlock(&lock);
    return UP_JOB_DONE;
}
