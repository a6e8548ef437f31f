/* up_admin_batch.h -- what the commands of administrators share. */
#ifndef UP_ADMIN_BATCH_H
#define UP_ADMIN_BATCH_H

#include "store/up_store.h"

/* What a batch does. */
typedef up_error_t *(*up_admin_step_t)(up_batch_t *batch,
                                       void *baton,
                                       apr_pool_t *pool);

/* Take STEP in a batch of its own. If it fails the batch is given up at once,
 * since other writers wait for it. */
UP_MUST_CHECK up_error_t *up_admin_in_batch(up_store_t *store,
                                            up_admin_step_t step,
                                            void *baton,
                                            apr_pool_t *pool);

/* Set *USER to the one with this ID in any organisation, or to NULL. */
UP_MUST_CHECK up_error_t *up_admin_find_user(const up_user_t **user,
                                             up_batch_t *batch,
                                             const char *id,
                                             apr_pool_t *pool);

/* UP_CONFLICT if the user ID was removed: it gets no new rights. */
UP_MUST_CHECK up_error_t *up_admin_refuse_removed(up_batch_t *batch,
                                                  const char *id,
                                                  apr_pool_t *pool);

/* Append EVENT; a time of 0 is now, and a text that is NULL is "". */
UP_MUST_CHECK up_error_t *up_admin_append(up_batch_t *batch,
                                          const up_event_t *event,
                                          apr_pool_t *pool);

#endif
