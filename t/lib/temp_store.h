/* temp_store.h -- an open store in the temporary folder, and errors that end a
 * test. */
#ifndef TEMP_STORE_H
#define TEMP_STORE_H

#include "store/up_store.h"

/* A new, empty store, opened in POOL, of the driver that run_for_each_driver()
 * is at, else of LMDB; up_store_close() closes it, and it is gone when the
 * program ends. Ends the program if there can be none. */
up_store_t *temp_store_open(apr_pool_t *pool);

/* Which one that is: "lmdb". */
const char *temp_store_driver(void);

/* As run_test(), but call TEST once for each driver. */
int run_for_each_driver(void (*test)(apr_pool_t *pool));

/* End the program with what ERR says, unless it is NULL. */
void must(up_error_t *err);

/* The name of ERR's reason, "" for no error. */
const char *reason_of(const up_error_t *err);

#endif
