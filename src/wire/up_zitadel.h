/*
 * up_zitadel.h -- ZITADEL's own export as items of a store: the JSON of the
 * ExportDataResponse of its admin API, with lowerCamel or snake_case names.
 */
#ifndef UP_ZITADEL_H
#define UP_ZITADEL_H

#include "core/up_items.h"

/* One item of an export. */
typedef struct up_zitadel_item_t {
    const char *path; /* where it stands: "orgs[0].humanUsers[3]" */
    up_item_t item;
    up_given_t given;
} up_zitadel_item_t;

/* What an export has and a store of profiles has no place for. */
typedef struct up_zitadel_skipped_t {
    const char *what; /* the member: "projects" */
    const char *why;
    apr_uint64_t count;
} up_zitadel_skipped_t;

/* Set *ITEMS, of up_zitadel_item_t, to the organisations, users and memberships
 * of organisations in the LENGTH bytes at TEXT, each organisation before what
 * is in it; and *SKIPPED, of up_zitadel_skipped_t, to the rest. A user is
 * active, of sequence 1, and of NOW, since an export says nothing of that.
 * BODY_INVALID says what is wrong, and by its path where; the limits of ids and
 * texts are not checked here. All in POOL. */
UP_MUST_CHECK up_error_t *up_zitadel_decode(const apr_array_header_t **items,
                                            const apr_array_header_t **skipped,
                                            const char *text,
                                            apr_size_t length,
                                            apr_time_t now,
                                            apr_pool_t *pool);

#endif
