/* up_ctl_store.c -- the store itself: init, opening it, stat. */
#include "core/up_account.h"
#include "core/up_id.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_child.h"
#include "ctl/up_ctl_print.h"
#include "wire/up_json_writer.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#define NOBODY ((uid_t)-1)

/* How long to wait for a store that is locked, in seconds; and the most that an
 * option may say. */
#define DEFAULT_WAIT 60
#define MOST_SECONDS 86400

/* Names a store where no option does. */
#define STORE_VARIABLE "USERPROFILE_STORE"

up_error_t *
up_ctl_store_uri(const char **uri, up_ctl_t *ctl)
{
    const char *option = ctl->line.option[UP_CTL_STORE];
    const char *variable = getenv(STORE_VARIABLE);
    int is_set = !option && variable && *variable;

    *uri = option ? option : is_set ? variable : "lmdb:" UP_STATEDIR;
    up_error_t *err = up_store_check_uri(*uri, ctl->pool);
    if (err)
        ctl->line.misused = 1;
    return err && is_set ? up_error_wrap(ctl->pool, err, STORE_VARIABLE) : err;
}

/* Root becomes the owner of the store at *URI, and keeps no right of its own,
 * so that none of its files becomes root's. *URI then names the store that was
 * looked at. */
static up_error_t *
become_owner(const char **uri, up_ctl_t *ctl)
{
    uid_t uid;
    gid_t gid;

    if (geteuid() != 0)
        return NULL;
    UP_ERR(up_store_hold(uri, &uid, &gid, *uri, ctl->pool));
    if (uid == NOBODY || uid == 0)
        return NULL;
    ctl->owner = up_account_name(uid, ctl->pool);
    if (setgroups(0, NULL) || setgid(gid) || setuid(uid))
        return up_error(ctl->pool, UP_INTERNAL, APR_FROM_OS_ERROR(errno),
                        "cannot become user %s, who owns the store",
                        ctl->owner);
    up_ctl_follow_parent(ctl);
    return NULL;
}

up_error_t *
up_ctl_read_seconds(apr_int64_t *seconds,
                    up_ctl_t *ctl,
                    up_ctl_option_t option,
                    const char *name,
                    int otherwise)
{
    const char *text = ctl->line.option[option];
    char *end;

    *seconds = otherwise;
    if (!text)
        return NULL;
    errno = 0;
    *seconds = apr_strtoi64(text, &end, 10);
    if (apr_isdigit(*text) && !*end && !errno && *seconds >= 1 &&
        *seconds <= MOST_SECONDS)
        return NULL;
    return up_ctl_misused(&ctl->line, ctl->pool,
                          "--%s must be a number of seconds from 1 to %d", name,
                          MOST_SECONDS);
}

/* Tell somebody at a terminal, once, that the store is locked by WHO. */
static void
tell_waiting(void *baton, const char *who)
{
    up_ctl_t *ctl = baton;

    if (ctl->told_waiting || !isatty(STDERR_FILENO))
        return;
    ctl->told_waiting = 1;
    up_ctl_note(ctl, "waiting for %s, which has the store locked", who);
}

up_error_t *
up_ctl_open(up_ctl_t *ctl)
{
    const char *uri;

    UP_ERR(up_ctl_store_uri(&uri, ctl));
    return up_ctl_open_uri(ctl, uri);
}

up_error_t *
up_ctl_open_uri(up_ctl_t *ctl, const char *uri)
{
    apr_int64_t wait;

    UP_ERR(up_ctl_read_seconds(&wait, ctl, UP_CTL_WAIT, "wait", DEFAULT_WAIT));
    ctl->uri = uri;
    UP_ERR(become_owner(&uri, ctl));
    UP_ERR(up_store_open(&ctl->store, uri, NULL, ctl->pool));
    up_store_set_wait(ctl->store, apr_time_from_sec(wait), tell_waiting, ctl);
    return NULL;
}

/* Whether ERR, or what has caused it, is that something is not allowed. */
static int
is_denied(const up_error_t *err)
{
    while (err && !APR_STATUS_IS_EACCES(err->status) && err->status != EPERM)
        err = err->cause;
    return err != NULL;
}

const char *
up_ctl_story(const up_ctl_t *ctl, const up_error_t *err)
{
    const char *story = up_error_story(err, ctl->pool);

    if (ctl->owner && is_denied(err))
        story =
            apr_pstrcat(ctl->pool, story, "; the tool, run by root, acts as ",
                        ctl->owner, ", who owns the store", NULL);
    return story;
}

up_error_t *
up_ctl_require_org(up_ctl_t *ctl, const char *org)
{
    up_query_t query = {.wanted = org};
    up_view_t *view;

    if (up_id_is_storable(org)) {
        UP_ERR(up_store_read(&view, ctl->store, &query, ctl->pool, ctl->pool));
        if (view->wanted_exists)
            return NULL;
    }
    return up_error(ctl->pool, UP_CONFLICT, APR_SUCCESS,
                    "there is no organisation '%s'", org);
}

