/*
 * without_store.c -- linked into a mod_userprofile for the benchmark with
 * -Wl,--wrap: an update whose last step, storing what was decided, is left out.
 * The decision has been made, and is answered.
 */
#include "store/up_store.h"

/* The user that this thread's request has just read. */
static __thread up_view_t *seen;

up_error_t *__real_up_store_read(up_view_t **view,
                                 up_store_t *store,
                                 const up_query_t *query,
                                 apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);
up_error_t *__wrap_up_store_read(up_view_t **view,
                                 up_store_t *store,
                                 const up_query_t *query,
                                 apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);
up_error_t *__wrap_up_store_update_seen(const up_user_t **after,
                                        up_store_t *store,
                                        const up_user_t *seen_user,
                                        up_decide_t decide,
                                        void *baton,
                                        apr_pool_t *result_pool,
                                        apr_pool_t *scratch_pool);

up_error_t *
__wrap_up_store_read(up_view_t **view,
                     up_store_t *store,
                     const up_query_t *query,
                     apr_pool_t *result_pool,
                     apr_pool_t *scratch_pool)
{
    up_error_t *err =
        __real_up_store_read(view, store, query, result_pool, scratch_pool);

    seen = *view;
    return err;
}

up_error_t *
__wrap_up_store_update_seen(const up_user_t **after,
                            up_store_t *store,
                            const up_user_t *seen_user,
                            up_decide_t decide,
                            void *baton,
                            apr_pool_t *result_pool,
                            apr_pool_t *scratch_pool)
{
    (void)store, (void)seen_user, (void)decide, (void)baton;
    (void)result_pool, (void)scratch_pool;
    *after = seen->user;
    return NULL;
}
