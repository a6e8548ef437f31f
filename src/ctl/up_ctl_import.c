/* up_ctl_import.c -- import: items into the store, in batches. */
#include "ctl/up_ctl_import.h"
#include "core/up_id.h"
#include "ctl/up_ctl_print.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

/* A batch ends at either bound. They limit the memory, and how long other
 * writers wait. */
#define BATCH_ENTRIES 1000
#define BATCH_BYTES (4 * 1024 * 1024)

apr_uint64_t
up_ctl_import_sum(const up_ctl_import_t *import, int result)
{
    apr_uint64_t sum = 0;

    for (int kind = 0; kind <= UP_CTL_NO_ITEM; kind++)
        sum += import->count[kind][result];
    return sum;
}

apr_uint64_t
up_ctl_import_kept(const up_ctl_import_t *import)
{
    return up_ctl_import_sum(import, UP_PUT_ADDED) +
           up_ctl_import_sum(import, UP_PUT_CHANGED) +
           up_ctl_import_sum(import, UP_PUT_UNCHANGED);
}

static void
print_sum(const up_ctl_import_t *import)
{
    const char *noun = up_ctl_source_noun(import->source);

    printf("imported %" APR_UINT64_T_FMT " %s in %.1f s, %.0f %s a second: "
           "%" APR_UINT64_T_FMT " added, %" APR_UINT64_T_FMT " changed, "
           "%" APR_UINT64_T_FMT " unchanged\n",
           up_ctl_import_kept(import), noun,
           up_ctl_progress_seconds(&import->progress),
           up_ctl_progress_rate(&import->progress, up_ctl_import_kept(import)),
           noun, up_ctl_import_sum(import, UP_PUT_ADDED),
           up_ctl_import_sum(import, UP_PUT_CHANGED),
           up_ctl_import_sum(import, UP_PUT_UNCHANGED));
}

up_error_t *
up_ctl_import_print_skipped(const up_ctl_import_t *import, apr_pool_t *pool)
{
    static const char *const titles[] = {"SKIPPED", "COUNT", "WHY", NULL};
    const apr_array_header_t *skipped = up_ctl_source_skipped(import->source);

    if (!skipped || !skipped->nelts)
        return NULL;
    up_ctl_table_t *table = up_ctl_table_make(3, titles, pool);
    for (int i = 0; i < skipped->nelts; i++) {
        up_zitadel_skipped_t row =
            APR_ARRAY_IDX(skipped, i, up_zitadel_skipped_t);
        const char *cells[] = {
            row.what, apr_psprintf(pool, "%" APR_UINT64_T_FMT, row.count),
            row.why};
        UP_ERR(up_ctl_table_row(table, cells, pool));
    }
    return up_ctl_table_end(table, pool);
}

/* ERR, of what is WHERE, as the error of the import. */
static up_error_t *
stop(const up_ctl_import_t *import,
     const char *where,
     const up_error_t *err,
     apr_pool_t *pool)
{
    return up_error_wrap(pool, err,
                         "the import stopped at %s of '%s'; the %s before it "
                         "are kept",
                         where, import->path,
                         up_ctl_source_noun(import->source));
}

/* Set *REFUSAL to what becomes of ENTRY, which ERR refuses. A dry run prints
 * and counts that, and goes on: *REFUSAL is NULL. */
static up_error_t *
refuse(up_error_t **refusal,
       up_ctl_import_t *import,
       const up_ctl_entry_t *entry,
       const up_error_t *err,
       apr_pool_t *pool)
{
    *refusal = NULL;
    if (import->is_dry)
        return up_ctl_import_refuse_dry(import, entry, err, pool);
    *refusal = stop(import, entry->where, err, pool);
    return NULL;
}

/* Read the next entries into IMPORT's batch. Returns the error, if any, that
 * ends the import: the batch has the entries before it. A dry run has those
 * that are refused in the batch too. */
static up_error_t *
read_batch(up_ctl_import_t *import, apr_pool_t *pool)
{
    apr_size_t bytes = 0;

    import->batch = apr_array_make(pool, BATCH_ENTRIES, sizeof(up_ctl_entry_t));
    while (import->batch->nelts < BATCH_ENTRIES && bytes < BATCH_BYTES) {
        up_ctl_entry_t entry;
        up_ctl_source_next(&entry, import->source, pool);
        if (!entry.where) {
            import->is_over = 1;
            return NULL;
        }
        if (entry.err && (entry.is_last || !import->is_dry))
            return stop(import, entry.where, entry.err, pool);
        APR_ARRAY_PUSH(import->batch, up_ctl_entry_t) = entry;
        bytes += entry.bytes;
    }
    return NULL;
}

