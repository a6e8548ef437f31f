/* up_ctl_commands.c -- what the commands are, and the help that says so. */
#include "ctl/up_ctl_commands.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#define BIT(option) (1u << UP_CTL_##option)
#define COMMON (BIT(STORE) | BIT(HELP) | BIT(VERSION))
#define PROFILE                                                                \
    (BIT(FIRST_NAME) | BIT(LAST_NAME) | BIT(DISPLAY_NAME) | BIT(NICK_NAME) |   \
     BIT(LANGUAGE) | BIT(GENDER) | BIT(MACHINE))

static const up_ctl_command_t commands[] = {
    {"init", "", "[--owner USER]", "make an empty store, if there is none", 0,
     0, BIT(OWNER), up_ctl_init},
    {"org", "add", "ID [--name NAME]", "add an organisation", 1, 1, BIT(NAME),
     up_ctl_org_add},
    {"org", "list", "[--json]", "list the organisations", 0, 0, BIT(JSON),
     up_ctl_org_list},
    {"user", "add",
     "ORG ID (--first-name NAME --last-name NAME [...] | --machine)",
     "add a user", 2, 2, PROFILE, up_ctl_user_add},
    {"user", "get", "ORG ID [--json]", "show a user", 2, 2, BIT(JSON),
     up_ctl_user_get},
    {"user", "list", "ORG [--json]", "list an organisation's users", 1, 1,
     BIT(JSON), up_ctl_user_list},
    {"user", "remove", "ORG ID",
     "remove a user, whose id stays taken, with all rights", 2, 2, 0,
     up_ctl_user_remove},
    {"member", "add", "[--org ORG] USER ROLE...",
     "set a user's roles in ORG or on the instance", 2, UP_CTL_ANY_NUMBER,
     BIT(ORG), up_ctl_member_add},
    {"member", "list", "[--org ORG] [--json]",
     "list the members of ORG or of the instance", 0, 0, BIT(ORG) | BIT(JSON),
     up_ctl_member_list},
    {"member", "remove", "[--org ORG] USER",
     "take a user's roles in ORG or on the instance", 1, 1, BIT(ORG),
     up_ctl_member_remove},
    {"token", "add", "USER [--expires WHEN]",
     "make a token for a user and print it; it can't be shown again", 1, 1,
     BIT(EXPIRES), up_ctl_token_add},
    {"token", "list", "[--json]", "list the tokens, by their ids", 0, 0,
     BIT(JSON), up_ctl_token_list},
    {"token", "revoke", "ID", "revoke a token", 1, 1, 0, up_ctl_token_revoke},
    {"import", "", "FILE|-", "store what the lines of a file say", 1, 1, 0,
     up_ctl_import},
    {"export", "", "", "print everything but events, for import", 0, 0, 0,
     up_ctl_export},
    {"events", "", "[--after N] [--json]", "list what happened to users", 0, 0,
     BIT(AFTER) | BIT(JSON), up_ctl_events},
    {"stat", "", "[--json]", "say how large the store is", 0, 0, BIT(JSON),
     up_ctl_stat},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Misuse of COMMAND, whose usage follows WHAT. */
static up_error_t *
misused(up_ctl_t *ctl, const up_ctl_command_t *command, const char *what)
{
    return up_ctl_misused(&ctl->line, ctl->pool, "%s: %s%s%s %s", what,
                          command->noun, *command->verb ? " " : "",
                          command->verb, command->usage);
}

static up_error_t *
check_use(const up_ctl_command_t *command, up_ctl_t *ctl)
{
    if (ctl->line.option[UP_CTL_HELP])
        return NULL;
    UP_ERR(up_ctl_line_allow(&ctl->line, COMMON | command->options, ctl->pool));
    if (ctl->line.operands < command->least)
        return misused(ctl, command, "something is missing");
    if (ctl->line.operands > command->most)
        return misused(ctl, command, "that is too much");
    return NULL;
}

/* Misuse: the operands begin with no command. */
static up_error_t *
refuse(up_ctl_t *ctl)
{
    const char *noun = ctl->line.operand[0], *verb = ctl->line.operand[1];
    const char *verbs = "";

    if (!noun)
        return up_ctl_misused(&ctl->line, ctl->pool, "which command?");
    for (apr_size_t i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i].noun, noun))
            verbs = apr_pstrcat(ctl->pool, verbs, *verbs ? ", " : "",
                                commands[i].verb, NULL);
    }
    if (!*verbs)
        return up_ctl_misused(&ctl->line, ctl->pool, "there is no command '%s'",
                              noun);
    if (!verb)
        return up_ctl_misused(&ctl->line, ctl->pool, "%s what: %s?", noun,
                              verbs);
    return up_ctl_misused(&ctl->line, ctl->pool,
                          "there is no command '%s %s', only %s", noun, verb,
                          verbs);
}

up_error_t *
up_ctl_command_take(const up_ctl_command_t **command, up_ctl_t *ctl)
{
    up_ctl_line_t *line = &ctl->line;

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
        return check_use(known, ctl);
    }
    *command = NULL;
    return line->option[UP_CTL_HELP] ? NULL : refuse(ctl);
}

/* Print the options of ALLOWED, bit 1 << up_ctl_option_t each. */
static void
print_options(unsigned allowed)
{
    puts("\nOptions:");
    for (int i = 0; i < UP_CTL_OPTIONS; i++) {
        const up_ctl_option_info_t *info =
            up_ctl_option_info((up_ctl_option_t)i);
        char call[40];

        if (!(allowed & 1u << i))
            continue;
        apr_snprintf(call, sizeof(call), "--%s %s", info->name,
                     info->value ? info->value : "");
        printf("  %c%c%c %-20s %s\n", info->letter ? '-' : ' ',
               info->letter ? info->letter : ' ', info->letter ? ',' : ' ',
               call, info->help);
    }
}

static void
print_overview(void)
{
    puts("Usage: " UP_CTL_TOOL " [-s STORE] COMMAND ...\n\n"
         "Looks after the user profiles that mod_userprofile serves. It may be "
         "used\nbeside a running server.\n\nCommands:");
    for (apr_size_t i = 0; i < COMMANDS; i++) {
        char call[40];

        apr_snprintf(call, sizeof(call), "%s %s", commands[i].noun,
                     commands[i].verb);
        printf("  %-15s %s\n", call, commands[i].help);
    }
    print_options(COMMON);
    puts("\n" UP_CTL_TOOL " COMMAND --help says more of one.");
}

void
up_ctl_command_help(const up_ctl_command_t *command)
{
    if (!command) {
        print_overview();
        return;
    }
    printf("Usage: " UP_CTL_TOOL " [-s STORE] %s%s%s %s\n\n%c%s.\n",
           command->noun, *command->verb ? " " : "", command->verb,
           command->usage, apr_toupper(command->help[0]), command->help + 1);
    print_options(command->options | BIT(STORE) | BIT(HELP));
}
