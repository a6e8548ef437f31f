/* queue.c -- many threads' jobs, done in batches: none lost, none done twice,
 * none answered early, one leader at a time. */
#include "store/up_queue.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_time.h>
#include <pthread.h>

#define THREADS 32
#define ROUNDS 2000
#define MAX 8

typedef struct job_t {
    up_job_t job;
    int thread, round;
    int done; /* how often */
    int failed;
} job_t;

/* What the leaders saw. Only they write it, one at a time: ThreadSanitizer
 * would tell otherwise. */
typedef struct seen_t {
    up_queue_t *queue;
    long jobs, batches, largest, together;
    int leaders; /* at this moment */
    int too_many_leaders;
} seen_t;

/* Every seventh job fails, and leaves its neighbours alone. */
static void
run(void *baton, up_job_t **jobs, int count)
{
    seen_t *seen = baton;

    if (__atomic_add_fetch(&seen->leaders, 1, __ATOMIC_SEQ_CST) != 1)
        seen->too_many_leaders = 1;
    seen->batches++;
    seen->jobs += count;
    seen->together += count > 1;
    if (count > seen->largest)
        seen->largest = count;
    if (seen->batches % 16 == 0)
        apr_sleep(100); /* as a flush would: others gather */
    for (int i = 0; i < count; i++) {
        job_t *job = (job_t *)jobs[i];
        job->done++;
        job->failed = (job->thread + job->round) % 7 == 0;
    }
    __atomic_sub_fetch(&seen->leaders, 1, __ATOMIC_SEQ_CST);
}

typedef struct worker_t {
    pthread_t thread;
    seen_t *seen;
    int number;
    long wrong; /* jobs not done just once, or with another's outcome */
} worker_t;

static void *
work(void *data)
{
    worker_t *worker = data;

    for (int round = 0; round < ROUNDS; round++) {
        job_t job = {.thread = worker->number, .round = round};
        up_queue_submit(worker->seen->queue, &job.job);
        if (job.done != 1 || job.failed != ((worker->number + round) % 7 == 0))
            worker->wrong++;
    }
    return NULL;
}

static void
many_threads(apr_pool_t *pool)
{
    static worker_t workers[THREADS];
    seen_t seen = {0};
    long wrong = 0;

    ok(!up_queue_make(&seen.queue, MAX, run, &seen, pool), "a queue is made");
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){.seen = &seen, .number = i};
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong += workers[i].wrong;
    }
    is_number(wrong, 0,
              "each job was done once, with its own outcome, when "
              "its thread went on");
    is_number(seen.jobs, (long long)THREADS * ROUNDS, "no job was lost");
    ok(!seen.too_many_leaders, "one led at a time");
    ok(seen.together > 0, "jobs that wait are done together");
    ok(seen.largest <= MAX, "no batch is over the bound (the largest was %ld)",
       seen.largest);
}

/* Counts what one thread alone sees. */
static void
count_alone(void *baton, up_job_t **jobs, int count)
{
    int *batches = baton;

    (void)jobs;
    *batches += count == 1;
}

static void
one_thread(apr_pool_t *pool)
{
    int batches = 0;
    up_queue_t *queue;
    job_t job = {0};

    ok(!up_queue_make(&queue, MAX, count_alone, &batches, pool),
       "a queue is made");
    for (int i = 0; i < 3; i++)
        up_queue_submit(queue, &job.job);
    is_number(batches, 3, "a thread alone does each job at once");
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    one_thread(pool);
    many_threads(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
