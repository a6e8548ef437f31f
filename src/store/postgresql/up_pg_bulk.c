/* up_pg_bulk.c -- what a batch of many items knows of them: what was read, and
 * what was put. */
#include "store/postgresql/up_pg_bulk.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <string.h>

/*
 * Keys.
 */

/* The key of ITEM in POOL, *LENGTH bytes, as it is known by. */
static const char *
key_of(apr_ssize_t *length, const up_item_t *item, apr_pool_t *pool)
{
    const char *key = "";

    switch (item->kind) {
    case UP_KIND_ORG:
        key = apr_pstrdup(pool, item->as.org.id);
        break;
    case UP_KIND_USER:
        key = apr_pstrdup(pool, item->as.user.id);
        break;
    case UP_KIND_MEMBER: /* no id has a line feed */
        key = apr_pstrcat(pool, item->as.member.org, "\n", item->as.member.user,
                          NULL);
        break;
    case UP_KIND_TOKEN:
        key = apr_pescape_hex(pool, item->as.token.sha256, UP_SHA256_BYTES, 0);
        break;
    case UP_KIND_EVENT:
        key = apr_psprintf(pool, "%" APR_UINT64_T_FMT, item->as.event.number);
        break;
    case UP_KINDS:
        break;
    }
    *length = (apr_ssize_t)strlen(key);
    return key;
}

static pg_entry_t *
entry_of(const pg_bulk_t *bulk, const up_item_t *key, apr_pool_t *pool)
{
    apr_ssize_t length;
    const char *bytes = key_of(&length, key, pool);

    return apr_hash_get(bulk->known[key->kind], bytes, length);
}

/* The entry under KEY, which is made if nothing was known: the table may have a
 * row then. */
static pg_entry_t *
make_entry(pg_bulk_t *bulk, const up_item_t *key)
{
    apr_ssize_t length;
    const char *bytes = key_of(&length, key, bulk->pool);
    pg_entry_t *entry = apr_hash_get(bulk->known[key->kind], bytes, length);

    if (!entry) {
        entry = apr_pcalloc(bulk->pool, sizeof(*entry));
        entry->is_stored = 1;
        apr_hash_set(bulk->known[key->kind], bytes, length, entry);
    }
    return entry;
}

void
up_pg_bulk_add_keys(pg_parameters_t *parameters,
                    up_kind_t kind,
                    const apr_array_header_t *keys)
{
    apr_pool_t *pool = parameters->pool;
    apr_array_header_t *texts =
        apr_array_make(pool, keys->nelts, sizeof(const char *));
    apr_array_header_t *users =
        apr_array_make(pool, keys->nelts, sizeof(const char *));

    for (int i = 0; i < keys->nelts; i++) {
        const up_item_t *key = APR_ARRAY_IDX(keys, i, const up_item_t *);
        apr_ssize_t length;
        if (kind == UP_KIND_MEMBER)
            APR_ARRAY_PUSH(users, const char *) = key->as.member.user;
        APR_ARRAY_PUSH(texts, const char *) = kind == UP_KIND_MEMBER
                                                  ? key->as.member.org
                                                  : key_of(&length, key, pool);
    }
    up_pg_add_texts(parameters, texts);
    if (kind == UP_KIND_MEMBER)
        up_pg_add_texts(parameters, users);
}

/*
 * Reading.
 */

pg_bulk_t *
up_pg_bulk_make(apr_pool_t *pool)
{
    pg_bulk_t *bulk = apr_pcalloc(pool, sizeof(*bulk));

    for (int kind = 0; kind < UP_KINDS; kind++) {
        bulk->known[kind] = apr_hash_make(pool);
        bulk->pending[kind] = apr_array_make(pool, 16, sizeof(pg_entry_t *));
    }
    bulk->ended = apr_array_make(pool, 4, sizeof(const char *));
    bulk->ends = apr_array_make(pool, 4, sizeof(apr_time_t));
    bulk->erased = apr_array_make(pool, 4, sizeof(const char *));
    bulk->pool = pool;
    return bulk;
}

/* Keep others from writing events, whose numbers would be in the way of those
 * that are put. Whoever waits for a user that this batch has locked may write
 * one: so it comes before users. */
