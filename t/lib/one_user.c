/* one_user.c -- the published calls on a store of one user, in memory. */
#include "one_user.h"
#include "store/up_store_driver.h"
#include "wire/up_message.h"

#include <string.h>

up_user_t one_user;
up_profile_t one_user_profile;

void
one_user_reset(void)
{
    one_user_profile =
        (up_profile_t){{"Gigi", "Giraffe", "", "Gigi Giraffe", "en", ""}, 0};
    one_user = (up_user_t){.org = "69629023906488334",
                           .id = "U1",
                           .sequence = 12,
                           .created = ONE_USER_CREATED,
                           .changed = ONE_USER_CHANGED,
                           .profile = &one_user_profile};
}

static up_error_t *
read_view(up_view_t **view,
          up_store_t *store,
          const up_query_t *query,
          apr_pool_t *result_pool,
          apr_pool_t *scratch_pool)
{
    up_view_t *found = apr_pcalloc(result_pool, sizeof(*found));
    apr_array_header_t *roles =
        apr_array_make(result_pool, 1, sizeof(const char *));
    int is_there = query->user && !strcmp(query->user, one_user.id);

    (void)store;
    (void)scratch_pool;
    *view = found;
    APR_ARRAY_PUSH(roles, const char *) = "IAM_OWNER";
    if (query->caller && !strcmp(query->caller, "admin"))
        found->instance_roles = roles;
    found->caller_org = one_user.org;
    found->wanted_exists =
        query->wanted && !strcmp(query->wanted, one_user.org);
    found->user_state = one_user.state;
    found->org = !query->in_any_org || is_there ? one_user.org : NULL;
    if (is_there && (!query->may_read || query->may_read(query->baton, found)))
        found->user = &one_user;
    return NULL;
}

static up_error_t *
update(const up_user_t **after,
       up_store_t *store,
       const char *org,
       const char *user,
       const up_user_t *seen,
       up_decide_t decide,
       void *baton,
       apr_pool_t *result_pool,
       apr_pool_t *scratch_pool)
{
    up_change_t change = {0};

    (void)store;
    (void)org;
    (void)user;
    (void)seen;
    (void)scratch_pool;
    UP_ERR(decide(&change, baton, &one_user, result_pool));
    *after = change.user ? change.user : &one_user;
    return NULL;
}

static up_error_t *
probe(apr_uint32_t *episode, up_store_t *store, apr_pool_t *pool)
{
    (void)store;
    (void)pool;
    *episode = 0;
    return NULL;
}

static const up_store_driver_t driver = {.read = read_view,
                                         .update = update,
                                         .probe = probe};
static up_store_t one_user_store = {.driver = &driver};

up_call_t
one_user_make_call(const char *caller, apr_pool_t *pool)
{
    return (up_call_t){.store = &one_user_store,
                       .caller = caller,
                       .self = UP_USER_READ | UP_USER_WRITE,
                       .pool = pool};
}

up_error_t *
one_user_call(const ProtobufCMessage **answer,
              const up_service_t *service,
              const char *method,
              up_call_t *call,
              const char *request)
{
    const up_method_t *found = up_service_method(service, method);
    ProtobufCMessage *message;

    if (!found)
        return up_error(call->pool, UP_UNIMPLEMENTED, APR_SUCCESS, "no %s",
                        method);
    UP_ERR(up_message_from_json(&message, found->request, request,
                                strlen(request), call->pool));
    return up_method_call(answer, found, call, message);
}
