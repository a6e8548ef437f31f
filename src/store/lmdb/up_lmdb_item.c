/* up_lmdb_item.c -- items as keys and values: finding one in a transaction, and
 * putting one there. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <string.h>

#define NUMBER_BYTES 8

lmdb_database_t
up_lmdb_database(up_kind_t kind)
{
    static const lmdb_database_t databases[UP_KINDS] = {
        [UP_KIND_ORG] = LMDB_ORG,       [UP_KIND_USER] = LMDB_PROFILE,
        [UP_KIND_MEMBER] = LMDB_MEMBER, [UP_KIND_TOKEN] = LMDB_TOKEN,
        [UP_KIND_EVENT] = LMDB_EVENT,
    };

    return databases[kind];
}

MDB_val
up_lmdb_text(const char *text)
{
    union {
        const char *in;
        void *out;
    } cast = {.in = text};
    MDB_val key = {strlen(text), cast.out}; /* LMDB does not write it */

    return key;
}

MDB_val
up_lmdb_pair(const char *org, const char *user, apr_pool_t *pool)
{
    apr_size_t org_length = strlen(org), user_length = strlen(user);
    MDB_val key = {org_length + 1 + user_length, NULL};
    char *bytes = apr_palloc(pool, key.mv_size);

    memcpy(bytes, org, org_length + 1);
    memcpy(bytes + org_length + 1, user, user_length);
    key.mv_data = bytes;
    return key;
}

static MDB_val
big_endian(apr_uint64_t number, apr_pool_t *pool)
{
    unsigned char *bytes = apr_palloc(pool, NUMBER_BYTES);
    MDB_val key = {NUMBER_BYTES, bytes};

    for (int i = NUMBER_BYTES; i > 0; i--, number >>= 8)
        bytes[i - 1] = (unsigned char)number;
    return key;
}

MDB_val
up_lmdb_key(const up_item_t *item, apr_pool_t *pool)
{
    MDB_val key = {0, NULL};

    switch (item->kind) {
    case UP_KIND_ORG:
        return up_lmdb_text(item->as.org.id);
    case UP_KIND_USER:
        return up_lmdb_pair(item->as.user.org, item->as.user.id, pool);
    case UP_KIND_MEMBER:
        return up_lmdb_pair(item->as.member.org, item->as.member.user, pool);
    case UP_KIND_TOKEN:
        key.mv_size = UP_SHA256_BYTES;
        key.mv_data = apr_pmemdup(pool, item->as.token.sha256, UP_SHA256_BYTES);
        return key;
    case UP_KIND_EVENT:
        return big_endian(item->as.event.number, pool);
    case UP_KINDS:
        break;
    }
    return key;
}

/* Set *ORG and *USER, in POOL, from KEY, which has both. Returns 0 if it has
 * not. */
static int
parse_pair(const char **org,
           const char **user,
           const MDB_val *key,
           apr_pool_t *pool)
{
    const char *bytes = apr_pstrmemdup(pool, key->mv_data, key->mv_size);
    const char *nul = memchr(bytes, '\0', key->mv_size);

    if (!nul)
        return 0;
    *org = bytes;
    *user = nul + 1;
    return 1;
}

/* Set the key fields of ITEM, whose kind is set, from KEY, copied into POOL.
 * Returns 0 if KEY is not one of that kind. */
static int
parse_key(up_item_t *item, const MDB_val *key, apr_pool_t *pool)
{
    const unsigned char *bytes = key->mv_data;

    switch (item->kind) {
    case UP_KIND_ORG:
        item->as.org.id = apr_pstrmemdup(pool, key->mv_data, key->mv_size);
        return 1;
    case UP_KIND_USER:
        return parse_pair(&item->as.user.org, &item->as.user.id, key, pool);
    case UP_KIND_MEMBER:
        return parse_pair(&item->as.member.org, &item->as.member.user, key,
                          pool);
    case UP_KIND_TOKEN:
        if (key->mv_size != UP_SHA256_BYTES)
            return 0;
        memcpy(item->as.token.sha256, bytes, UP_SHA256_BYTES);
        return 1;
    case UP_KIND_EVENT:
        if (key->mv_size != NUMBER_BYTES)
            return 0;
        item->as.event.number = 0;
        for (int i = 0; i < NUMBER_BYTES; i++)
            item->as.event.number = item->as.event.number << 8 | bytes[i];
        return 1;
    case UP_KINDS:
        break;
    }
    return 0;
}

