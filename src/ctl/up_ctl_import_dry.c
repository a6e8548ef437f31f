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
        [UP_KIND_ORG] = "org",        [UP_KIND_USER] = "user",
        [UP_KIND_MEMBER] = "member",  [UP_KIND_TOKEN] = "token",
        [UP_CTL_NO_ITEM] = "no item",
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

up_error_t *
up_ctl_import_put_again(const up_ctl_import_t *import,
                        up_batch_t *batch,
                        const up_item_t *item,
                        apr_pool_t *pool)
{
    const char *id = item->kind == UP_KIND_USER     ? item->as.user.org
                     : item->kind == UP_KIND_MEMBER ? item->as.member.org
                                                    : "";
    const up_item_t *org = apr_hash_get(import->orgs, id, APR_HASH_KEY_STRING);
    const up_item_t *there;

    if (!org)
        return NULL;
    UP_ERR(up_batch_get(&there, batch, org, pool, pool));
    return there ? NULL : up_batch_put(batch, org, pool);
}

void
up_ctl_import_note(const up_ctl_import_t *import, const up_item_t *item)
{
    apr_pool_t *pool = import->ctl->pool;
    up_item_t *copy;

    if (item->kind != UP_KIND_ORG ||
        apr_hash_get(import->orgs, item->as.org.id, APR_HASH_KEY_STRING))
        return;
    copy = apr_pmemdup(pool, item, sizeof(*item));
    copy->as.org.id = apr_pstrdup(pool, item->as.org.id);
    copy->as.org.name = apr_pstrdup(pool, item->as.org.name);
    apr_hash_set(import->orgs, copy->as.org.id, APR_HASH_KEY_STRING, copy);
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
