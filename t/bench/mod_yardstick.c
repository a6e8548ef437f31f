/*
 * mod_yardstick.c -- a handler that does nothing, to measure mod_userprofile
 * against in the same server.
 *
 *     <Location /idle/get>
 *         Yardstick 200 353
 *     </Location>
 *
 * answers what lies below with that status, as many bytes, and the headers that
 * mod_userprofile sends, once it has read the request's body. "Yardstick 200
 * 353 grpc" makes a gRPC answer with its trailers of it; "Yardstick 200 1 mark"
 * calls yardstick_mark(), where callgrind can be told to dump its counts. As
 * mod_userprofile, it keeps httpd from looking for a file.
 *
 *     AuthType Yardstick
 *     YardstickCaller 123
 *
 * makes 123 the caller, whatever the request says: a place of mod_userprofile
 * without the cost of a token.
 */
#include <httpd.h>

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_auth.h>
#include <util_filter.h>

#define HANDLER "yardstick"

typedef struct yardstick_t {
    int status; /* 0: not ours */
    apr_size_t length;
    const char *body;
    int grpc, mark;
    char *caller;
} yardstick_t;

extern module AP_MODULE_DECLARE_DATA yardstick_module;

static const yardstick_t *
place_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &yardstick_module);
}

static int
translate(request_rec *r)
{
    if (!place_of(r)->status)
        return DECLINED;
    r->filename = apr_pstrdup(r->pool, HANDLER);
    r->finfo.filetype = APR_UNKFILE;
    /* map_to_storage sees no <Location>. */
    ap_set_module_config(r->request_config, &yardstick_module, r->filename);
    return OK;
}

static int
store(request_rec *r)
{
    return ap_get_module_config(r->request_config, &yardstick_module)
               ? OK
               : DECLINED;
}

static int
fix_up(request_rec *r)
{
    if (!place_of(r)->status)
        return DECLINED;
    r->handler = HANDLER;
    return OK;
}

static int
authenticate(request_rec *r)
{
    const char *type = ap_auth_type(r);

    if (!type || ap_cstr_casecmp(type, "Yardstick") != 0)
        return DECLINED;
    r->user = place_of(r)->caller;
    return OK;
}

static void
set_headers(request_rec *r, const yardstick_t *place)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (place->grpc) {
        ap_set_content_type(r, "application/grpc");
        apr_table_setn(r->trailers_out, "grpc-status", "0");
        return;
    }
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)place->length);
    if (place->status == HTTP_OK)
        apr_table_setn(r->headers_out, "ETag", "\"1\"");
}

/* Empty, and yet called. */
static void __attribute__((noinline)) yardstick_mark(void)
{
    __asm__ volatile("");
}

static int
serve(request_rec *r)
{
    const yardstick_t *place = place_of(r);
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;

    if (!r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    if (place->mark)
        yardstick_mark();
    int status = ap_discard_request_body(r);
    if (status != OK)
        return status;

    r->status = place->status;
    set_headers(r, place);
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);
    APR_BRIGADE_INSERT_TAIL(
        brigade, apr_bucket_immortal_create(place->body, place->length, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

static void *
create_place(apr_pool_t *pool, char *directory)
{
    return apr_pcalloc(pool, sizeof(yardstick_t));
}

static void *
merge_place(apr_pool_t *pool, void *outer, void *inner)
{
    const yardstick_t *place = inner;

    return place->status || place->caller ? inner : outer;
}

static const char *
set_answer(cmd_parms *command,
           void *config,
           const char *status,
           const char *length,
           const char *kind)
{
    yardstick_t *place = config;

    place->status = (int)apr_atoi64(status);
    place->length = (apr_size_t)apr_atoi64(length);
    place->grpc = kind && strcmp(kind, "grpc") == 0;
    place->mark = kind && strcmp(kind, "mark") == 0;
    if (place->status < 200 || place->status > 599)
        return "Yardstick: give a status from 200 to 599, and a length";
    char *body = apr_palloc(command->pool, place->length);
    memset(body, 'x', place->length);
    place->body = body;
    return NULL;
}

static const char *
set_caller(cmd_parms *command, void *config, const char *caller)
{
    ((yardstick_t *)config)->caller = apr_pstrdup(command->pool, caller);
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE23("Yardstick",
                   set_answer,
                   NULL,
                   ACCESS_CONF,
                   "status and bytes of every answer, and 'grpc' or 'mark'"),
    AP_INIT_TAKE1("YardstickCaller",
                  set_caller,
                  NULL,
                  ACCESS_CONF,
                  "who calls, with AuthType Yardstick"),
    {NULL}};

static void
register_hooks(apr_pool_t *pool)
{
    static const char *const mappers[] = {"mod_proxy.c", "mod_alias.c", NULL};
    static const char *const dir[] = {"mod_dir.c", NULL};

    ap_hook_translate_name(translate, NULL, mappers, APR_HOOK_FIRST);
    ap_hook_map_to_storage(store, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_check_authn(authenticate, NULL, NULL, APR_HOOK_MIDDLE,
                        AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(fix_up, NULL, dir, APR_HOOK_LAST);
    ap_hook_handler(serve, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(yardstick) = {
    STANDARD20_MODULE_STUFF, create_place, merge_place, NULL, NULL, commands,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE,
#endif
};
