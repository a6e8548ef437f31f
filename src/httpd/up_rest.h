/* up_rest.h -- the two calls as REST: JSON over any HTTP. */
#ifndef UP_REST_H
#define UP_REST_H

#include <httpd.h>

/* GET and HEAD .../users/{id}/profile */
int up_rest_get(request_rec *r);

/* PUT .../users/{id}/profile */
int up_rest_put(request_rec *r);

#endif
