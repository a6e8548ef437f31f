/* up_ctl_commands.h -- what the commands are, and the help that says so. */
#ifndef UP_CTL_COMMANDS_H
#define UP_CTL_COMMANDS_H

#include "ctl/up_ctl.h"

#define UP_CTL_ANY_NUMBER 1000000

typedef struct up_ctl_command_t {
    const char *noun;
    const char *verb; /* "" where the noun is all */
    const char *usage;
    const char *help;
    int least, most;  /* how many operands */
    unsigned options; /* bit 1 << up_ctl_option_t each, beside common ones */
    up_error_t *(*run)(up_ctl_t *ctl);
} up_ctl_command_t;

/* The command that the operands begin with, which are then the rest; NULL
 * where there is none and help is wanted. Misuse otherwise. */
UP_MUST_CHECK up_error_t *up_ctl_command_take(const up_ctl_command_t **command,
                                              up_ctl_t *ctl);

/* Print how COMMAND, or if that is NULL the tool, is used. */
void up_ctl_command_help(const up_ctl_command_t *command);

#endif
