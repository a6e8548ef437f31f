/* up_ctl_store.c -- the tool and its store: init, and opening it. */
#include "core/up_id.h"
#include "ctl/up_ctl.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define NOBODY ((uid_t)-1)

/* Set *URI to that of CTL's store; one that cannot be any is misuse. */
static up_error_t *
store_uri(const char **uri, up_ctl_t *ctl)
{
    const char *given = ctl->line.option[UP_CTL_STORE];

    *uri = given ? given : "lmdb:" UP_STATEDIR;
    up_error_t *err = up_store_check_uri(*uri, ctl->pool);
    if (err)
        ctl->line.misused = 1;
    return err;
}

/* Root becomes the owner of the store, so that none of its files becomes
 * root's. */
static up_error_t *
become_owner(const char *uri, apr_pool_t *pool)
{
    uid_t uid;
    gid_t gid;

    if (geteuid() != 0)
        return NULL;
    UP_ERR(up_store_owner(&uid, &gid, uri, pool));
    if (uid == NOBODY || uid == 0)
        return NULL;
    if (setgroups(1, &gid) || setgid(gid) || setuid(uid))
        return up_error(pool, UP_INTERNAL, APR_FROM_OS_ERROR(errno),
                        "cannot become user %lu, who owns the store",
                        (unsigned long)uid);
    return NULL;
}

up_error_t *
up_ctl_open(up_ctl_t *ctl)
{
    const char *uri;

    UP_ERR(store_uri(&uri, ctl));
    UP_ERR(become_owner(uri, ctl->pool));
    return up_store_open(&ctl->store, uri, NULL, ctl->pool);
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

/* Set *UID and *GID to those of the user called --owner. */
static up_error_t *
named_owner(uid_t *uid, gid_t *gid, up_ctl_t *ctl)
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
    const char *uri, *identity;
    uid_t uid;
    gid_t gid;
    int made;

    UP_ERR(store_uri(&uri, ctl));
    UP_ERR(up_store_owner(&uid, &gid, uri, ctl->pool));
    int unsaid = uid == NOBODY && !ctl->line.option[UP_CTL_OWNER];
    if (ctl->line.option[UP_CTL_OWNER])
        UP_ERR(named_owner(&uid, &gid, ctl));
    if (unsaid) {
        uid = geteuid();
        gid = getegid();
    }

    UP_ERR(up_store_prepare(&identity, &made, uri, NULL, uid, gid, ctl->pool,
                            ctl->pool));
    if (unsaid && uid == 0)
        up_ctl_note(ctl, "the new store is root's; for a server that runs as "
                         "another user, make it with --owner USER");
    return up_ctl_open(ctl); /* what was there already may be no store */
}
