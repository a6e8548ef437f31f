/* up_pg_bulk.c -- a batch of many items, in few round trips.
 *
 * What there is of them is read by one statement for each kind, and kept. What
 * is put is kept too, until it is stored: rows that it replaces are deleted,
 * and all are copied. The lock of batches and those of the users and events
 * that were read make sure that what is kept stays true. */
#include "store/postgresql/up_pg.h"

#include <apr_escape.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

/* What is known under a key. */
typedef struct entry_t {
    const up_item_t *item; /* NULL: there is none */
    int is_stored;         /* the table may have a row with this key; */
    int is_pending;        /* this one is to be stored */
} entry_t;

struct pg_bulk_t {
    apr_hash_t *known[UP_KINDS];           /* key -> entry_t */
    apr_array_header_t *pending[UP_KINDS]; /* of entry_t * */
    apr_array_header_t *ended;  /* of const char *: users who lose their rights,
                                 * when no membership or token is pending; */
    apr_array_header_t *ends;   /* of apr_time_t: and when */
    apr_array_header_t *erased; /* likewise, of events */
    int has_locked_events;
    int knows_last_event;
    apr_uint64_t last_event;
    apr_pool_t *pool;
};

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

static entry_t *
entry_of(const pg_bulk_t *bulk, const up_item_t *key, apr_pool_t *pool)
{
    apr_ssize_t length;
    const char *bytes = key_of(&length, key, pool);

    return apr_hash_get(bulk->known[key->kind], bytes, length);
}

/* The entry under KEY, which is made if nothing was known: the table may have a
 * row then. */
static entry_t *
make_entry(pg_bulk_t *bulk, const up_item_t *key)
{
    apr_ssize_t length;
    const char *bytes = key_of(&length, key, bulk->pool);
    entry_t *entry = apr_hash_get(bulk->known[key->kind], bytes, length);

    if (!entry) {
        entry = apr_pcalloc(bulk->pool, sizeof(*entry));
        entry->is_stored = 1;
        apr_hash_set(bulk->known[key->kind], bytes, length, entry);
    }
    return entry;
}

/* Append the keys of KEYS, of const up_item_t *, all of KIND. */
static void
add_keys(pg_parameters_t *parameters,
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
 * Storing.
 */

/* So many bytes are handed to libpq at once. */
#define CHUNK_BYTES (64 * 1024)

/* How many bytes a number has in each column, of those in which it has not 8,
 * as parameters have. */
static const char *const widths[UP_KINDS] = {
    [UP_KIND_ORG] = "--",
    [UP_KIND_USER] = "--22--------2",
    [UP_KIND_MEMBER] = "---",
    [UP_KIND_TOKEN] = "-----",
    [UP_KIND_EVENT] = "-2-----4------2-----2",
};

/* Rows as COPY reads them. */
typedef struct rows_t {
    char bytes[CHUNK_BYTES];
    size_t length;
    pg_batch_t *batch;
    apr_pool_t *pool;
} rows_t;

static up_error_t *
send_rows(rows_t *rows)
{
    size_t length = rows->length;

    rows->length = 0;
    return up_pg_copy_send(rows->batch->connection, rows->bytes, length,
                           "store records", rows->pool);
}

static up_error_t *
add_bytes(rows_t *rows, const void *bytes, size_t length)
{
    const char *from = bytes;

    while (length) {
        size_t room = sizeof(rows->bytes) - rows->length;
        size_t part = length < room ? length : room;
        memcpy(rows->bytes + rows->length, from, part);
        rows->length += part;
        from += part;
        length -= part;
        if (rows->length == sizeof(rows->bytes))
            UP_ERR(send_rows(rows));
    }
    return NULL;
}

/* Append NUMBER in COUNT bytes, the highest first. */
static up_error_t *
add_number(rows_t *rows, int number, int count)
{
    unsigned char bytes[4];

    for (int i = count; i > 0; i--, number >>= 8)
        bytes[i - 1] = (unsigned char)number;
    return add_bytes(rows, bytes, (size_t)count);
}

static up_error_t *
add_row(rows_t *rows, const up_item_t *item, apr_pool_t *pool)
{
    pg_parameters_t parameters = {.pool = pool};

    if (item->kind == UP_KIND_EVENT)
        up_pg_add_number(&parameters, (apr_int64_t)item->as.event.number);
    up_pg_add_item(&parameters, item);
    UP_ERR(add_number(rows, parameters.count, 2));
    for (int i = 0; i < parameters.count; i++) {
        const char *value = parameters.value[i];
        int length = parameters.length[i];
        char width = widths[item->kind][i];
        if (value && width != '-') {
            value += length - (width - '0');
            length = width - '0';
        }
        UP_ERR(add_number(rows, value ? length : -1, 4));
        if (value)
            UP_ERR(add_bytes(rows, value, (size_t)length));
    }
    return NULL;
}

/* Send the rows of all that is pending of KIND. */
static up_error_t *
add_rows(rows_t *rows, const pg_bulk_t *bulk, up_kind_t kind)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    const apr_array_header_t *pending = bulk->pending[kind];
    up_error_t *err = NULL;
    apr_pool_t *iterpool;

    UP_ERR(add_bytes(rows, head, sizeof(head)));
    apr_pool_create(&iterpool, rows->pool);
    for (int i = 0; i < pending->nelts && !err; i++) {
        apr_pool_clear(iterpool);
        err =
            add_row(rows, APR_ARRAY_IDX(pending, i, entry_t *)->item, iterpool);
    }
    apr_pool_destroy(iterpool);
    UP_ERR(err);
    UP_ERR(add_number(rows, -1, 2));
    return send_rows(rows);
}

