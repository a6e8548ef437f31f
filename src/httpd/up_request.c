/* up_request.c -- what we know of a request. */
#include "httpd/up_request.h"
#include "httpd/up_config.h"

#include <apr_strings.h>

up_request_t *
up_request_of(request_rec *r)
{
    up_request_t *request =
        ap_get_module_config(r->request_config, &userprofile_module);

    if (!request) {
        request = apr_pcalloc(r->pool, sizeof(*request));
        request->shape = UP_SHAPE_JSON;
        ap_set_module_config(r->request_config, &userprofile_module, request);
    }
    return request;
}

const up_request_t *
up_request_known(const request_rec *r)
{
    static const up_request_t nothing = {.shape = UP_SHAPE_JSON};
    const up_request_t *request =
        ap_get_module_config(r->request_config, &userprofile_module);

    return request ? request : &nothing;
}

up_error_t *
up_request_require_caller(request_rec *r)
{
    up_request_note(r, "userprofile-caller", r->user);
    if (r->user && *r->user)
        return NULL;
    return up_error(r->pool, UP_AUTH_HEADER_MISSING, APR_SUCCESS,
                    "no Apache module authenticated the caller");
}

up_error_t *
up_request_call(up_call_t *call, request_rec *r)
{
    memset(call, 0, sizeof(*call));
    UP_ERR(up_stores_get(&call->store, r));
    call->caller = r->user;
    call->org = apr_table_get(r->headers_in, "x-zitadel-orgid");
    call->user = up_request_of(r)->user;
    call->roles = up_config_of_place(r)->roles;
    return NULL;
}

void
up_request_note(request_rec *r, const char *name, const char *value)
{
    if (value && *value)
        apr_table_setn(r->notes, name, value);
}

const char *
up_request_note_sequence(request_rec *r, apr_uint64_t sequence)
{
    const char *text = apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, sequence);

    up_request_note(r, "userprofile-sequence", text);
    return text;
}
