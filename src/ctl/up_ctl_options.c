/* up_ctl_options.c -- the command line: options, and what is left of it. */
#include "ctl/up_ctl_options.h"

#include <apr_strings.h>
#include <string.h>

static const up_ctl_option_info_t options[UP_CTL_OPTIONS] = {
    [UP_CTL_STORE] = {"store", 's', "STORE",
                      "the store; without it lmdb:" UP_STATEDIR},
    [UP_CTL_JSON] = {"json", 0, NULL, "print a line of JSON for each"},
    [UP_CTL_HELP] = {"help", 'h', NULL, "say how it is used"},
    [UP_CTL_VERSION] = {"version", 0, NULL, "say which version this is"},
    [UP_CTL_OWNER] = {"owner", 0, "USER",
                      "as root: the user that the server runs as"},
    [UP_CTL_NAME] = {"name", 0, "NAME", "what people call it"},
    [UP_CTL_FIRST_NAME] = {"first-name", 0, "NAME", "needed for a human"},
    [UP_CTL_LAST_NAME] = {"last-name", 0, "NAME", "needed for a human"},
    [UP_CTL_DISPLAY_NAME] = {"display-name", 0, "NAME",
                             "without it: the first and the last name"},
    [UP_CTL_NICK_NAME] = {"nick-name", 0, "NAME", "without it: none"},
    [UP_CTL_LANGUAGE] = {"language", 0, "TAG",
                         "BCP 47, like en or de-CH; without it: none"},
    [UP_CTL_GENDER] = {"gender", 0, "GENDER",
                       "female, male or diverse; without it: unspecified"},
    [UP_CTL_MACHINE] = {"machine", 0, NULL, "a machine, which has no profile"},
    [UP_CTL_ORG] = {"org", 0, "ORG", "without it: the whole instance"},
    [UP_CTL_EXPIRES] = {"expires", 0, "WHEN",
                        "90d, 12h, 30m, or a time like 2030-01-01T00:00:00Z; "
                        "without it: never"},
    [UP_CTL_AFTER] = {"after", 0, "N", "only events above this number"},
};

const up_ctl_option_info_t *
up_ctl_option_info(up_ctl_option_t option)
{
    return &options[option];
}

/* The option that is called by the LENGTH bytes at NAME, or by LETTER if that
 * is not 0; UP_CTL_OPTIONS if there is none. */
static up_ctl_option_t
find(const char *name, apr_size_t length, char letter)
{
    int i = 0;

    for (; i < UP_CTL_OPTIONS; i++) {
        const char *known = options[i].name;
        if (letter ? options[i].letter == letter
                   : strlen(known) == length && !memcmp(known, name, length))
            break;
    }
    return (up_ctl_option_t)i;
}

/* Take the option at ARGV[*I], and its value where that is an argument of its
 * own. */
static up_error_t *
take_option(up_ctl_line_t *line,
            int *i,
            int argc,
            const char *const *argv,
            apr_pool_t *pool)
{
    const char *arg = argv[*i], *value = NULL;
    int is_long = arg[1] == '-';
    apr_size_t length = is_long ? strcspn(arg + 2, "=") : 1;
    up_ctl_option_t option =
        is_long ? find(arg + 2, length, 0) : find(NULL, 0, arg[1]);

    if (option == UP_CTL_OPTIONS)
        return up_ctl_misused(
            line, pool, "there is no option '%s'",
            apr_pstrmemdup(pool, arg, is_long ? length + 2 : 2));
    const char *name = options[option].name;
    if (is_long && arg[2 + length])
        value = arg + 2 + length + 1;
    else if (!is_long && arg[2])
        value = arg + 2;

    if (!options[option].value) {
        if (value)
            return up_ctl_misused(line, pool, "--%s takes no value", name);
        value = "";
    } else if (!value) {
        if (*i + 1 == argc)
            return up_ctl_misused(line, pool, "--%s lacks its value, %s", name,
                                  options[option].value);
        value = argv[++*i];
    }
    if (line->option[option])
        return up_ctl_misused(line, pool, "--%s is given twice", name);
    line->option[option] = value;
    return NULL;
}

up_error_t *
up_ctl_line_read(up_ctl_line_t *line,
                 int argc,
                 const char *const *argv,
                 apr_pool_t *pool)
{
    int options_over = 0;

    memset(line, 0, sizeof(*line));
    line->operand =
        apr_pcalloc(pool, ((apr_size_t)argc + 1) * sizeof(*line->operand));
    for (int i = 1; i < argc; i++) {
        if (options_over || argv[i][0] != '-' || !argv[i][1])
            line->operand[line->operands++] = argv[i];
        else if (!strcmp(argv[i], "--"))
            options_over = 1;
        else
            UP_ERR(take_option(line, &i, argc, argv, pool));
    }
    return NULL;
}

up_error_t *
up_ctl_line_allow(up_ctl_line_t *line, unsigned allowed, apr_pool_t *pool)
{
    for (int i = 0; i < UP_CTL_OPTIONS; i++) {
        if (line->option[i] && !(allowed & 1u << i))
            return up_ctl_misused(line, pool, "--%s does not go with this",
                                  options[i].name);
    }
    return NULL;
}
