/* up_ctl_progress.c -- how far an import has come. */
#include "ctl/up_ctl_progress.h"

#include <stdio.h>
#include <unistd.h>

#define SHOWN_EVERY (APR_USEC_PER_SEC / 5)

#define CLEAR_LINE "\r\033[K"

static double
seconds(const up_ctl_progress_t *progress)
{
    return (double)(apr_time_now() - progress->begun) / APR_USEC_PER_SEC;
}

static double
rate(const up_ctl_progress_t *progress)
{
    double passed = seconds(progress);

    return passed > 0 ? (double)progress->kept / passed : 0;
}

void
up_ctl_progress_begin(up_ctl_progress_t *progress)
{
    progress->kept = 0;
    progress->begun = progress->shown = apr_time_now();
    progress->on_terminal = isatty(STDERR_FILENO);
}

void
up_ctl_progress_show(up_ctl_progress_t *progress)
{
    apr_time_t now = apr_time_now();

    if (!progress->on_terminal || now - progress->shown < SHOWN_EVERY)
        return;
    progress->shown = now;
    fprintf(stderr,
            CLEAR_LINE "%" APR_UINT64_T_FMT " lines, %.0f lines a second",
            progress->kept, rate(progress));
}

void
up_ctl_progress_end(const up_ctl_progress_t *progress)
{
    if (progress->on_terminal)
        fputs(CLEAR_LINE, stderr);
    printf("imported %" APR_UINT64_T_FMT " lines in %.1f s, %.0f lines a "
           "second\n",
           progress->kept, seconds(progress), rate(progress));
}