up_error_t *
up_lmdb_item(const up_item_t **item,
             lmdb_store_t *store,
             up_kind_t kind,
             const MDB_val *key,
             const MDB_val *value,
             apr_pool_t *pool)
{
    up_item_t *found = apr_pcalloc(pool, sizeof(*found));
    MDB_val bytes;

    found->kind = kind;
    if (!parse_key(found, key, pool))
        return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                        "a key in the LMDB store '%s' is broken", store->path);
    lmdb_damage_t damage =
        up_lmdb_value_read(&bytes, store, up_lmdb_database(kind), key, value);
    if (damage)
        return up_lmdb_damaged(up_record_name(found, pool), store, damage,
                               pool);
    UP_ERR(up_record_unpack(found, bytes.mv_data, bytes.mv_size, pool));
    *item = found;
    return NULL;
}

up_error_t *
up_lmdb_home(const char **org,
             up_state_t *state,
             lmdb_txn_t *txn,
             const char *user,
             apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;
    MDB_val key = up_lmdb_text(user), value, home;

    *org = NULL;
    int rc = mdb_get(txn->handle, store->database[LMDB_HOME], &key, &value);
    if (rc == MDB_NOTFOUND)
        return NULL;
    if (rc)
        return up_lmdb_error(rc, "read a user's organisation", store, pool);
    lmdb_damage_t damage =
        up_lmdb_value_read(&home, store, LMDB_HOME, &key, &value);
    const unsigned char *bytes = home.mv_data;
    if (damage || home.mv_size < 2 || bytes[0] >= UP_STATES)
        return up_lmdb_damaged(
            apr_psprintf(pool, "the organisation of user '%s'", user), store,
            damage, pool);
    *state = (up_state_t)bytes[0];
    *org = apr_pstrmemdup(pool, (const char *)bytes + 1, home.mv_size - 1);
    return NULL;
}

/* There is no record of USER in its organisation: fail with UP_INTERNAL if home
 * has the user there. */
static up_error_t *
refuse_lost_user(lmdb_txn_t *txn, const up_user_t *user, apr_pool_t *pool)
{
    up_state_t state;
    const char *home;

    UP_ERR(up_lmdb_home(&home, &state, txn, user->id, pool));
    if (!home || strcmp(home, user->org) != 0)
        return NULL;
    return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                    "the LMDB store '%s' is damaged: the record of user '%s' "
                    "of organisation '%s' is lost",
                    txn->store->path, user->id, user->org);
}

up_error_t *
up_lmdb_get(const up_item_t **item,
            lmdb_txn_t *txn,
            const up_item_t *key,
            apr_pool_t *pool)
{
    MDB_dbi database = txn->store->database[up_lmdb_database(key->kind)];
    MDB_val bytes = up_lmdb_key(key, pool), value;

    *item = NULL;
    int rc = mdb_get(txn->handle, database, &bytes, &value);
    if (rc == MDB_NOTFOUND)
        return key->kind == UP_KIND_USER
                   ? refuse_lost_user(txn, &key->as.user, pool)
                   : NULL;
    if (rc)
        return up_lmdb_error(rc, "read a record", txn->store, pool);
    return up_lmdb_item(item, txn->store, key->kind, &bytes, &value, pool);
}

up_error_t *
up_lmdb_org_exists(int *found,
                   lmdb_txn_t *txn,
                   const char *org,
                   apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;
    MDB_val key = up_lmdb_text(org), value, bytes;

    int rc = mdb_get(txn->handle, store->database[LMDB_ORG], &key, &value);
    if (rc && rc != MDB_NOTFOUND)
        return up_lmdb_error(rc, "read an organisation", store, pool);
    *found = rc == 0;
    lmdb_damage_t damage =
        rc ? LMDB_SOUND
           : up_lmdb_value_read(&bytes, store, LMDB_ORG, &key, &value);
    return damage
               ? up_lmdb_damaged(apr_psprintf(pool, "organisation '%s'", org),
                                 store, damage, pool)
               : NULL;
}

up_error_t *
up_lmdb_last_event(apr_uint64_t *number, lmdb_txn_t *txn, apr_pool_t *pool)
{
    lmdb_store_t *store = txn->store;
    const up_item_t *last = NULL;
    up_error_t *err = NULL;
    MDB_cursor *cursor;
    MDB_val key, value;

    int rc = mdb_cursor_open(txn->handle, store->database[LMDB_EVENT], &cursor);
    if (!rc) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
        if (!rc)
            err = up_lmdb_item(&last, store, UP_KIND_EVENT, &key, &value, pool);
        mdb_cursor_close(cursor);
    }
    if (rc && rc != MDB_NOTFOUND)
        return up_lmdb_error(rc, "find the last event", store, pool);
    *number = last ? last->as.event.number : 0;
    return err;
}

