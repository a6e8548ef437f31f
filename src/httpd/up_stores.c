/* up_stores.c -- the stores that the servers name, each made ready once by the
 * parent and opened once by each child. */
#include "httpd/up_stores.h"
#include "httpd/up_config.h"
#include "core/up_clock.h"
#include "httpd/up_metrics.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include <http_main.h>
#include <unixd.h>

APLOG_USE_MODULE(userprofile);

/* How long to wait, at least, before an opening is tried again. */
#define RETRY_AFTER apr_time_from_sec(1)

/* What the children of one generation share about a store; atomic. */
typedef struct shared_t {
    apr_uint64_t stamp; /* that of the store that one of them opened first */
    /* What one of them has told the log: */
    apr_uint32_t episode; /* of the last lock that is in the way */
    apr_uint32_t filling; /* 1 once it is half full */
} shared_t;

struct up_site_store_t {
    const char *uri;
    const char *identity; /* the same for the same store; NULL: not known */
    const apr_table_t *options;
    up_site_store_t *next;
    shared_t *shared; /* NULL: there is no memory for it */

    /* In a child: */
    up_store_t *store;           /* atomic; NULL until it is open */
    apr_thread_mutex_t *opening; /* held while it is opened */
    apr_time_t next_try;
    apr_uint32_t log_turn;  /* atomic: the second of the last turn to log */
    apr_uint32_t fill_turn; /* atomic: likewise, to look how full it is */
};

/* The one of LIST that URI, or the same store by another spelling, is. */
static up_site_store_t *
find(up_site_store_t *list, const char *uri, const char *identity)
{
    for (; list; list = list->next) {
        if (!strcmp(list->uri, uri) ||
            (identity && list->identity && !strcmp(list->identity, identity)))
            return list;
    }
    return NULL;
}

/* Make the store at URI ready, and say so if it was not there before; only
 * look whether that can be done if IS_TEST. Returns 0 if it cannot. */
static int
make_ready(const char **identity,
           const char *uri,
           const apr_table_t *options,
           server_rec *server,
           int is_test,
           apr_pool_t *pconf,
           apr_pool_t *ptemp)
{
    uid_t uid = ap_unixd_config.user_id;
    int made = 0;

    up_error_t *err =
        is_test ? up_store_inspect(identity, uri, uid, pconf)
                : up_store_prepare(identity, &made, uri, options, uid,
                                   ap_unixd_config.group_id, pconf, ptemp);
    if (err)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server, "UP0001: %s",
                     up_error_story(err, ptemp));
    else if (made)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, server,
                     "UP0006: made a new, empty store at '%s'", uri);
    return !err;
}

/* Warn if the OPTIONS that SERVER gives for the store at URI differ from those
 * APPLIED, which are another server's. */
static void
warn_of_options(server_rec *server,
                const char *uri,
                const apr_table_t *options,
                const apr_table_t *applied,
                apr_pool_t *scratch_pool)
{
    const char *directives =
        up_config_differences(uri, options, applied, scratch_pool);

    if (*directives)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "UP0002: %s: another server uses this store with another "
                     "%s; that server's apply to both",
                     uri, directives);
}

/* Set SITE's SHARED. The old children keep theirs after a graceful restart. */
static void
share_memory(up_site_store_t *site, server_rec *server, apr_pool_t *pconf)
{
    apr_shm_t *memory;

    apr_status_t rv = apr_shm_create(&memory, sizeof(shared_t), NULL, pconf);
    if (rv) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, server,
                     "UP0013: cannot share memory among the children; the log "
                     "will not say why the store '%s' is locked, and a child "
                     "that starts later may open another one",
                     site->uri);
        return;
    }
    site->shared = apr_shm_baseaddr_get(memory);
    *site->shared = (shared_t){0};
}

/* Make ready what SERVER names; *LIST is what others named before. IS_TEST as
 * above; *FAILED is counted up if it cannot be made ready. */
