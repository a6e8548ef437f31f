/*
 * up_queue.h -- runs the jobs of many threads in batches, in one thread.
 *
 * A thread submits a job and waits until it is done, or until it gives up: then
 * the job is withdrawn, and will never be done. All batches are run by the
 * queue's own thread, the worker, so that a batch may wait for something that
 * never comes while the threads that submitted its jobs give up. The worker is
 * created by the first job.
 *
 * A job waits on a POSIX unnamed semaphore, by sem_clockwait(), which glibc has
 * from 2.30 on: a condition and its mutex would wake a thread only to have it
 * wait for the mutex, and sem_timedwait() goes by the time of day.
 */
#ifndef UP_QUEUE_H
#define UP_QUEUE_H

#include "core/up_error.h"

#include <apr_time.h>
#include <semaphore.h>

/* The first member of what is submitted. */
typedef struct up_job_t {
    int alone; /* set by the submitter: it shares its batch with no other job */

    /* The queue's. */
    struct up_job_t *next;
    int taken; /* it is in a batch; guarded by the queue's lock */
    int done;  /* atomic; for ThreadSanitizer, which does not know that WAKE
                * orders memory */
    sem_t wake;
} up_job_t;

typedef enum up_job_end_t {
    UP_JOB_DONE,
    UP_JOB_WITHDRAWN, /* it was not done in time, and will not be */
    UP_JOB_REFUSED    /* the worker cannot be created, and no job be done */
} up_job_end_t;

typedef struct up_queue_t up_queue_t;

/* Run a batch, in the worker: wait for what it takes to do one, take the jobs
 * that wait then by up_queue_take(), and end each by up_queue_done(), or all
 * together by up_queue_put_back(). If jobs are left over, it is called again.
 */
typedef void (*up_queue_run_t)(void *baton, up_queue_t *queue);

/* Set *QUEUE to a new queue, whose batches have at most MAX jobs and are run by
 * RUN. It lives in POOL, which has a cleanup that waits for the worker to end;
 * the error too. */
UP_MUST_CHECK up_error_t *up_queue_make(up_queue_t **queue,
                                        int max,
                                        up_queue_run_t run,
                                        void *baton,
                                        apr_pool_t *pool);

/* Have JOB done, and wait until it is. If it is in no batch after TIMEOUT, it
 * is withdrawn; if it is in one then, that is waited for. */
up_job_end_t up_queue_submit(up_queue_t *queue,
                             up_job_t *job,
                             apr_interval_time_t timeout);

/* Have a batch run, even if it finds no job, and do not wait for it. */
void up_queue_poke(up_queue_t *queue);

/* The moment, by up_clock(), since which the batch that is run now has waited
 * and taken no job; 0 if none is waiting. *IN_VAIN, unless NULL, is set to
 * whether a job was withdrawn meanwhile. */
apr_time_t up_queue_waits_since(up_queue_t *queue, int *in_vain);

/* Have the worker end, once no job waits. Returns 0 if it has not ended after
 * TIMEOUT; then the queue goes on as before. */
int up_queue_stop(up_queue_t *queue, apr_interval_time_t timeout);

/*
 * For RUN.
 */

/* Take jobs into the batch. Returns them, in the order in which they were
 * submitted, and sets *COUNT to their number: 0 if none is left. */
up_job_t *const *up_queue_take(int *count, up_queue_t *queue);

/* JOB is done: its thread goes on. JOB may be gone when this returns. */
void up_queue_done(up_job_t *job);

/* The jobs of the batch wait again, before all others, and can be withdrawn
 * again. If SINGLY, each of them has a batch of its own. */
void up_queue_put_back(up_queue_t *queue, int singly);

#endif
