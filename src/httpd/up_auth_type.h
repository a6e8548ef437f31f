/* up_auth_type.h -- what the name after AuthType is likely to mean. */
#ifndef UP_AUTH_TYPE_H
#define UP_AUTH_TYPE_H

/* Whether TYPE is UserProfile, in any case; whether it is that but for two
 * letters, and so likely to be meant as it. */
int up_auth_type_is_ours(const char *type);
int up_auth_type_is_like_ours(const char *type);

/* The source file of the module whose AuthType TYPE is, if it is known and not
 * loaded; otherwise NULL. */
const char *up_auth_type_missing(const char *type);

#endif
