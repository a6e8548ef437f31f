/* up_lmdb_batch.c -- the administration's changes: many in one transaction. */
#include "store/up_lmdb.h"
#include "store/up_record.h"

#include <apr_strings.h>
#include <assert.h>
#include <string.h>

typedef struct lmdb_batch_t {
    up_batch_t base;
    lmdb_store_t *store;
    MDB_txn *txn; /* NULL: over */
    apr_pool_t *pool;
} lmdb_batch_t;

static lmdb_batch_t *
downcast(up_batch_t *batch)
{
    assert(batch->store->driver == &up_store_lmdb);
    return (lmdb_batch_t *)batch;
}

static apr_status_t
give_up(void *baton)
{
    lmdb_batch_t *batch = baton;

    if (batch->txn)
        up_lmdb_abort(batch->store, batch->txn);
    batch->txn = NULL;
    return APR_SUCCESS;
}

up_error_t *
up_lmdb_batch_begin(up_batch_t **batch, up_store_t *base, apr_pool_t *pool)
{
    lmdb_batch_t *lmdb = apr_pcalloc(pool, sizeof(*lmdb));

    lmdb->base.store = base;
    lmdb->store = up_lmdb_downcast(base);
    lmdb->pool = pool;
    UP_ERR(up_lmdb_begin(&lmdb->txn, lmdb->store, 0, pool));
    apr_pool_cleanup_register(pool, lmdb, give_up, apr_pool_cleanup_null);
    *batch = &lmdb->base;
    return NULL;
}

/* Refuse an item that says it is of ORG where there is no such organisation. */
static up_error_t *
require_org(lmdb_batch_t *batch, const char *org, apr_pool_t *scratch_pool)
{
    up_item_t key = {.kind = UP_KIND_ORG, .as.org = {.id = org}};
    const up_item_t *found;

    UP_ERR(up_lmdb_get(&found, batch->store, batch->txn, &key, scratch_pool));
    if (found)
        return NULL;
    return up_error(scratch_pool, UP_CONFLICT, APR_SUCCESS,
                    "there is no organisation '%s'", org);
}

/* Make USER's id one of its organisation, which no other has. */
static up_error_t *
claim_id(lmdb_batch_t *batch, const up_user_t *user, apr_pool_t *scratch_pool)
{
    MDB_val key = up_lmdb_text(user->id), value = up_lmdb_text(user->org);
    const char *home;

    UP_ERR(
        up_lmdb_home(&home, batch->store, batch->txn, user->id, scratch_pool));
    if (home && strcmp(home, user->org) != 0)
        return up_error(scratch_pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' cannot be in organisation '%s': the id is "
                        "one of organisation '%s'",
                        user->id, user->org, home);
    if (home)
        return NULL;
    int rc =
        mdb_put(batch->txn, batch->store->database[LMDB_HOME], &key, &value, 0);
    return rc ? up_lmdb_error(rc, "store a user", batch->store, scratch_pool)
              : NULL;
}

up_error_t *
up_lmdb_batch_put(up_batch_t *base,
                  const up_item_t *item,
                  apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);

    if (item->kind == UP_KIND_USER) {
        UP_ERR(require_org(batch, item->as.user.org, scratch_pool));
        UP_ERR(claim_id(batch, &item->as.user, scratch_pool));
    } else if (item->kind == UP_KIND_MEMBER && *item->as.member.org) {
        UP_ERR(require_org(batch, item->as.member.org, scratch_pool));
    }
    int rc = up_lmdb_put(batch->store, batch->txn, item, scratch_pool);
    return rc ? up_lmdb_error(rc, "store a record", batch->store, scratch_pool)
              : NULL;
}

up_error_t *
up_lmdb_batch_get(const up_item_t **item,
                  up_batch_t *base,
                  const up_item_t *key,
                  apr_pool_t *result_pool,
                  apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);
    up_item_t whole = *key;

    (void)scratch_pool;
    *item = NULL;
    if (key->kind == UP_KIND_USER) {
        UP_ERR(up_lmdb_home(&whole.as.user.org, batch->store, batch->txn,
                            key->as.user.id, result_pool));
        if (!whole.as.user.org)
            return NULL;
    }
    return up_lmdb_get(item, batch->store, batch->txn, &whole, result_pool);
}

up_error_t *
up_lmdb_batch_remove(int *found,
                     up_batch_t *base,
                     const up_item_t *key,
                     apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);
    MDB_dbi database = batch->store->database[up_lmdb_database(key->kind)];
    MDB_val bytes = up_lmdb_key(key, scratch_pool);

    int rc = mdb_del(batch->txn, database, &bytes, NULL);
    *found = rc == 0;
    if (rc && rc != MDB_NOTFOUND)
        return up_lmdb_error(rc, "remove a record", batch->store, scratch_pool);
    return NULL;
}

/* Remove what USER has of the kind at CURSOR's place, which VALUE is. */
static up_error_t *
remove_if_of(int *rc,
             MDB_cursor *cursor,
             up_item_t *item,
             const MDB_val *key,
             const MDB_val *value,
             const char *user,
             apr_pool_t *pool)
{
    const char *owner;

    if (!up_lmdb_parse_key(item, key, pool))
        return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                        "a stored key is "
                        "broken");
    if (item->kind == UP_KIND_TOKEN)
        UP_ERR(up_record_unpack(item, value->mv_data, value->mv_size, pool));
    owner = item->kind == UP_KIND_TOKEN ? item->as.token.user
                                        : item->as.member.user;
    if (!strcmp(owner, user))
        *rc = mdb_cursor_del(cursor, 0);
    return NULL;
}

/* Remove all of KIND, tokens or memberships, that are USER's. */
static up_error_t *
remove_all_of(lmdb_batch_t *batch,
              up_kind_t kind,
              const char *user,
              apr_pool_t *scratch_pool)
{
    MDB_dbi database = batch->store->database[up_lmdb_database(kind)];
    apr_pool_t *iterpool;
    up_error_t *err = NULL;
    MDB_cursor *cursor;
    MDB_val key, value;

    int rc = mdb_cursor_open(batch->txn, database, &cursor);
    if (rc)
        return up_lmdb_error(rc, "look for a user's rights", batch->store,
                             scratch_pool);
    apr_pool_create(&iterpool, scratch_pool);
    while (!err && !rc) {
        up_item_t item = {.kind = kind};

        apr_pool_clear(iterpool);
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (!rc)
            err =
                remove_if_of(&rc, cursor, &item, &key, &value, user, iterpool);
    }
    mdb_cursor_close(cursor);
    if (err)
        err = up_error_wrap(scratch_pool, err, "cannot remove rights of '%s'",
                            user);
    else if (rc != MDB_NOTFOUND)
        err = up_lmdb_error(rc, "remove a user's rights", batch->store,
                            scratch_pool);
    return err;
}

up_error_t *
up_lmdb_batch_remove_rights(up_batch_t *base,
                            const char *user,
                            apr_pool_t *scratch_pool)
{
    lmdb_batch_t *batch = downcast(base);

    UP_ERR(remove_all_of(batch, UP_KIND_MEMBER, user, scratch_pool));
    return remove_all_of(batch, UP_KIND_TOKEN, user, scratch_pool);
}

up_error_t *
up_lmdb_batch_commit(up_batch_t *base)
{
    lmdb_batch_t *batch = downcast(base);
    MDB_txn *txn = batch->txn;

    batch->txn = NULL;
    return up_lmdb_commit(batch->store, txn, batch->pool);
}
