/*
 * up_queue.h -- runs the jobs of many threads in batches, one batch at a time.
 *
 * A thread submits a job and waits until it is done. If no batch is running, it
 * runs one itself, at once. Jobs that are submitted meanwhile are run by the
 * queue's worker thread, batch after batch, until none waits: where all cores
 * are busy, handing each batch to a thread that waits would take longer than a
 * flush of the disk. If the worker thread cannot be created, each submitter
 * runs at most one batch, that of its own job, and wakes the next.
 *
 * A job waits on a POSIX unnamed semaphore, which Linux and the BSDs have and
 * macOS has not. APR has none; the alternative is a mutex and a condition
 * variable for each job.
 */
#ifndef UP_QUEUE_H
#define UP_QUEUE_H

#include "core/up_error.h"

#include <semaphore.h>

/* The first member of what is submitted. Its fields are the queue's. */
typedef struct up_job_t {
    struct up_job_t *next;
    sem_t wake;
    int runs_batch; /* why it is woken: to run a batch, and not because the
                     * job is done */
} up_job_t;

typedef struct up_queue_t up_queue_t;

/* Run a batch: the jobs that up_queue_take() gives, of which there is at least
 * one. It is called by one thread at a time, while the threads of all its jobs
 * wait. */
typedef void (*up_queue_run_t)(void *baton, up_queue_t *queue);

/* Set *QUEUE to a new queue, whose batches have at most MAX jobs and are run by
 * RUN. It lives in POOL, which has a cleanup for it; the error too. */
UP_MUST_CHECK up_error_t *up_queue_make(up_queue_t **queue,
                                        int max,
                                        up_queue_run_t run,
                                        void *baton,
                                        apr_pool_t *pool);

/* For RUN: take into the batch the jobs that wait now, as far as it has room.
 * Returns all jobs of the batch, in the order in which they were submitted, and
 * sets *COUNT to their number. */
up_job_t *const *up_queue_take(int *count, up_queue_t *queue);

/* Have JOB done, and wait until it is. */
void up_queue_submit(up_queue_t *queue, up_job_t *job);

#endif
