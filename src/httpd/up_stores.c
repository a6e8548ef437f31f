/* up_stores.c -- the stores that the servers name, each made ready once by the
 * parent and opened once by each child. */
#include "httpd/up_stores.h"
#include "httpd/up_config.h"

#include <ap_mpm.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include <http_main.h>
#include <unixd.h>

APLOG_USE_MODULE(userprofile);

/* How long to wait, at least, before an opening is tried again, and before the
 * same trouble is news again. */
#define RETRY_AFTER apr_time_from_sec(1)
#define NEWS_AFTER apr_time_from_sec(1)

struct up_site_store_t {
    const char *uri;
    const char *identity; /* the same for the same store; NULL: not known */
    up_store_options_t options;
    up_site_store_t *next;

    /* In a child: */
    up_store_t *store;           /* NULL until it is open; then constant */
    apr_thread_mutex_t *opening; /* held by the one who opens it */
    apr_time_t next_try;
    apr_time_t next_news; /* atomic */
};

static int
same_options(const up_store_options_t *a, const up_store_options_t *b)
{
    return a->map_size == b->map_size && a->no_sync == b->no_sync;
}

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

/* Make the store at URI ready, and say so if it was not there before. */
static void
make_ready(const char **identity,
           const char *uri,
           const up_store_options_t *options,
           server_rec *server,
           apr_pool_t *pconf,
           apr_pool_t *ptemp)
{
    int made;

    up_error_t *err =
        up_store_prepare(identity, &made, uri, options, ap_unixd_config.user_id,
                         ap_unixd_config.group_id, pconf, ptemp);
    if (err)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server, "UP0001: %s",
                     up_error_story(err, ptemp));
    else if (made)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, server,
                     "UP0006: made a new, empty store at '%s'", uri);
}

/* SERVER named the store at URI with options that do not count. */
static void
warn_of_options(server_rec *server, const char *uri)
{
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                 "UP0002: %s: another server uses this store with another "
                 "UserProfileMapSize or UserProfileSync; that server's apply "
                 "to both",
                 uri);
}

/* Make ready what SERVER names; *LIST is what others named before. */
static up_site_store_t *
prepare(up_site_store_t **list,
        server_rec *server,
        apr_pool_t *pconf,
        apr_pool_t *ptemp)
{
    const up_server_config_t *config = up_config_of_server(server);
    const char *uri = up_config_store_uri(config), *identity = NULL;
    up_store_options_t options = up_config_store_options(config);

    up_site_store_t *site = find(*list, uri, NULL);
    if (!site) {
        make_ready(&identity, uri, &options, server, pconf, ptemp);
        site = find(*list, uri, identity);
    }
    if (site) {
        if (!same_options(&site->options, &options))
            warn_of_options(server, uri);
        return site;
    }

    site = apr_pcalloc(pconf, sizeof(*site));
    site->uri = uri;
    site->identity = identity;
    site->options = options;
    site->next = *list;
    *list = site;
    return site;
}

/* Each thread of a child, and each of mod_http2's workers (up to 1.5 times as
 * many), can hold a reader; after a graceful restart the old children are
 * still there. */
static void
warn_of_readers(server_rec *server)
{
    int children = 0, threads = 0;

    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    apr_int64_t readers = (apr_int64_t)2 * children * (threads * 5 / 2 + 1);
    if (readers > UP_STORE_READERS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "UP0003: %d children of %d threads each may need more "
                     "than the %d readers that an LMDB store has; lower "
                     "MaxRequestWorkers or ThreadsPerChild",
                     children, threads, UP_STORE_READERS);
}

void
up_stores_prepare(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *main)
{
    up_site_store_t *list = NULL;

    for (server_rec *server = main; server; server = server->next) {
        up_server_config_t *config = up_config_of_server(server);
        if (config->used == UP_ON)
            config->site_store = prepare(&list, server, pconf, ptemp);
    }
    if (!list)
        return;
    for (server_rec *server = main; server; server = server->next)
        up_config_of_server(server)->serving = UP_ON;
    warn_of_readers(main);
}

/* SITE, SERVER's, has opened STORE: if another site had it already, that one's
 * options count. Two that could not be made ready were not known to be one. */
static void
adopt_options(up_site_store_t *site,
              const up_store_t *store,
              server_rec *server)
{
    for (server_rec *s = ap_server_conf; s; s = s->next) {
        const up_site_store_t *other = up_config_of_server(s)->site_store;
        if (!other || __atomic_load_n(&other->store, __ATOMIC_ACQUIRE) != store)
            continue;
        if (!same_options(&other->options, &site->options))
            warn_of_options(server, site->uri);
        site->options = other->options;
        return;
    }
}

/* Try to open SITE, SERVER's, whose mutex the caller holds. The pool has no
 * parent: an open store lives as long as the process. */
static up_error_t *
try_open(up_site_store_t *site, server_rec *server, apr_pool_t *result_pool)
{
    apr_pool_t *pool;
    up_store_t *store;

    apr_status_t rv = apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    if (rv)
        return up_error(result_pool, UP_STORE_UNAVAILABLE, rv,
                        "cannot make a pool for the store '%s'", site->uri);
    up_error_t *err = up_store_open(&store, site->uri, &site->options, pool);
    if (err) {
        err = up_error_copy(err, result_pool);
        apr_pool_destroy(pool);
        site->next_try = apr_time_now() + RETRY_AFTER;
        return err;
    }
    adopt_options(site, store, server);
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

/* SITE is not open: open it, unless someone else is at it or was just now. */
static up_error_t *
open_late(up_site_store_t *site, server_rec *server, apr_pool_t *pool)
{
    up_error_t *err = NULL;

    if (!site->opening || apr_thread_mutex_trylock(site->opening))
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "the store '%s' is not open yet", site->uri);
    if (!site->store) {
        if (apr_time_now() < site->next_try)
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

int
up_stores_is_news(request_rec *r)
{
    up_site_store_t *site = up_config_of_server(r->server)->site_store;
    apr_time_t now = apr_time_now();

    if (!site)
        return 1;
    apr_time_t next = __atomic_load_n(&site->next_news, __ATOMIC_RELAXED);
    return now >= next && __atomic_compare_exchange_n(
                              &site->next_news, &next, now + NEWS_AFTER, 0,
                              __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