static up_error_t *
lock_events(pg_batch_t *batch, apr_pool_t *pool)
{
    PGresult *result;

    if (batch->bulk->has_locked_events)
        return NULL;
    batch->bulk->has_locked_events = 1;
    return up_pg_batch_run(&result, batch, PG_LOCK_EVENTS, NULL, "lock events",
                           pool);
}

/* Keep what RESULT has of KIND. An item that cannot be read stays unknown, and
 * *UNREADABLE, in POOL, says why. */
static void
keep_rows(up_error_t **unreadable,
          pg_bulk_t *bulk,
          up_kind_t kind,
          const PGresult *result,
          apr_pool_t *pool)
{
    for (int i = 0; i < PQntuples(result); i++) {
        pg_row_t row = {.result = result, .row = i, .pool = bulk->pool};
        const up_item_t *item;
        up_error_t *err = up_pg_get_item(&item, &row, kind);
        if (err)
            *unreadable = up_error_copy(err, pool);
        else
            make_entry(bulk, item)->item = item;
    }
}

/* Read what has KEYS, of const up_item_t *, all of KIND, of which nothing is
 * known. Fails with UP_INTERNAL if one of them cannot be read; such a one stays
 * unknown, and so may others that are not there. */
static up_error_t *
find(pg_batch_t *batch,
     up_kind_t kind,
     const apr_array_header_t *keys,
     apr_pool_t *pool)
{
    static const pg_statement_t statements[UP_KINDS] = {
        [UP_KIND_ORG] = PG_FIND_ORGS,       [UP_KIND_USER] = PG_FIND_USERS,
        [UP_KIND_MEMBER] = PG_FIND_MEMBERS, [UP_KIND_TOKEN] = PG_FIND_TOKENS,
        [UP_KIND_EVENT] = PG_FIND_EVENTS,
    };
    pg_parameters_t parameters = {.pool = pool};
    up_error_t *unreadable = NULL;
    PGresult *result;

    if (!keys->nelts)
        return NULL;
    UP_ERR(up_pg_bulk_settle(batch, kind, pool));
    up_pg_bulk_add_keys(&parameters, kind, keys);
    UP_ERR(up_pg_batch_run(&result, batch, statements[kind], &parameters,
                           "read records", pool));
    keep_rows(&unreadable, batch->bulk, kind, result, pool);
    for (int i = 0; i < keys->nelts && !unreadable; i++) {
        pg_entry_t *entry =
            make_entry(batch->bulk, APR_ARRAY_IDX(keys, i, const up_item_t *));
        entry->is_stored = entry->item != NULL;
    }
    return unreadable;
}

/* Set *ENTRY to what there is under KEY. */
static up_error_t *
look(pg_entry_t **entry,
     pg_batch_t *batch,
     const up_item_t *key,
     apr_pool_t *pool)
{
    *entry = entry_of(batch->bulk, key, pool);
    if (*entry)
        return NULL;
    apr_array_header_t *keys =
        apr_array_make(pool, 1, sizeof(const up_item_t *));
    APR_ARRAY_PUSH(keys, const up_item_t *) = key;
    if (key->kind == UP_KIND_EVENT)
        UP_ERR(lock_events(batch, pool));
    UP_ERR(find(batch, key->kind, keys, pool));
    *entry = entry_of(batch->bulk, key, pool);
    return NULL;
}

/* What is asked for, each key once. */
typedef struct wish_t {
    apr_hash_t *seen[UP_KINDS];
    apr_array_header_t *keys[UP_KINDS]; /* of const up_item_t * */
    apr_pool_t *pool;
} wish_t;

static void
wish(wish_t *wishes, const up_item_t *key)
{
    apr_ssize_t length;
    const char *bytes = key_of(&length, key, wishes->pool);

    if (apr_hash_get(wishes->seen[key->kind], bytes, length))
        return;
    apr_hash_set(wishes->seen[key->kind], bytes, length, key);
    APR_ARRAY_PUSH(wishes->keys[key->kind], const up_item_t *) = key;
}

/* ITEM refers to this organisation; not to one if it is "". */
static void
wish_org(wish_t *wishes, const char *org)
{
    up_item_t *key;

    if (!*org)
        return;
    key = apr_pcalloc(wishes->pool, sizeof(*key));
    key->kind = UP_KIND_ORG;
    key->as.org.id = org;
    wish(wishes, key);
}