/* Put ITEM under its key; FLAGS are those of mdb_put(). */
static up_error_t *
put_record(lmdb_txn_t *txn,
           const up_item_t *item,
           unsigned flags,
           apr_pool_t *result_pool,
           apr_pool_t *scratch_pool)
{
    lmdb_database_t database = up_lmdb_database(item->kind);
    MDB_val key = up_lmdb_key(item, scratch_pool);
    const char *bytes;
    apr_size_t length;

    up_record_pack(&bytes, &length, item, scratch_pool);
    MDB_val value =
        up_lmdb_value(txn, database, &key, bytes, length, scratch_pool);
    int rc = mdb_put(txn->handle, txn->store->database[database], &key, &value,
                     flags);
    return rc ? up_lmdb_error(rc, "store a record", txn->store, result_pool)
              : NULL;
}

static up_error_t *
require_org(lmdb_txn_t *txn, const char *org, apr_pool_t *result_pool)
{
    int found;

    UP_ERR(up_lmdb_org_exists(&found, txn, org, result_pool));
    return found ? NULL
                 : up_error(result_pool, UP_CONFLICT, APR_SUCCESS,
                            "there is no organisation '%s'", org);
}

/* Put the organisation and state of USER into home. Fails with UP_CONFLICT if
 * the user is in another organisation. */
static up_error_t *
put_home(lmdb_txn_t *txn,
         const up_user_t *user,
         apr_pool_t *result_pool,
         apr_pool_t *scratch_pool)
{
    MDB_dbi database = txn->store->database[LMDB_HOME];
    MDB_val key = up_lmdb_text(user->id);
    apr_size_t length = 1 + strlen(user->org);
    up_state_t state;
    const char *home;

    UP_ERR(up_lmdb_home(&home, &state, txn, user->id, result_pool));
    if (home && strcmp(home, user->org) != 0)
        return up_error(result_pool, UP_CONFLICT, APR_SUCCESS,
                        "user '%s' cannot be in organisation '%s': the id is "
                        "one of organisation '%s'",
                        user->id, user->org, home);
    if (home && state == user->state)
        return NULL;

    char *bytes = apr_palloc(scratch_pool, length);
    bytes[0] = (char)user->state;
    memcpy(bytes + 1, user->org, length - 1);
    MDB_val value =
        up_lmdb_value(txn, LMDB_HOME, &key, bytes, length, scratch_pool);
    int rc = mdb_put(txn->handle, database, &key, &value, 0);
    return rc ? up_lmdb_error(rc, "store a user", txn->store, result_pool)
              : NULL;
}

/* The number of an event that has none is one more than that of the last event
 * that is there. Whatever removes old events must leave the last one, or
 * numbers would come again. */
static up_error_t *
put_event(lmdb_txn_t *txn,
          const up_item_t *item,
          apr_pool_t *result_pool,
          apr_pool_t *scratch_pool)
{
    up_item_t event = *item;
    apr_uint64_t *number = &event.as.event.number;

    if (!txn->last_event)
        UP_ERR(up_lmdb_last_event(&txn->last_event, txn, result_pool));
    if (!*number)
        *number = txn->last_event + 1;
    if (*number <= txn->last_event)
        return put_record(txn, &event, 0, result_pool, scratch_pool);
    txn->last_event = *number;
    return put_record(txn, &event, MDB_APPEND, result_pool, scratch_pool);
}

up_error_t *
up_lmdb_put(lmdb_txn_t *txn,
            const up_item_t *item,
            apr_pool_t *result_pool,
            apr_pool_t *scratch_pool)
{
    switch (item->kind) {
    case UP_KIND_USER:
        UP_ERR(require_org(txn, item->as.user.org, result_pool));
        UP_ERR(put_home(txn, &item->as.user, result_pool, scratch_pool));
        break;
    case UP_KIND_MEMBER:
        if (*item->as.member.org)
            UP_ERR(require_org(txn, item->as.member.org, result_pool));
        break;
    case UP_KIND_EVENT:
        return put_event(txn, item, result_pool, scratch_pool);
    default:
        break;
    }
    return put_record(txn, item, 0, result_pool, scratch_pool);
}

up_error_t *
up_lmdb_replace_user(lmdb_txn_t *txn,
                     const up_user_t *before,
                     const up_user_t *user,
                     apr_pool_t *result_pool,
                     apr_pool_t *scratch_pool)
{
    up_item_t item = {.kind = UP_KIND_USER, .as.user = *user};

    if (user->state != before->state)
        UP_ERR(put_home(txn, user, result_pool, scratch_pool));
    return put_record(txn, &item, 0, result_pool, scratch_pool);
}
