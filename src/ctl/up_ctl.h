/*
 * up_ctl.h -- what the commands of userprofilectl share.
 *
 * A command is a function that returns an error or NULL; main() prints the
 * error and makes the exit code of it.
 */
#ifndef UP_CTL_H
#define UP_CTL_H

#include "ctl/up_ctl_commands.h"
#include "store/up_store.h"

#define UP_CTL_TOOL "userprofilectl"

/* What a warning says of an id with a slash. */
#define UP_CTL_SLASH_RULE                                                      \
    "a path of the REST API cannot name such an id, gRPC can"

/* One run of the tool. */
struct up_ctl_t {
    apr_pool_t *pool; /* lives as long as the process */
    up_ctl_line_t line;
    up_store_t *store;  /* once up_ctl_open() was called; */
    const char *uri;    /* then also the URI that was given */
    const char *author; /* of its events: "tool:" and the name of the user who
                         * ran the tool, or who ran it as root by sudo */
    int told_waiting;   /* somebody was told that the store is locked */
    const char *owner;  /* the name of the user that root has become, or NULL */
    pid_t parent;       /* in a child process: its parent; else 0 */
};

/* Print a warning on the standard error: one sentence, from FORMAT. */
void up_ctl_note(up_ctl_t *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Open the store as CTL->store, as its owner if this is root; main() closes
 * it. */
UP_MUST_CHECK up_error_t *up_ctl_open(up_ctl_t *ctl);

/* The same for the store at URI, whatever the command line says. */
UP_MUST_CHECK up_error_t *up_ctl_open_uri(up_ctl_t *ctl, const char *uri);

/* What ERR and its causes say, in CTL's pool; and, where root has become
 * another user, who was not allowed to do something, which one. */
const char *up_ctl_story(const up_ctl_t *ctl, const up_error_t *err);

/* Set *URI to that of CTL's store; one that no driver takes is misuse. */
UP_MUST_CHECK up_error_t *up_ctl_store_uri(const char **uri, up_ctl_t *ctl);

/* Set *UID and *GID to those of the user that --owner names, who must be the
 * one who ran the tool unless that is root. */
UP_MUST_CHECK up_error_t *up_ctl_named_owner(uid_t *uid,
                                             gid_t *gid,
                                             up_ctl_t *ctl);

/* Set *SECONDS to what OPTION, called NAME, says, from 1 to a day; without it
 * to OTHERWISE. */
UP_MUST_CHECK up_error_t *up_ctl_read_seconds(apr_int64_t *seconds,
                                              up_ctl_t *ctl,
                                              up_ctl_option_t option,
                                              const char *name,
                                              int otherwise);

/* UP_CONFLICT unless CTL's open store has the organisation ORG. */
UP_MUST_CHECK up_error_t *up_ctl_require_org(up_ctl_t *ctl, const char *org);

/* Print a warning if ID, which was just stored, has a slash. */
void up_ctl_warn_of_slash(up_ctl_t *ctl, const char *id);

/* The commands. */
up_error_t *up_ctl_init(up_ctl_t *ctl);
up_error_t *up_ctl_org_add(up_ctl_t *ctl);
up_error_t *up_ctl_org_list(up_ctl_t *ctl);
up_error_t *up_ctl_org_rename(up_ctl_t *ctl);
up_error_t *up_ctl_org_remove(up_ctl_t *ctl);
up_error_t *up_ctl_user_add(up_ctl_t *ctl);
up_error_t *up_ctl_user_set(up_ctl_t *ctl);
up_error_t *up_ctl_user_get(up_ctl_t *ctl);
up_error_t *up_ctl_user_find(up_ctl_t *ctl);
up_error_t *up_ctl_user_list(up_ctl_t *ctl);
up_error_t *up_ctl_user_remove(up_ctl_t *ctl);
up_error_t *up_ctl_member_add(up_ctl_t *ctl);
up_error_t *up_ctl_member_set(up_ctl_t *ctl);
up_error_t *up_ctl_member_list(up_ctl_t *ctl);
up_error_t *up_ctl_member_remove(up_ctl_t *ctl);
up_error_t *up_ctl_token_add(up_ctl_t *ctl);
up_error_t *up_ctl_token_list(up_ctl_t *ctl);
up_error_t *up_ctl_token_revoke(up_ctl_t *ctl);
up_error_t *up_ctl_import(up_ctl_t *ctl);
up_error_t *up_ctl_export(up_ctl_t *ctl);
up_error_t *up_ctl_events(up_ctl_t *ctl);
up_error_t *up_ctl_events_prune(up_ctl_t *ctl);
up_error_t *up_ctl_stat(up_ctl_t *ctl);
up_error_t *up_ctl_upgrade(up_ctl_t *ctl);
up_error_t *up_ctl_check(up_ctl_t *ctl);
up_error_t *up_ctl_backup(up_ctl_t *ctl);
up_error_t *up_ctl_restore(up_ctl_t *ctl);

#endif
