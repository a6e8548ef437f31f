/*
 * samples.c -- how long each operation took, and what is made of that.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_SAMPLES 4000000

static double samples[MAX_SAMPLES]; /* seconds */
static size_t count;

double
samples_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void
samples_clear(void)
{
    count = 0;
}

void
samples_add(double seconds)
{
    if (count < MAX_SAMPLES)
        samples[count++] = seconds;
}

static int
by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double
percentile(double part)
{
    return 1e6 * samples[(size_t)(part * (double)(count - 1))];
}

int
samples_print(double rate)
{
    if (!count)
        return 0;
    qsort(samples, count, sizeof(*samples), by_size);
    printf("%.1f %.1f %.1f %.1f %.1f\n", rate, percentile(0.5),
           percentile(0.95), percentile(0.99), percentile(1));
    return fflush(stdout) == 0;
}
