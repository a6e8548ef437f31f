/* up_ctl_import.h -- an import, as the files that make it share it. */
#ifndef UP_CTL_IMPORT_H
#define UP_CTL_IMPORT_H

#include "ctl/up_ctl.h"
#include "ctl/up_ctl_import_source.h"
#include "ctl/up_ctl_progress.h"
#include "service/up_admin.h"

#include <apr_hash.h>

/* Beside what up_admin_import() did: what it refused. */
#define UP_CTL_REFUSED UP_PUTS
#define UP_CTL_RESULTS (UP_CTL_REFUSED + 1)

/* In place of a kind: what is no item. */
#define UP_CTL_NO_ITEM UP_KINDS

typedef struct up_ctl_import_t {
    up_ctl_t *ctl;
    const char *path;
    up_ctl_source_t *source;
    up_ctl_progress_t progress;
    const char *author; /* of its event; */
    const char *sha256; /* of the file, for the event; NULL: not known */
    int is_ended;       /* the source is not read any longer */
    int is_dry, forces;
    int is_over;               /* the source is */
    apr_array_header_t *batch; /* of up_ctl_entry_t */
    apr_uint64_t count[UP_CTL_NO_ITEM + 1][UP_CTL_RESULTS];
    int is_told; /* the event of the import is stored */
    /* A dry run: what earlier batches have put that later ones are judged by,
     * as items: organisations and removed users by their ids, and the last
     * event, which has a pool of its own. */
    apr_hash_t *orgs, *removed;
    up_item_t *last_event;
    apr_pool_t *last_pool;
    const char *first_refused; /* a dry run: where that was, or NULL */
    apr_uint64_t slashed;      /* entries kept whose id has a slash */
    const char *first_slashed; /* where the first of them was */
} up_ctl_import_t;

/* How many of all kinds had RESULT. */
apr_uint64_t up_ctl_import_sum(const up_ctl_import_t *import, int result);

/* How many entries are stored. */
apr_uint64_t up_ctl_import_kept(const up_ctl_import_t *import);

/* Print what there was in the source that is not imported. */
UP_MUST_CHECK up_error_t *up_ctl_import_print_skipped(
    const up_ctl_import_t *import,
    apr_pool_t *pool);

/*
 * up_ctl_import_dry.c
 */

/* Before ITEM is put by a dry run: BATCH has what was put in it alone, and must
 * have what earlier ones had, of that which ITEM is judged by. */
UP_MUST_CHECK up_error_t *up_ctl_import_put_again(const up_ctl_import_t *import,
                                                  up_batch_t *batch,
                                                  const up_item_t *item,
                                                  apr_pool_t *pool);

/* ITEM, which a dry run has put, is to be put again where it is needed. */
void up_ctl_import_note(up_ctl_import_t *import, const up_item_t *item);

/* A dry run has found that ERR refuses ENTRY: print and count that. */
UP_MUST_CHECK up_error_t *up_ctl_import_refuse_dry(up_ctl_import_t *import,
                                                   const up_ctl_entry_t *entry,
                                                   const up_error_t *err,
                                                   apr_pool_t *pool);

/* Print what IMPORT, a dry run, has found. It is an error if anything was
 * refused. */
UP_MUST_CHECK up_error_t *up_ctl_import_end_dry(const up_ctl_import_t *import,
                                                apr_pool_t *pool);

#endif
