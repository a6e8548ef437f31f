/* up_status.c -- google.rpc.Status, the body of every error. */
#include "wire/up_status.h"
#include "wire/up_json_writer.h"

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

/* Begin a detail of TYPE. */
static void
begin_detail(up_json_writer_t *writer, const char *type)
{
    up_json_begin_object(writer, NULL);
    up_json_write_string(writer, "@type", type);
}

static void
write_violations(up_json_writer_t *writer, const apr_array_header_t *violations)
{
    begin_detail(writer, UP_STATUS_TYPE_URL "google.rpc.BadRequest");
    up_json_begin_array(writer, "fieldViolations");
    for (int i = 0; i < violations->nelts; i++) {
        const up_violation_t *violation =
            &APR_ARRAY_IDX(violations, i, up_violation_t);

        up_json_begin_object(writer, NULL);
        up_json_write_string(writer, "field", violation->field);
        up_json_write_string(writer, "description", violation->description);
        up_json_end_object(writer);
    }
    up_json_end_array(writer);
    up_json_end_object(writer);
}

void
up_status_json(const char **text,
               apr_size_t *length,
               const up_status_t *status,
               apr_pool_t *pool)
{
    up_json_writer_t *writer = up_json_writer_make(pool);

    up_json_begin_object(writer, NULL);
    up_json_write_number(writer, "code", status->code);
    up_json_write_string(writer, "message", status->message);
    up_json_begin_array(writer, "details");
    if (status->detail_id) {
        begin_detail(writer, UP_STATUS_TYPE_URL "zitadel.v1.ErrorDetail");
        up_json_write_string(writer, "id", status->detail_id);
        up_json_write_string(writer, "message", status->detail_text);
        up_json_end_object(writer);
    }
    begin_detail(writer, UP_STATUS_TYPE_URL "google.rpc.ErrorInfo");
    up_json_write_string(writer, "reason", status->reason);
    up_json_write_string(writer, "domain", UP_STATUS_DOMAIN);
    up_json_end_object(writer);
    if (status->violations)
        write_violations(writer, status->violations);
    up_json_end_array(writer);
    up_json_end_object(writer);
    up_json_writer_text(text, length, writer);
}
