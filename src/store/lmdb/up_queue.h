/*
 * up_queue.h -- many threads' jobs, done in batches by one thread at a time.
 *
 * A thread that submits a job waits until it is done. If no batch is under way,
 * it does one itself, at once: nobody lingers for company. If others came
 * meanwhile, a thread of the queue's own goes on, batch after batch, until none
 * waits: where all cores are busy, handing each batch to a thread that waits
 * takes longer than a flush of the disk. It is done all the same where the
 * queue can have no thread: no thread does more than the batch of its own job.
 */
#ifndef UP_QUEUE_H
#define UP_QUEUE_H

#include "core/up_error.h"

#include <semaphore.h>

/* What is submitted: the first member of a struct of the caller's. */
typedef struct up_job_t {
    struct up_job_t *next;
    sem_t wake;
    int leads; /* woken, it is not done, but its thread is to do a batch */
} up_job_t;

typedef struct up_queue_t up_queue_t;

/* Do a batch: the jobs that up_queue_take() gives, of which there is at least
 * one. Runs on one thread at a time, while those of all its jobs wait. */
typedef void (*up_queue_run_t)(void *baton, up_queue_t *queue);

/* A queue in POOL, with a cleanup there, whose batches have at most MAX jobs,
 * for RUN. */
UP_MUST_CHECK up_error_t *up_queue_make(up_queue_t **queue,
                                        int max,
                                        up_queue_run_t run,
                                        void *baton,
                                        apr_pool_t *pool);

/* For RUN: take the jobs that wait now into the batch, as far as it has room.
 * Sets *COUNT to how many it has then, and returns them all, in the order in
 * which they were submitted. */
up_job_t *const *up_queue_take(int *count, up_queue_t *queue);

/* Have JOB, which lives on until this returns, done. */
void up_queue_submit(up_queue_t *queue, up_job_t *job);

#endif