static up_site_store_t *
prepare(up_site_store_t **list,
        int *failed,
        server_rec *server,
        int is_test,
        apr_pool_t *pconf,
        apr_pool_t *ptemp)
{
    const up_server_config_t *config = up_config_of_server(server);
    const char *uri = up_config_store_uri(config), *identity = NULL;
    const apr_table_t *options = up_config_store_options(config, pconf);

    up_site_store_t *site = find(*list, uri, NULL);
    if (!site) {
        *failed +=
            !make_ready(&identity, uri, options, server, is_test, pconf, ptemp);
        site = find(*list, uri, identity);
    }
    if (site) {
        warn_of_options(server, uri, options, site->options, ptemp);
        return site;
    }

    site = apr_pcalloc(pconf, sizeof(*site));
    site->uri = uri;
    site->identity = identity;
    site->options = options;
    share_memory(site, server, pconf);
    site->next = *list;
    *list = site;
    return site;
}

/* Warn if one of LIST cannot serve as many threads as there may be. A child has
 * those of its MPM, and up to 1.5 times as many of mod_http2; after a graceful
 * restart the old children are still there. */
static void
warn_of_shortage(const up_site_store_t *list,
                 server_rec *server,
                 apr_pool_t *scratch_pool)
{
    int children = 0, threads = 0;
    const char *shortage = NULL;

    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    for (; list && !shortage; list = list->next)
        shortage = up_store_shortage(list->uri, 2 * children,
                                     threads * 5 / 2 + 1, scratch_pool);
    if (shortage)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "UP0003: %d children of %d threads each may need %s; "
                     "lower MaxRequestWorkers or ThreadsPerChild",
                     children, threads, shortage);
}

int
up_stores_prepare(apr_pool_t *pconf,
                  apr_pool_t *ptemp,
                  server_rec *main,
                  int is_test)
{
    up_site_store_t *list = NULL;
    int failed = 0;

    for (server_rec *server = main; server; server = server->next) {
        up_server_config_t *config = up_config_of_server(server);
        if (config->used == UP_ON)
            config->site_store =
                prepare(&list, &failed, server, is_test, pconf, ptemp);
    }
    if (!list)
        return 0;
    for (server_rec *server = main; server; server = server->next)
        up_config_of_server(server)->serving = UP_ON;
    warn_of_shortage(list, main, ptemp);
    return failed;
}

/* SITE, SERVER's, has opened STORE. If another site has it open already, its
 * options apply: the parent could not tell that the two name one store if it
 * could not make it ready. */
static void
adopt_options(up_site_store_t *site,
              const up_store_t *store,
              server_rec *server,
              apr_pool_t *scratch_pool)
{
    for (server_rec *s = ap_server_conf; s; s = s->next) {
        const up_site_store_t *other = up_config_of_server(s)->site_store;
        if (!other || __atomic_load_n(&other->store, __ATOMIC_ACQUIRE) != store)
            continue;
        warn_of_options(server, site->uri, site->options, other->options,
                        scratch_pool);
        site->options = other->options;
        return;
    }
}

/* Fail if another child has opened another store as SITE than STORE: one that
 * takes the place of the first is for the children after a graceful restart. */
static up_error_t *
check_stamp(const up_site_store_t *site,
            const up_store_t *store,
            apr_pool_t *pool)
{
    apr_uint64_t stamp = up_store_stamp(store);
    apr_uint64_t first =
        site->shared ? apr_atomic_cas64(&site->shared->stamp, stamp, 0) : 0;

    if (!first || first == stamp)
        return NULL;
    return up_error(pool, UP_STORE_REPLACED, APR_SUCCESS,
                    "the store '%s' is not the one that other children opened: "
                    "put that back in its place, or have a graceful restart "
                    "open what is there now",
                    site->uri);
}

/* Try to open SITE, SERVER's, whose mutex the caller holds. */
static up_error_t *
try_open(up_site_store_t *site, server_rec *server, apr_pool_t *result_pool)
{
    up_store_t *store;

    up_error_t *err =
        up_store_open(&store, site->uri, site->options, result_pool);
    if (!err) {
        err = check_stamp(site, store, result_pool);
        if (err)
            up_store_close(store);
    }
    if (err) {
        site->next_try = up_clock() + RETRY_AFTER;
        return err;
    }
    adopt_options(site, store, server, result_pool);
    up_store_count(store, up_metrics_of_stores());
    __atomic_store_n(&site->store, store, __ATOMIC_RELEASE);
    return NULL;
}

