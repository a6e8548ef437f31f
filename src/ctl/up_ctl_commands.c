/* up_ctl_commands.c -- the command line: its options and commands, and the help
 * that lists them. */
#include "ctl/up_ctl_commands.h"
#include "ctl/up_ctl.h"

#include <apr_getopt.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

/* What is said of an option anywhere. */
typedef struct option_t {
    const char *name;  /* "store" is --store */
    char letter;       /* 's' is -s; 0: none */
    const char *value; /* what the value is called; NULL: a flag */
    const char *help;
} option_t;

static const option_t options[UP_CTL_FIRST_FIELD] = {
    [UP_CTL_STORE] = {"store", 's', "STORE",
                      "the store; without it $USERPROFILE_STORE, or "
                      "lmdb:" UP_STATEDIR},
    [UP_CTL_JSON] = {"json", 0, NULL, "print a line of JSON for each item"},
    [UP_CTL_HELP] = {"help", 'h', NULL, "print this help"},
    [UP_CTL_VERSION] = {"version", 0, NULL, "print the version"},
    [UP_CTL_OWNER] = {"owner", 0, "USER",
                      "as root: the user that the server runs as"},
    [UP_CTL_NAME] = {"name", 0, "NAME", "its name; without it: none"},
    [UP_CTL_MACHINE] = {"machine", 0, NULL, "a machine, which has no profile"},
    [UP_CTL_ORG] = {"org", 0, "ORG", "without it: the whole instance"},
    [UP_CTL_EXPIRES] = {"expires", 0, "WHEN",
                        "90d, 12h, 30m, or a time like 2030-01-01T00:00:00Z; "
                        "without it: never"},
    [UP_CTL_AFTER] = {"after", 0, "LAST",
                      "only what comes after this number or id"},
    [UP_CTL_WAIT] = {"wait", 0, "SECONDS",
                     "how long to wait while another process has the store "
                     "locked; without it: 60"},
    [UP_CTL_ALLOW_WEAK] = {"allow-weak", 0, NULL,
                           "take tokens that can be guessed, as for tests"},
    [UP_CTL_NEW_ROLE] = {"new-role", 0, NULL,
                         "take a role that neither the API nor the store has"},
    [UP_CTL_STATE] = {"state", 0, "STATE",
                      "active, inactive, locked or initial; of a list also "
                      "removed"},
    [UP_CTL_LIMIT] = {"limit", 0, "N", "not more than so many"},
    [UP_CTL_USER] = {"user", 0, "USER", "what is about this user"},
    [UP_CTL_ERASE] = {"erase", 0, NULL,
                      "the profile too, and the values in the user's events"},
    [UP_CTL_TIMEOUT] = {"timeout", 0, "SECONDS",
                        "give up after so long; without it: 600"},
    [UP_CTL_REPAIR_PLAN] = {"repair-plan", 0, NULL,
                            "say after each fault what would mend it"},
    [UP_CTL_REVOKED] = {"revoked", 0, NULL, "those that were revoked"},
    [UP_CTL_FROM] = {"from", 0, "KIND",
                     "zitadel: the file is an export of ZITADEL"},
    [UP_CTL_DRY_RUN] = {"dry-run", 0, NULL,
                        "say what would change, and change nothing"},
    [UP_CTL_FORCE] = {"force", 0, NULL, "also bring back what was ended here"},
    [UP_CTL_NO_EVENTS] = {"no-events", 0, NULL, "leave the events out"},
    [UP_CTL_FOLLOW] = {"follow", 0, NULL, "wait for further events"},
    [UP_CTL_BEFORE] = {"before", 0, "DATE",
                       "2026-01-31, or 2026-01-31T12:00:00Z"},
};

#define BIT(option) (1u << UP_CTL_##option)
#define COMMON (BIT(STORE) | BIT(WAIT) | BIT(HELP) | BIT(VERSION))
#define PROFILE (UP_ALL_FIELDS << UP_CTL_FIRST_FIELD)

#define ANY_NUMBER 1000000