static void
wish_user(wish_t *wishes, const char *user)
{
    up_item_t *key = apr_pcalloc(wishes->pool, sizeof(*key));

    key->kind = UP_KIND_USER;
    key->as.user.id = user;
    wish(wishes, key);
}

/* Ask for ITEM, and for what it is judged by. */
static void
wish_item(wish_t *wishes, const up_item_t *item)
{
    const up_event_t *event = &item->as.event;

    wish(wishes, item);
    switch (item->kind) {
    case UP_KIND_USER:
        wish_org(wishes, item->as.user.org);
        break;
    case UP_KIND_MEMBER:
        wish_org(wishes, item->as.member.org);
        wish_user(wishes, item->as.member.user);
        break;
    case UP_KIND_TOKEN:
        wish_user(wishes, item->as.token.user);
        break;
    case UP_KIND_EVENT:
        if (*event->user && (event->before || event->after))
            wish_user(wishes, event->user);
        break;
    case UP_KIND_ORG:
    case UP_KINDS:
        break;
    }
}

up_error_t *
up_pg_bulk_expect(pg_batch_t *batch,
                  const up_item_t *const *items,
                  int count,
                  apr_pool_t *scratch_pool)
{
    wish_t wishes = {.pool = scratch_pool};
    PGresult *result;

    for (int kind = 0; kind < UP_KINDS; kind++) {
        wishes.seen[kind] = apr_hash_make(scratch_pool);
        wishes.keys[kind] =
            apr_array_make(scratch_pool, 16, sizeof(const up_item_t *));
    }
    for (int i = 0; i < count; i++)
        wish_item(&wishes, items[i]);
    UP_ERR(up_pg_batch_run(&result, batch, PG_PLAN_BY_KEYS, NULL,
                           "read records", scratch_pool));
    if (wishes.keys[UP_KIND_EVENT]->nelts)
        UP_ERR(lock_events(batch, scratch_pool));
    for (int kind = 0; kind < UP_KINDS; kind++) {
        up_error_t *err =
            find(batch, (up_kind_t)kind, wishes.keys[kind], scratch_pool);
        if (err && err->reason != UP_INTERNAL)
            return err;
        if (batch->spoilt)
            return up_error_copy(batch->spoilt, scratch_pool);
    }
    return NULL;
}

up_error_t *
up_pg_bulk_get(const up_item_t **item,
               pg_batch_t *batch,
               const up_item_t *key,
               apr_pool_t *result_pool,
               apr_pool_t *scratch_pool)
{
    pg_entry_t *entry;

    *item = NULL;
    up_error_t *err = look(&entry, batch, key, scratch_pool);
    if (err)
        return up_error_copy(err, result_pool);
    if (entry->item)
        *item = up_item_copy(entry->item, result_pool);
    return NULL;
}

up_error_t *
up_pg_bulk_last_event(apr_uint64_t *number,
                      pg_batch_t *batch,
                      apr_pool_t *scratch_pool)
{
    pg_bulk_t *bulk = batch->bulk;
    PGresult *result;

    if (!bulk->knows_last_event) {
        UP_ERR(lock_events(batch, scratch_pool));
        UP_ERR(up_pg_batch_run(&result, batch, PG_LAST_EVENT, NULL,
                               "find the last event", scratch_pool));
        pg_row_t row = {.result = result, .pool = scratch_pool};
        bulk->last_event = (apr_uint64_t)up_pg_get_number(&row);
        bulk->knows_last_event = 1;
    }
    *number = bulk->last_event;
    return NULL;
}

/*
 * Putting.
 */

static up_error_t *
require_org(pg_batch_t *batch, const char *org, apr_pool_t *pool)
{
    up_item_t key = {.kind = UP_KIND_ORG, .as.org.id = org};
    pg_entry_t *entry;

    UP_ERR(look(&entry, batch, &key, pool));
    return entry->item ? NULL : up_pg_refuse_org(org, pool);
}

/* UP_CONFLICT if the store may not have ITEM. */
static up_error_t *
judge(pg_batch_t *batch, const up_item_t *item, apr_pool_t *pool)
{
    const pg_entry_t *there;

    if (item->kind == UP_KIND_MEMBER && *item->as.member.org)
        return require_org(batch, item->as.member.org, pool);
    if (item->kind != UP_KIND_USER)
        return NULL;
    there = entry_of(batch->bulk, item, pool);
    if (!there)
        return up_pg_explain_conflict(batch->connection, &item->as.user, pool);
    UP_ERR(require_org(batch, item->as.user.org, pool));
    if (there->item && strcmp(there->item->as.user.org, item->as.user.org) != 0)
        return up_pg_refuse_home(&item->as.user, there->item->as.user.org,
                                 pool);
    return NULL;
}