static up_error_t *
copy_kind(pg_batch_t *batch, up_kind_t kind, apr_pool_t *pool)
{
    static const pg_statement_t statements[UP_KINDS] = {
        [UP_KIND_ORG] = PG_COPY_ORGS,       [UP_KIND_USER] = PG_COPY_USERS,
        [UP_KIND_MEMBER] = PG_COPY_MEMBERS, [UP_KIND_TOKEN] = PG_COPY_TOKENS,
        [UP_KIND_EVENT] = PG_COPY_EVENTS,
    };
    rows_t *rows = apr_palloc(pool, sizeof(*rows));

    rows->length = 0;
    rows->batch = batch;
    rows->pool = pool;
    batch->connection->deadline = up_pg_deadline(batch->store);
    up_error_t *err = up_pg_copy_begin(batch->connection, statements[kind],
                                       "store records", pool);
    if (!err)
        err = add_rows(rows, batch->bulk, kind);
    if (!err)
        err = up_pg_copy_end(batch->connection, "store records", pool);
    if (err)
        batch->spoilt = up_error_copy(err, batch->pool);
    return err;
}

/* Delete the rows that what is pending of KIND replaces. */
static up_error_t *
delete_replaced(pg_batch_t *batch, up_kind_t kind, apr_pool_t *pool)
{
    static const pg_statement_t statements[UP_KINDS] = {
        [UP_KIND_ORG] = PG_DELETE_ORGS,
        [UP_KIND_USER] = PG_DELETE_USERS,
        [UP_KIND_MEMBER] = PG_DELETE_MEMBERS,
        [UP_KIND_TOKEN] = PG_DELETE_TOKENS,
        [UP_KIND_EVENT] = PG_DELETE_EVENTS,
    };
    const apr_array_header_t *pending = batch->bulk->pending[kind];
    apr_array_header_t *keys =
        apr_array_make(pool, pending->nelts, sizeof(const up_item_t *));
    pg_parameters_t parameters = {.pool = pool};
    PGresult *result;

    for (int i = 0; i < pending->nelts; i++) {
        const entry_t *entry = APR_ARRAY_IDX(pending, i, entry_t *);
        if (entry->is_stored)
            APR_ARRAY_PUSH(keys, const up_item_t *) = entry->item;
    }
    if (!keys->nelts)
        return NULL;
    add_keys(&parameters, kind, keys);
    return up_pg_batch_run(&result, batch, statements[kind], &parameters,
                           "replace records", pool);
}

/* The next number that an event is given is to be above that of the last one.
 */
static up_error_t *
set_number(pg_batch_t *batch, apr_pool_t *pool)
{
    pg_parameters_t parameters = {.pool = pool};
    PGresult *result;

    up_pg_add_number(&parameters, (apr_int64_t)batch->bulk->last_event);
    return up_pg_batch_run(&result, batch, PG_SET_NUMBER, &parameters,
                           "set the number of the next event", pool);
}

static up_error_t *
store_kind(pg_batch_t *batch, up_kind_t kind, apr_pool_t *pool)
{
    apr_array_header_t *pending = batch->bulk->pending[kind];

    if (!pending->nelts)
        return NULL;
    UP_ERR(delete_replaced(batch, kind, pool));
    UP_ERR(copy_kind(batch, kind, pool));
    if (kind == UP_KIND_EVENT)
        UP_ERR(set_number(batch, pool));
    for (int i = 0; i < pending->nelts; i++) {
        entry_t *entry = APR_ARRAY_IDX(pending, i, entry_t *);
        entry->is_pending = 0;
        entry->is_stored = 1;
    }
    apr_array_clear(pending);
    return NULL;
}

