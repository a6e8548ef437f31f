/*
 * up_item_json.h -- what a store holds, as one line of JSON each: the format
 * of export and import, and of the tool's --json.
 */
#ifndef UP_ITEM_JSON_H
#define UP_ITEM_JSON_H

#include "core/up_items.h"

/* Set *ITEM, in POOL, from one line, {"org":{...}}, {"user":{...}},
 * {"member":{...}}, {"token":{...}} or {"event":{...}}; absent members get
 * their defaults: NOW for dates, 1, "active". Sets *GIVEN to what the line has;
 * and *TOKEN_TEXT to the text of a token that is given instead of its hash, and
 * is to be hashed, or to NULL. BODY_INVALID says what is wrong, unknown members
 * included; the limits of ids and texts are not checked here. */
UP_MUST_CHECK up_error_t *up_item_json_decode(up_item_t **item,
                                              up_given_t *given,
                                              const char **token_text,
                                              const char *line,
                                              apr_size_t length,
                                              apr_time_t now,
                                              apr_pool_t *pool);

/* Set *LINE and *LENGTH to ITEM as one line without its newline, in POOL. */
void up_item_json_encode(const char **line,
                         apr_size_t *length,
                         const up_item_t *item,
                         apr_pool_t *pool);

#endif
