/* up_ctl_main.c -- userprofilectl: runs one command, and reports its error. */
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "service/up_tokens.h"
#include "wire/up_json.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DONE 0
#define FAILED 1
#define MISUSED 2

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
        up_ctl_command_help(command, &ctl->line);
        return NULL;
    }
    UP_ERR(up_token_init(ctl->pool));
    return command->run(ctl);
}

/* The author of events, in POOL; see up_ctl.h. */
static const char *
find_author(apr_pool_t *pool)
{
    uid_t runner = getuid();
    const char *sudo = runner == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *user = sudo ? getpwnam(sudo) : NULL;

    if (!user)
        user = getpwuid(runner);
    if (user)
        return apr_pstrcat(pool, "tool:", user->pw_name, NULL);
    return apr_psprintf(pool, "tool:%lu", (unsigned long)runner);
}

/* Run the tool with POOL, and print its error. Returns the exit code. */
static int
run_and_report(int argc, const char *const *argv, apr_pool_t *pool)
{
    up_ctl_t ctl = {.pool = pool, .author = find_author(pool)};

    up_error_t *err = run(&ctl, argc, argv);
    if (ctl.store)
        up_store_close(ctl.store);
    up_error_t *unwritten = up_ctl_print_end(pool);
    if (!err)
        err = unwritten;
    if (!err)
        return DONE;

    up_ctl_say(up_ctl_story(&ctl, err), pool);
    if (!ctl.line.misused)
        return FAILED;
    fputs("See " UP_CTL_TOOL " --help.\n", stderr);
    return MISUSED;
}

/* Open /dev/null in place of each standard stream that is closed: else a file
 * of the store would get its number, and the output would go there. It is
 * opened so that what is read from it or written to it fails. Returns 0 if it
 * cannot be opened. */
static int
open_standard_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
        if (fcntl(file, F_GETFD) >= 0 || errno != EBADF)
            continue;
        if (open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) !=
            file)
            return 0;
    }
    return 1;
}

/* What a pool calls that gets no memory. */
static int
end_without_memory(int status)
{
    (void)status;
    fputs(UP_CTL_TOOL ": out of memory\n", stderr);
    _exit(FAILED);
}

int
main(int argc, const char *const *argv)
{
    apr_pool_t *pool;

    if (!open_standard_streams())
        return FAILED;
    if (apr_app_initialize(&argc, &argv, NULL)) {
        fputs(UP_CTL_TOOL ": cannot initialise APR\n", stderr);
        return FAILED;
    }
    atexit(apr_terminate);
    if (apr_pool_create_ex(&pool, NULL, end_without_memory, NULL))
        return FAILED;
    up_json_init();

    /* A closed pipe is an error of writing, not a signal. */
    signal(SIGPIPE, SIG_IGN);
    /* For wcwidth(); without such a locale each character is taken to be one
     * column wide. */
    setlocale(LC_CTYPE, "C.UTF-8");
    return run_and_report(argc, argv, pool);
}
