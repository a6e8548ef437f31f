/*
 * up_cors.h -- UserProfileCors: pages of other origins may call, and read the
 * answers (the CORS protocol of the Fetch Standard, 3.2).
 */
#ifndef UP_CORS_H
#define UP_CORS_H

#include "core/up_error.h"

#include <httpd.h>

/* A list of origins, here and below, is an array of const char *, as browsers
 * send them, or "*" alone; NULL or empty where CORS is off. */

/* Set *ORIGIN, in POOL, to TEXT as browsers send it: in lower case, without the
 * scheme's own port. Returns 0 if TEXT is not an origin that has a host. */
int up_cors_parse_origin(const char **origin,
                         const char *text,
                         apr_pool_t *pool);

/* Whether R is a preflight: the question of a browser whether a page may make
 * another request. None is where CORS is off. */
int up_cors_is_preflight(const request_rec *r,
                         const apr_array_header_t *origins);

/* Say in R's answer, whatever it becomes, whether the page that R comes from
 * may read it. Harmless to repeat. Returns whether it may. */
int up_cors_allow(request_rec *r, const apr_array_header_t *origins);

/* check_access_ex: let a preflight past authentication if its origin may call;
 * browsers send no credentials with it. */
int up_cors_check_access(request_rec *r);

/* handler: answer a preflight whose origin may call. */
int up_cors_serve(request_rec *r);

#endif