/* Tell BATCH what IMPORT's batch is going to put into it. */
static up_error_t *
expect_entries(const up_ctl_import_t *import,
               up_batch_t *batch,
               apr_pool_t *pool)
{
    const up_item_t **items = apr_palloc(
        pool, ((apr_size_t)import->batch->nelts + 1) * sizeof(*items));
    int count = 0;

    for (int i = 0; i < import->batch->nelts; i++) {
        const up_ctl_entry_t *entry =
            &APR_ARRAY_IDX(import->batch, i, up_ctl_entry_t);
        if (!entry->err)
            items[count++] = entry->item;
    }
    return up_batch_expect(batch, items, count, pool);
}

/* Put IMPORT's batch into BATCH. What the store refuses of it, and only that,
 * comes as *REFUSED: the entries before it are in BATCH. */
static up_error_t *
put_entries(up_error_t **refused,
            up_ctl_import_t *import,
            up_batch_t *batch,
            apr_pool_t *pool)
{
    for (int i = 0; i < import->batch->nelts && !*refused; i++) {
        const up_ctl_entry_t *entry =
            &APR_ARRAY_IDX(import->batch, i, up_ctl_entry_t);
        up_put_t did;
        if (entry->err) {
            UP_ERR(refuse(refused, import, entry, entry->err, pool));
            continue;
        }
        if (import->is_dry)
            UP_ERR(up_ctl_import_put_again(import, batch, entry->item, pool));
        up_error_t *err = up_admin_import(&did, batch, entry->item,
                                          &entry->given, import->forces, pool);
        if (err && err->reason != UP_CONFLICT)
            return err;
        if (err) {
            UP_ERR(refuse(refused, import, entry, err, pool));
            continue;
        }
        import->count[entry->item->kind][did]++;
        if (import->is_dry)
            up_ctl_import_note(import, entry->item);
    }
    return NULL;
}

/* Set IMPORT's SHA-256: the rest of a file that is stopped in is read. */
static up_error_t *
end_source(up_ctl_import_t *import)
{
    if (import->is_ended)
        return NULL;
    import->is_ended = 1;
    return up_ctl_source_sha256(&import->sha256, import->source,
                                import->ctl->pool);
}

/* Set *NEEDS to whether IMPORT, which ends, is an event of its own. Events that
 * it has put are the history of what it stores, and are to be followed by those
 * of the store that they come from, when that is imported again. So are those
 * that it has not come to when it IS_STOPPED, if BATCH's store has none yet. */
static up_error_t *
needs_event(int *needs,
            const up_ctl_import_t *import,
            up_batch_t *batch,
            int is_stopped,
            apr_pool_t *pool)
{
    const apr_uint64_t *events = import->count[UP_KIND_EVENT];
    apr_uint64_t last;

    *needs = 0;
    if (events[UP_PUT_ADDED])
        return NULL;
    *needs = !events[UP_PUT_UNCHANGED] ||
             up_ctl_import_sum(import, UP_PUT_ADDED) ||
             up_ctl_import_sum(import, UP_PUT_CHANGED);
    if (!is_stopped)
        return NULL;
    UP_ERR(up_batch_last_event(&last, batch, pool));
    *needs &= last != 0;
    return NULL;
}

/* Append to BATCH the event of IMPORT, which ends, at an entry that is refused
 * if it IS_STOPPED, unless it needs none. */
static up_error_t *
append_event(const up_ctl_import_t *import,
             up_batch_t *batch,
             int is_stopped,
             apr_pool_t *pool)
{
    int needs;

    UP_ERR(needs_event(&needs, import, batch, is_stopped, pool));
    if (!needs)
        return NULL;

    const char *sha256 = import->sha256;
    const char *detail = apr_psprintf(
        pool,
        "%s%s%sadded=%" APR_UINT64_T_FMT " changed=%" APR_UINT64_T_FMT
        " unchanged=%" APR_UINT64_T_FMT "%s%s",
        sha256 ? "sha256=" : "", sha256 ? sha256 : "", sha256 ? " " : "",
        up_ctl_import_sum(import, UP_PUT_ADDED),
        up_ctl_import_sum(import, UP_PUT_CHANGED),
        up_ctl_import_sum(import, UP_PUT_UNCHANGED),
        import->forces ? " forced" : "", is_stopped ? " stopped" : "");

    return up_admin_imported(batch, detail, import->author, pool);
}

/* Count those of the first COUNT entries of IMPORT's batch that store an id
 * with a slash. */
static void
count_slashed(up_ctl_import_t *import, apr_uint64_t count)
{
    for (int i = 0; (apr_uint64_t)i < count; i++) {
        const up_ctl_entry_t *entry =
            &APR_ARRAY_IDX(import->batch, i, up_ctl_entry_t);
        const up_item_t *item = entry->item;
        const char *id = item->kind == UP_KIND_ORG    ? item->as.org.id
                         : item->kind == UP_KIND_USER ? item->as.user.id
                                                      : "";
        if (!up_id_has_slash(id))
            continue;
        if (!import->slashed++)
            import->first_slashed =
                apr_pstrdup(import->ctl->pool, entry->where);
    }
}

/* Put IMPORT's batch into the store, and the event of the import if it ends
 * with that. *REFUSED is as put_entries() has it; then nothing is stored. */
