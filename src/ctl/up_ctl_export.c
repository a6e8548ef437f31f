/* up_ctl_export.c -- export: what a store has, as lines for import. */
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "ctl/up_ctl_progress.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct export_t {
    const char *org;   /* what belongs to it alone, or NULL for all */
    apr_hash_t *users; /* the ids of its users, as they are listed */
    up_ctl_progress_t progress;
    apr_uint64_t done;
    int is_shown; /* how far it is */
} export_t;

/* Whether ITEM, which a filter for EXPORT's organisation has let pass, belongs
 * to it. */
static int
belongs(const export_t *export, const up_item_t *item)
{
    const char *id;

    switch (item->kind) {
    case UP_KIND_ORG:
        return !strcmp(item->as.org.id, export->org);
    case UP_KIND_USER:
        id = apr_pstrdup(apr_hash_pool_get(export->users), item->as.user.id);
        apr_hash_set(export->users, id, APR_HASH_KEY_STRING, id);
        return 1;
    case UP_KIND_TOKEN:
        return apr_hash_get(export->users, item->as.token.user,
                            APR_HASH_KEY_STRING) != NULL;
    default:
        return 1;
    }
}

/* An up_ctl_selection_t's. */
static int
accepts(const void *baton, const up_item_t *item)
{
    export_t *export = *(export_t *const *)baton;

    if (export->org && !belongs(export, item))
        return 0;
    export->done++;
    if (export->is_shown)
        up_ctl_progress_show_rate(&export->progress, export->done);
    return 1;
}

/* Whether the lines go to a file. A program that reads them may show how far it
 * is on the same terminal, as import does. */
static int
goes_to_file(void)
{
    struct stat status;

    return !fstat(STDOUT_FILENO, &status) && S_ISREG(status.st_mode);
}

up_error_t *
up_ctl_export(up_ctl_t *ctl)
{
    export_t export = {.org = ctl->line.option[UP_CTL_ORG],
                       .users = apr_hash_make(ctl->pool),
                       .is_shown = goes_to_file()};
    export_t *baton = &export;
    up_filter_t filter = {.kinds = (1u << UP_KINDS) - 1, .org = export.org};
    up_ctl_selection_t selection = {accepts, &baton, 0};

    /* Numbers of events are those of a whole store. */
    if (export.org || ctl->line.option[UP_CTL_NO_EVENTS])
        filter.kinds &= ~(1u << UP_KIND_EVENT);
    UP_ERR(up_ctl_open(ctl));
    if (export.org)
        UP_ERR(up_ctl_require_org(ctl, export.org));
    up_ctl_progress_begin(&export.progress, "lines");
    up_error_t *err = up_ctl_list(ctl, &filter, &selection, NULL, NULL);
    up_ctl_progress_hide(&export.progress);
    return err;
}
