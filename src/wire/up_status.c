/* up_status.c -- google.rpc.Status, the body of every error. */
#include "wire/up_status.h"
#include "wire/up_json.h"

#include <apr_strings.h>

up_status_t *
up_status_of(const up_error_t *err, apr_pool_t *pool)
{
    const up_reason_info_t *info = up_reason_info(err->reason);
    up_status_t *status = apr_pcalloc(pool, sizeof(*status));

    status->code = info->code;
    status->message = up_error_public(err, pool);
    status->reason = info->name;
    status->detail_id = info->id;
    status->detail_text = info->id ? info->text : NULL;
    status->violations = err->violations;
    return status;
}

/* Append a detail of TYPE to DETAILS. */
static up_json_t *
add_detail(up_json_t *details, const char *type, apr_pool_t *pool)
{
    up_json_t *detail = up_json_object(pool);

    up_json_set_string(detail, "@type",
                       apr_pstrcat(pool, "type.googleapis.com/", type, NULL));
    up_json_add(details, detail);
    return detail;
}

static void
add_bad_request(up_json_t *details,
                const apr_array_header_t *violations,
                apr_pool_t *pool)
{
    up_json_t *detail = add_detail(details, "google.rpc.BadRequest", pool);
    up_json_t *list = up_json_array(pool);

    for (int i = 0; i < violations->nelts; i++) {
        const up_violation_t *violation =
            &APR_ARRAY_IDX(violations, i, up_violation_t);
        up_json_t *entry = up_json_object(pool);

        up_json_set_string(entry, "field", violation->field);
        up_json_set_string(entry, "description", violation->description);
        up_json_add(list, entry);
    }
    up_json_set(detail, "fieldViolations", list);
}

void
up_status_json(const char **text,
               apr_size_t *length,
               const up_status_t *status,
               apr_pool_t *pool)
{
    up_json_t *object = up_json_object(pool), *details = up_json_array(pool);

    if (status->detail_id) {
        up_json_t *detail = add_detail(details, "zitadel.v1.ErrorDetail", pool);
        up_json_set_string(detail, "id", status->detail_id);
        up_json_set_string(detail, "message", status->detail_text);
    }

    up_json_t *info = add_detail(details, "google.rpc.ErrorInfo", pool);
    up_json_set_string(info, "reason", status->reason);
    up_json_set_string(info, "domain", "userprofile");

    if (status->violations)
        add_bad_request(details, status->violations, pool);

    up_json_set_number(object, "code", status->code);
    up_json_set_string(object, "message", status->message);
    up_json_set(object, "details", details);
    up_json_print(text, length, object, pool);
}