static const up_ctl_command_t commands[] = {
    {"init", "", "[--owner USER]", "make an empty store, if there is none", 0,
     0, BIT(OWNER), up_ctl_init},
    {"org", "add", "ID [--name NAME]", "add an organisation", 1, 1, BIT(NAME),
     up_ctl_org_add},
    {"org", "rename", "ID NAME", "change the name of an organisation", 2, 2, 0,
     up_ctl_org_rename},
    {"org", "list", "[--json]", "list the organisations", 0, 0, BIT(JSON),
     up_ctl_org_list},
    {"org", "remove", "ID",
     "remove an organisation whose users are all removed", 1, 1, 0,
     up_ctl_org_remove},
    {"user", "add",
     "ORG ID (--first-name NAME --last-name NAME [...] | --machine)",
     "add a user", 2, 2, PROFILE | BIT(MACHINE), up_ctl_user_add},
    {"user", "set", "ORG ID [--first-name NAME] [...] [--state STATE]",
     "change a user's profile or state", 2, 2, PROFILE | BIT(STATE),
     up_ctl_user_set},
    {"user", "get", "ORG ID [--json]", "show a user", 2, 2, BIT(JSON),
     up_ctl_user_get},
    {"user", "find", "TEXT [--org ORG] [--limit N] [--json]",
     "find users by a part of the id or the display name", 1, 1,
     BIT(ORG) | BIT(LIMIT) | BIT(JSON), up_ctl_user_find},
    {"user", "list", "ORG [--state STATE] [--after ID] [--limit N] [--json]",
     "list an organisation's users", 1, 1,
     BIT(STATE) | BIT(AFTER) | BIT(LIMIT) | BIT(JSON), up_ctl_user_list},
    {"user", "remove", "ORG ID [--erase]",
     "remove a user with all its rights; the id stays taken", 2, 2, BIT(ERASE),
     up_ctl_user_remove},
    {"member", "add", "[--org ORG] USER ROLE... [--new-role]",
     "give a user more roles in ORG or on the instance", 2, ANY_NUMBER,
     BIT(ORG) | BIT(NEW_ROLE), up_ctl_member_add},
    {"member", "set", "[--org ORG] USER ROLE... [--new-role]",
     "give a user these roles alone in ORG or on the instance", 2, ANY_NUMBER,
     BIT(ORG) | BIT(NEW_ROLE), up_ctl_member_set},
    {"member", "list", "[--org ORG] [--json]",
     "list the members of ORG or of the instance", 0, 0, BIT(ORG) | BIT(JSON),
     up_ctl_member_list},
    {"member", "remove", "[--org ORG] USER",
     "remove a user's roles in ORG or on the instance", 1, 1, BIT(ORG),
     up_ctl_member_remove},
    {"token", "add", "USER [--expires WHEN]",
     "make a token for a user and print it; it can't be shown again", 1, 1,
     BIT(EXPIRES), up_ctl_token_add},
    {"token", "list", "[--user USER] [--revoked] [--json]",
     "list the tokens, by their ids", 0, 0,
     BIT(USER) | BIT(REVOKED) | BIT(JSON), up_ctl_token_list},
    {"token", "revoke", "(ID | TEXT | --user USER)",
     "revoke a token, or all of a user", 0, 1, BIT(USER), up_ctl_token_revoke},
    {"import", "",
     "FILE|- [--from zitadel] [--dry-run] [--force] [--allow-weak]",
     "store the items in the lines of a file", 1, 1,
     BIT(FROM) | BIT(DRY_RUN) | BIT(FORCE) | BIT(ALLOW_WEAK), up_ctl_import},
    {"export", "", "[--org ORG] [--no-events]",
     "print what the store has, for import", 0, 0, BIT(ORG) | BIT(NO_EVENTS),
     up_ctl_export},
    {"events", "prune", "(--before DATE)", "remove old events", 0, 0,
     BIT(BEFORE), up_ctl_events_prune},
    {"events", "", "[--after N] [--user USER] [--follow] [--json]",
     "list what was changed, when and by whom", 0, 0,
     BIT(AFTER) | BIT(USER) | BIT(FOLLOW) | BIT(JSON), up_ctl_events},
    {"stat", "", "[--json]", "show how large the store is", 0, 0, BIT(JSON),
     up_ctl_stat},
    {"check", "", "[--repair-plan]",
     "look for faults in the store, and change nothing", 0, 0, BIT(REPAIR_PLAN),
     up_ctl_check},
    {"backup", "", "DIR [--timeout SECONDS]",
     "copy the store, events included, to a new folder", 1, 1, BIT(TIMEOUT),
     up_ctl_backup},
    {"restore", "", "DIR [--owner USER]",
     "put the backup in a folder in the place of the store", 1, 1, BIT(OWNER),
     up_ctl_restore},
    {"upgrade", "", "", "give a store of an earlier version today's format", 0,
     0, 0, up_ctl_upgrade},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int
up_ctl_field_is_required(up_field_t field)
{
    const up_field_info_t *info = up_field_info(field);

    /* up_admin_check() has a default for the display name. */
    return info->kind == UP_FIELD_TEXT && info->min > 0 &&
           field != UP_DISPLAY_NAME;
}

/* What is said of OPTION, below UP_CTL_OPTIONS. */
static option_t
describe(int option)
{
    if (option < UP_CTL_FIRST_FIELD)
        return options[option];

    up_field_t field = (up_field_t)(option - UP_CTL_FIRST_FIELD);
    const up_field_info_t *info = up_field_info(field);
    option_t described = {info->option, 0, "NAME", "may be empty"};
    if (info->kind == UP_FIELD_LANGUAGE) {
        described.value = "TAG";
        described.help = "BCP 47, like en or de-CH; may be empty";
    } else if (info->kind == UP_FIELD_GENDER) {
        described.value = "GENDER";
        described.help = "female, male, diverse or unspecified";
    } else if (up_ctl_field_is_required(field)) {
        described.help = "a new human needs it";
    } else if (field == UP_DISPLAY_NAME) {
        described.help =
            "for a new human, without it: the first and the last name";
    }
    return described;
}

/* The option that ARG, "--name" or "-n", calls; UP_CTL_OPTIONS if none. */
static int
find_option(const char *arg)
{
    int i = 0;

    for (; i < UP_CTL_OPTIONS; i++) {
        option_t option = describe(i);
        if (arg[1] == '-' ? !strcmp(arg + 2, option.name)
                          : arg[1] == option.letter)
            break;
    }
    return i;
}

/* The error of apr_getopt_long() on the argument that it read last. */
static up_error_t *
refuse_argument(up_ctl_line_t *line,
                apr_status_t rv,
                const apr_getopt_t *reader,
                apr_pool_t *pool)
{
    const char *arg = reader->argv[reader->ind - 1];
    int is_long = arg[1] == '-', length = (int)strcspn(arg, "=");

    if (rv == APR_BADARG && arg[length])
        return up_ctl_misused(line, pool, "%.*s takes no value", length, arg);
    if (rv == APR_BADARG)
        return up_ctl_misused(line, pool, "%s lacks its value, %s", arg,
                              describe(find_option(arg)).value);
    if (is_long)
        return up_ctl_misused(line, pool, "there is no option '%.*s'", length,
                              arg);
    /* It is the only letter, or one of several. */
    return up_ctl_misused(line, pool, "there is no option '-%c'",
                          *reader->place ? *reader->place : arg[1]);
}

/* Set LINE's options, and the operands with the command before them. */
static up_error_t *
read_options(up_ctl_line_t *line,
             int argc,
             const char *const *argv,
             apr_pool_t *pool)
{
    apr_getopt_option_t known[UP_CTL_OPTIONS + 1] = {{NULL, 0, 0, NULL}};
    int option_of[256 + UP_CTL_OPTIONS];
    apr_getopt_t *reader;
    const char *value;
    int code;

    for (int i = 0; i < UP_CTL_OPTIONS; i++) {
        option_t option = describe(i);
        code = option.letter ? option.letter : 256 + i;
        known[i] = (apr_getopt_option_t){option.name, code,
                                         option.value != NULL, option.help};
        option_of[code] = i;
    }
    if (apr_getopt_init(&reader, pool, argc, argv))
        return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                        "cannot read the command line");
    reader->errfn = NULL;
    reader->interleave = 1;

    for (;;) {
        apr_status_t rv = apr_getopt_long(reader, known, &code, &value);
        if (rv == APR_EOF)
            break;
        /* It refuses "-", which names the standard input; going on, it has it
         * among the operands. */
        if (rv == APR_BADCH && !strcmp(reader->argv[reader->ind - 1], "-"))
            continue;
        if (rv)
            return refuse_argument(line, rv, reader, pool);
        int option = option_of[code];
        if (line->option[option])
            return up_ctl_misused(line, pool, "--%s is given twice",
                                  describe(option).name);
        line->option[option] = value ? value : "";
    }
    line->operand = reader->argv + reader->ind;
    line->operands = argc - reader->ind;
    return NULL;
}

