/* up_rest.c -- the two calls as REST: JSON over any HTTP. */
#include "httpd/up_rest.h"
#include "httpd/up_body.h"
#include "httpd/up_config.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"
#include "service/up_profiles.h"
#include "wire/up_profile_json.h"

#include <apr_strings.h>

static up_error_t *
read_precondition(up_precondition_t **precondition, request_rec *r)
{
    return up_precondition_parse(
        precondition, apr_table_get(r->headers_in, "If-Match"),
        apr_table_get(r->headers_in, "If-None-Match"), r->pool);
}

/* Set ETag, and the note for the log, from USER. */
static void
announce(request_rec *r, const up_user_t *user)
{
    const char *sequence = up_request_note_sequence(r, user->sequence);

    apr_table_setn(r->headers_out, "ETag",
                   apr_pstrcat(r->pool, "\"", sequence, "\"", NULL));
}

static int
reply_user(request_rec *r, const up_user_t *user, int with_profile)
{
    const char *text;
    apr_size_t length;

    announce(r, user);
    up_profile_json_encode(&text, &length, user, with_profile, r->pool);
    return up_reply_json(r, HTTP_OK, text, length);
}

static up_error_t *
get(const up_user_t **user, int *unmodified, request_rec *r)
{
    up_precondition_t *precondition;
    const char *org;
    up_call_t call;

    UP_ERR(up_request_require_caller(r));
    UP_ERR(read_precondition(&precondition, r));
    UP_ERR(up_request_call(&call, r));
    up_error_t *err = up_profiles_get(user, unmodified, &org, &call,
                                      precondition, r->pool, r->pool);
    up_request_note(r, "userprofile-org", org);
    return err;
}

int
up_rest_get(request_rec *r)
{
    const up_user_t *user;
    int unmodified;

    up_error_t *err = get(&user, &unmodified, r);
    if (err)
        return up_reply_error(r, err);
    if (!unmodified)
        return reply_user(r, user, 1);

    announce(r, user);
    up_reply_common_headers(r->headers_out);
    r->status = HTTP_NOT_MODIFIED;
    return OK;
}

static up_error_t *
put(const up_user_t **user, int *status, request_rec *r)
{
    up_precondition_t *precondition;
    const up_profile_t *profile;
    const char *body, *org;
    apr_size_t length;
    up_call_t call;

    *status = OK;
    UP_ERR(up_request_require_caller(r));
    UP_ERR(up_body_read(&body, &length, status, r,
                        up_config_max_body(up_config_of_place(r))));
    if (*status != OK)
        return NULL;
    UP_ERR(up_profile_json_decode(&profile, body, length, r->pool));
    UP_ERR(read_precondition(&precondition, r));
    UP_ERR(up_request_call(&call, r));
    up_error_t *err = up_profiles_update(user, &org, &call, profile,
                                         precondition, r->pool, r->pool);
    up_request_note(r, "userprofile-org", org);
    return err;
}

int
up_rest_put(request_rec *r)
{
    const up_user_t *user;
    int status;

    up_error_t *err = put(&user, &status, r);
    if (err)
        return up_reply_error(r, err);
    return status == OK ? reply_user(r, user, 0) : status;
}
