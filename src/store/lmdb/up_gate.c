/* up_gate.c -- a gate that many threads pass, until it is shut for one. */
#include "store/lmdb/up_gate.h"

#include <time.h>

#define SHUT 0x80000000u
#define WAIT_SECONDS 1

void
up_gate_init(up_gate_t *gate)
{
    pthread_condattr_t attributes;

    gate->word = 0;
    gate->taken = 0;
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void
up_gate_destroy(up_gate_t *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->mutex);
}

static unsigned
load_word(up_gate_t *gate)
{
    return __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE);
}

/* GATE was found shut. Returns UP_INSIDE once it is open, but the thread is not
 * counted yet; UP_ALONE once it can be had alone; or UP_BUSY. */
static up_pass_t
wait_until_open(up_gate_t *gate)
{
    up_pass_t pass = UP_INSIDE;
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&gate->mutex);
    while (load_word(gate) & SHUT) {
        if (!gate->taken && load_word(gate) == SHUT) {
            gate->taken = 1;
            pass = UP_ALONE;
            break;
        }
        if (pthread_cond_timedwait(&gate->changed, &gate->mutex, &until)) {
            pass = UP_BUSY;
            break;
        }
    }
    pthread_mutex_unlock(&gate->mutex);
    return pass;
}

up_pass_t
up_gate_enter(up_gate_t *gate)
{
    for (;;) {
        unsigned word = __atomic_add_fetch(&gate->word, 1, __ATOMIC_ACQUIRE);
        if (!(word & SHUT))
            return UP_INSIDE;

        up_gate_leave(gate);
        up_pass_t pass = wait_until_open(gate);
        if (pass != UP_INSIDE)
            return pass;
    }
}

void
up_gate_leave(up_gate_t *gate)
{
    if (__atomic_sub_fetch(&gate->word, 1, __ATOMIC_RELEASE) != SHUT)
        return;
    /* Locked, because a thread may be about to wait. */
    pthread_mutex_lock(&gate->mutex);
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

void
up_gate_shut(up_gate_t *gate)
{
    __atomic_or_fetch(&gate->word, SHUT, __ATOMIC_RELEASE);
}

void
up_gate_done(up_gate_t *gate, int mended)
{
    pthread_mutex_lock(&gate->mutex);
    gate->taken = 0;
    if (mended)
        __atomic_and_fetch(&gate->word, ~SHUT, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}