/* Misuse of COMMAND, whose usage follows FAULT. */
static up_error_t *
misused(up_ctl_line_t *line,
        const up_ctl_command_t *command,
        const char *fault,
        apr_pool_t *pool)
{
    return up_ctl_misused(line, pool, "%s: %s%s%s %s", fault, command->noun,
                          *command->verb ? " " : "", command->verb,
                          command->usage);
}

static up_error_t *
check_use(up_ctl_line_t *line,
          const up_ctl_command_t *command,
          apr_pool_t *pool)
{
    for (int i = 0; i < UP_CTL_OPTIONS; i++) {
        if (line->option[i] && !((COMMON | command->options) & 1u << i))
            return up_ctl_misused(line, pool, "%s%s%s takes no --%s",
                                  command->noun, *command->verb ? " " : "",
                                  command->verb, describe(i).name);
    }
    if (line->operands < command->least)
        return misused(line, command, "too few arguments", pool);
    if (line->operands > command->most)
        return misused(line, command, "too many arguments", pool);
    return NULL;
}

/* Misuse: the operands begin with no command. */
static up_error_t *
refuse_command(up_ctl_line_t *line, apr_pool_t *pool)
{
    const char *noun = line->operand[0];
    const char *verbs = "";

    if (!line->operands)
        return up_ctl_misused(line, pool, "there is no command");
    for (apr_size_t i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i].noun, noun))
            verbs = apr_pstrcat(pool, verbs, *verbs ? ", " : "",
                                commands[i].verb, NULL);
    }
    if (!*verbs)
        return up_ctl_misused(line, pool, "there is no command '%s'", noun);
    if (line->operands == 1)
        return up_ctl_misused(line, pool, "%s is followed by one of %s", noun,
                              verbs);
    return up_ctl_misused(line, pool,
                          "there is no command '%s %s'; %s is followed by one "
                          "of %s",
                          noun, line->operand[1], noun, verbs);
}

