/* up_lmdb_writer.c -- the writer: the thread of a process that begins and ends
 * all its write transactions on a store, and alone waits for LMDB's writer
 * lock.
 *
 * LMDB has no time-out for that lock, which another process may hold while it
 * stands still. The threads that have something to write wait for the writer
 * instead, and can give up; it stays behind, and once it has the lock it finds
 * out what there still is to do. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_clock.h"

#include <apr_atomic.h>
#include <apr_strings.h>

/* How often a tool that waits says so. */
#define TELL_PAUSE apr_time_from_sec(1)

/* Lend TXN to the thread whose job LOAN is, and end it as that thread says. */
static void
lend(lmdb_txn_t *txn, lmdb_loan_t *loan)
{
    pthread_mutex_t *mutex = &loan->mutex;

    loan->txn = *txn;
    loan->state = LMDB_LENT;
    up_queue_done(&loan->job);

    pthread_mutex_lock(mutex);
    while (loan->state == LMDB_LENT)
        pthread_cond_wait(&loan->changed, mutex);
    if (loan->state == LMDB_TO_COMMIT)
        loan->err = up_lmdb_commit(&loan->txn, loan->pool);
    else
        up_lmdb_abort(&loan->txn);
    loan->state = LMDB_RETURNED;
    pthread_cond_signal(&loan->changed);
    pthread_mutex_unlock(mutex); /* LOAN may be gone now */
}

/* No write transaction can be begun because of ERR: all that wait fail. */
static void
fail_all(up_job_t *const *jobs, int count, const up_error_t *err)
{
    for (int i = 0; i < count; i++) {
        if (jobs[i]->alone) {
            lmdb_loan_t *loan = (lmdb_loan_t *)jobs[i];
            loan->err = up_error_copy(err, loan->pool);
            up_queue_done(jobs[i]);
        } else {
            up_lmdb_fail_update(jobs[i], err);
        }
    }
}

void
up_lmdb_run_writer(void *baton, up_queue_t *queue)
{
    lmdb_store_t *store = baton;
    lmdb_txn_t txn;
    int count;

    apr_pool_clear(store->writer_pool);
    const up_error_t *err = up_lmdb_begin(&txn, store, 0, store->writer_pool);
    if (!err && store->is_size_unrecorded) {
        /* A full store must open all the same, or it could not be made
         * larger. */
        up_lmdb_record_map_size(&txn, store->writer_pool);
        return;
    }
    up_job_t *const *jobs = up_queue_take(&count, queue);
    if (err)
        fail_all(jobs, count, err);
    else if (!count)
        up_lmdb_abort(&txn);
    else if (jobs[0]->alone)
        lend(&txn, (lmdb_loan_t *)jobs[0]);
    else
        up_lmdb_do_updates(&txn, jobs, count, queue, store->writer_pool);
}

/* Whether the writer of STORE has been waiting for LMDB's lock for too long;
 * sets *WAITED to how long, 0 if it does not wait. */
static int
is_locked_out(apr_interval_time_t *waited, lmdb_store_t *store)
{
    int in_vain;
    apr_time_t since = up_queue_waits_since(store->writer, &in_vain);

    *waited = since ? up_clock() - since : 0;
    return in_vain || *waited >= store->timeout;
}

/* What keeps the writer of STORE waiting, in POOL. */
static const char *
who_is_waited_for(const lmdb_store_t *store, apr_pool_t *pool)
{
    const char *holder = up_lmdb_lock_holder(NULL, store, pool);

    return holder ? holder : "another process";
}

static up_error_t *
no_writer(const lmdb_store_t *store, apr_pool_t *pool)
{
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "cannot create the thread that writes to the LMDB store "
                    "'%s'",
                    store->path);
}

up_error_t *
up_lmdb_writer_do(up_job_t *job, lmdb_store_t *store, apr_pool_t *pool)
{
    up_job_end_t end = UP_JOB_WITHDRAWN;
    apr_interval_time_t waited;

    /* Where others have waited in vain for so long, one more would only take
     * a thread from those that can be served. */
    if (!is_locked_out(&waited, store))
        end = up_queue_submit(store->writer, job, store->timeout);
    if (end == UP_JOB_DONE)
        return NULL;
    if (end == UP_JOB_REFUSED)
        return no_writer(store, pool);
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "no change of the LMDB store '%s' could be begun within "
                    "%d s",
                    store->path, (int)apr_time_sec(store->timeout));
}

/* Wait until LOAN's transaction is lent, or failed to begin. */
static up_error_t *
await_loan(lmdb_loan_t *loan, lmdb_store_t *store, apr_pool_t *pool)
{
    apr_time_t until = up_clock() + store->timeout;
    up_job_end_t end;

    for (;;) {
        apr_interval_time_t left = until - up_clock();
        end = up_queue_submit(store->writer, &loan->job,
                              left < TELL_PAUSE ? left : TELL_PAUSE);
        if (end != UP_JOB_WITHDRAWN || left <= TELL_PAUSE)
            break;
        if (store->tell)
            store->tell(store->tell_baton, who_is_waited_for(store, pool));
    }
    if (end == UP_JOB_DONE)
        return loan->err;
    if (end == UP_JOB_REFUSED)
        return no_writer(store, pool);
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the LMDB store '%s' was locked for longer than %d s by %s",
                    store->path, (int)apr_time_sec(store->timeout),
                    who_is_waited_for(store, pool));
}

static void
destroy_loan(lmdb_loan_t *loan)
{
    pthread_cond_destroy(&loan->changed);
    pthread_mutex_destroy(&loan->mutex);
}

up_error_t *
up_lmdb_borrow(lmdb_loan_t *loan, lmdb_store_t *store, apr_pool_t *pool)
{
    *loan = (lmdb_loan_t){.job = {.alone = 1}, .pool = pool};
    pthread_mutex_init(&loan->mutex, NULL);
    pthread_cond_init(&loan->changed, NULL);
    up_error_t *err = await_loan(loan, store, pool);
    if (err)
        destroy_loan(loan);
    return err;
}

up_error_t *
up_lmdb_give_back(lmdb_loan_t *loan, int commit)
{
    pthread_mutex_lock(&loan->mutex);
    loan->state = commit ? LMDB_TO_COMMIT : LMDB_TO_ABORT;
    pthread_cond_signal(&loan->changed);
    while (loan->state != LMDB_RETURNED)
        pthread_cond_wait(&loan->changed, &loan->mutex);
    pthread_mutex_unlock(&loan->mutex);
    destroy_loan(loan);
    return loan->err;
}

void
up_lmdb_set_wait(up_store_t *base,
                 apr_interval_time_t timeout,
                 up_store_tell_t *tell,
                 void *baton)
{
    lmdb_store_t *store = up_lmdb_downcast(base);

    store->timeout = timeout;
    store->tell = tell;
    store->tell_baton = baton;
}

up_error_t *
up_lmdb_probe(apr_uint32_t *episode, up_store_t *base, apr_pool_t *pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    apr_interval_time_t waited;

    int locked_out = is_locked_out(&waited, store);
    const char *holder = up_lmdb_lock_holder(episode, store, pool);
    if (holder && !waited)
        up_queue_poke(store->writer); /* so that the next probe can tell */
    if (!locked_out)
        return NULL;
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the LMDB store '%s' has been locked for %d s by %s",
                    store->path,
                    (int)apr_time_sec(waited + APR_USEC_PER_SEC / 2),
                    holder ? holder : "another process");
}
