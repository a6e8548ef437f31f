/*
 * up_stores.h -- the stores that the servers name, each made ready once by the
 * parent and opened once by each child.
 *
 * A store that is opened late is published to other threads by the __atomic
 * built-ins of gcc and clang: apr_atomic can read a pointer only by exchanging
 * it, which the threads of all requests would wait for.
 */
#ifndef UP_STORES_H
#define UP_STORES_H

#include "store/up_store.h"

#include <httpd.h>

/* A store that one or more servers name. */
typedef struct up_site_store_t up_site_store_t;

/* post_config: make ready every store that is asked for, and say to each
 * server which is its own. Two servers that name the same one, however they
 * spell it, share it. A store that cannot be made ready is logged, and is no
 * reason not to start. Lives in PCONF. Returns how many these are. If IS_TEST,
 * for configtest, nothing is made. */
int up_stores_prepare(apr_pool_t *pconf,
                      apr_pool_t *ptemp,
                      server_rec *main,
                      int is_test);

/* child_init: open them; one that cannot be opened is logged. */
void up_stores_open(apr_pool_t *pchild, server_rec *main);

/* Set *STORE to that of R's server. One that is not open yet is tried again,
 * at most once a second, by one request; STORE_UNAVAILABLE meanwhile. */
UP_MUST_CHECK up_error_t *up_stores_get(up_store_t **store, request_rec *r);

/* Call VISIT for each store that a server names, with its URI; STORE is NULL if
 * it is not open. */
typedef void up_stores_visit_t(void *baton, const char *uri, up_store_t *store);
void up_stores_each(up_stores_visit_t *visit, void *baton);

/* Take the turn to log, as an error, that the store of R's server is in
 * trouble. There is one in each second in each child, so that an outage is in
 * the log and the log stays readable. Returns 0 if it has been taken. */
int up_stores_take_log_turn(request_rec *r);

/* Log which process has locked the store of R's server for too long, if one
 * has: once for all children, and once each time that it is locked. */
void up_stores_report_lock(request_rec *r);

/* Log that the store of R's server is half full, if it is: once for all
 * children. Looks at most once a second. */
void up_stores_report_filling(request_rec *r);

#endif
