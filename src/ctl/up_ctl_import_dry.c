/* up_ctl_import_dry.c -- an import that stores nothing, and says what it would
 * do. */
#include "ctl/up_ctl_import.h"
#include "ctl/up_ctl_print.h"

#include <apr_strings.h>

/* Print what a dry run has counted. */
static up_error_t *
print_counts(const up_ctl_import_t *import, apr_pool_t *pool)
{
    static const char *const titles[] = {"KIND",      "ADDED",   "CHANGED",
                                         "UNCHANGED", "REFUSED", NULL};
    static const char *const kinds[UP_CTL_NO_ITEM + 1] = {
        [UP_KIND_ORG] = "org",       [UP_KIND_USER] = "user",
        [UP_KIND_MEMBER] = "member", [UP_KIND_TOKEN] = "token",
        [UP_KIND_EVENT] = "event",   [UP_CTL_NO_ITEM] = "no item",
    };
    up_ctl_table_t *table = up_ctl_table_make(1 + UP_CTL_RESULTS, titles, pool);

    for (int kind = 0; kind <= UP_CTL_NO_ITEM; kind++) {
        const char *cells[1 + UP_CTL_RESULTS] = {kinds[kind]};
        if (!kinds[kind] ||
            (kind == UP_CTL_NO_ITEM && !import->count[kind][UP_CTL_REFUSED]))
            continue;
        for (int i = 0; i < UP_CTL_RESULTS; i++)
            cells[i + 1] = apr_psprintf(pool, "%" APR_UINT64_T_FMT,
                                        import->count[kind][i]);
        UP_ERR(up_ctl_table_row(table, cells, pool));
    }
    return up_ctl_table_end(table, pool);
}

/* Put EARLIER, an organisation or a removed user, again unless BATCH has it. */
static up_error_t *
put_again(up_batch_t *batch, const up_item_t *earlier, apr_pool_t *pool)
{
    const up_item_t *there;

    if (!earlier)
        return NULL;
    UP_ERR(up_batch_get(&there, batch, earlier, pool, pool));
    if (there &&
        (there->kind != UP_KIND_USER || there->as.user.state == UP_REMOVED))
        return NULL;
    return up_batch_put(batch, earlier, pool);
}

static up_error_t *
put_org_again(const up_ctl_import_t *import,
              up_batch_t *batch,
              const char *org,
              apr_pool_t *pool)
{
    return put_again(
        batch, apr_hash_get(import->orgs, org, APR_HASH_KEY_STRING), pool);
}

static up_error_t *
put_user_again(const up_ctl_import_t *import,
               up_batch_t *batch,
               const char *id,
               apr_pool_t *pool)
{
    const up_item_t *user =
        apr_hash_get(import->removed, id, APR_HASH_KEY_STRING);

    if (!user)
        return NULL;
    UP_ERR(put_org_again(import, batch, user->as.user.org, pool));
    return put_again(batch, user, pool);
}

static up_error_t *
put_event_again(const up_ctl_import_t *import,
                up_batch_t *batch,
                apr_pool_t *pool)
{
    apr_uint64_t last;

    if (!import->last_event)
        return NULL;
    UP_ERR(up_batch_last_event(&last, batch, pool));
    return last < import->last_event->as.event.number
               ? up_batch_put(batch, import->last_event, pool)
               : NULL;
}

up_error_t *
up_ctl_import_put_again(const up_ctl_import_t *import,
                        up_batch_t *batch,
                        const up_item_t *item,
                        apr_pool_t *pool)
{
    switch (item->kind) {
    case UP_KIND_USER:
        UP_ERR(put_org_again(import, batch, item->as.user.org, pool));
        return put_user_again(import, batch, item->as.user.id, pool);
    case UP_KIND_MEMBER:
        UP_ERR(put_org_again(import, batch, item->as.member.org, pool));
        return put_user_again(import, batch, item->as.member.user, pool);
    case UP_KIND_TOKEN:
        return put_user_again(import, batch, item->as.token.user, pool);
    case UP_KIND_EVENT:
        UP_ERR(put_event_again(import, batch, pool));
        return put_user_again(import, batch, item->as.event.user, pool);
    default:
        return NULL;
    }
}

static void
note_in(apr_hash_t *hash, const char *id, const up_item_t *item)
{
    apr_pool_t *pool = apr_hash_pool_get(hash);

    if (!apr_hash_get(hash, id, APR_HASH_KEY_STRING))
        apr_hash_set(hash, apr_pstrdup(pool, id), APR_HASH_KEY_STRING,
                     up_item_copy(item, pool));
}

void
up_ctl_import_note(up_ctl_import_t *import, const up_item_t *item)
{
    if (item->kind == UP_KIND_ORG)
        note_in(import->orgs, item->as.org.id, item);
    if (item->kind == UP_KIND_USER && item->as.user.state == UP_REMOVED)
        note_in(import->removed, item->as.user.id, item);
    if (item->kind == UP_KIND_EVENT) {
        apr_pool_clear(import->last_pool);
        import->last_event = up_item_copy(item, import->last_pool);
    }
}

up_error_t *
up_ctl_import_refuse_dry(up_ctl_import_t *import,
                         const up_ctl_entry_t *entry,
                         const up_error_t *err,
                         apr_pool_t *pool)
{
    import->count[entry->item ? entry->item->kind : UP_CTL_NO_ITEM]
                 [UP_CTL_REFUSED]++;
    if (!import->first_refused)
        import->first_refused = apr_pstrdup(import->ctl->pool, entry->where);
    return up_ctl_print_line(
        apr_pstrcat(pool, entry->where, ": ", up_error_story(err, pool), NULL),
        pool);
}

up_error_t *
up_ctl_import_end_dry(const up_ctl_import_t *import, apr_pool_t *pool)
{
    UP_ERR(print_counts(import, pool));
    UP_ERR(up_ctl_import_print_skipped(import, pool));
    if (!import->first_refused)
        return NULL;
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "the import would stop at %s of '%s'; refused are "
                    "%" APR_UINT64_T_FMT,
                    import->first_refused, import->path,
                    up_ctl_import_sum(import, UP_CTL_REFUSED));
}