static up_error_t *
try_batch(up_error_t **refused,
          up_ctl_import_t *import,
          int is_stopped,
          apr_pool_t *pool)
{
    int is_end = import->is_over || is_stopped;
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    apr_pool_create(&batch_pool, pool);
    up_error_t *err = up_batch_begin(&batch, import->ctl->store, batch_pool);
    if (!err)
        err = expect_entries(import, batch, pool);
    if (!err)
        err = put_entries(refused, import, batch, pool);
    if (!err && !*refused && is_end && up_ctl_import_kept(import) &&
        !import->is_dry)
        err = append_event(import, batch, is_stopped, pool);
    if (err || *refused || import->is_dry)
        apr_pool_destroy(batch_pool); /* before the store is closed */
    else
        err = up_batch_commit(batch);
    import->is_told |= !err && !*refused && is_end;
    return err;
}

/* Store IMPORT's batch, the last one if IS_STOPPED. If the store refuses one of
 * its entries, store those before it as the last batch: what is left of the
 * file is not read while other writers wait. */
static up_error_t *
store_batch(up_ctl_import_t *import, int is_stopped, apr_pool_t *pool)
{
    up_error_t *refused = NULL, *bad = NULL;
    up_ctl_import_t before = *import;

    if (is_stopped || import->is_over)
        UP_ERR(end_source(import));
    up_error_t *err = try_batch(&refused, import, is_stopped, pool);
    while (!err && refused) {
        bad = refused;
        refused = NULL;
        import->batch->nelts =
            (int)(up_ctl_import_kept(import) - up_ctl_import_kept(&before));
        memcpy(import->count, before.count, sizeof(import->count));
        UP_ERR(end_source(import));
        if (import->batch->nelts || up_ctl_import_kept(import))
            err = try_batch(&refused, import, 1, pool);
    }
    if (!err) {
        if (!import->is_dry)
            count_slashed(import, up_ctl_import_kept(import) -
                                      up_ctl_import_kept(&before));
        return bad;
    }
    memcpy(import->count, before.count, sizeof(import->count));
    if (!import->batch->nelts)
        return err;
    return stop(import, APR_ARRAY_IDX(import->batch, 0, up_ctl_entry_t).where,
                err, pool);
}

static up_error_t *
run(up_ctl_import_t *import, apr_pool_t *pool)
{
    up_error_t *bad = NULL;
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, pool);
    while (!import->is_over && !bad) {
        apr_pool_clear(iterpool);
        bad = read_batch(import, iterpool);
        if (import->batch->nelts || up_ctl_import_kept(import))
            UP_ERR(store_batch(import, bad != NULL, iterpool));
        up_ctl_progress_show_rate(&import->progress,
                                  up_ctl_import_kept(import));
    }
    return bad;
}

/* A batch failed, and what was kept before it has no event yet. That may fail
 * as well, of which the import's own error says enough. */
static void
tell_of_failed(up_ctl_import_t *import, apr_pool_t *pool)
{
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    if (import->is_told || import->is_dry || !up_ctl_import_kept(import))
        return;
    apr_pool_create(&batch_pool, pool);
    up_error_t *err = end_source(import);
    if (!err)
        err = up_batch_begin(&batch, import->ctl->store, batch_pool);
    if (!err)
        err = append_event(import, batch, 1, pool);
    if (!err)
        err = up_batch_commit(batch);
    import->is_told = !err;
    apr_pool_destroy(batch_pool);
}

up_error_t *
up_ctl_import(up_ctl_t *ctl)
{
    up_ctl_import_t import = {.ctl = ctl,
                              .path = ctl->line.operand[0],
                              .is_dry =
                                  ctl->line.option[UP_CTL_DRY_RUN] != NULL,
                              .forces = ctl->line.option[UP_CTL_FORCE] != NULL,
                              .orgs = apr_hash_make(ctl->pool),
                              .removed = apr_hash_make(ctl->pool)};

    /* Before root becomes the store's owner, who may not read the file. */
    UP_ERR(up_ctl_source_open(&import.source, ctl));
    apr_pool_create(&import.last_pool, ctl->pool);
    UP_ERR(up_ctl_open(ctl));
    import.author = ctl->author; /* not while others wait for a batch */
    up_ctl_progress_begin(&import.progress, up_ctl_source_noun(import.source));
    up_error_t *err = run(&import, ctl->pool);
    tell_of_failed(&import, ctl->pool);
    up_ctl_progress_hide(&import.progress);
    if (import.is_dry)
        return err ? err : up_ctl_import_end_dry(&import, ctl->pool);
    print_sum(&import);
    if (import.slashed)
        up_ctl_note(ctl,
                    "ids with a slash: %" APR_UINT64_T_FMT ", the first in "
                    "%s; " UP_CTL_SLASH_RULE,
                    import.slashed, import.first_slashed);
    up_error_t *unprinted = up_ctl_import_print_skipped(&import, ctl->pool);
    return err ? err : unprinted;
}
