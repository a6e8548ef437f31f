/* up_id.h -- ids of users and organisations. */
#ifndef UP_ID_H
#define UP_ID_H

#include <apr.h>

/* No stored id is longer, in bytes; it keeps every key under LMDB's 511. */
#define UP_ID_MAX_BYTES 200

/* A user id in a request may not be longer, in code points. */
#define UP_ID_MAX_CODE_POINTS 200

/* Whether ID can be stored: 1 to UP_ID_MAX_BYTES bytes of UTF-8 without
 * control characters. */
int up_id_is_storable(const char *id);

/* Whether a new organisation or user may have ID: it can be stored, and is
 * neither "." nor "..", which no path can hold: clients and servers resolve
 * them. */
int up_id_is_allowed(const char *id);

/* Whether ID has a slash, so that no REST path can name it: httpd refuses %2F
 * in a path, or leaves it as it is, or takes it for a slash of the path. */
int up_id_has_slash(const char *id);

/* How long ID is in code points; in bytes, if it is not UTF-8. */
apr_size_t up_id_length(const char *id);

#endif
