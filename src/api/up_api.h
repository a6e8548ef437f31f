/*
 * up_api.h -- the published calls: services, each a table of methods.
 *
 * A method is a row: how it is called, by which message, and the procedure that
 * turns that message into a command of src/service, and its result into the
 * message of the answer. Procedures know neither JSON nor frames nor httpd.
 */
#ifndef UP_API_H
#define UP_API_H

#include "service/up_access.h"

#include <protobuf-c/protobuf-c.h>

/* Set *ANSWER, in CALL's pool, to the answer to MESSAGE, which is of the
 * method's request type. */
typedef up_error_t *(*up_procedure_t)(const ProtobufCMessage **answer,
                                      up_call_t *call,
                                      const ProtobufCMessage *message);

/* One method of a service. */
typedef struct up_method_t {
    const char *name;        /* "GetHumanProfile" */
    const char *http_method; /* of REST, "GET" means HEAD too; NULL: RPC only */
    const char *path;        /* of REST; {x} is one segment, the request's
                              * field x */
    const char *short_path;  /* another path, or NULL */
    const ProtobufCMessageDescriptor *request;
    int is_open; /* it needs no authenticated caller */
    up_procedure_t procedure;
} up_method_t;

typedef struct up_service_t {
    const char *name; /* "zitadel.management.v1.ManagementService" */
    int methods;
    const up_method_t *method;
} up_service_t;

extern const up_service_t up_service_management;
extern const up_service_t up_service_auth;
extern const up_service_t up_service_user;
extern const up_service_t up_service_health;

/* All of them, ended by NULL. */
extern const up_service_t *const up_services[];

/* The service named NAME, or NULL. */
const up_service_t *up_service_by_name(const char *name);

/* The method of SERVICE named NAME, or NULL. */
const up_method_t *up_service_method(const up_service_t *service,
                                     const char *name);

/* Whether METHOD, however it is called, changes nothing: one that REST calls by
 * GET. */
int up_method_only_reads(const up_method_t *method);

/* Call METHOD with MESSAGE: its procedure, whose FIELD_INVALID then says which
 * message and field it is about. */
UP_MUST_CHECK up_error_t *up_method_call(const ProtobufCMessage **answer,
                                         const up_method_t *method,
                                         up_call_t *call,
                                         const ProtobufCMessage *message);

#endif
