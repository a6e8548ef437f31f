/* up_ctl_import_source.h -- what import reads: lines of JSON, or ZITADEL's
 * export. */
#ifndef UP_CTL_IMPORT_SOURCE_H
#define UP_CTL_IMPORT_SOURCE_H

#include "ctl/up_ctl.h"
#include "wire/up_zitadel.h"

typedef struct up_ctl_source_t up_ctl_source_t;

/* What was read next. */
typedef struct up_ctl_entry_t {
    const char
        *where;      /* "line 12", "orgs[0].humanUsers[3]"; NULL: it is over */
    up_item_t *item; /* checked; NULL: it is none */
    up_given_t given;
    apr_size_t bytes; /* about so many */
    const up_error_t
        *err;    /* why it may not be stored; NULL: it may, by itself */
    int is_last; /* nothing can be read after that error */
} up_ctl_entry_t;

/* Open what CTL's command line names, before its store is opened. */
UP_MUST_CHECK up_error_t *up_ctl_source_open(up_ctl_source_t **source,
                                             up_ctl_t *ctl);

/* Set *ENTRY to the next item of SOURCE, in POOL. */
void up_ctl_source_next(up_ctl_entry_t *entry,
                        up_ctl_source_t *source,
                        apr_pool_t *pool);

/* What the items of SOURCE are called: "lines". */
const char *up_ctl_source_noun(const up_ctl_source_t *source);

/* What of SOURCE is not among the items, of up_zitadel_skipped_t; or NULL. */
const apr_array_header_t *up_ctl_source_skipped(const up_ctl_source_t *source);

/* Set *SHA256 as up_ctl_lines_sha256() does. SOURCE is not read any longer. */
UP_MUST_CHECK up_error_t *up_ctl_source_sha256(const char **sha256,
                                               up_ctl_source_t *source,
                                               apr_pool_t *pool);

#endif
