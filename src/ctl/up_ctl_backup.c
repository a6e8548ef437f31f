/* up_ctl_backup.c -- backup and restore: copies of a store to a folder, and
 * back.
 *
 * A child process reads what is copied, as its owner if this is root, while
 * this one keeps the rights that it takes to put the copy in its place. */
#include "core/up_account.h"
#include "core/up_clock.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_check.h"
#include "ctl/up_ctl_child.h"
#include "ctl/up_ctl_print.h"
#include "ctl/up_ctl_progress.h"

#include <apr_strings.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

/* How long a backup may keep the store from using freed pages again. */
#define DEFAULT_TIMEOUT 600

/* What the child and its parent share. */
typedef struct counts_t {
    up_check_result_t check;
    apr_uint64_t records, damaged;
} counts_t;

typedef struct work_t {
    up_copy_t *copy;
    const char *source;
    const char *folder;  /* of the backup */
    int checks;          /* before it copies */
    apr_int64_t timeout; /* in seconds; 0: none */
    apr_time_t until;
    counts_t *counts;
    up_ctl_progress_t progress;
} work_t;

/* Set *PATH to that of the backup's folder, without a slash at its end. */
static up_error_t *
backup_folder(const char **path, up_ctl_t *ctl)
{
    const char *operand = ctl->line.operand[0];
    char here[PATH_MAX];

    if (!*operand)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "the name of the folder is empty");
    *path = operand;
    if (*operand == '/')
        return NULL;
    if (!getcwd(here, sizeof(here)))
        return up_error(ctl->pool, UP_CONFLICT, APR_FROM_OS_ERROR(errno),
                        "cannot find the current folder");
    *path = apr_pstrcat(ctl->pool, here, "/", operand, NULL);
    return NULL;
}

static up_error_t *
note_progress(void *baton,
              apr_uint64_t done,
              apr_uint64_t all,
              apr_pool_t *pool)
{
    work_t *work = baton;

    work->counts->records = done;
    up_ctl_progress_show(&work->progress, done, all);
    if (!work->timeout || up_clock() < work->until)
        return NULL;
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the backup was given up after %" APR_INT64_T_FMT
                    " s: while it is made, the store cannot use again what is "
                    "freed in it; --timeout allows more",
                    work->timeout);
}

/* What the child does: check the source, if that is wanted, and copy it. */
static up_error_t *
fill(up_ctl_t *ctl, void *baton)
{
    work_t *work = baton;
    counts_t *counts = work->counts;

    UP_ERR(up_ctl_open_uri(ctl, work->source));
    if (work->checks) {
        UP_ERR(up_ctl_look_for_faults(&counts->check, ctl));
        if (counts->check.faults)
            return up_error(ctl->pool, UP_CONFLICT, APR_SUCCESS,
                            "faults in the backup '%s': %" APR_UINT64_T_FMT
                            "; it is not restored",
                            work->folder, counts->check.faults);
    }
    up_ctl_progress_begin(&work->progress, "copied");
    work->until = up_clock() + apr_time_from_sec(work->timeout);
    up_error_t *err = up_copy_fill(&counts->damaged, work->copy, ctl->store,
                                   note_progress, work, ctl->pool);
    up_ctl_progress_hide(&work->progress);
    return err;
}

/* Make the copy of WORK, but for its last step. */
static up_error_t *
make_copy(work_t *work, up_ctl_t *ctl, up_copy_kind_t kind, const char *uri)
{
    work->counts = up_ctl_shared(ctl, sizeof(*work->counts));
    if (!work->counts)
        return up_error(ctl->pool, UP_INTERNAL, APR_ENOMEM,
                        "cannot copy the store");
    up_ctl_put_off_endings();
    UP_ERR(up_copy_begin(&work->copy, &work->source, kind, uri, work->folder,
                         ctl->pool));
    return up_ctl_in_child(ctl, fill, work,
                           kind == UP_BACKUP ? "back up the store"
                                             : "restore the backup");
}

