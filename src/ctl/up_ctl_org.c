/* up_ctl_org.c -- org add, rename, list, remove. */
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "service/up_admin.h"

up_error_t *
up_ctl_org_add(up_ctl_t *ctl)
{
    const char *name = ctl->line.option[UP_CTL_NAME];
    up_org_t org = {ctl->line.operand[0], name ? name : ""};

    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_admin_add_org(ctl->store, &org, ctl->author, ctl->pool));
    up_ctl_warn_of_slash(ctl, org.id);
    return NULL;
}

static void
org_cells(const char **cells, const up_item_t *item, apr_pool_t *pool)
{
    (void)pool;
    cells[0] = item->as.org.id;
    cells[1] = item->as.org.name;
}

up_error_t *
up_ctl_org_list(up_ctl_t *ctl)
{
    static const char *const titles[] = {"ID", "NAME", NULL};
    up_filter_t filter = {.kinds = 1u << UP_KIND_ORG};

    UP_ERR(up_ctl_open(ctl));
    return up_ctl_list(ctl, &filter, NULL, titles, org_cells);
}

up_error_t *
up_ctl_org_rename(up_ctl_t *ctl)
{
    up_org_t org = {ctl->line.operand[0], ctl->line.operand[1]};

    UP_ERR(up_ctl_open(ctl));
    return up_admin_rename_org(ctl->store, &org, ctl->author, ctl->pool);
}

up_error_t *
up_ctl_org_remove(up_ctl_t *ctl)
{
    UP_ERR(up_ctl_open(ctl));
    return up_admin_remove_org(ctl->store, ctl->line.operand[0], ctl->author,
                               ctl->pool);
}
