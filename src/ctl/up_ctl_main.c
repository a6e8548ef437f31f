/* up_ctl_main.c -- userprofilectl: runs one command, and reports its error. */
#include "core/up_id.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "wire/up_json.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define DONE 0
#define FAILED 1
#define MISUSED 2

/* Print SENTENCE on the standard error. */
static void
say(const char *sentence, apr_pool_t *pool)
{
    fprintf(stderr, UP_CTL_TOOL ": %s\n", up_ctl_printable(sentence, pool));
}

void
up_ctl_note(up_ctl_t *ctl, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(apr_pvsprintf(ctl->pool, format, args), ctl->pool);
    va_end(args);
}

void
up_ctl_warn_of_slash(up_ctl_t *ctl, const char *id)
{
    if (up_id_has_slash(id))
        up_ctl_note(ctl, "the id '%s' has a slash; " UP_CTL_SLASH_RULE, id);
}

static up_error_t *
run(up_ctl_t *ctl, int argc, const char *const *argv)
{
    const up_ctl_command_t *command;

    UP_ERR(up_ctl_line_read(&ctl->line, &command, argc, argv, ctl->pool));
    if (ctl->line.option[UP_CTL_VERSION]) {
        puts(UP_CTL_TOOL " " UP_VERSION);
        return NULL;
    }
    if (ctl->line.option[UP_CTL_HELP]) {
        up_ctl_command_help(command);
        return NULL;
    }
    return command->run(ctl);
}

/* Run the tool with POOL, and print its error. Returns the exit code. */
static int
run_and_report(int argc, const char *const *argv, apr_pool_t *pool)
{
    up_ctl_t ctl = {.pool = pool};

    up_error_t *err = run(&ctl, argc, argv);
    if (ctl.store)
        up_store_close(ctl.store);
    up_error_t *unwritten = up_ctl_print_end(pool);
    if (!err)
        err = unwritten;
    if (!err)
        return DONE;

    say(up_error_story(err, pool), pool);
    if (!ctl.line.misused)
        return FAILED;
    fputs("See " UP_CTL_TOOL " --help.\n", stderr);
    return MISUSED;
}

int
main(int argc, const char *const *argv)
{
    apr_pool_t *pool;

    if (apr_app_initialize(&argc, &argv, NULL)) {
        fputs(UP_CTL_TOOL ": cannot initialise APR\n", stderr);
        return FAILED;
    }
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    up_json_init();

    /* A closed pipe is an error of writing, not a signal. */
    signal(SIGPIPE, SIG_IGN);
    /* For wcwidth(); without such a locale each character is taken to be one
     * column wide. */
    setlocale(LC_CTYPE, "C.UTF-8");
    return run_and_report(argc, argv, pool);
}