up_error_t *
up_ctl_backup(up_ctl_t *ctl)
{
    work_t work = {0};
    const char *uri, *kept;
    up_ctl_progress_t time;

    UP_ERR(up_ctl_store_uri(&uri, ctl));
    UP_ERR(backup_folder(&work.folder, ctl));
    UP_ERR(up_ctl_read_seconds(&work.timeout, ctl, UP_CTL_TIMEOUT, "timeout",
                               DEFAULT_TIMEOUT));
    up_ctl_progress_begin(&time, "");
    UP_ERR(make_copy(&work, ctl, UP_BACKUP, uri));
    UP_ERR(up_copy_finish(&kept, work.copy, geteuid(), getegid(), ctl->pool));
    if (work.counts->damaged)
        return up_error(ctl->pool, UP_INTERNAL, APR_SUCCESS,
                        "the backup '%s' is made, but %" APR_UINT64_T_FMT
                        " of its records are damaged, as they are in the "
                        "store: check names them",
                        work.folder, work.counts->damaged);
    return up_ctl_print_line(apr_psprintf(ctl->pool,
                                          "backed up %" APR_UINT64_T_FMT
                                          " records to '%s' in %.1f s",
                                          work.counts->records, work.folder,
                                          up_ctl_progress_seconds(&time)),
                             ctl->pool);
}

/* Set *UID and *GID to those of a store that did not exist. */
static up_error_t *
new_owner(uid_t *uid, gid_t *gid, up_ctl_t *ctl)
{
    *uid = geteuid();
    *gid = getegid();
    return ctl->line.option[UP_CTL_OWNER] ? up_ctl_named_owner(uid, gid, ctl)
                                          : NULL;
}

/* Refuse --owner where the store at URI has an owner that it keeps. */
static up_error_t *
check_owner(int *is_new, up_ctl_t *ctl, const char *uri)
{
    const char *held;
    uid_t uid;
    gid_t gid;

    UP_ERR(up_store_hold(&held, &uid, &gid, uri, ctl->pool));
    *is_new = uid == (uid_t)-1;
    if (*is_new || !ctl->line.option[UP_CTL_OWNER])
        return NULL;
    return up_error(ctl->pool, UP_CONFLICT, APR_SUCCESS,
                    "the store is user %s's, and stays so: --owner is for a "
                    "store that does not exist yet",
                    up_account_name(uid, ctl->pool));
}

up_error_t *
up_ctl_restore(up_ctl_t *ctl)
{
    work_t work = {.checks = 1};
    const char *uri, *kept;
    up_ctl_progress_t time;
    uid_t uid;
    gid_t gid;
    int is_new;

    UP_ERR(up_ctl_store_uri(&uri, ctl));
    UP_ERR(backup_folder(&work.folder, ctl));
    UP_ERR(new_owner(&uid, &gid, ctl));
    UP_ERR(check_owner(&is_new, ctl, uri));
    up_ctl_progress_begin(&time, "");
    UP_ERR(make_copy(&work, ctl, UP_RESTORE, uri));
    UP_ERR(up_copy_finish(&kept, work.copy, uid, gid, ctl->pool));
    UP_ERR(up_ctl_print_line(
        apr_psprintf(ctl->pool,
                     "restored %" APR_UINT64_T_FMT
                     " records from '%s' to '%s' in %.1f s; now start the "
                     "server",
                     work.counts->records, work.folder, uri,
                     up_ctl_progress_seconds(&time)),
        ctl->pool));
    if (is_new && uid == 0)
        up_ctl_note(ctl, "the new store is root's; for a server that runs as "
                         "another user, restore it with --owner USER");
    if (!kept)
        return NULL;
    return up_ctl_print_line(
        apr_psprintf(ctl->pool,
                     "the store as it was is kept in '%s'; remove that folder "
                     "when it is no longer needed",
                     kept),
        ctl->pool);
}
