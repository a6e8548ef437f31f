/* up_lmdb_put.c -- writing one item in an LMDB transaction. */
#include "store/lmdb/up_lmdb.h"
#include "store/up_record.h"

#include <string.h>

/* Put ITEM under its key. */
static up_error_t *
put_record(lmdb_write_t *write,
           const up_item_t *item,
           unsigned flags,
           apr_pool_t *result_pool,
           apr_pool_t *scratch_pool)
{
    MDB_dbi database = write->store->database[up_lmdb_database(item->kind)];
    MDB_val key = up_lmdb_key(item, scratch_pool), value;
    const char *bytes;

    up_record_pack(&bytes, &value.mv_size, item, scratch_pool);
    value.mv_data = (void *)bytes;
    int rc = mdb_put(write->txn, database, &key, &value, flags);
    return rc ? up_lmdb_error(rc, "store a record", write->store, result_pool)
              : NULL;
}

static up_error_t *
require_org(lmdb_write_t *write, const char *org, apr_pool_t *result_pool)
{
    int found;

    UP_ERR(
        up_lmdb_org_exists(&found, write->store, write->txn, org, result_pool));
    return found ? NULL
                 : up_error(result_pool, UP_CONFLICT, APR_SUCCESS,
                            "there is no organisation '%s'", org);
}

/* Keep where USER is at home, and its state, unless the id is one of another
 * organisation. */
static up_error_t *
set_home(lmdb_write_t *write,
         const up_user_t *user,
         apr_pool_t *result_pool,
         apr_pool_t *scratch_pool)
{
    MDB_dbi database = write->store->database[LMDB_HOME];
    MDB_val key = up_lmdb_text(user->id), value = {1 + strlen(user->org), NULL};
    up_state_t state;
    const char *home;

    UP_ERR(up_lmdb_home(&home, &state, write->store, write->txn, user->id,
                        result_pool));
    if (home && strcmp(home, user->org) != 0)
        return up_error(result_pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' cannot be in organisation '%s': the id is "
                        "one of organisation '%s'",
                        user->id, user->org, home);
    if (home && state == user->state)
        return NULL;

    char *bytes = apr_palloc(scratch_pool, value.mv_size);
    bytes[0] = (char)user->state;
    memcpy(bytes + 1, user->org, value.mv_size - 1);
    value.mv_data = bytes;
    int rc = mdb_put(write->txn, database, &key, &value, 0);
    return rc ? up_lmdb_error(rc, "store a user", write->store, result_pool)
              : NULL;
}

/* Events are numbered by one more than the last that is there: whatever takes
 * old ones away must leave that one, or numbers come again. */
static up_error_t *
append_event(lmdb_write_t *write,
             const up_item_t *item,
             apr_pool_t *result_pool,
             apr_pool_t *scratch_pool)
{
    up_item_t event = *item;

    if (!write->last_event)
        UP_ERR(up_lmdb_last_event(&write->last_event, write->store, write->txn,
                                  result_pool));
    event.as.event.number = ++write->last_event;
    return put_record(write, &event, MDB_APPEND, result_pool, scratch_pool);
}

up_error_t *
up_lmdb_put(lmdb_write_t *write,
            const up_item_t *item,
            apr_pool_t *result_pool,
            apr_pool_t *scratch_pool)
{
    switch (item->kind) {
    case UP_KIND_USER:
        UP_ERR(require_org(write, item->as.user.org, result_pool));
        UP_ERR(set_home(write, &item->as.user, result_pool, scratch_pool));
        break;
    case UP_KIND_MEMBER:
        if (*item->as.member.org)
            UP_ERR(require_org(write, item->as.member.org, result_pool));
        break;
    case UP_KIND_EVENT:
        return append_event(write, item, result_pool, scratch_pool);
    default:
        break;
    }
    return put_record(write, item, 0, result_pool, scratch_pool);
}

up_error_t *
up_lmdb_replace_user(lmdb_write_t *write,
                     const up_user_t *before,
                     const up_user_t *user,
                     apr_pool_t *result_pool,
                     apr_pool_t *scratch_pool)
{
    up_item_t item = {.kind = UP_KIND_USER, .as.user = *user};

    if (user->state != before->state)
        UP_ERR(set_home(write, user, result_pool, scratch_pool));
    return put_record(write, &item, 0, result_pool, scratch_pool);
}
