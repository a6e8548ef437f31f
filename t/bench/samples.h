/*
 * samples.h -- how long each operation took, and what is made of that.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

/* The time of a clock that nobody sets, in seconds. */
double samples_now(void);

/* Forget all samples. */
void samples_clear(void);

/* Keep that an operation took SECONDS; no more than some millions are kept. */
void samples_add(double seconds);

/* Print one line: RATE, and the microseconds of an operation: median, 95th,
 * 99th percentile, longest. Returns 0 if there are no samples, and so no line.
 */
int samples_print(double rate);

#endif
