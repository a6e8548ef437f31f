/*
 * up_identity.h -- who calls, and what the site says of the caller besides:
 * UserProfileCaller, UserProfileCallerOrg, UserProfileCallerRoles.
 */
#ifndef UP_IDENTITY_H
#define UP_IDENTITY_H

#include "service/up_access.h"

#include <httpd.h>

/* Set CALL's caller, claimed_org and claimed_roles, in R's pool, to what the
 * directives that apply to R give. To be called before R's body is read, which
 * may add trailers to the headers. AUTH_HEADER_MISSING, with a challenge, if
 * there is no caller; INTERNAL if an expression fails, or gives roles that are
 * JSON but neither an array of strings nor an object. */
UP_MUST_CHECK up_error_t *up_identity_read(up_call_t *call, request_rec *r);

#endif
