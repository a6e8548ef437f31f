/* up_ctl_child.h -- a part of a command in a process of its own. */
#ifndef UP_CTL_CHILD_H
#define UP_CTL_CHILD_H

#include "ctl/up_ctl.h"

/* Call WORK with CTL and BATON in a child process, which may become another
 * user and may be ended by what it reads, and wait until it ends; if this
 * process is ended, so is the child. Returns the error of WORK, or what has
 * ended the child while it did WHAT ("check the store"). Of what WORK changes,
 * only memory that up_ctl_shared() has made is seen here. */
UP_MUST_CHECK up_error_t *up_ctl_in_child(up_ctl_t *ctl,
                                          up_error_t *(*work)(up_ctl_t *ctl,
                                                              void *baton),
                                          void *baton,
                                          const char *what);

/* From now on HUP, INT and TERM end this process only while up_ctl_in_child()
 * waits: so what it makes before that is removed, and what it does after that
 * is done to its end. */
void up_ctl_put_off_endings(void);

/* In a child, after it has become another user: see to it that the child ends
 * when its parent does. */
void up_ctl_follow_parent(const up_ctl_t *ctl);

/* SIZE bytes of zeroes that a child shares, which CTL's pool gives back; NULL
 * if there are none. */
void *up_ctl_shared(up_ctl_t *ctl, apr_size_t size);

#endif
