/*
 * up_store.h -- where profiles are kept.
 *
 * A store holds organisations, users (a user id is unique in the whole store),
 * memberships, tokens and events. It is named by a URI whose scheme picks the
 * driver: "lmdb:/var/lib/apache2/userprofile".
 *
 * An open store may be used by all threads of the process that opened it and
 * by no other: open it after fork(). Ids given here are storable ones (see
 * up_id.h). Finding nothing is an answer, not an error. Every call may fail
 * with UP_STORE_UNAVAILABLE (nothing was changed; later it may work) or with
 * UP_STORE_REPLACED (nothing was changed; another store is in its place, and
 * only who opens it anew gets that), those that write also with UP_STORE_FULL,
 * or with UP_OUTCOME_UNKNOWN if the store was lost while it committed; with
 * UP_INTERNAL if what is stored cannot be read. What is handed back is copied
 * into RESULT_POOL.
 */
#ifndef UP_STORE_H
#define UP_STORE_H

#include "core/up_items.h"

#include <apr_tables.h>
#include <sys/types.h>

typedef struct up_store_t up_store_t;

/*
 * OPTIONS, below, are names and values of options of a store's driver, such as
 * "map-size" and "64M". An option that is not among them has its default. NULL
 * is for tools: what the store records of itself comes before the defaults. A
 * name that no driver knows, or a wrong value, is UP_CONFLICT; an option of
 * another driver means nothing.
 */

/* Check that URI is one that a driver can take, without touching the store:
 * an error of UP_CONFLICT says what would be right. For configtest. */
UP_MUST_CHECK up_error_t *up_store_check_uri(const char *uri, apr_pool_t *pool);

/* Likewise for VALUE as that of the option NAME, of whichever driver. */
UP_MUST_CHECK up_error_t *up_store_check_option(const char *name,
                                                const char *value,
                                                apr_pool_t *pool);

/* Whether the option NAME of the store at URI means something else in A than
 * in B, both of them right for that store. */
int up_store_option_differs(const char *uri,
                            const char *name,
                            const apr_table_t *a,
                            const apr_table_t *b);

/* What PROCESSES of THREADS each, all using the store at URI at once, would
 * need but cannot have: "more than the N readers that ... has", in POOL. NULL
 * if the store has enough for them. */
const char *up_store_shortage(const char *uri,
                              int processes,
                              int threads,
                              apr_pool_t *pool);

/* Make what must exist before the server drops its privileges: for lmdb the
 * folder (its parent must exist) and its files, modes 0700 and 0600, owned by
 * UID and GID if this process is root; for postgresql nothing, unless OPTIONS
 * is NULL: then the tables, as a server's role may not make them. A store that
 * exists already is left as it is. Sets *IDENTITY to text that is equal for two
 * URIs that name the same store, and *MADE to whether there was none. May be
 * called before fork(), as it leaves nothing open. */
UP_MUST_CHECK up_error_t *up_store_prepare(const char **identity,
                                           int *made,
                                           const char *uri,
                                           const apr_table_t *options,
                                           uid_t uid,
                                           gid_t gid,
                                           apr_pool_t *result_pool,
                                           apr_pool_t *scratch_pool);

/* Likewise, but make nothing: fails if up_store_prepare() would, as far as that
 * can be seen by this process. *IDENTITY is NULL if there is no store yet. For
 * configtest. */
UP_MUST_CHECK up_error_t *up_store_inspect(const char **identity,
                                           const char *uri,
                                           uid_t uid,
                                           apr_pool_t *pool);

/* For a tool that runs as root: set *UID and *GID to the owner of the store at
 * URI, so that the tool can become that user before it opens the store, and
 * *HELD, in POOL, to a URI that names that very store until POOL is cleared,
 * whatever URI leads to by then. UID and GID are -1 if nothing on this machine
 * is owned, because there is no such store yet or it is behind a network. Fails
 * with UP_STORE_UNAVAILABLE if others than the owner could have put anything in
 * its place. */
