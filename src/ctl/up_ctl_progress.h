/* up_ctl_progress.h -- how far an import has come. */
#ifndef UP_CTL_PROGRESS_H
#define UP_CTL_PROGRESS_H

#include <apr_time.h>

typedef struct up_ctl_progress_t {
    apr_uint64_t kept; /* lines that are stored; counted by the import */
    apr_time_t begun;
    apr_time_t shown;
    int on_terminal; /* nothing is shown elsewhere */
} up_ctl_progress_t;

void up_ctl_progress_begin(up_ctl_progress_t *progress);

/* Show PROGRESS on the standard error, if that is a terminal, and not if it
 * was shown less than a fifth of a second ago. */
void up_ctl_progress_show(up_ctl_progress_t *progress);

/* Take off what was shown, and sum up on the standard output. */
void up_ctl_progress_end(const up_ctl_progress_t *progress);

#endif
