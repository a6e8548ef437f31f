/*
 * store_items.h -- for tests of stores: items as C values, put into a store,
 * got from it, and written in words to be compared.
 */
#ifndef STORE_ITEMS_H
#define STORE_ITEMS_H

#include "store/up_store.h"

/* When the items below were made and changed: 2025-03-25T09:00:00.100Z. */
#define LONG_AGO APR_TIME_C(1742893200100000)

#define ALL_KINDS ((1u << UP_KINDS) - 1)

/* The longest ids, of characters of one byte and of four, and the longest text
 * of a profile. */
#define TIMES_10(text) text text text text text text text text text text
#define GIRAFFE "\xf0\x9f\xa6\x92"
#define LONGEST_ID TIMES_10(TIMES_10("xx"))
#define LONGEST_ID_4 TIMES_10(GIRAFFE GIRAFFE GIRAFFE GIRAFFE GIRAFFE)
#define LONGEST_TEXT TIMES_10(TIMES_10(GIRAFFE GIRAFFE))

/* Items in POOL; what they point to is not copied. A key for up_batch_get() is
 * made by the same functions. A human has the last name "L" and the display
 * name "D". */
up_item_t *make_org(const char *id, const char *name, apr_pool_t *pool);
up_item_t *make_human(const char *org,
                      const char *id,
                      up_state_t state,
                      const char *first_name,
                      apr_pool_t *pool);
up_item_t *make_machine(const char *org, const char *id, apr_pool_t *pool);

/* ORG is "" for the instance. */
up_item_t *make_member(const char *org,
                       const char *user,
                       const char *role,
                       apr_pool_t *pool);

/* A token that has expired, whose SHA-256 is BYTE and zeroes. */
up_item_t *make_token(const char *user, unsigned char byte, apr_pool_t *pool);

/* Put ITEM into STORE in a batch of its own. The error lives in POOL. */
up_error_t *put_item(up_store_t *store,
                     const up_item_t *item,
                     apr_pool_t *pool);

/* The same for new items; these end the program if that fails. */
void put_org(up_store_t *store, const char *id);
void put_human(up_store_t *store,
               const char *org,
               const char *id,
               up_state_t state);
void put_machine(up_store_t *store, const char *org, const char *id);
void put_member(up_store_t *store,
                const char *org,
                const char *user,
                const char *role);
void put_token(up_store_t *store, const char *user, unsigned char byte);

/* What STORE has under the key of KEY, in POOL, or NULL. */
const up_item_t *get_item(up_store_t *store,
                          const up_item_t *key,
                          apr_pool_t *pool);

long long count_items(up_store_t *store, up_kind_t kind, apr_pool_t *pool);

/* All that ITEM says, as one line in POOL: "org O1 'One'"; NULL for NULL. */
const char *item_text(const up_item_t *item, apr_pool_t *pool);

/* The JSON names of FIELDS, a set: "firstName gender", "none". */
const char *fields_text(unsigned fields, apr_pool_t *pool);

/* The lines of all items of KINDS (bit 1 << up_kind_t each) in STORE, each with
 * a newline, in POOL. */
const char *store_text(up_store_t *store, unsigned kinds, apr_pool_t *pool);

#endif