up_error_t *
up_ctl_named_owner(uid_t *uid, gid_t *gid, up_ctl_t *ctl)
{
    const char *name = ctl->line.option[UP_CTL_OWNER];
    const struct passwd *user = getpwnam(name);

    if (!user)
        return up_error(ctl->pool, UP_CONFLICT, APR_SUCCESS,
                        "there is no user '%s' on this machine", name);
    if (geteuid() != 0 && geteuid() != user->pw_uid)
        return up_error(ctl->pool, UP_CONFLICT, APR_SUCCESS,
                        "only root can make a store that another user owns");
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    return NULL;
}

up_error_t *
up_ctl_init(up_ctl_t *ctl)
{
    const char *uri, *held, *identity;
    uid_t uid;
    gid_t gid;
    int made;

    UP_ERR(up_ctl_store_uri(&uri, ctl));
    UP_ERR(up_store_hold(&held, &uid, &gid, uri, ctl->pool));
    int unsaid = uid == NOBODY && !ctl->line.option[UP_CTL_OWNER];
    if (ctl->line.option[UP_CTL_OWNER])
        UP_ERR(up_ctl_named_owner(&uid, &gid, ctl));
    if (unsaid) {
        uid = geteuid();
        gid = getegid();
    }

    UP_ERR(up_store_prepare(&identity, &made, uri, NULL, uid, gid, ctl->pool,
                            ctl->pool));
    UP_ERR(up_store_hold(&held, &uid, &gid, uri, ctl->pool));
    if (unsaid && uid == 0)
        up_ctl_note(ctl, "the new store is root's; for a server that runs as "
                         "another user, make it with --owner USER");
    return up_ctl_open(ctl); /* fails if the folder has another one's files */
}

static up_error_t *
print_table(const char *driver,
            const apr_array_header_t *figures,
            apr_pool_t *pool)
{
    up_ctl_table_t *table = up_ctl_table_make(2, NULL, pool);
    const char *first[] = {"driver", driver};

    UP_ERR(up_ctl_table_row(table, first, pool));
    for (int i = 0; i < figures->nelts; i++) {
        up_store_figure_t figure = APR_ARRAY_IDX(figures, i, up_store_figure_t);
        const char *cells[] = {
            figure.label,
            apr_psprintf(pool, "%" APR_UINT64_T_FMT, figure.value)};
        UP_ERR(up_ctl_table_row(table, cells, pool));
    }
    return up_ctl_table_end(table, pool);
}

static up_error_t *
print_json(const char *driver,
           const apr_array_header_t *figures,
           apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);
    const char *line;
    apr_size_t length;

    up_json_begin_object(writer, NULL);
    up_json_write_string(writer, "driver", driver);
    for (int i = 0; i < figures->nelts; i++) {
        up_store_figure_t figure = APR_ARRAY_IDX(figures, i, up_store_figure_t);
        up_json_write_number(writer, figure.name, (apr_int64_t)figure.value);
    }
    up_json_end_object(writer);
    up_json_writer_text(&line, &length, writer);
    return up_ctl_print_line(line, pool);
}

up_error_t *
up_ctl_stat(up_ctl_t *ctl)
{
    up_store_stat_t stat;

    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_store_stat(&stat, ctl->store, ctl->pool));
    const up_store_figure_t own[] = {
        {"organisations", "orgs", stat.count[UP_KIND_ORG]},
        {"users", "users", stat.count[UP_KIND_USER]},
        {"memberships", "members", stat.count[UP_KIND_MEMBER]},
        {"tokens", "tokens", stat.count[UP_KIND_TOKEN]},
        {"events", "events", stat.count[UP_KIND_EVENT]},
        {"last event", "lastEvent", stat.last_event},
    };
    apr_array_header_t *figures =
        apr_array_make(ctl->pool, 10, sizeof(up_store_figure_t));
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        APR_ARRAY_PUSH(figures, up_store_figure_t) = own[i];
    apr_array_cat(figures, stat.figures);

    if (ctl->line.option[UP_CTL_JSON])
        return print_json(stat.driver, figures, ctl->pool);
    return print_table(stat.driver, figures, ctl->pool);
}

up_error_t *
up_ctl_upgrade(up_ctl_t *ctl)
{
    apr_uint64_t changed;

    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_store_upgrade(&changed, ctl->store, ctl->pool));
    if (changed)
        up_ctl_note(ctl, "upgraded %" APR_UINT64_T_FMT " records", changed);
    else
        up_ctl_note(ctl, "the store has today's format");
    return NULL;
}