UP_MUST_CHECK up_error_t *up_store_hold(const char **held,
                                        uid_t *uid,
                                        gid_t *gid,
                                        const char *uri,
                                        apr_pool_t *pool);

/* Open the store at URI, which must exist, as *STORE; it has memory of its own,
 * and lives as long as the process or until up_store_close(). POOL is for the
 * error. A store that this process has open already, by this or another URI, is
 * the same *STORE again, with its first OPTIONS. */
UP_MUST_CHECK up_error_t *up_store_open(up_store_t **store,
                                        const char *uri,
                                        const apr_table_t *options,
                                        apr_pool_t *pool);

/* A number that is the same, and not 0, for all who have opened the same files
 * as STORE, and another, but for a coincidence, for those who opened others by
 * its URI. */
apr_uint64_t up_store_stamp(const up_store_t *store);

/* Close STORE, which no thread uses any longer, once for each time that it was
 * opened. Waits for as long as a change does, if another process has it locked.
 * For tools and tests; a server's child never closes its store. */
void up_store_close(up_store_t *store);

/* Called while a thread waits, with WHO it waits for: "process 4711 (...)". */
typedef void up_store_tell_t(void *baton, const char *who);

/* For tools, before STORE is used by a second thread: wait TIMEOUT, rather than
 * what the option "timeout" says, for other processes that write, and call TELL
 * with BATON each second that a batch has to wait. */
void up_store_set_wait(up_store_t *store,
                       apr_interval_time_t timeout,
                       up_store_tell_t *tell,
                       void *baton);

/* Fails with UP_STORE_UNAVAILABLE if another process has kept STORE from being
 * changed for longer than the timeout; the message says which one, and
 * *EPISODE is set to a number that is the same in all processes as long as that
 * lasts. A probe
 * makes the store try, so that the next one can tell. */
UP_MUST_CHECK up_error_t *up_store_probe(apr_uint32_t *episode,
                                         up_store_t *store,
                                         apr_pool_t *pool);

/* Set *WARNING, in POOL, to a sentence for the log if STORE has used half of
 * the room that it may take; to NULL otherwise. */
UP_MUST_CHECK up_error_t *up_store_filling(const char **warning,
                                           up_store_t *store,
                                           apr_pool_t *pool);

/* What is counted of a store's changes, in memory that processes may share. */
typedef struct up_store_counters_t {
    apr_uint64_t changes;    /* updates that changed something */
    apr_uint64_t batches;    /* the transactions that they were made in */
    apr_uint64_t flush_time; /* of the commits of these, in microseconds */
} up_store_counters_t;

/* Have all changes that STORE makes from now on added to COUNTERS, which live
 * as long as STORE. */
void up_store_count(up_store_t *store, up_store_counters_t *counters);

/* Whether a read of STORE that may lag is of a copy, where there is one: it may
 * not have the newest changes yet, and whatever it says is told of a moment
 * that was. A change is never decided on that. 0: such a read is as any other.
 */
int up_store_may_lag(const up_store_t *store);

/* What one request needs to know, read in one step. */
typedef struct up_view_t {
    const char *caller_org;  /* the caller's own, NULL if not stored */
    up_state_t caller_state; /* if stored */
    int wanted_exists;       /* whether the wanted organisation does, if one is
                              * wanted */
    const char *org;         /* in which the call takes place; NULL: none */
    const apr_array_header_t *org_roles; /* of const char *: the caller's */
    const apr_array_header_t *instance_roles; /* in org, on the instance; NULL:
                                               * no membership */
    up_state_t user_state; /* of the user, where org is the user's own */
    const up_user_t *user; /* in org, whatever its state; NULL if it is not
                            * there or may not be read */
} up_view_t;

/* What to read. Any id may be NULL: not looked up. */
typedef struct up_query_t {
    const char *caller;
    const char *wanted; /* an organisation */
    const char *user;
    int in_any_org; /* 1: the call takes place in the user's own organisation;
                     * 0: in the wanted one, without one in the caller's */

    /* Whether the caller, of whom all but the user is known in VIEW, may read
     * the user: what may not be seen is not read. NULL: yes. */
    int (*may_read)(void *baton, const up_view_t *view);
    void *baton;

    int may_lag; /* see up_store_may_lag() */
} up_query_t;

