/* up_call.h -- serving one call: from its message to its answer. */
#ifndef UP_CALL_H
#define UP_CALL_H

#include <httpd.h>

/* handler: read the message of R's method, call it, and send the answer. */
int up_call_serve(request_rec *r);

#endif
