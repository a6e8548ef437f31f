/* up_ctl_options.h -- the command line: options, and what is left of it. */
#ifndef UP_CTL_OPTIONS_H
#define UP_CTL_OPTIONS_H

#include "core/up_error.h"

typedef enum up_ctl_option_t {
    UP_CTL_STORE,
    UP_CTL_JSON,
    UP_CTL_HELP,
    UP_CTL_VERSION,
    UP_CTL_OWNER,
    UP_CTL_NAME,
    UP_CTL_FIRST_NAME,
    UP_CTL_LAST_NAME,
    UP_CTL_DISPLAY_NAME,
    UP_CTL_NICK_NAME,
    UP_CTL_LANGUAGE,
    UP_CTL_GENDER,
    UP_CTL_MACHINE,
    UP_CTL_ORG,
    UP_CTL_EXPIRES,
    UP_CTL_AFTER,
    UP_CTL_OPTIONS
} up_ctl_option_t;

/* What is said of an option anywhere. */
typedef struct up_ctl_option_info_t {
    const char *name;  /* "store" is --store */
    char letter;       /* 's' is -s; 0: none */
    const char *value; /* what the value is called; NULL: a flag */
    const char *help;
} up_ctl_option_info_t;

const up_ctl_option_info_t *up_ctl_option_info(up_ctl_option_t option);

/* A command line, read. */
typedef struct up_ctl_line_t {
    const char *option[UP_CTL_OPTIONS]; /* its value, "" for a flag; NULL: not
                                         * given */
    const char **operand;               /* the rest, ended by NULL */
    int operands;
    int misused; /* an error is the user's: exit code 2 */
} up_ctl_line_t;

/* Set *LINE from ARGV; options may stand anywhere before "--". An option that
 * is unknown, given twice, or lacks its value is misuse. */
UP_MUST_CHECK up_error_t *up_ctl_line_read(up_ctl_line_t *line,
                                           int argc,
                                           const char *const *argv,
                                           apr_pool_t *pool);

/* Misuse of LINE unless every option given is in ALLOWED, bit
 * 1 << up_ctl_option_t each. */
UP_MUST_CHECK up_error_t *up_ctl_line_allow(up_ctl_line_t *line,
                                            unsigned allowed,
                                            apr_pool_t *pool);

/* An error in POOL that makes the tool exit with 2. */
#define up_ctl_misused(line, pool, ...)                                        \
    ((line)->misused = 1, up_error(pool, UP_CONFLICT, APR_SUCCESS, __VA_ARGS__))

#endif
