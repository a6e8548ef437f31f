/* up_ctl_progress.h -- how far a long work is, on a terminal. */
#ifndef UP_CTL_PROGRESS_H
#define UP_CTL_PROGRESS_H

#include "core/up_error.h"

#include <apr_time.h>

typedef struct up_ctl_progress_t {
    const char *what; /* "checked"; or a noun */
    int on_terminal;  /* the standard error is one */
    apr_time_t begun, shown;
    int is_shown;
} up_ctl_progress_t;

/* WHAT is done from now on. */
void up_ctl_progress_begin(up_ctl_progress_t *progress, const char *what);

/* Show on a terminal, at most five times a second, that DONE of ALL are. */
void up_ctl_progress_show(up_ctl_progress_t *progress,
                          apr_uint64_t done,
                          apr_uint64_t all);

/* Likewise, of a work whose end is not known, how many are DONE in all and in
 * a second. WHAT is their noun then: "lines". */
void up_ctl_progress_show_rate(up_ctl_progress_t *progress, apr_uint64_t done);

/* How many of DONE that is in a second. */
double up_ctl_progress_rate(const up_ctl_progress_t *progress,
                            apr_uint64_t done);

/* Take what is shown off the terminal. */
void up_ctl_progress_hide(up_ctl_progress_t *progress);

/* How long it has taken so far. */
double up_ctl_progress_seconds(const up_ctl_progress_t *progress);

#endif