/* Set *VIEW to what QUERY asks for. */
UP_MUST_CHECK up_error_t *up_store_read(up_view_t **view,
                                        up_store_t *store,
                                        const up_query_t *query,
                                        apr_pool_t *result_pool,
                                        apr_pool_t *scratch_pool);

/* What an update stores. */
typedef struct up_change_t {
    const up_user_t *user;   /* the new record, or NULL: nothing to change */
    const up_event_t *event; /* appended in the same step; its number is given
                              * by the store */
} up_change_t;

/* Decide what becomes of BEFORE (NULL: no such user in that organisation): set
 * *CHANGE, which is all zeroes, or return an error, which update hands back.
 * It may be called more than once, and on another thread while the caller of
 * up_store_update waits: it uses only its arguments, and POOL, in which the
 * change and the error live. */
typedef up_error_t *(*up_decide_t)(up_change_t *change,
                                   void *baton,
                                   const up_user_t *before,
                                   apr_pool_t *pool);

/* Read USER of ORG, let DECIDE say what it becomes, and store that and its
 * event, as one atomic and durable step. Sets *AFTER to the record as it is
 * then: the new one, or the old one where there was nothing to change. */
UP_MUST_CHECK up_error_t *up_store_update(const up_user_t **after,
                                          up_store_t *store,
                                          const char *org,
                                          const char *user,
                                          up_decide_t decide,
                                          void *baton,
                                          apr_pool_t *result_pool,
                                          apr_pool_t *scratch_pool);

/* The same for the user SEEN, which the caller has read from STORE just before.
 * A driver for which reading again is dear lets DECIDE begin with that, and
 * reads only if the user has changed since; an error that DECIDE returns is
 * then about SEEN. */
UP_MUST_CHECK up_error_t *up_store_update_seen(const up_user_t **after,
                                               up_store_t *store,
                                               const up_user_t *seen,
                                               up_decide_t decide,
                                               void *baton,
                                               apr_pool_t *result_pool,
                                               apr_pool_t *scratch_pool);

/* Set *TOKEN to the one whose text has this SHA256, or to NULL if there is none
 * or it is revoked, and, if it was found, *OWNER_STORED and *OWNER_STATE to
 * what is known of its user; if it MAY_LAG, as up_store_may_lag() says. */
UP_MUST_CHECK up_error_t *up_store_token(
    const up_token_t **token,
    int *owner_stored,
    up_state_t *owner_state,
    up_store_t *store,
    int may_lag,
    const unsigned char sha256[UP_SHA256_BYTES],
    apr_pool_t *result_pool,
    apr_pool_t *scratch_pool);

/*
 * The administration. A batch is one atomic, durable step made of many; it
 * sees its own changes. One thread uses it, from begin to commit, and other
 * writers wait meanwhile: keep it short. An error lives in the pool that the
 * call is given, and that of the commit in the batch's.
 */
typedef struct up_batch_t up_batch_t;

/* Begin *BATCH; it is given up when POOL is cleared before the commit. */
UP_MUST_CHECK up_error_t *up_batch_begin(up_batch_t **batch,
                                         up_store_t *store,
                                         apr_pool_t *pool);

/* Put ITEM, replacing what has its key: an organisation's id, a user's id, a
 * membership's user and organisation, a token's SHA-256, an event's number. No
 * event is written, unless ITEM is one: if its number is 0 it is appended and
 * gets the next one, which is above all that there are. Fails with UP_CONFLICT
 * if a user's id belongs to another organisation, or if the organisation of a
 * user or of a membership does not exist. */
UP_MUST_CHECK up_error_t *up_batch_put(up_batch_t *batch,
                                       const up_item_t *item,
                                       apr_pool_t *scratch_pool);

