/*
 * up_pg_bulk.h -- a batch of many items, in few round trips.
 *
 * What there is of them is read by one statement for each kind, and kept. What
 * is put is kept too, until it is stored, by a COPY for each kind. The lock of
 * batches and those of the users and events that were read make sure that what
 * is kept stays true.
 */
#ifndef UP_PG_BULK_H
#define UP_PG_BULK_H

#include "store/postgresql/up_pg.h"

#include <apr_hash.h>

/* The calls of a batch that goes by BATCH->bulk. What was put is stored by
 * up_pg_bulk_store(), if not before. */
pg_bulk_t *up_pg_bulk_make(apr_pool_t *pool);
UP_MUST_CHECK up_error_t *up_pg_bulk_expect(pg_batch_t *batch,
                                            const up_item_t *const *items,
                                            int count,
                                            apr_pool_t *scratch_pool);
UP_MUST_CHECK up_error_t *up_pg_bulk_get(const up_item_t **item,
                                         pg_batch_t *batch,
                                         const up_item_t *key,
                                         apr_pool_t *result_pool,
                                         apr_pool_t *scratch_pool);
UP_MUST_CHECK up_error_t *up_pg_bulk_last_event(apr_uint64_t *number,
                                                pg_batch_t *batch,
                                                apr_pool_t *scratch_pool);
UP_MUST_CHECK up_error_t *up_pg_bulk_put(pg_batch_t *batch,
                                         const up_item_t *item,
                                         apr_pool_t *scratch_pool);
UP_MUST_CHECK up_error_t *up_pg_bulk_remove_rights(pg_batch_t *batch,
                                                   const char *user,
                                                   apr_time_t now,
                                                   apr_pool_t *scratch_pool);
UP_MUST_CHECK up_error_t *up_pg_bulk_erase_events(pg_batch_t *batch,
                                                  const char *user,
                                                  apr_pool_t *scratch_pool);
UP_MUST_CHECK up_error_t *up_pg_bulk_store(pg_batch_t *batch,
                                           apr_pool_t *scratch_pool);

/*
 * Shared by up_pg_bulk.c and up_pg_bulk_store.c.
 */

/* What is known under a key. */
typedef struct pg_entry_t {
    const up_item_t *item; /* NULL: there is none */
    int is_stored;         /* the table may have a row with this key; */
    int is_pending;        /* this one is to be stored */
} pg_entry_t;

struct pg_bulk_t {
    apr_hash_t *known[UP_KINDS];           /* key -> pg_entry_t */
    apr_array_header_t *pending[UP_KINDS]; /* of pg_entry_t * */
    apr_array_header_t *ended;  /* of const char *: users who lose their rights,
                                 * when no membership or token is pending; */
    apr_array_header_t *ends;   /* of apr_time_t: and when */
    apr_array_header_t *erased; /* likewise, of events */
    int has_locked_events;
    int knows_last_event;
    apr_uint64_t last_event;
    apr_pool_t *pool;
};

/* Append the keys of KEYS, of const up_item_t *, all of KIND. */
void up_pg_bulk_add_keys(pg_parameters_t *parameters,
                         up_kind_t kind,
                         const apr_array_header_t *keys);

/* Do at once what was put off and would change the rows of KIND, which are to
 * be read. */
UP_MUST_CHECK up_error_t *up_pg_bulk_settle(pg_batch_t *batch,
                                            up_kind_t kind,
                                            apr_pool_t *pool);

#endif
