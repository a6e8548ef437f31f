/* up_ctl_check.c -- check: the faults of a store. */
#include "ctl/up_ctl_check.h"
#include "ctl/up_ctl_child.h"
#include "ctl/up_ctl_print.h"
#include "ctl/up_ctl_progress.h"

#include <apr_strings.h>
#include <stdio.h>

typedef struct look_t {
    const up_ctl_t *ctl;
    up_ctl_progress_t progress;
} look_t;

static up_error_t *
print_fault(void *baton, const char *what, const char *remedy, apr_pool_t *pool)
{
    look_t *look = baton;

    up_ctl_progress_hide(&look->progress);
    UP_ERR(up_ctl_print_line(what, pool));
    if (!look->ctl->line.option[UP_CTL_REPAIR_PLAN])
        return NULL;
    return up_ctl_print_line(
        apr_pstrcat(pool, "    to mend it: ", remedy, NULL), pool);
}

static up_error_t *
show_progress(void *baton,
              apr_uint64_t done,
              apr_uint64_t all,
              apr_pool_t *pool)
{
    look_t *look = baton;

    (void)pool;
    up_ctl_progress_show(&look->progress, done, all);
    return NULL;
}

up_error_t *
up_ctl_look_for_faults(up_check_result_t *result, up_ctl_t *ctl)
{
    look_t look = {.ctl = ctl};
    up_check_t listener = {print_fault, NULL, show_progress, &look};

    up_ctl_progress_begin(&look.progress, "checked");
    up_error_t *err = up_check_store(result, ctl->store, &listener, ctl->pool);
    up_ctl_progress_hide(&look.progress);
    return err;
}

static up_error_t *
look(up_ctl_t *ctl, void *baton)
{
    up_check_result_t *result = baton;

    UP_ERR(up_ctl_open(ctl));
    return up_ctl_look_for_faults(result, ctl);
}

up_error_t *
up_ctl_check(up_ctl_t *ctl)
{
    up_check_result_t *result = up_ctl_shared(ctl, sizeof(*result));
    up_ctl_progress_t time;

    if (!result)
        return up_error(ctl->pool, UP_INTERNAL, APR_ENOMEM,
                        "cannot check the store");
    up_ctl_progress_begin(&time, "");
    UP_ERR(up_ctl_in_child(ctl, look, result, "check the store"));
    if (result->faults)
        return up_error(ctl->pool, UP_INTERNAL, APR_SUCCESS,
                        "faults in the store: %" APR_UINT64_T_FMT,
                        result->faults);
    return up_ctl_print_line(
        apr_psprintf(
            ctl->pool,
            "found no fault in %.1f s; organisations: %" APR_UINT64_T_FMT
            ", users: %" APR_UINT64_T_FMT ", memberships: %" APR_UINT64_T_FMT
            ", tokens: %" APR_UINT64_T_FMT ", events: %" APR_UINT64_T_FMT,
            up_ctl_progress_seconds(&time), result->count[UP_KIND_ORG],
            result->count[UP_KIND_USER], result->count[UP_KIND_MEMBER],
            result->count[UP_KIND_TOKEN], result->count[UP_KIND_EVENT]),
        ctl->pool);
}
