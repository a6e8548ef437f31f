/* program.h -- the program that a test is. Under valgrind the system knows it
 * by another path and another name. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <apr_pools.h>

/* Its path, in POOL, for exec(). */
const char *program_path(apr_pool_t *pool);

/* What the system calls a process of it, in POOL: at most 15 characters. */
const char *program_name(apr_pool_t *pool);

#endif
