/* up_lmdb_key.c -- what stands for what in LMDB's keys. */
#include "store/lmdb/up_lmdb.h"

#include <apr_strings.h>
#include <string.h>

#define NUMBER_BYTES 8

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
number_key(apr_uint64_t number, apr_pool_t *pool)
{
    unsigned char *bytes = apr_palloc(pool, NUMBER_BYTES);
    MDB_val key = {NUMBER_BYTES, bytes};

    for (int i = NUMBER_BYTES; i > 0; i--, number >>= 8)
        bytes[i - 1] = (unsigned char)number;
    return key;
}

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
        return number_key(item->as.event.number, pool);
    case UP_KINDS:
        break;
    }
    return key;
}

/* Set *ORG and *USER from a key of both. */
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

int
up_lmdb_parse_key(up_item_t *item, const MDB_val *key, apr_pool_t *pool)
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
