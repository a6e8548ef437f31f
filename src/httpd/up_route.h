/*
 * up_route.h -- finds the requests that are ours, and the method of each.
 *
 * A path of ours never touches the file system: no <Directory>, .htaccess,
 * alias or proxy applies to it.
 */
#ifndef UP_ROUTE_H
#define UP_ROUTE_H

#include <httpd.h>

/* Make the table of paths, in POOL; before threads start. */
void up_route_init(apr_pool_t *pool);

/* translate_name: mark a request whose path, perhaps rewritten, is ours under
 * its <Location>, and keep it from the file system, from aliases and from
 * proxies. */
int up_route_translate(request_rec *r);

/* map_to_storage: nothing to map for a marked request. */
int up_route_storage(request_rec *r);

/* post_perdir_config: choose the method on the path as it finally is, or refuse
 * the HTTP method (405), the media type (415), or gRPC without HTTP/2 (505).
 * 404 for a marked request that turns out not to be ours. */
int up_route_choose(request_rec *r);

/* type_checker: a marked request has no file whose type matters. */
int up_route_type(request_rec *r);

/* fixups: make our handler R's, whatever SetHandler says. */
int up_route_fixup(request_rec *r);

/* Whether R, in its handler, is ours to serve. */
int up_route_is_handled(const request_rec *r);

/* Look R up if that was not done yet: whether it is ours, and by which protocol
 * its errors are written; for errors raised before it was chosen. */
int up_route_is_ours(request_rec *r);

#endif
