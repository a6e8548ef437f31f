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

/* How long ID is in code points; in bytes, if it is not UTF-8. */
apr_size_t up_id_length(const char *id);

#endif