/* End the rights of those who are to lose them. */
static up_error_t *
end_rights(pg_batch_t *batch, apr_pool_t *pool)
{
    pg_bulk_t *bulk = batch->bulk;
    pg_parameters_t users = {.pool = pool};
    PGresult *result;

    if (!bulk->ended->nelts)
        return NULL;
    up_pg_add_texts(&users, bulk->ended);
    UP_ERR(up_pg_batch_run(&result, batch, PG_REMOVE_MEMBERS_OF, &users,
                           "remove memberships", pool));
    UP_ERR(up_pg_batch_run(&result, batch, PG_HAVE_TOKENS, &users,
                           "find tokens", pool));
    /* Few have any. */
    for (int i = 0; i < PQntuples(result); i++) {
        pg_row_t row = {.result = result, .row = i, .pool = pool};
        pg_parameters_t one = {.pool = pool};
        PGresult *revoked;
        int place = (int)up_pg_get_number(&row) - 1;
        up_pg_add_text(&one, APR_ARRAY_IDX(bulk->ended, place, const char *));
        up_pg_add_time(&one, APR_ARRAY_IDX(bulk->ends, place, apr_time_t));
        UP_ERR(up_pg_batch_run(&revoked, batch, PG_REVOKE_TOKENS_OF, &one,
                               "revoke tokens", pool));
    }
    apr_array_clear(bulk->ended);
    apr_array_clear(bulk->ends);
    return NULL;
}

static up_error_t *
erase_events(pg_batch_t *batch, apr_pool_t *pool)
{
    apr_array_header_t *erased = batch->bulk->erased;
    pg_parameters_t users = {.pool = pool};
    PGresult *result;

    if (!erased->nelts)
        return NULL;
    up_pg_add_texts(&users, erased);
    UP_ERR(up_pg_batch_run(&result, batch, PG_ERASE_EVENTS, &users,
                           "erase events", pool));
    apr_array_clear(erased);
    return NULL;
}

up_error_t *
up_pg_bulk_store(pg_batch_t *batch, apr_pool_t *scratch_pool)
{
    UP_ERR(end_rights(batch, scratch_pool));
    UP_ERR(erase_events(batch, scratch_pool));
    for (int kind = 0; kind < UP_KINDS; kind++)
        UP_ERR(store_kind(batch, (up_kind_t)kind, scratch_pool));
    return NULL;
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
        bulk->pending[kind] = apr_array_make(pool, 16, sizeof(entry_t *));
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

/* What is read of KIND must not be changed by something that is to be done. */
static up_error_t *
settle(pg_batch_t *batch, up_kind_t kind, apr_pool_t *pool)
{
    if (kind == UP_KIND_MEMBER || kind == UP_KIND_TOKEN)
        return end_rights(batch, pool);
    return kind == UP_KIND_EVENT ? erase_events(batch, pool) : NULL;
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
    UP_ERR(settle(batch, kind, pool));
    add_keys(&parameters, kind, keys);
    UP_ERR(up_pg_batch_run(&result, batch, statements[kind], &parameters,
                           "read records", pool));
    keep_rows(&unreadable, batch->bulk, kind, result, pool);
    for (int i = 0; i < keys->nelts && !unreadable; i++) {
        entry_t *entry =
            make_entry(batch->bulk, APR_ARRAY_IDX(keys, i, const up_item_t *));
        entry->is_stored = entry->item != NULL;
    }
    return unreadable;
}

/* Set *ENTRY to what there is under KEY. */
static up_error_t *
look(entry_t **entry, pg_batch_t *batch, const up_item_t *key, apr_pool_t *pool)
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
    entry_t *entry;

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
    entry_t *entry;

    UP_ERR(look(&entry, batch, &key, pool));
    return entry->item ? NULL : up_pg_refuse_org(org, pool);
}

/* UP_CONFLICT if the store may not have ITEM. */
static up_error_t *
judge(pg_batch_t *batch, const up_item_t *item, apr_pool_t *pool)
{
    const entry_t *there;

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
              const entry_t *entry,
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

    entry_t *entry = make_entry(bulk, item);
    entry->item = up_item_copy(item, bulk->pool);
    entry->is_pending = 1;
    APR_ARRAY_PUSH(bulk->pending[item->kind], entry_t *) = entry;
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
        const entry_t *entry = apr_hash_this_val(at);
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
