/* up_route.c -- which requests are ours, and what each asks for. */
#include "httpd/up_route.h"
#include "httpd/up_config.h"
#include "httpd/up_reply.h"
#include "httpd/up_rest.h"
#include "httpd/up_rpc.h"
#include "httpd/up_rpc_reply.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#define HANDLER "userprofile"

#define PROFILE "/users/*/profile"
#define MANAGEMENT "/zitadel.management.v1.ManagementService"
#define HEALTH "/grpc.health.v1.Health"

#define UP_SHAPE_RPC (UP_SHAPE_GRPC | UP_SHAPE_WEB | UP_SHAPE_WEB_TEXT)

/* Of two rows that fit, the first counts. */
static const up_route_t routes[] = {
    {PROFILE, M_GET, UP_SHAPE_JSON, up_rest_get, 0},
    {PROFILE, M_GET, UP_SHAPE_RPC, up_rpc_get, 0},
    {PROFILE, M_PUT, UP_SHAPE_JSON, up_rest_put, 0},
    {PROFILE, M_PUT, UP_SHAPE_RPC, up_rpc_update, 0},
    {MANAGEMENT "/UpdateHumanProfile", M_POST, UP_SHAPE_RPC, up_rpc_update, 0},
    {MANAGEMENT "/GetHumanProfile", M_POST, UP_SHAPE_RPC, up_rpc_get, 0},
    {MANAGEMENT "/*", M_POST, UP_SHAPE_RPC, up_rpc_unknown, 0},
    {HEALTH "/Check", M_POST, UP_SHAPE_RPC, up_rpc_health, 1},
    {HEALTH "/*", M_POST, UP_SHAPE_RPC, up_rpc_unknown, 0},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

typedef struct media_t {
    const char *type;
    up_shape_t shape;
} media_t;

/* The first is what a body without a type counts as. */
static const media_t media[] = {
    {"application/json", UP_SHAPE_JSON},
    {"application/grpc", UP_SHAPE_GRPC},
    {"application/grpc+proto", UP_SHAPE_GRPC},
    {"application/grpc-web", UP_SHAPE_WEB},
    {"application/grpc-web+proto", UP_SHAPE_WEB},
    {"application/grpc-web-text", UP_SHAPE_WEB_TEXT},
    {"application/grpc-web-text+proto", UP_SHAPE_WEB_TEXT},
};

#define MEDIA (sizeof(media) / sizeof(media[0]))

/* Whether PATH ends in PATTERN. Sets *SEGMENT and *LENGTH to what stands in
 * PATH for the pattern's "*", to NULL if it has none. */
static int
path_matches(const char **segment,
             apr_size_t *length,
             const char *path,
             const char *pattern)
{
    const char *star = strchr(pattern, '*');
    const char *tail = star ? star + 1 : pattern;
    apr_size_t path_length = strlen(path), tail_length = strlen(tail);

    *segment = NULL;
    if (path_length < tail_length)
        return 0;
    const char *end = path + path_length - tail_length, *start = end;
    if (strcmp(end, tail) != 0)
        return 0;
    if (!star)
        return 1;

    apr_size_t head_length = (apr_size_t)(star - pattern);
    while (start > path && start[-1] != '/')
        start--;
    if (start == end || (apr_size_t)(start - path) < head_length ||
        strncmp(start - head_length, pattern, head_length) != 0)
        return 0;
    *segment = start;
    *length = (apr_size_t)(end - start);
    return 1;
}

/* The next row from ROUTE on whose path is PATH's, or NULL. */
static const up_route_t *
on_path(const up_route_t *route, const char *path)
{
    const char *segment;
    apr_size_t length;

    for (; route < routes + ROUTES; route++) {
        if (path_matches(&segment, &length, path, route->path))
            return route;
    }
    return NULL;
}

static int
has_path_of_ours(const request_rec *r)
{
    return r->uri && on_path(routes, r->uri);
}

/* Note whether R is ours: by its path, and where UserProfile is ENABLED. */
static int
recognise(request_rec *r, int enabled)
{
    int on_our_path = has_path_of_ours(r);
    int ours = on_our_path && !r->proxyreq && enabled;
    const char *segment;
    apr_size_t length;

    if (!on_our_path && !up_request_known(r)->ours)
        return 0;
    up_request_t *request = up_request_of(r);
    request->ours = ours;
    request->asked = 1;
    request->user = NULL;
    if (ours && path_matches(&segment, &length, r->uri, PROFILE))
        request->user = apr_pstrmemdup(r->pool, segment, length);
    up_request_note(r, "userprofile-user", request->user);
    return ours;
}

/* Whether UserProfile is On where R's path is now. httpd looks for the place
 * before modules rewrite the path and once more after translate_name; this is
 * for the time between, and leaves R as it is. The path that it knows already
 * costs it next to nothing. */
static int
is_enabled_at_path(request_rec *r)
{
    ap_conf_vector_t *place = r->per_dir_config;

    r->per_dir_config = r->server->lookup_defaults;
    int enabled = ap_location_walk(r) == OK && ap_if_walk(r) == OK &&
                  up_config_of_place(r)->enabled == UP_ON;
    r->per_dir_config = place;
    return enabled;
}

int
up_route_translate(request_rec *r)
{
    if (!recognise(r, has_path_of_ours(r) && is_enabled_at_path(r)))
        return DECLINED;
    /* No file: without a type mod_dir would look for a fallback. */
    r->filename = apr_pstrdup(r->pool, HANDLER);
    r->finfo.filetype = APR_UNKFILE;
    return OK;
}

int
up_route_storage(request_rec *r)
{
    return up_request_known(r)->ours ? OK : DECLINED;
}

/* The row for R's body; NULL for a type that we do not know. What GET says of
 * its body does not matter. */
static const media_t *
media_of(const request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    if (!type || !*type)
        return &media[0];
    apr_size_t length = strcspn(type, ";");
    while (length && apr_isspace(type[length - 1]))
        length--;
    for (apr_size_t i = 0; i < MEDIA; i++) {
        if (strlen(media[i].type) == length &&
            !ap_cstr_casecmpn(media[i].type, type, length))
            return &media[i];
    }
    return r->method_number == M_GET ? &media[0] : NULL;
}

/* LIST and MORE, separated by a comma. */
static const char *
append(apr_pool_t *pool, const char *list, const char *more)
{
    return list ? apr_pstrcat(pool, list, ", ", more, NULL) : more;
}

const char *
up_route_allow(request_rec *r)
{
    const up_route_t *route = on_path(routes, r->uri);
    const char *allow = NULL;
    int last = -1;

    for (; route; route = on_path(route + 1, r->uri)) {
        if (route->method == last)
            continue;
        last = route->method;
        allow = append(r->pool, allow,
                       last == M_GET ? "GET, HEAD"
                                     : ap_method_name_of(r->pool, last));
    }
    return allow;
}

/* The media types of SHAPES. */
static const char *
types_of(unsigned shapes, apr_pool_t *pool)
{
    const char *types = NULL;

    for (apr_size_t i = 0; i < MEDIA; i++) {
        if (shapes & media[i].shape)
            types = append(pool, types, media[i].type);
    }
    return types;
}

/* Set *CHOSEN to the row for R, whose body has SHAPE, or say what is wrong. */
static up_error_t *
choose(const up_route_t **chosen, request_rec *r, unsigned shape)
{
    const up_route_t *route = on_path(routes, r->uri);
    unsigned accepted = 0;

    for (; route; route = on_path(route + 1, r->uri)) {
        if (route->method != r->method_number)
            continue;
        accepted |= route->shapes;
        if (!(route->shapes & shape))
            continue;
        if (shape == UP_SHAPE_GRPC && r->proto_num < HTTP_VERSION(2, 0))
            return up_error(r->pool, UP_HTTP_VERSION_NOT_SUPPORTED, APR_SUCCESS,
                            "gRPC over %s", r->protocol);
        *chosen = route;
        return NULL;
    }
    if (!accepted)
        return up_error(r->pool, UP_METHOD_NOT_ALLOWED, APR_SUCCESS,
                        "method %s is not allowed here", r->method);
    return up_error(r->pool, UP_MEDIA_TYPE_UNSUPPORTED, APR_SUCCESS,
                    "the Content-Type of the body is none of those accepted: "
                    "%s",
                    types_of(accepted, r->pool));
}

int
up_route_choose(request_rec *r)
{
    if (!recognise(r, up_config_of_place(r)->enabled == UP_ON))
        return DECLINED;
    up_request_t *request = up_request_of(r);
    const media_t *body = media_of(r);
    up_error_t *err = choose(&request->route, r, body ? body->shape : 0);
    if (err)
        return up_reply_refuse(r, err);
    request->shape = body->shape;
    request->media_type = body->type;
    if (request->shape != UP_SHAPE_JSON)
        up_rpc_reply_claim_errors(r);
    return OK;
}

int
up_route_type(request_rec *r)
{
    return up_request_known(r)->ours ? OK : DECLINED;
}

int
up_route_fixup(request_rec *r)
{
    if (!up_request_known(r)->route)
        return DECLINED;
    r->handler = HANDLER;
    return OK;
}

int
up_route_serve(request_rec *r)
{
    const up_route_t *route = up_request_known(r)->route;

    if (!route || !r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    return route->serve(r);
}

int
up_route_is_ours(request_rec *r)
{
    if (up_request_known(r)->asked)
        return up_request_known(r)->ours;
    return has_path_of_ours(r) && is_enabled_at_path(r);
}

void
up_route_assume_shape(request_rec *r)
{
    up_request_t *request = up_request_of(r);
    const media_t *body = media_of(r);

    if (request->media_type || !body ||
        (body->shape == UP_SHAPE_GRPC && r->proto_num < HTTP_VERSION(2, 0)))
        return;
    request->shape = body->shape;
    request->media_type = body->type;
}
