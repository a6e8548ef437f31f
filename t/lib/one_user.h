/* one_user.h -- the published calls on a store of one user, in memory. */
#ifndef ONE_USER_H
#define ONE_USER_H

#include "api/up_api.h"

/* When the user was made and changed: 2025-03-25T09:00:00.100Z and
 * 2025-03-25T10:28:47.405123Z. */
#define ONE_USER_CREATED APR_TIME_C(1742893200100000)
#define ONE_USER_CHANGED APR_TIME_C(1742898527405123)

/* The user "U1", and its profile; a change is answered, and not kept. */
extern up_user_t one_user;
extern up_profile_t one_user_profile;

/* Make the user what it is at first: of the organisation 69629023906488334, at
 * sequence 12. */
void one_user_reset(void);

/* A call by CALLER, which lives in POOL: "admin" manages the instance, others
 * have no role; callers may do all to themselves. */
up_call_t one_user_make_call(const char *caller, apr_pool_t *pool);

/* Set *ANSWER to the answer of METHOD, of SERVICE, to REQUEST, JSON. */
up_error_t *one_user_call(const ProtobufCMessage **answer,
                          const up_service_t *service,
                          const char *method,
                          up_call_t *call,
                          const char *request);

#endif
