/* gate.c -- many are let in, until the gate is shut for one alone. Meant to be
 * run under ThreadSanitizer too: what it guards has no lock of its own. */
#include "store/lmdb/up_gate.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS 8
#define ROUNDS 20000

typedef struct room_t {
    up_gate_t gate;
    int guests;          /* atomic */
    int value;           /* written by whoever is alone */
    int mendings, fails; /* likewise */
    int crowds;          /* atomic: alone with others */
    int busy;            /* atomic */
} room_t;

static void
mend(room_t *room)
{
    if (__atomic_load_n(&room->guests, __ATOMIC_ACQUIRE))
        __atomic_add_fetch(&room->crowds, 1, __ATOMIC_RELAXED);
    room->value++;
    int mended = ++room->fails % 3 == 0; /* it takes three tries */
    room->mendings += mended;
    up_gate_done(&room->gate, mended);
}

static void *
visit(void *baton)
{
    room_t *room = baton;
    int sum = 0;

    for (int i = 0; i < ROUNDS; i++) {
        switch (up_gate_enter(&room->gate)) {
        case UP_INSIDE:
            __atomic_add_fetch(&room->guests, 1, __ATOMIC_RELAXED);
            sum += room->value;
            __atomic_sub_fetch(&room->guests, 1, __ATOMIC_RELAXED);
            if (i % 500 == 0)
                up_gate_shut(&room->gate);
            up_gate_leave(&room->gate);
            break;
        case UP_ALONE:
            mend(room);
            break;
        default:
            __atomic_add_fetch(&room->busy, 1, __ATOMIC_RELAXED);
            break;
        }
    }
    return sum < 0 ? room : NULL;
}

static void
many_threads(void)
{
    room_t room = {.value = 1};
    pthread_t threads[THREADS];

    up_gate_init(&room.gate);
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, visit, &room))
            exit(1);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ok(room.mendings > 0, "the gate was shut and opened again: %d times",
       room.mendings);
    is_number(room.crowds, 0,
              "a thread that has the gate alone is the only one inside");
    is_number(room.busy, 0,
              "no thread is told that the gate is busy while others leave");
    is_number(room.value, 1 + room.fails, "no two threads have the gate alone");
    up_gate_destroy(&room.gate);
}

/* One thread may be inside twice; it does not wait for itself for ever. */
static void
inside_twice(void)
{
    up_gate_t gate;

    up_gate_init(&gate);
    is_number(up_gate_enter(&gate), UP_INSIDE,
              "a thread may enter an open gate");
    is_number(up_gate_enter(&gate), UP_INSIDE,
              "a thread may enter an open gate twice");
    up_gate_leave(&gate);
    up_gate_shut(&gate);
    is_number(up_gate_enter(&gate), UP_BUSY,
              "a shut gate that the same thread is inside of is busy");
    up_gate_leave(&gate);
    is_number(up_gate_enter(&gate), UP_ALONE,
              "the first to enter a shut gate has it alone");
    up_gate_done(&gate, 0);
    is_number(up_gate_enter(&gate), UP_ALONE,
              "while nothing was mended, the next to enter has it alone");
    up_gate_done(&gate, 1);
    is_number(up_gate_enter(&gate), UP_INSIDE,
              "once all is mended, the gate is open");
    up_gate_leave(&gate);
    up_gate_destroy(&gate);
}

int
main(void)
{
    many_threads();
    inside_twice();
    return done_testing();
}