up_error_t *
up_ctl_line_read(up_ctl_line_t *line,
                 const up_ctl_command_t **command,
                 int argc,
                 const char *const *argv,
                 apr_pool_t *pool)
{
    memset(line, 0, sizeof(*line));
    *command = NULL;
    UP_ERR(read_options(line, argc, argv, pool));
    for (apr_size_t i = 0; i < COMMANDS && line->operands; i++) {
        const up_ctl_command_t *known = &commands[i];
        int words = *known->verb ? 2 : 1;
        if (line->operands < words ||
            strcmp(known->noun, line->operand[0]) != 0 ||
            (words == 2 && strcmp(known->verb, line->operand[1]) != 0))
            continue;
        line->operand += words;
        line->operands -= words;
        *command = known;
        break;
    }
    if (line->option[UP_CTL_HELP] || line->option[UP_CTL_VERSION])
        return NULL;
    return *command ? check_use(line, *command, pool)
                    : refuse_command(line, pool);
}

/* Print the options of ALLOWED, bit 1 << up_ctl_option_t each. */
static void
print_options(unsigned allowed)
{
    puts("\nOptions:");
    for (int i = 0; i < UP_CTL_OPTIONS; i++) {
        option_t option = describe(i);
        char call[40];

        if (!(allowed & 1u << i))
            continue;
        apr_snprintf(call, sizeof(call), "--%s %s", option.name,
                     option.value ? option.value : "");
        printf("  %c%c%c %-20s %s\n", option.letter ? '-' : ' ',
               option.letter ? option.letter : ' ', option.letter ? ',' : ' ',
               call, option.help);
    }
}

/* Print the commands that begin with NOUN, all if it is NULL; returns how
 * many. */
static int
print_commands(const char *noun)
{
    int printed = 0;

    for (apr_size_t i = 0; i < COMMANDS; i++) {
        char call[40];

        if (noun && strcmp(commands[i].noun, noun) != 0)
            continue;
        if (!printed++)
            puts("Commands:");
        apr_snprintf(call, sizeof(call), "%s %s", commands[i].noun,
                     commands[i].verb);
        printf("  %-15s %s\n", call, commands[i].help);
    }
    return printed;
}

static void
print_overview(void)
{
    puts("Usage: " UP_CTL_TOOL " [-s STORE] COMMAND ...\n\n"
         "Looks after the user profiles that mod_userprofile serves. It may be "
         "used\nbeside a running server.\n");
    print_commands(NULL);
    print_options(COMMON);
    puts("\n" UP_CTL_TOOL " COMMAND --help says more about a command.");
}

void
up_ctl_command_help(const up_ctl_command_t *command, const up_ctl_line_t *line)
{
    const char *noun = line->operands ? line->operand[0] : NULL;

    if (!command && noun && print_commands(noun)) {
        printf("\n" UP_CTL_TOOL " %s COMMAND --help says more about a "
               "command.\n",
               noun);
        return;
    }
    if (!command) {
        print_overview();
        return;
    }
    printf("Usage: " UP_CTL_TOOL " [-s STORE] %s%s%s %s\n\n%c%s.\n",
           command->noun, *command->verb ? " " : "", command->verb,
           command->usage, apr_toupper(command->help[0]), command->help + 1);
    print_options(command->options | BIT(STORE) | BIT(HELP));
}