/* For many items: BATCH, of which nothing was asked yet, is to get and to put
 * the COUNT items that ITEMS point to, or some of them. A driver for which each
 * call is dear reads at once what there is, and stores at once what was put, at
 * the latest with the commit: what a put then fails with, UP_CONFLICT aside,
 * may come with a later call. */
UP_MUST_CHECK up_error_t *up_batch_expect(up_batch_t *batch,
                                          const up_item_t *const *items,
                                          int count,
                                          apr_pool_t *scratch_pool);

/* Set *ITEM to what BATCH sees under the key fields of KEY (its kind, and: an
 * organisation's id; a user's id, the organisation is found; a membership's
 * org and user; a token's sha256; an event's number), or to NULL. */
UP_MUST_CHECK up_error_t *up_batch_get(const up_item_t **item,
                                       up_batch_t *batch,
                                       const up_item_t *key,
                                       apr_pool_t *result_pool,
                                       apr_pool_t *scratch_pool);

/* Set *NUMBER to that of the last event that BATCH sees, 0 if there is none. */
UP_MUST_CHECK up_error_t *up_batch_last_event(apr_uint64_t *number,
                                              up_batch_t *batch,
                                              apr_pool_t *scratch_pool);

/* Remove the item with the key fields of KEY, of a user organisation and id, of
 * an event its number; sets *FOUND to whether there was one. What refers to it
 * is left: rights of a user, and users and memberships of an organisation, are
 * removed first. The last event of all is not to be removed: the number of the
 * next one may follow from it. */
UP_MUST_CHECK up_error_t *up_batch_remove(int *found,
                                          up_batch_t *batch,
                                          const up_item_t *key,
                                          apr_pool_t *scratch_pool);

/* Remove all memberships of USER, and mark those of the user's tokens that are
 * not revoked as revoked at the time NOW. */
UP_MUST_CHECK up_error_t *up_batch_remove_rights(up_batch_t *batch,
                                                 const char *user,
                                                 apr_time_t now,
                                                 apr_pool_t *scratch_pool);

/* Take the values of profiles out of all events about USER; a look at all
 * events. What else they say stays. */
UP_MUST_CHECK up_error_t *up_batch_erase_events(up_batch_t *batch,
                                                const char *user,
                                                apr_pool_t *scratch_pool);

/* Make all that was put and removed durable; BATCH is over, also on failure. */
UP_MUST_CHECK up_error_t *up_batch_commit(up_batch_t *batch);

/* Called for one item; an error ends the iteration and is handed back. POOL
 * is cleared after each call, ITEM with it. */
typedef up_error_t *(*up_visit_t)(void *baton,
                                  const up_item_t *item,
                                  apr_pool_t *pool);

/* Which items up_store_each() visits. */
typedef struct up_filter_t {
    unsigned kinds;     /* bit 1 << up_kind_t each, visited in that order */
    const char *org;    /* users and members: of this organisation only; NULL:
                         * all */
    apr_uint64_t after; /* events: numbers above this one */
} up_filter_t;

/* Call VISIT for each item of STORE that FILTER lets pass, in key order (users
 * by organisation and id; events by number), all as of one moment. */
UP_MUST_CHECK up_error_t *up_store_each(up_store_t *store,
                                        const up_filter_t *filter,
                                        up_visit_t visit,
                                        void *baton,
                                        apr_pool_t *scratch_pool);

/* One figure that a driver has of a store. */
typedef struct up_store_figure_t {
    const char *label; /* for people: "bytes used" */
    const char *name;  /* for programs: "bytesUsed" */
    apr_uint64_t value;
} up_store_figure_t;

/* How large a store is. */
typedef struct up_store_stat_t {
    const char *driver;                /* "lmdb" */
    apr_uint64_t count[UP_KINDS];      /* how many of each kind */
    apr_uint64_t last_event;           /* its number; 0: none yet */
    const apr_array_header_t *figures; /* the driver's own, of
                                        * up_store_figure_t */
} up_store_stat_t;

