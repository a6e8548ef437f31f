/*
 * up_bearer.h -- AuthType UserProfile: bearer tokens (RFC 6750) of our own.
 */
#ifndef UP_BEARER_H
#define UP_BEARER_H

#include <httpd.h>

/* check_authn: where our AuthType applies, set R's user from its token, or
 * refuse: AUTH_HEADER_MISSING, AUTH_HEADER_INVALID, TOKEN_INVALID. */
int up_bearer_authenticate(request_rec *r);

/* force_authn: look at a caller's token for our paths even where everyone is
 * let in. */
int up_bearer_force(request_rec *r);

/* note_auth_failure: challenge where TYPE is ours. */
int up_bearer_note_failure(request_rec *r, const char *type);

/* The value of WWW-Authenticate for R: with the AuthName if one is set, with
 * error="invalid_token" if INVALID_TOKEN. */
const char *up_bearer_challenge(request_rec *r, int invalid_token);

#endif
