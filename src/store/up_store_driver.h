/* up_store_driver.h -- what a driver fills in; the promises are those of the
 * functions of the same names in up_store.h. */
#ifndef UP_STORE_DRIVER_H
#define UP_STORE_DRIVER_H

#include "store/up_store.h"

typedef struct up_store_driver_t {
    const char *scheme; /* "lmdb" serves "lmdb:..."; LOCATION is the rest */

    up_error_t *(*check)(const char *location, apr_pool_t *pool);
    up_error_t *(*prepare)(const char **identity,
                           int *made,
                           const char *location,
                           const up_store_options_t *options,
                           uid_t uid,
                           gid_t gid,
                           apr_pool_t *result_pool,
                           apr_pool_t *scratch_pool);
    up_error_t *(*owner)(uid_t *uid,
                         gid_t *gid,
                         const char *location,
                         apr_pool_t *pool);
    up_error_t *(*open)(up_store_t **store,
                        const char *location,
                        const up_store_options_t *options,
                        apr_pool_t *result_pool);
    void (*close)(up_store_t *store);

    up_error_t *(*read)(up_view_t **view,
                        up_store_t *store,
                        const up_query_t *query,
                        apr_pool_t *result_pool,
                        apr_pool_t *scratch_pool);
    up_error_t *(*update)(const up_user_t **after,
                          up_store_t *store,
                          const char *org,
                          const char *user,
                          up_decide_t decide,
                          void *baton,
                          apr_pool_t *result_pool,
                          apr_pool_t *scratch_pool);
    up_error_t *(*token)(const up_token_t **token,
                         int *owner_stored,
                         up_state_t *owner_state,
                         up_store_t *store,
                         const unsigned char sha256[UP_SHA256_BYTES],
                         apr_pool_t *result_pool,
                         apr_pool_t *scratch_pool);

    up_error_t *(*begin)(up_batch_t **batch,
                         up_store_t *store,
                         apr_pool_t *pool);
    up_error_t *(*put)(up_batch_t *batch,
                       const up_item_t *item,
                       apr_pool_t *scratch_pool);
    up_error_t *(*get)(const up_item_t **item,
                       up_batch_t *batch,
                       const up_item_t *key,
                       apr_pool_t *result_pool,
                       apr_pool_t *scratch_pool);
    up_error_t *(*remove)(int *found,
                          up_batch_t *batch,
                          const up_item_t *key,
                          apr_pool_t *scratch_pool);
    up_error_t *(*remove_rights)(up_batch_t *batch,
                                 const char *user,
                                 apr_pool_t *scratch_pool);
    up_error_t *(*commit)(up_batch_t *batch);

    up_error_t *(*each)(up_store_t *store,
                        const up_filter_t *filter,
                        up_visit_t visit,
                        void *baton,
                        apr_pool_t *scratch_pool);
    up_error_t *(*stat)(up_store_stat_t *stat,
                        up_store_t *store,
                        apr_pool_t *scratch_pool);
} up_store_driver_t;

/* The first member of every driver's own store struct. */
struct up_store_t {
    const up_store_driver_t *driver;
};

/* The first member of every driver's own batch struct. */
struct up_batch_t {
    up_store_t *store;
};

extern const up_store_driver_t up_store_lmdb;

#endif
