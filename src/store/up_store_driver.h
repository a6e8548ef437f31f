/*
 * up_store_driver.h -- what a driver fills in. What each function promises is
 * said at the function of the same name in up_store.h.
 *
 * The types are those of functions, not of pointers to them, so that a driver
 * declares its own in one line each: up_driver_read_t up_lmdb_read;
 */
#ifndef UP_STORE_DRIVER_H
#define UP_STORE_DRIVER_H

#include "store/up_store.h"

/* An option of a driver. Each of its values means a number. */
typedef struct up_driver_option_t {
    const char *name;      /* "map-size" */
    const char *otherwise; /* the value where none is given */
    const char *right;     /* what a value is: "a size from 1M to ..." */
    int (*parse)(apr_int64_t *number, const char *value); /* returns 0 if VALUE
                                                           * is not RIGHT */
} up_driver_option_t;

/* LOCATION is the store's URI without its scheme and colon; OPTIONS are right,
 * or NULL. */
typedef up_error_t *up_driver_check_t(const char *location, apr_pool_t *pool);
typedef const char *up_driver_shortage_t(int processes,
                                         int threads,
                                         apr_pool_t *pool);
typedef up_error_t *up_driver_prepare_t(const char **identity,
                                        int *made,
                                        const char *location,
                                        const apr_table_t *options,
                                        uid_t uid,
                                        gid_t gid,
                                        apr_pool_t *result_pool,
                                        apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_inspect_t(const char **identity,
                                        const char *location,
                                        uid_t uid,
                                        apr_pool_t *pool);
typedef up_error_t *up_driver_hold_t(const char **held,
                                     uid_t *uid,
                                     gid_t *gid,
                                     const char *location,
                                     apr_pool_t *pool);
typedef up_error_t *up_driver_open_t(up_store_t **store,
                                     const char *location,
                                     const apr_table_t *options,
                                     apr_pool_t *result_pool);
typedef apr_uint64_t up_driver_stamp_t(const up_store_t *store);
typedef void up_driver_close_t(up_store_t *store);
typedef void up_driver_set_wait_t(up_store_t *store,
                                  apr_interval_time_t timeout,
                                  up_store_tell_t *tell,
                                  void *baton);
typedef up_error_t *up_driver_probe_t(apr_uint32_t *episode,
                                      up_store_t *store,
                                      apr_pool_t *pool);

typedef up_error_t *up_driver_read_t(up_view_t **view,
                                     up_store_t *store,
                                     const up_query_t *query,
                                     apr_pool_t *result_pool,
                                     apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_update_t(const up_user_t **after,
                                       up_store_t *store,
                                       const char *org,
                                       const char *user,
                                       const up_user_t *seen, /* or NULL */
                                       up_decide_t decide,
                                       void *baton,
                                       apr_pool_t *result_pool,
                                       apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_token_t(
    const up_token_t **token,
    int *owner_stored,
    up_state_t *owner_state,
    up_store_t *store,
    int may_lag,
    const unsigned char sha256[UP_SHA256_BYTES],
    apr_pool_t *result_pool,
    apr_pool_t *scratch_pool);

typedef up_error_t *up_driver_begin_t(up_batch_t **batch,
                                      up_store_t *store,
                                      apr_pool_t *pool);
typedef up_error_t *up_driver_expect_t(up_batch_t *batch,
                                       const up_item_t *const *items,
                                       int count,
                                       apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_put_t(up_batch_t *batch,
                                    const up_item_t *item,
                                    apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_get_t(const up_item_t **item,
                                    up_batch_t *batch,
                                    const up_item_t *key,
                                    apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_last_event_t(apr_uint64_t *number,
                                           up_batch_t *batch,
                                           apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_remove_t(int *found,
                                       up_batch_t *batch,
                                       const up_item_t *key,
                                       apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_erase_events_t(up_batch_t *batch,
                                             const char *user,
                                             apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_remove_rights_t(up_batch_t *batch,
                                              const char *user,
                                              apr_time_t now,
                                              apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_commit_t(up_batch_t *batch);

typedef up_error_t *up_driver_each_t(up_store_t *store,
                                     const up_filter_t *filter,
                                     up_visit_t visit,
                                     void *baton,
                                     apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_stat_t(up_store_stat_t *stat,
                                     up_store_t *store,
                                     apr_pool_t *result_pool);
typedef up_error_t *up_driver_upgrade_t(apr_uint64_t *changed,
                                        up_store_t *store,
                                        apr_pool_t *scratch_pool);

typedef up_error_t *up_driver_check_store_t(up_store_t *store,
                                            const up_check_t *check,
                                            apr_pool_t *scratch_pool);

/* A driver without backups has the first of these alone, which fails. */
typedef up_error_t *up_driver_copy_begin_t(up_copy_t **copy,
                                           const char **source,
                                           up_copy_kind_t kind,
                                           const char *location,
                                           const char *folder,
                                           apr_pool_t *pool);
typedef up_error_t *up_driver_copy_fill_t(apr_uint64_t *damaged,
                                          up_copy_t *copy,
                                          up_store_t *source,
                                          up_progress_t progress,
                                          void *baton,
                                          apr_pool_t *scratch_pool);
typedef up_error_t *up_driver_copy_finish_t(const char **kept,
                                            up_copy_t *copy,
                                            uid_t uid,
                                            gid_t gid,
                                            apr_pool_t *pool);

typedef up_error_t *up_driver_filling_t(const char **warning,
                                        up_store_t *store,
                                        apr_pool_t *pool);

typedef struct up_store_driver_t {
    const char *scheme;                /* "lmdb" serves "lmdb:..." */
    const up_driver_option_t *options; /* the last one's name is NULL */
    up_driver_check_t *check;
    up_driver_shortage_t *shortage;
    up_driver_prepare_t *prepare;
    up_driver_inspect_t *inspect;
    up_driver_hold_t *hold;
    up_driver_open_t *open;
    up_driver_stamp_t *stamp;
    up_driver_close_t *close;
    up_driver_set_wait_t *set_wait;
    up_driver_probe_t *probe;
    up_driver_read_t *read;
    up_driver_update_t *update;
    up_driver_token_t *token;
    up_driver_begin_t *begin;
    up_driver_expect_t *expect;
    up_driver_put_t *put;
    up_driver_get_t *get;
    up_driver_last_event_t *last_event;
    up_driver_remove_t *remove;
    up_driver_remove_rights_t *remove_rights;
    up_driver_erase_events_t *erase_events;
    up_driver_commit_t *commit;
    up_driver_each_t *each;
    up_driver_stat_t *stat;
    up_driver_filling_t *filling;
    up_driver_upgrade_t *upgrade;
    up_driver_check_store_t *check_store;
    up_driver_copy_begin_t *copy_begin;
    up_driver_copy_fill_t *copy_fill;
    up_driver_copy_finish_t *copy_finish;
} up_store_driver_t;

/* The first member of every driver's own store struct. */
struct up_store_t {
    const up_store_driver_t *driver;
    up_store_counters_t *counters; /* atomic; NULL: nothing is counted */
    int may_lag;                   /* there is a use in reads that may lag */
};

/* The first member of every driver's own batch struct. */
struct up_batch_t {
    up_store_t *store;
};

/* The first member of every driver's own copy struct. */
struct up_copy_t {
    const up_store_driver_t *driver;
};

/* The number that the option NAME of DRIVER means in OPTIONS: that of the
 * option's default if it is not there, or if OPTIONS is NULL. */
apr_int64_t up_driver_option(const up_store_driver_t *driver,
                             const char *name,
                             const apr_table_t *options);

/* Count a batch of CHANGES, more than none, whose commit has taken TIME, where
 * STORE's changes are counted. */
void up_driver_count(up_store_t *store,
                     unsigned changes,
                     apr_interval_time_t time);

extern const up_store_driver_t up_store_lmdb;
extern const up_store_driver_t up_store_postgresql; /* if UP_POSTGRESQL */

#endif
