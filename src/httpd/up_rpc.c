/* up_rpc.c -- the two calls, and the health check, as gRPC and gRPC-Web. */
#include "httpd/up_rpc.h"
#include "core/up_utf8.h"
#include "httpd/up_body.h"
#include "httpd/up_config.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"
#include "httpd/up_rpc_reply.h"
#include "service/up_profiles.h"
#include "wire/up_grpcweb.h"
#include "wire/up_health_proto.h"
#include "wire/up_profile_proto.h"

#include <apr_strings.h>

#define MANAGEMENT "zitadel.management.v1.ManagementService"

/* A message, of a request or an answer. */
typedef struct message_t {
    const char *bytes;
    apr_size_t length;
} message_t;

/* Make ANSWER out of REQUEST. */
typedef up_error_t *(*procedure_t)(message_t *answer,
                                   const message_t *request,
                                   request_rec *r);

/* Read the one message that R's body is; *STATUS as in up_body_read(). */
static up_error_t *
read_message(message_t *message, int *status, request_rec *r)
{
    apr_size_t limit = up_config_max_body(up_config_of_place(r)), size;
    const char *encoding = apr_table_get(r->headers_in, "grpc-encoding");
    up_shape_t shape = up_request_known(r)->shape;
    const char *body;

    UP_ERR(up_body_read(&body, &size, status, r, limit));
    if (*status != OK)
        return NULL;
    if (shape == UP_SHAPE_GRPC)
        return up_grpc_decode(&message->bytes, &message->length, body, size,
                              encoding, limit, r->pool);
    return up_grpcweb_decode(&message->bytes, &message->length, body, size,
                             shape == UP_SHAPE_WEB_TEXT, encoding, limit,
                             r->pool);
}

/* Set *CALL from R and the USER in its message, unless the path names one. */
static up_error_t *
make_call(up_call_t *call, request_rec *r, const char *user)
{
    apr_interval_time_t timeout;

    if (!up_request_known(r)->user)
        up_request_of(r)->user = user;
    up_request_note(r, "userprofile-user", up_request_known(r)->user);
    UP_ERR(up_grpc_timeout(
        &timeout, apr_table_get(r->headers_in, "grpc-timeout"), r->pool));
    UP_ERR(up_request_call(call, r));
    if (timeout >= 0)
        call->deadline = r->request_time + timeout;
    return NULL;
}

static up_error_t *
update(message_t *answer, const message_t *request, request_rec *r)
{
    up_precondition_t *precondition;
    const up_profile_t *profile;
    const up_user_t *user;
    const char *id, *org;
    up_call_t call;

    UP_ERR(up_profile_proto_decode_update(&id, &profile, request->bytes,
                                          request->length, r->pool));
    UP_ERR(up_precondition_parse(&precondition,
                                 apr_table_get(r->headers_in, "If-Match"), NULL,
                                 r->pool));
    UP_ERR(make_call(&call, r, id));
    up_error_t *err = up_profiles_update(&user, &org, &call, profile,
                                         precondition, r->pool, r->pool);
    up_request_note(r, "userprofile-org", org);
    UP_ERR(err);
    up_request_note_sequence(r, user->sequence);
    up_profile_proto_encode(&answer->bytes, &answer->length, user, 0, r->pool);
    return NULL;
}

static up_error_t *
get(message_t *answer, const message_t *request, request_rec *r)
{
    up_precondition_t *precondition;
    const up_user_t *user;
    const char *id, *org;
    up_call_t call;
    int unmodified;

    UP_ERR(up_profile_proto_decode_get(&id, request->bytes, request->length,
                                       r->pool));
    UP_ERR(up_precondition_parse(&precondition,
                                 apr_table_get(r->headers_in, "If-Match"), NULL,
                                 r->pool));
    UP_ERR(make_call(&call, r, id));
    up_error_t *err = up_profiles_get(&user, &unmodified, &org, &call,
                                      precondition, r->pool, r->pool);
    up_request_note(r, "userprofile-org", org);
    UP_ERR(err);
    up_request_note_sequence(r, user->sequence);
    up_profile_proto_encode(&answer->bytes, &answer->length, user, 1, r->pool);
    return NULL;
}

static up_error_t *
look_at_store(request_rec *r)
{
    up_store_t *store;
    up_view_t *view;

    UP_ERR(up_stores_get(&store, r));
    return up_store_read(&view, store, NULL, NULL, NULL, r->pool, r->pool);
}

/* Whether R's store answers; if not, the log says why. */
static int
is_serving(request_rec *r)
{
    up_error_t *err = look_at_store(r);

    if (err)
        up_reply_log(r, err);
    return !err;
}

static up_error_t *
health(message_t *answer, const message_t *request, request_rec *r)
{
    const char *service;

    UP_ERR(up_health_proto_decode(&service, request->bytes, request->length,
                                  r->pool));
    if (*service && strcmp(service, MANAGEMENT) != 0)
        return up_error(r->pool, UP_SERVICE_UNKNOWN, APR_SUCCESS,
                        "the health of a service that is not served here");
    up_health_proto_encode(&answer->bytes, &answer->length, is_serving(r),
                           r->pool);
    return NULL;
}

/* Read R's message, let PROCEDURE answer it, and send that. */
static int
serve(request_rec *r, procedure_t procedure)
{
    message_t request, answer;
    int status;

    up_error_t *err = read_message(&request, &status, r);
    if (!err && status != OK)
        return status;
    if (!err)
        err = procedure(&answer, &request, r);
    if (err)
        return up_reply_error(r, err);
    return up_rpc_reply(r, answer.bytes, answer.length);
}

static int
serve_caller(request_rec *r, procedure_t procedure)
{
    up_error_t *err = up_request_require_caller(r);

    return err ? up_reply_error(r, err) : serve(r, procedure);
}

int
up_rpc_update(request_rec *r)
{
    return serve_caller(r, update);
}

int
up_rpc_get(request_rec *r)
{
    return serve_caller(r, get);
}

int
up_rpc_health(request_rec *r)
{
    return serve(r, health);
}

int
up_rpc_unknown(request_rec *r)
{
    const char *method = strrchr(r->uri, '/') + 1;
    const char *service =
        apr_pstrmemdup(r->pool, r->uri, (apr_size_t)(method - 1 - r->uri));
    apr_size_t characters;

    /* Its name goes into a protobuf string. */
    if (!up_utf8_count(&characters, method, strlen(method)))
        method = "(not UTF-8)";

    return up_reply_error(r, up_error(r->pool, UP_UNIMPLEMENTED, APR_SUCCESS,
                                      "unknown method %s for service %s",
                                      method, strrchr(service, '/') + 1));
}
