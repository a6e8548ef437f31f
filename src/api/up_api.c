/* up_api.c -- the published calls. */
#include "api/up_api.h"
#include "wire/up_message.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

const up_service_t *const up_services[] = {
    &up_service_management,
    &up_service_auth,
    &up_service_user,
    &up_service_health,
    NULL,
};

const up_service_t *
up_service_by_name(const char *name)
{
    const up_service_t *const *service = up_services;

    while (*service && strcmp((*service)->name, name) != 0)
        service++;
    return *service;
}

const up_method_t *
up_service_method(const up_service_t *service, const char *name)
{
    for (int i = 0; i < service->methods; i++) {
        if (!strcmp(service->method[i].name, name))
            return &service->method[i];
    }
    return NULL;
}

/* The name of TYPE without its package: "UpdateUserRequest_Human". */
static const char *
type_name(const ProtobufCMessageDescriptor *type, apr_pool_t *pool)
{
    char *name = apr_pstrdup(pool, type->name + strlen(type->package_name) +
                                       sizeof(".") - 1);

    for (char *dot = strchr(name, '.'); dot; dot = strchr(dot, '.'))
        *dot = '_';
    return name;
}

/* Make ERR's message say what is wrong with the first of its fields, in the
 * words of the validators of ZITADEL's messages, of which TYPE is the
 * outermost: each message on the way to the field is invalid because of the one
 * inside. */
static void
name_field(up_error_t *err,
           const ProtobufCMessageDescriptor *type,
           apr_pool_t *pool)
{
    const up_violation_t *first =
        &APR_ARRAY_IDX(err->violations, 0, up_violation_t);
    const char *path = first->field, *message = "";

    for (const char *dot = strchr(path, '.');; dot = strchr(path, '.')) {
        const char *name =
            dot ? apr_pstrmemdup(pool, path, (apr_size_t)(dot - path)) : path;
        message =
            apr_psprintf(pool, "%sinvalid %s.%c%s: ", message,
                         type_name(type, pool), apr_toupper(name[0]), name + 1);
        if (!dot)
            break;
        message = apr_pstrcat(
            pool, message,
            "embedded message failed validation | caused by: ", NULL);
        type = protobuf_c_message_descriptor_get_field_by_name(type, name)
                   ->descriptor;
        path = dot + 1;
    }
    err->message = apr_pstrcat(pool, message, first->description, NULL);
}

int
up_method_only_reads(const up_method_t *method)
{
    return method->http_method && !strcmp(method->http_method, "GET");
}

up_error_t *
up_method_call(const ProtobufCMessage **answer,
               const up_method_t *method,
               up_call_t *call,
               const ProtobufCMessage *message)
{
    up_error_t *err = method->procedure(answer, call, message);

    if (err && err->reason == UP_FIELD_INVALID)
        name_field(err, method->request, call->pool);
    return err;
}
