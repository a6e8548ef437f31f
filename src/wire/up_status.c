/* up_status.c -- google.rpc.Status, the body of every error. */
#include "wire/up_status.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "wire/up_message.h"
#include "zitadel/message.pb-c.h"

#include <apr_strings.h>

typedef Google__Protobuf__Any any_t;
typedef Google__Rpc__BadRequest bad_request_t;
typedef Google__Rpc__BadRequest__FieldViolation field_violation_t;
typedef Google__Rpc__ErrorInfo error_info_t;
typedef Google__Rpc__Status rpc_status_t;
typedef Zitadel__V1__ErrorDetail error_detail_t;

#define TYPE_URL "type.googleapis.com/" /* before the type of a detail */

/* protobuf-c's structs have no const, but nothing writes to them here. */

static void
add_error_detail(apr_array_header_t *details,
                 const up_reason_info_t *info,
                 apr_pool_t *pool)
{
    error_detail_t *detail = apr_palloc(pool, sizeof(*detail));

    zitadel__v1__error_detail__init(detail);
    detail->id = (char *)info->id;
    detail->message = (char *)info->text;
    APR_ARRAY_PUSH(details, const ProtobufCMessage *) = &detail->base;
}

static void
add_error_info(apr_array_header_t *details,
               const up_reason_info_t *info,
               apr_pool_t *pool)
{
    error_info_t *detail = apr_palloc(pool, sizeof(*detail));

    google__rpc__error_info__init(detail);
    detail->reason = (char *)info->name;
    detail->domain = (char *)UP_STATUS_DOMAIN;
    APR_ARRAY_PUSH(details, const ProtobufCMessage *) = &detail->base;
}

static void
add_bad_request(apr_array_header_t *details,
                const apr_array_header_t *violations,
                apr_pool_t *pool)
{
    apr_size_t count = (apr_size_t)violations->nelts;
    bad_request_t *detail = apr_palloc(pool, sizeof(*detail));
    field_violation_t *fields = apr_palloc(pool, count * sizeof(*fields));

    google__rpc__bad_request__init(detail);
    detail->n_field_violations = count;
    detail->field_violations =
        apr_palloc(pool, count * sizeof(*detail->field_violations));
    for (apr_size_t i = 0; i < count; i++) {
        const up_violation_t *violation =
            &APR_ARRAY_IDX(violations, i, up_violation_t);
        google__rpc__bad_request__field_violation__init(&fields[i]);
        fields[i].field = (char *)violation->field;
        fields[i].description = (char *)violation->description;
        detail->field_violations[i] = &fields[i];
    }
    APR_ARRAY_PUSH(details, const ProtobufCMessage *) = &detail->base;
}

up_status_t *
up_status_of(const up_error_t *err, apr_pool_t *pool)
{
    const up_reason_info_t *info = up_reason_info(err->reason);
    apr_array_header_t *details =
        apr_array_make(pool, 3, sizeof(const ProtobufCMessage *));
    up_status_t *status = apr_palloc(pool, sizeof(*status));

    status->code = info->code;
    status->message = up_error_public(err, pool);
    status->details = details;
    if (info->id)
        add_error_detail(details, info, pool);
    add_error_info(details, info, pool);
    if (err->violations)
        add_bad_request(details, err->violations, pool);
    return status;
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
    for (int i = 0; i < status->details->nelts; i++) {
        const ProtobufCMessage *detail =
            APR_ARRAY_IDX(status->details, i, const ProtobufCMessage *);
        up_json_begin_object(writer, NULL);
        up_json_write_string(
            writer, "@type",
            apr_pstrcat(pool, TYPE_URL, detail->descriptor->name, NULL));
        up_message_write_members(writer, detail, pool);
        up_json_end_object(writer);
    }
    up_json_end_array(writer);
    up_json_end_object(writer);
    up_json_writer_text(text, length, writer);
}

void
up_status_proto(const char **bytes,
                apr_size_t *length,
                const up_status_t *status,
                apr_pool_t *pool)
{
    rpc_status_t message = GOOGLE__RPC__STATUS__INIT;
    apr_size_t count = (apr_size_t)status->details->nelts;
    any_t *any = apr_palloc(pool, count * sizeof(*any));

    message.code = status->code;
    message.message = (char *)status->message;
    message.n_details = count;
    message.details = apr_palloc(pool, count * sizeof(*message.details));
    for (apr_size_t i = 0; i < count; i++) {
        const ProtobufCMessage *detail =
            APR_ARRAY_IDX(status->details, i, const ProtobufCMessage *);
        const char *value;

        google__protobuf__any__init(&any[i]);
        up_message_pack(&value, &any[i].value.len, detail, pool);
        any[i].value.data = (uint8_t *)value;
        any[i].type_url =
            apr_pstrcat(pool, TYPE_URL, detail->descriptor->name, NULL);
        message.details[i] = &any[i];
    }
    up_message_pack(bytes, length, &message.base, pool);
}
