/* tap.h -- what the C tests print: TAP, for prove. */
#ifndef TAP_H
#define TAP_H

#include <apr_pools.h>

/* One test point: ok if CONDITION. The name is printed from FORMAT. Returns
 * CONDITION. */
int ok(int condition, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One test point: ok if GOT and WANT, either of which may be NULL, are equal
 * text; says both if not. */
int is(const char *got, const char *want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for numbers. */
int is_number(long long got, long long want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Call TEST with a pool of its own, between apr_initialize() and
 * apr_terminate(), and return done_testing(): what main() of a test does. */
int run_test(void (*test)(apr_pool_t *pool));

/* Print the plan; returns what main() returns: 0 if every point was ok. */
int done_testing(void);

#endif
