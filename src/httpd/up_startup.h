/*
 * up_startup.h -- what is said when httpd starts or tests its configuration:
 * what is served, and what is likely to be a mistake.
 */
#ifndef UP_STARTUP_H
#define UP_STARTUP_H

#include <httpd.h>

/* check_config: for "apachectl configtest", log what is wrong with the
 * configuration and what may be, and make nothing. Returns OK, or an HTTP
 * status if a server with it could not serve what it says. Does nothing when
 * httpd starts. */
int up_startup_test(apr_pool_t *pconf,
                    apr_pool_t *plog,
                    apr_pool_t *ptemp,
                    server_rec *main);

/* post_config: log the same, and the version and what is served. Nothing of
 * that is a reason not to start. */
void up_startup_report(server_rec *main, apr_pool_t *ptemp);

#endif
