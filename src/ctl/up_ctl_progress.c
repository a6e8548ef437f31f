/* up_ctl_progress.c -- how far a long work is, on a terminal. */
#include "ctl/up_ctl_progress.h"
#include "core/up_clock.h"

#include <stdio.h>
#include <unistd.h>

#define SHOWN_EVERY (APR_USEC_PER_SEC / 5)

#define CLEAR_LINE "\r\033[K"

void
up_ctl_progress_begin(up_ctl_progress_t *progress, const char *what)
{
    progress->what = what;
    progress->on_terminal = isatty(STDERR_FILENO);
    progress->begun = progress->shown = up_clock();
    progress->is_shown = 0;
}

/* Whether something is to be shown now; it then counts as shown. */
static int
is_due(up_ctl_progress_t *progress)
{
    if (!progress->on_terminal)
        return 0;
    apr_time_t now = up_clock();
    if (now - progress->shown < SHOWN_EVERY)
        return 0;
    progress->shown = now;
    progress->is_shown = 1;
    return 1;
}

void
up_ctl_progress_show(up_ctl_progress_t *progress,
                     apr_uint64_t done,
                     apr_uint64_t all)
{
    if (!is_due(progress))
        return;
    fprintf(stderr, CLEAR_LINE "%s %.0f %%", progress->what,
            all ? 100.0 * (double)done / (double)all : 100.0);
}

void
up_ctl_progress_show_rate(up_ctl_progress_t *progress, apr_uint64_t done)
{
    if (!is_due(progress))
        return;
    fprintf(stderr, CLEAR_LINE "%" APR_UINT64_T_FMT " %s, %.0f %s a second",
            done, progress->what, up_ctl_progress_rate(progress, done),
            progress->what);
}

double
up_ctl_progress_rate(const up_ctl_progress_t *progress, apr_uint64_t done)
{
    double passed = up_ctl_progress_seconds(progress);

    return passed > 0 ? (double)done / passed : 0;
}

void
up_ctl_progress_hide(up_ctl_progress_t *progress)
{
    if (progress->is_shown)
        fputs(CLEAR_LINE, stderr);
    progress->is_shown = 0;
}

double
up_ctl_progress_seconds(const up_ctl_progress_t *progress)
{
    return (double)(up_clock() - progress->begun) / APR_USEC_PER_SEC;
}
