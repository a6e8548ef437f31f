/* up_status_proto.c -- google.rpc.Status as protobuf. */
#include "wire/up_status_proto.h"
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

/* A status has no more details than this. */
#define MAX_DETAILS 3

/* Append DETAIL to STATUS, whose array of details has room for it. */
static void
add_detail(rpc_status_t *status,
           const ProtobufCMessage *detail,
           apr_pool_t *pool)
{
    any_t *any = apr_palloc(pool, sizeof(*any));
    const char *bytes;
    apr_size_t length;

    up_message_pack(&bytes, &length, detail, pool);
    google__protobuf__any__init(any);
    any->type_url =
        apr_pstrcat(pool, UP_STATUS_TYPE_URL, detail->descriptor->name, NULL);
    any->value.data = (uint8_t *)bytes;
    any->value.len = length;
    status->details[status->n_details++] = any;
}

static void
add_bad_request(rpc_status_t *status,
                const apr_array_header_t *violations,
                apr_pool_t *pool)
{
    bad_request_t detail = GOOGLE__RPC__BAD_REQUEST__INIT;
    apr_size_t count = (apr_size_t)violations->nelts;
    field_violation_t *fields = apr_palloc(pool, count * sizeof(*fields));

    detail.n_field_violations = count;
    detail.field_violations =
        apr_palloc(pool, count * sizeof(*detail.field_violations));
    for (apr_size_t i = 0; i < count; i++) {
        const up_violation_t *violation =
            &APR_ARRAY_IDX(violations, i, up_violation_t);
        google__rpc__bad_request__field_violation__init(&fields[i]);
        fields[i].field = (char *)violation->field;
        fields[i].description = (char *)violation->description;
        detail.field_violations[i] = &fields[i];
    }
    add_detail(status, &detail.base, pool);
}

void
up_status_proto_encode(const char **bytes,
                       apr_size_t *length,
                       const up_status_t *status,
                       apr_pool_t *pool)
{
    rpc_status_t message = GOOGLE__RPC__STATUS__INIT;
    any_t *details[MAX_DETAILS];

    message.code = status->code;
    message.message = (char *)status->message;
    message.details = details;

    if (status->detail_id) {
        error_detail_t detail = ZITADEL__V1__ERROR_DETAIL__INIT;
        detail.id = (char *)status->detail_id;
        detail.message = (char *)status->detail_text;
        add_detail(&message, &detail.base, pool);
    }

    error_info_t info = GOOGLE__RPC__ERROR_INFO__INIT;
    info.reason = (char *)status->reason;
    info.domain = (char *)UP_STATUS_DOMAIN;
    add_detail(&message, &info.base, pool);

    if (status->violations)
        add_bad_request(&message, status->violations, pool);
    up_message_pack(bytes, length, &message.base, pool);
}
