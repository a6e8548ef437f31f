/* up_lmdb_read.c -- what one request needs to know, read in one step. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <string.h>

/* Set *USER to USER of ORG, or to NULL. */
static up_error_t *
get_user(const up_user_t **user,
         lmdb_store_t *store,
         MDB_txn *txn,
         const char *org,
         const char *id,
         apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_USER, .as.user = {.org = org, .id = id}};
    const up_item_t *item;

    UP_ERR(up_lmdb_get(&item, store, txn, &key, pool));
    *user = item ? &item->as.user : NULL;
    return NULL;
}

/* Set *ROLES to those of USER in ORG, or to NULL. */
static up_error_t *
get_roles(const apr_array_header_t **roles,
          lmdb_store_t *store,
          MDB_txn *txn,
          const char *org,
          const char *user,
          apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_MEMBER,
                     .as.member = {.org = org, .user = user}};
    const up_item_t *item;

    UP_ERR(up_lmdb_get(&item, store, txn, &key, pool));
    *roles = item ? item->as.member.roles : NULL;
    return NULL;
}

static up_error_t *
read_view(up_view_t *view,
          lmdb_store_t *store,
          MDB_txn *txn,
          const char *caller,
          const char *wanted,
          const char *user,
          apr_pool_t *pool)
{
    int exists = 1; /* a user's own organisation does */

    if (caller) {
        UP_ERR(up_lmdb_home(&view->caller_org, &view->caller_state, store, txn,
                            caller, pool));
        UP_ERR(get_roles(&view->instance_roles, store, txn, "", caller, pool));
    }
    if (wanted && (!view->caller_org || strcmp(wanted, view->caller_org) != 0))
        UP_ERR(up_lmdb_org_exists(&exists, store, txn, wanted, pool));
    if (exists)
        view->org = wanted ? apr_pstrdup(pool, wanted) : view->caller_org;
    if (caller && view->org)
        UP_ERR(
            get_roles(&view->org_roles, store, txn, view->org, caller, pool));
    if (user && view->org)
        UP_ERR(get_user(&view->user, store, txn, view->org, user, pool));
    return NULL;
}

up_error_t *
up_lmdb_read(up_view_t **view,
             up_store_t *base,
             const char *caller,
             const char *wanted,
             const char *user,
             apr_pool_t *result_pool,
             apr_pool_t *scratch_pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    up_view_t *found = apr_pcalloc(result_pool, sizeof(*found));
    MDB_txn *txn;

    (void)scratch_pool;
    UP_ERR(up_lmdb_begin(&txn, store, MDB_RDONLY, result_pool));
    up_error_t *err =
        read_view(found, store, txn, caller, wanted, user, result_pool);
    up_lmdb_abort(store, txn);
    *view = found;
    return err;
}

static up_error_t *
read_token(const up_token_t **token,
           int *owner_stored,
           up_state_t *owner_state,
           lmdb_store_t *store,
           MDB_txn *txn,
           const unsigned char *sha256,
           apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_TOKEN};
    const up_item_t *item;
    const char *org;

    memcpy(key.as.token.sha256, sha256, UP_SHA256_BYTES);
    UP_ERR(up_lmdb_get(&item, store, txn, &key, pool));
    *token = item ? &item->as.token : NULL;
    if (!item)
        return NULL;
    UP_ERR(
        up_lmdb_home(&org, owner_state, store, txn, item->as.token.user, pool));
    *owner_stored = org != NULL;
    return NULL;
}

up_error_t *
up_lmdb_token(const up_token_t **token,
              int *owner_stored,
              up_state_t *owner_state,
              up_store_t *base,
              const unsigned char sha256[UP_SHA256_BYTES],
              apr_pool_t *result_pool,
              apr_pool_t *scratch_pool)
{
    lmdb_store_t *store = up_lmdb_downcast(base);
    MDB_txn *txn;

    (void)scratch_pool;
    UP_ERR(up_lmdb_begin(&txn, store, MDB_RDONLY, result_pool));
    up_error_t *err = read_token(token, owner_stored, owner_state, store, txn,
                                 sha256, result_pool);
    up_lmdb_abort(store, txn);
    return err;
}
