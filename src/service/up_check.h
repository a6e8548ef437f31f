/*
 * up_check.h -- whether what a store holds is sound: what each item says, and
 * what items say of one another.
 */
#ifndef UP_CHECK_H
#define UP_CHECK_H

#include "store/up_store.h"

/* What a check has found. */
typedef struct up_check_result_t {
    apr_uint64_t count[UP_KINDS]; /* items that can be read */
    apr_uint64_t faults;
} up_check_result_t;

/* Look at all of STORE, as of one moment, and tell LISTENER, whose visit is not
 * used, of each fault: in how the store is kept, in an item, or between items.
 * Sets *RESULT, which may be shared with another process, while it goes on.
 * Takes about 150 bytes of memory for each user. */
UP_MUST_CHECK up_error_t *up_check_store(up_check_result_t *result,
                                         up_store_t *store,
                                         const up_check_t *listener,
                                         apr_pool_t *scratch_pool);

#endif
