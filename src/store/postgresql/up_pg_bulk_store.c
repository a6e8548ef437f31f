/* up_pg_bulk_store.c -- stores what was put into a batch of many items: the
 * rows that it replaces are deleted, and all are copied. */
#include "store/postgresql/up_pg_bulk.h"

#include <string.h>

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
    apr_uint32_t rest = (apr_uint32_t)number;

    for (int i = count; i > 0; i--, rest >>= 8)
        bytes[i - 1] = (unsigned char)rest;
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
        err = add_row(rows, APR_ARRAY_IDX(pending, i, pg_entry_t *)->item,
                      iterpool);
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
        const pg_entry_t *entry = APR_ARRAY_IDX(pending, i, pg_entry_t *);
        if (entry->is_stored)
            APR_ARRAY_PUSH(keys, const up_item_t *) = entry->item;
    }
    if (!keys->nelts)
        return NULL;
    up_pg_bulk_add_keys(&parameters, kind, keys);
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
        pg_entry_t *entry = APR_ARRAY_IDX(pending, i, pg_entry_t *);
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

up_error_t *
up_pg_bulk_settle(pg_batch_t *batch, up_kind_t kind, apr_pool_t *pool)
{
    if (kind == UP_KIND_MEMBER || kind == UP_KIND_TOKEN)
        return end_rights(batch, pool);
    return kind == UP_KIND_EVENT ? erase_events(batch, pool) : NULL;
}
