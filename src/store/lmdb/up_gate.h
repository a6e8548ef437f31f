/*
 * up_gate.h -- lets many threads in, until it must be shut for one to have
 * what is behind it alone.
 *
 * Passing a gate that is not shut takes no lock and no system call. Nobody
 * waits for others to leave without end: a thread may be inside more than
 * once, and would wait for itself.
 */
#ifndef UP_GATE_H
#define UP_GATE_H

#include <pthread.h>

typedef struct up_gate_t {
    unsigned word; /* atomic: how many are inside, and the bit that shuts it */
    int taken;     /* someone has it alone */
    pthread_mutex_t mutex; /* guards TAKEN */
    pthread_cond_t changed;
} up_gate_t;

typedef enum up_pass_t {
    UP_INSIDE, /* leave by up_gate_leave() */
    UP_ALONE,  /* it is shut, nobody is inside: leave by up_gate_done() */
    UP_BUSY    /* it is shut, and those inside did not leave for a second */
} up_pass_t;

void up_gate_init(up_gate_t *gate);
void up_gate_destroy(up_gate_t *gate);

/* Try to pass GATE. */
up_pass_t up_gate_enter(up_gate_t *gate);
void up_gate_leave(up_gate_t *gate);

/* Shut GATE, by one who is inside; the next one who finds all others gone has
 * it alone. */
void up_gate_shut(up_gate_t *gate);

/* Let others in again, or, unless MENDED, leave GATE shut for the next try. */
void up_gate_done(up_gate_t *gate, int mended);

#endif
