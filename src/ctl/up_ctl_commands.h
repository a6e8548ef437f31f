/*
 * up_ctl_commands.h -- the command line: its options, and the command that it
 * names.
 */
#ifndef UP_CTL_COMMANDS_H
#define UP_CTL_COMMANDS_H

#include "core/up_profile.h"

typedef struct up_ctl_t up_ctl_t;

/* The options. Each field of a profile has one too, which the table of fields
 * names. */
typedef enum up_ctl_option_t {
    UP_CTL_STORE,
    UP_CTL_JSON,
    UP_CTL_HELP,
    UP_CTL_VERSION,
    UP_CTL_OWNER,
    UP_CTL_NAME,
    UP_CTL_MACHINE,
    UP_CTL_ORG,
    UP_CTL_EXPIRES,
    UP_CTL_AFTER,
    UP_CTL_WAIT,
    UP_CTL_ALLOW_WEAK,
    UP_CTL_NEW_ROLE,
    UP_CTL_STATE,
    UP_CTL_LIMIT,
    UP_CTL_USER,
    UP_CTL_ERASE,
    UP_CTL_TIMEOUT,
    UP_CTL_REPAIR_PLAN,
    UP_CTL_REVOKED,
    UP_CTL_FROM,
    UP_CTL_DRY_RUN,
    UP_CTL_FORCE,
    UP_CTL_NO_EVENTS,
    UP_CTL_FOLLOW,
    UP_CTL_BEFORE,
    UP_CTL_FIRST_FIELD,
    UP_CTL_OPTIONS = UP_CTL_FIRST_FIELD + UP_FIELDS
} up_ctl_option_t;

#define UP_CTL_FIELD(field) (UP_CTL_FIRST_FIELD + (field))

/* A command line, read. */
typedef struct up_ctl_line_t {
    const char *option[UP_CTL_OPTIONS]; /* its value, "" for a flag; NULL: not
                                         * given */
    const char *const *operand; /* those after the command, ended by NULL */
    int operands;
    int misused; /* an error is the user's: exit code 2 */
} up_ctl_line_t;

typedef struct up_ctl_command_t {
    const char *noun;
    const char *verb; /* "" where the noun is all */
    const char *usage;
    const char *help;
    int least, most;  /* how many operands */
    unsigned options; /* bit 1 << up_ctl_option_t each, beside common ones */
    up_error_t *(*run)(up_ctl_t *ctl);
} up_ctl_command_t;

/* Set *LINE and *COMMAND from ARGV; options may stand anywhere before "--". The
 * error is misuse: an option that is unknown, given twice, lacks its value or
 * does not go with the command; no command; too few or too many operands. With
 * --help or --version *COMMAND may be NULL, and the operands are not checked.
 */
UP_MUST_CHECK up_error_t *up_ctl_line_read(up_ctl_line_t *line,
                                           const up_ctl_command_t **command,
                                           int argc,
                                           const char *const *argv,
                                           apr_pool_t *pool);

/* An error in POOL that makes the tool exit with 2. */
#define up_ctl_misused(line, pool, ...)                                        \
    ((line)->misused = 1, up_error(pool, UP_CONFLICT, APR_SUCCESS, __VA_ARGS__))

/* Whether a human needs FIELD to be given. */
int up_ctl_field_is_required(up_field_t field);

/* Print how COMMAND is used; if that is NULL, the commands that begin with
 * LINE's first operand, or if there are none the tool. */
void up_ctl_command_help(const up_ctl_command_t *command,
                         const up_ctl_line_t *line);

#endif
