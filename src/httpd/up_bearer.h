/*
 * up_bearer.h -- AuthType UserProfile: bearer tokens (RFC 6750) of our own; and
 * the check that a request has a caller.
 */
#ifndef UP_BEARER_H
#define UP_BEARER_H

#include "core/up_error.h"

#include <httpd.h>

/* check_authn: if our AuthType applies, set R's user from its token, or refuse
 * R: AUTH_HEADER_MISSING, AUTH_HEADER_INVALID, TOKEN_INVALID, or the store's
 * error. */
int up_bearer_authenticate(request_rec *r);

/* force_authn: if our AuthType applies to a path of ours, authenticate even if
 * every client is admitted. */
int up_bearer_force(request_rec *r);

/* note_auth_failure: set WWW-Authenticate if the AuthType TYPE is ours. */
int up_bearer_note_failure(request_rec *r, const char *type);

/* Note CALLER, R's, for the log; AUTH_HEADER_MISSING, with a challenge, if it
 * is NULL or empty, or left over from a request that was refused. */
UP_MUST_CHECK up_error_t *up_bearer_require_caller(request_rec *r,
                                                   const char *caller);

#endif
