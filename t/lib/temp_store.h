/* temp_store.h -- a store in a temporary folder, for tests. */
#ifndef TEMP_STORE_H
#define TEMP_STORE_H

#include "store/up_store.h"

/* A new, empty store, opened in POOL. Ends the program if there can be none. */
up_store_t *temp_store_open(apr_pool_t *pool);

/* Put LINES, as in an import (ended by NULL), into STORE. */
void temp_store_fill(up_store_t *store, const char *const *lines);

/* All items of KINDS (bit 1 << up_kind_t each) in STORE as lines of JSON, each
 * with a newline, in POOL. */
const char *temp_store_dump(up_store_t *store,
                            unsigned kinds,
                            apr_pool_t *pool);

/* Close STORE and remove its folder. */
void temp_store_close(up_store_t *store);

/* End the program with what ERR says, unless it is NULL. */
void must(up_error_t *err);

/* The name of ERR's reason, "" for no error. */
const char *reason_of(const up_error_t *err);

#endif
