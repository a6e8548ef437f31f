/*
 * up_gate.h -- a gate that many threads pass, until it is shut so that one
 * thread has what is behind it alone.
 *
 * Passing an open gate takes no lock and no system call. At a shut gate a
 * thread waits for those inside to leave, but not for longer than a second: it
 * may be inside itself already, and would wait for itself.
 *
 * The counter is updated by the __atomic built-ins of gcc and clang rather than
 * apr_atomic: apr_atomic can neither set nor clear a bit, and ThreadSanitizer
 * does not see into libapr, so `make tsan` would find races where there are
 * none.
 */
#ifndef UP_GATE_H
#define UP_GATE_H

#include <pthread.h>

typedef struct up_gate_t {
    unsigned word; /* atomic: how many are inside, and the bit that shuts it */
    int taken;     /* whether a thread has it alone */
    pthread_mutex_t mutex; /* guards TAKEN */
    pthread_cond_t changed;
} up_gate_t;

typedef enum up_pass_t {
    UP_INSIDE, /* leave by up_gate_leave() */
    UP_ALONE,  /* it is shut, all others have left: leave by up_gate_done() */
    UP_BUSY    /* it is shut, and those inside did not leave for a second */
} up_pass_t;

void up_gate_init(up_gate_t *gate);
void up_gate_destroy(up_gate_t *gate);

/* Enter GATE, or wait until it can be entered or had alone. */
up_pass_t up_gate_enter(up_gate_t *gate);
void up_gate_leave(up_gate_t *gate);

/* Shut GATE, while inside it. Once all have left, the next thread that enters
 * has it alone. */
void up_gate_shut(up_gate_t *gate);

/* Give up having GATE alone. It opens if MENDED, and else stays shut: the next
 * thread that enters has it alone. */
void up_gate_done(up_gate_t *gate, int mended);

#endif