/* Set *STAT for STORE. */
UP_MUST_CHECK up_error_t *up_store_stat(up_store_stat_t *stat,
                                        up_store_t *store,
                                        apr_pool_t *result_pool);

/* Called now and then while a long work goes on, with how many of its ALL steps
 * are DONE. An error ends the work, and is handed back. */
typedef up_error_t *(*up_progress_t)(void *baton,
                                     apr_uint64_t done,
                                     apr_uint64_t all,
                                     apr_pool_t *pool);

/* What up_store_check() calls, with BATON; an error ends the check, and is
 * handed back. */
typedef struct up_check_t {
    /* A fault: WHAT is a sentence on what is wrong, where, and what that means,
     * REMEDY one on what mends it; neither has a value of a profile. */
    up_error_t *(*fault)(void *baton,
                         const char *what,
                         const char *remedy,
                         apr_pool_t *pool);
    up_visit_t visit; /* each item that can be read, of all kinds, in the order
                       * of up_store_each() */
    up_progress_t progress;
    void *baton;
} up_check_t;

/* Look at all that STORE keeps, as of one moment, and change nothing: at how it
 * is kept, whatever that is, and at each item as it is read. What the items say
 * is for CHECK to judge. */
UP_MUST_CHECK up_error_t *up_store_check(up_store_t *store,
                                         const up_check_t *check,
                                         apr_pool_t *scratch_pool);

/*
 * Backups. A backup is a store in a folder of its own, and what is restored is
 * filled from one as a backup is from a store. So both are copies: begun and
 * finished by the user who ran the tool, and filled between the two by a
 * process that may have fewer rights.
 */
typedef struct up_copy_t up_copy_t;

typedef enum up_copy_kind_t {
    UP_BACKUP, /* of the store at a URI, in a folder that must not exist */
    UP_RESTORE /* of the backup in a folder, in place of the store at a URI,
                * which no process may have open, or which does not exist */
} up_copy_kind_t;

/* Begin *COPY, of KIND with this URI and this FOLDER, an absolute path. It is
 * made aside; if POOL is cleared before it is finished, nothing is left of it.
 * *SOURCE is set to the URI of the store to fill it from: as root, one that
 * names that very store until POOL is cleared, for a process that has become
 * the owner of that store. Fails with UP_CONFLICT if there can be no such copy;
 * a driver without backups says what else makes them. */
UP_MUST_CHECK up_error_t *up_copy_begin(up_copy_t **copy,
                                        const char **source,
                                        up_copy_kind_t kind,
                                        const char *uri,
                                        const char *folder,
                                        apr_pool_t *pool);

/* Fill COPY, which is empty, with all that the open store SOURCE holds as of
 * one moment, events included, beside others that change it; nothing of what
 * was erased from it comes along. Sets *DAMAGED to how many records are
 * damaged: they are copied as they are. */
UP_MUST_CHECK up_error_t *up_copy_fill(apr_uint64_t *damaged,
                                       up_copy_t *copy,
                                       up_store_t *source,
                                       up_progress_t progress,
                                       void *baton,
                                       apr_pool_t *scratch_pool);

/* Make COPY durable, and put it in its place in one step. As root it is given
 * to UID and GID, unless it takes the place of a store, whose owner and modes
 * it then gets. Sets *KEPT to where the store that it has replaced is now, for
 * people, or to NULL. */
UP_MUST_CHECK up_error_t *up_copy_finish(const char **kept,
                                         up_copy_t *copy,
                                         uid_t uid,
                                         gid_t gid,
                                         apr_pool_t *pool);

/* Give STORE, which an earlier version has made, today's format, in many short
 * steps beside others that use it. Sets *CHANGED to how many records were
 * written anew; 0: there was nothing to do. What is done stays done on failure,
 * STORE is used as before, and another call goes on. An error of UP_INTERNAL
 * names a record that cannot be read, after all others were upgraded. */
UP_MUST_CHECK up_error_t *up_store_upgrade(apr_uint64_t *changed,
                                           up_store_t *store,
                                           apr_pool_t *scratch_pool);

#endif
