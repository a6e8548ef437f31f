/*
 * up_route.h -- which requests are ours, and what each asks for.
 *
 * A path of ours never touches the file system: no <Directory>, .htaccess,
 * alias or proxy applies to it.
 */
#ifndef UP_ROUTE_H
#define UP_ROUTE_H

#include "httpd/up_request.h"

/* Serves a request; as httpd's handlers, returns OK or an HTTP status. */
typedef int (*up_serve_t)(request_rec *r);

/* One row of the table: a method on a path with a kind of body. */
struct up_route_t {
    const char *path; /* its end; "*" stands for one segment, the user id */
    int method;       /* M_GET includes HEAD */
    unsigned shapes;  /* of bodies that it takes: up_shape_t */
    up_serve_t serve;
    int anyone; /* whether it is served to whom Apache lets in, caller or not */
};

/* translate_name: mark a request whose path, perhaps rewritten, is ours where
 * UserProfile is On, and keep it from the file system, from aliases and
 * proxies. */
int up_route_translate(request_rec *r);

/* map_to_storage: nothing to map for a marked request. */
int up_route_storage(request_rec *r);

/* post_perdir_config: choose the route on the path as it finally is, or refuse
 * the method (405), the media type (415), or gRPC without HTTP/2 (505). */
int up_route_choose(request_rec *r);

/* type_checker: no file of which to find the type for a marked request. */
int up_route_type(request_rec *r);

/* fixups: make our handler R's, whatever SetHandler says. */
int up_route_fixup(request_rec *r);

/* handler */
int up_route_serve(request_rec *r);

/* Whether R would be ours by its path and its place; for errors raised before
 * that was asked. R is left as it is. */
int up_route_is_ours(request_rec *r);

/* For an error raised before a route was chosen: take the shape of R's answer
 * from its Content-Type, as far as that can be answered. */
void up_route_assume_shape(request_rec *r);

/* The value of Allow for R's path, in R's pool. */
const char *up_route_allow(request_rec *r);

#endif
