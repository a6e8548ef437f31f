/* up_call.c -- serving one call: from its message to its answer. */
#include "httpd/up_call.h"
#include "core/up_utf8.h"
#include "httpd/up_config.h"
#include "httpd/up_identity.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"
#include "httpd/up_stores.h"
#include "wire/up_message.h"

#include <apr_strings.h>

/* UNIMPLEMENTED for R's RPC path, which names no method of its service. */
static up_error_t *
unknown_method(request_rec *r)
{
    const up_request_t *request = up_request_known(r);
    const char *name = request->rpc;
    apr_size_t characters;

    /* It goes into a protobuf string. */
    if (!up_utf8_count(&characters, name, strlen(name)))
        name = "(not UTF-8)";
    return up_error(r->pool, UP_UNIMPLEMENTED, APR_SUCCESS,
                    "unknown method %s for service %s", name,
                    request->service->name);
}

/* Set the field of MESSAGE that REQUEST's path has a value for; it overrides
 * the body's. */
static void
set_path_field(ProtobufCMessage *message,
               const up_request_t *request,
               apr_pool_t *pool)
{
    const char *path = request->method->path;
    const char *begin = request->segment ? strchr(path, '{') + 1 : NULL;

    if (!begin)
        return;
    const char *name =
        apr_pstrmemdup(pool, begin, (apr_size_t)(strchr(begin, '}') - begin));
    up_message_set_text(message,
                        protobuf_c_message_descriptor_get_field_by_name(
                            message->descriptor, name),
                        request->segment);
}

/* The header fields that a call depends on; read before the body, since httpd
 * may add the body's trailers to them. */
typedef struct fields_t {
    const char *org;
    const char *match, *none_match; /* If-Match, If-None-Match */
    apr_interval_time_t timeout;    /* -1: none */
    up_error_t *timeout_error;      /* why that cannot be read, or NULL */
} fields_t;

static fields_t
read_fields(request_rec *r)
{
    const up_protocol_t *protocol = up_request_known(r)->protocol;
    fields_t fields = {.timeout = -1};

    fields.org = apr_table_get(r->headers_in, "x-zitadel-orgid");
    /* In a subrequest and for an ErrorDocument, the preconditions of a GET are
     * about the client's own request, not about this one. */
    if (!r->no_local_copy || r->method_number != M_GET) {
        fields.match = apr_table_get(r->headers_in, "If-Match");
        if (protocol == &up_protocol_rest) /* gRPC and Connect have no 304 */
            fields.none_match = apr_table_get(r->headers_in, "If-None-Match");
    }
    if (protocol->timeout)
        fields.timeout_error = protocol->timeout(&fields.timeout, r);
    return fields;
}

/* Fill in CALL from R and FIELDS. */
static up_error_t *
make_call(up_call_t *call, const fields_t *fields, request_rec *r)
{
    const up_dir_config_t *config = up_config_of_dir(r);
    up_precondition_t *precondition;

    UP_ERR(up_precondition_parse(&precondition, fields->match,
                                 fields->none_match, r->pool));
    if (fields->timeout_error)
        return fields->timeout_error;
    call->precondition = precondition;
    if (fields->timeout >= 0)
        call->deadline = up_request_known(r)->began + fields->timeout;
    call->store_error = up_stores_get(&call->store, r);
    call->org = fields->org;
    call->roles = config->roles;
    call->self = up_config_self(config);
    call->languages = up_config_languages(config);
    call->unchanged_is_ok = config->unchanged_is_ok == UP_ON;
    call->pool = r->pool;
    return NULL;
}

/* Leave notes about CALL for the access log. */
static void
note_call(request_rec *r, const up_call_t *call)
{
    if (!up_request_known(r)->segment)
        up_request_note(r, "userprofile-user", call->target);
    up_request_note(r, "userprofile-org", call->found_org);
    if (call->sequence)
        up_request_note(
            r, "userprofile-sequence",
            apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, call->sequence));
}

/* Call R's method; sets *ANSWER. */
static up_error_t *
call_method(const ProtobufCMessage **answer, up_call_t *call, request_rec *r)
{
    const up_request_t *request = up_request_known(r);
    ProtobufCMessage *message;

    if (!request->method)
        return unknown_method(r);
    if (!request->method->is_open)
        UP_ERR(up_identity_read(call, r));
    fields_t fields = read_fields(r);
    UP_ERR(request->protocol->read(&message, request->method->request, r));
    set_path_field(message, request, r->pool);
    UP_ERR(make_call(call, &fields, r));
    up_error_t *err = up_method_call(answer, request->method, call, message);
    note_call(r, call);
    return err;
}

int
up_call_serve(request_rec *r)
{
    const ProtobufCMessage *answer;
    up_call_t call = {0};

    up_error_t *err = call_method(&answer, &call, r);
    up_stores_report_filling(r);
    if (err)
        return up_reply_error(r, err);
    if (call.trouble)
        up_reply_log(r, call.trouble);
    return up_reply_answer(r, answer, &call);
}