/* Whether ITEM cannot be put before all that is to be done is: another one with
 * its key is to be stored, or something is to be done to items of its kind. */
static int
is_in_the_way(const pg_bulk_t *bulk,
              const pg_entry_t *entry,
              const up_item_t *item)
{
    if (entry && entry->is_pending)
        return 1;
    if (item->kind == UP_KIND_MEMBER || item->kind == UP_KIND_TOKEN)
        return bulk->ended->nelts;
    return item->kind == UP_KIND_EVENT && bulk->erased->nelts;
}

up_error_t *
up_pg_bulk_put(pg_batch_t *batch,
               const up_item_t *item,
               apr_pool_t *scratch_pool)
{
    pg_bulk_t *bulk = batch->bulk;
    apr_uint64_t last;

    if (item->kind == UP_KIND_EVENT)
        UP_ERR(up_pg_bulk_last_event(&last, batch, scratch_pool));
    up_error_t *err = judge(batch, item, scratch_pool);
    if (err && err->reason != UP_CONFLICT && !batch->spoilt)
        batch->spoilt = up_error_copy(err, batch->pool);
    if (err)
        return err;
    if (is_in_the_way(bulk, entry_of(bulk, item, scratch_pool), item))
        UP_ERR(up_pg_bulk_store(batch, scratch_pool));

    pg_entry_t *entry = make_entry(bulk, item);
    entry->item = up_item_copy(item, bulk->pool);
    entry->is_pending = 1;
    APR_ARRAY_PUSH(bulk->pending[item->kind], pg_entry_t *) = entry;
    if (item->kind == UP_KIND_EVENT && bulk->last_event < item->as.event.number)
        bulk->last_event = item->as.event.number;
    return NULL;
}

/* Whom ITEM, a membership, a token or an event, is about. */
static const char *
user_of(const up_item_t *item)
{
    return item->kind == UP_KIND_MEMBER  ? item->as.member.user
           : item->kind == UP_KIND_TOKEN ? item->as.token.user
                                         : item->as.event.user;
}

/* Forget the items of KIND about USER, none of which is pending. */
static void
forget(pg_bulk_t *bulk, up_kind_t kind, const char *user)
{
    apr_hash_index_t *at;

    for (at = apr_hash_first(NULL, bulk->known[kind]); at;
         at = apr_hash_next(at)) {
        const pg_entry_t *entry = apr_hash_this_val(at);
        if (entry->item && !strcmp(user_of(entry->item), user))
            apr_hash_set(bulk->known[kind], apr_hash_this_key(at),
                         apr_hash_this_key_len(at), NULL);
    }
}

up_error_t *
up_pg_bulk_remove_rights(pg_batch_t *batch,
                         const char *user,
                         apr_time_t now,
                         apr_pool_t *scratch_pool)
{
    pg_bulk_t *bulk = batch->bulk;

    if (bulk->pending[UP_KIND_MEMBER]->nelts ||
        bulk->pending[UP_KIND_TOKEN]->nelts)
        UP_ERR(up_pg_bulk_store(batch, scratch_pool));
    APR_ARRAY_PUSH(bulk->ended, const char *) = apr_pstrdup(bulk->pool, user);
    APR_ARRAY_PUSH(bulk->ends, apr_time_t) = now;
    forget(bulk, UP_KIND_MEMBER, user);
    forget(bulk, UP_KIND_TOKEN, user);
    return NULL;
}

up_error_t *
up_pg_bulk_erase_events(pg_batch_t *batch,
                        const char *user,
                        apr_pool_t *scratch_pool)
{
    pg_bulk_t *bulk = batch->bulk;

    if (bulk->pending[UP_KIND_EVENT]->nelts)
        UP_ERR(up_pg_bulk_store(batch, scratch_pool));
    APR_ARRAY_PUSH(bulk->erased, const char *) = apr_pstrdup(bulk->pool, user);
    forget(bulk, UP_KIND_EVENT, user);
    return NULL;
}