void
up_stores_open(apr_pool_t *pchild, server_rec *main)
{
    for (server_rec *server = main; server; server = server->next) {
        up_site_store_t *site = up_config_of_server(server)->site_store;

        if (!site || site->opening)
            continue;
        apr_status_t rv = apr_thread_mutex_create(
            &site->opening, APR_THREAD_MUTEX_DEFAULT, pchild);
        if (rv) {
            ap_log_error(APLOG_MARK, APLOG_ERR, rv, server,
                         "UP0004: cannot make a mutex for the store '%s'",
                         site->uri);
            continue;
        }
        up_error_t *err = try_open(site, server, pchild);
        if (err)
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, server, "UP0005: %s",
                         up_error_story(err, pchild));
    }
}

/* Open SITE, unless another thread is doing so, or tried a moment ago. */
static up_error_t *
open_late(up_site_store_t *site, server_rec *server, apr_pool_t *pool)
{
    up_error_t *err = NULL;

    if (!site->opening || apr_thread_mutex_trylock(site->opening))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the store '%s' is not open yet", site->uri);
    if (!site->store) {
        if (up_clock() < site->next_try)
            err = up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                           "the store '%s' could not be opened a moment ago",
                           site->uri);
        else
            err = try_open(site, server, pool);
    }
    apr_thread_mutex_unlock(site->opening);
    return err;
}

up_error_t *
up_stores_get(up_store_t **store, request_rec *r)
{
    up_site_store_t *site = up_config_of_server(r->server)->site_store;

    if (!site)
        return up_error(r->pool, UP_INTERNAL, APR_SUCCESS,
                        "this server has no store; 'UserProfileStore' or "
                        "'UserProfile On' would name one");
    if (!__atomic_load_n(&site->store, __ATOMIC_ACQUIRE))
        UP_ERR(open_late(site, r->server, r->pool));
    *store = __atomic_load_n(&site->store, __ATOMIC_ACQUIRE);
    return NULL;
}

/* Take what comes once a second in this child: TURN has the second when it was
 * taken last. Returns 0 if that is this one. */
static int
take_turn(apr_uint32_t *turn)
{
    apr_uint32_t second = (apr_uint32_t)apr_time_sec(up_clock()) + 1;
    apr_uint32_t last = apr_atomic_read32(turn);

    return last != second && apr_atomic_cas32(turn, second, last) == last;
}

int
up_stores_take_log_turn(request_rec *r)
{
    up_site_store_t *site = up_config_of_server(r->server)->site_store;

    return !site || take_turn(&site->log_turn);
}

void
up_stores_report_lock(request_rec *r)
{
    up_site_store_t *site = up_config_of_server(r->server)->site_store;
    apr_uint32_t episode;

    if (!site || !site->shared)
        return;
    up_store_t *store = __atomic_load_n(&site->store, __ATOMIC_ACQUIRE);
    up_error_t *err = store ? up_store_probe(&episode, store, r->pool) : NULL;
    if (err && apr_atomic_xchg32(&site->shared->episode, episode) != episode)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, r->server,
                     "UP0011: %s; changes are refused until it lets go",
                     up_error_story(err, r->pool));
}

void
up_stores_report_filling(request_rec *r)
{
    up_site_store_t *site = up_config_of_server(r->server)->site_store;
    const char *warning;

    if (!site || !site->shared || apr_atomic_read32(&site->shared->filling) ||
        !take_turn(&site->fill_turn))
        return;
    up_store_t *store = __atomic_load_n(&site->store, __ATOMIC_ACQUIRE);
    if (!store || up_store_filling(&warning, store, r->pool) || !warning)
        return; /* an error is for the calls that need the store */
    if (!apr_atomic_xchg32(&site->shared->filling, 1))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, r->server, "UP0012: %s",
                     warning);
}

/* Whether SERVER is the first one whose store is SITE. */
static int
is_first(const server_rec *server, const up_site_store_t *site)
{
    const server_rec *s = ap_server_conf;

    while (up_config_of_server(s)->site_store != site)
        s = s->next;
    return s == server;
}

void
up_stores_each(up_stores_visit_t *visit, void *baton)
{
    for (const server_rec *s = ap_server_conf; s; s = s->next) {
        const up_site_store_t *site = up_config_of_server(s)->site_store;
        if (site && is_first(s, site))
            visit(baton, site->uri,
                  __atomic_load_n(&site->store, __ATOMIC_ACQUIRE));
    }
}
