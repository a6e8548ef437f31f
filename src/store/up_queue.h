/*
 * up_queue.h -- many threads' jobs, done in batches by one of them at a time.
 *
 * A thread that submits a job waits until it is done. If nobody leads, it
 * leads: it takes all jobs that wait, up to a bound, does them, wakes their
 * threads, and hands the lead on to one that came meanwhile. Nobody lingers for
 * company: a job that is alone is done at once.
 */
#ifndef UP_QUEUE_H
#define UP_QUEUE_H

#include "core/up_error.h"

#include <semaphore.h>

/* What is submitted: the first member of a struct of the caller's. */
typedef struct up_job_t {
    struct up_job_t *next;
    sem_t wake;
    int leads; /* once woken: whether to lead, or be done */
} up_job_t;

/* Do COUNT JOBS, which are in the order in which they were submitted; the array
 * may be changed, the links between them not. Runs on one thread at a time,
 * while those of all JOBS wait. */
typedef void (*up_queue_run_t)(void *baton, up_job_t **jobs, int count);

typedef struct up_queue_t up_queue_t;

/* A queue in POOL, with a cleanup there, that hands at most MAX jobs at a time
 * to RUN. */
UP_MUST_CHECK up_error_t *up_queue_make(up_queue_t **queue,
                                        int max,
                                        up_queue_run_t run,
                                        void *baton,
                                        apr_pool_t *pool);

/* Have JOB, which lives on until this returns, done. */
void up_queue_submit(up_queue_t *queue, up_job_t *job);

#endif
