/* up_ctl_check.h -- the look for faults that check and restore take. */
#ifndef UP_CTL_CHECK_H
#define UP_CTL_CHECK_H

#include "ctl/up_ctl.h"
#include "service/up_check.h"

/* Look for faults in CTL's open store, and print each. Sets *RESULT. */
UP_MUST_CHECK up_error_t *up_ctl_look_for_faults(up_check_result_t *result,
                                                 up_ctl_t *ctl);

#endif
