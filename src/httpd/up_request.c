/* up_request.c -- the module's state of a request. */
#include "httpd/up_request.h"
#include "core/up_clock.h"
#include "httpd/up_config.h"

#include <http_protocol.h>

up_request_t *
up_request_of(request_rec *r)
{
    up_request_t *request =
        ap_get_module_config(r->request_config, &userprofile_module);

    if (!request) {
        request = apr_pcalloc(r->pool, sizeof(*request));
        request->began = up_clock();
        ap_set_module_config(r->request_config, &userprofile_module, request);
    }
    return request;
}

const up_request_t *
up_request_known(const request_rec *r)
{
    static const up_request_t nothing;
    const up_request_t *request =
        ap_get_module_config(r->request_config, &userprofile_module);

    return request ? request : &nothing;
}

up_error_t *
up_request_foreign(request_rec *r, int http)
{
    const char *line = ap_get_status_line(http); /* "404 Not Found" */
    const char *blank = strchr(line, ' ');

    return up_error_from_http(r->pool, http, blank ? blank + 1 : line);
}

void
up_request_note(request_rec *r, const char *name, const char *value)
{
    if (value && *value)
        apr_table_setn(r->notes, name, value);
}

void
up_request_note_reason(request_rec *r, up_reason_t reason)
{
    const up_reason_info_t *info = up_reason_info(reason);

    up_request_of(r)->reason = info;
    up_request_note(r, "userprofile-reason", info->name);
}
