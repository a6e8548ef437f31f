/* up_route.c -- finds the requests that are ours, and the method of each. */
#include "httpd/up_route.h"
#include "httpd/up_config.h"
#include "httpd/up_cors.h"
#include "httpd/up_protocol.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#define HANDLER "userprofile"

/* A path of the API. */
typedef struct route_t {
    const up_service_t *service;
    const up_method_t *method; /* one with this path; NULL: it is an RPC path */
    const char *path;          /* for RPC "/<service>/{method}" */
    const char *end;           /* of PATH, or where an {x} at its end begins */
    int ends_in_value;         /* PATH ends in an {x} */
    const char *long_path; /* METHOD's path if PATH is its short one, or NULL */
} route_t;

/* All routes, of route_t. */
static apr_array_header_t *routes;

static const route_t *
route_at(int i)
{
    return &APR_ARRAY_IDX(routes, i, route_t);
}

/* A route that a request's path ends in. */
typedef struct match_t {
    const route_t *route; /* NULL: none */
    apr_size_t begin;     /* where in the request's path it begins */
    const char *segment;  /* what stands for the route's {x}, or NULL */
} match_t;

/* The start, after its slash, of the segment of PATH that ends at END; NULL if
 * there is no slash. */
static const char *
segment_before(const char *path, const char *end)
{
    const char *begin = end;

    while (begin > path && begin[-1] != '/')
        begin--;
    return begin > path ? begin : NULL;
}

/* Whether the part of URI before END ends with the part of PATH, a path of the
 * table, before PATH_END; {x} matches one segment that is not empty. Sets
 * *BEGIN to the start of the match, and *SEGMENT to the last segment that
 * matched an {x}, if any. */
static int
ends_in(const char **begin,
        const char **segment,
        const char *uri,
        const char *end,
        const char *path,
        const char *path_end)
{
    while (path_end > path) {
        if (path_end[-1] != '}') {
            if (end == uri || end[-1] != path_end[-1])
                return 0;
            end--;
            path_end--;
            continue;
        }
        const char *value = segment_before(uri, end);
        if (!value || value == end)
            return 0;
        *segment = value;
        end = value;
        path_end = segment_before(path, path_end);
    }
    *begin = end;
    return 1;
}

/* Find the longest leading part of PATH, in whole segments, with which the
 * LENGTH bytes at URI end. Sets *END to the end of that part in PATH, to PATH
 * if there is none; returns its start in URI. */
static const char *
overlap(const char **end, const char *uri, apr_size_t length, const char *path)
{
    const char *begin = uri + length, *longest = begin, *segment;

    *end = path;
    if (!length)
        return longest;
    for (const char *at = path + 1;; at++) {
        if ((*at == '/' || !*at) &&
            ends_in(&begin, &segment, uri, uri + length, path, at)) {
            longest = begin;
            *end = at;
        }
        if (!*at)
            return longest;
    }
}

/* Whether MATCH begins where the section, the first LENGTH bytes of URI, ends.
 * If the section itself ends with a leading part of the route's path, MATCH
 * must begin with that part: it is not repeated. So a section has one path for
 * each call, and access rules for a part of that path hold.
 *
 * A short path may not follow a section that ends with more of the long path
 * than the short one leaves out. A part of the short path that includes the
 * user's id is not taken for the end of a section, unless it is all of the
 * path. */
static int
follows_section(const match_t *match, const char *uri, apr_size_t length)
{
    const route_t *route = match->route;
    const char *end, *begin = overlap(&end, uri, length, route->path);

    if (route->long_path) {
        apr_size_t left_out = strlen(route->long_path) - strlen(route->path);
        const char *long_end;
        overlap(&long_end, uri, length, route->long_path);
        if (long_end > route->long_path + left_out)
            return 0;
        if (*end && memchr(route->path, '{', (apr_size_t)(end - route->path)))
            begin = uri + length;
    }
    return begin == uri + match->begin;
}

static void
add_route(const up_service_t *service,
          const up_method_t *method,
          const char *path,
          const char *long_path)
{
    for (int i = 0; i < routes->nelts; i++) {
        if (!strcmp(route_at(i)->path, path))
            return; /* of another method already */
    }
    const char *end = path + strlen(path);
    int ends_in_value = end[-1] == '}';
    if (ends_in_value)
        end = strrchr(path, '{');
    APR_ARRAY_PUSH(routes, route_t) =
        (route_t){service, method, path, end, ends_in_value, long_path};
}

void
up_route_init(apr_pool_t *pool)
{
    routes = apr_array_make(pool, 16, sizeof(route_t));
    for (int s = 0; up_services[s]; s++) {
        const up_service_t *service = up_services[s];
        add_route(service, NULL,
                  apr_pstrcat(pool, "/", service->name, "/{method}", NULL),
                  NULL);
        for (int i = 0; i < service->methods; i++) {
            const up_method_t *method = &service->method[i];
            if (method->path)
                add_route(service, method, method->path, NULL);
            if (method->short_path)
                add_route(service, method, method->short_path, method->path);
        }
    }
}

/* The per-directory configuration of R's path as it is now. httpd finds it
 * before modules rewrite the path and again after translate_name; this is for
 * the time between. R's own stays as it is. httpd has it cached unless the path
 * was rewritten. */
static const up_dir_config_t *
config_at_path(request_rec *r)
{
    static const up_dir_config_t none;
    ap_conf_vector_t *before = r->per_dir_config;

    r->per_dir_config = r->server->lookup_defaults;
    const up_dir_config_t *config =
        ap_location_walk(r) == OK && ap_if_walk(r) == OK ? up_config_of_dir(r)
                                                         : &none;
    r->per_dir_config = before;
    return config;
}

/* Find the route of R's path under *CONFIG; a *CONFIG of NULL is set to that of
 * R's path once it is needed. If two routes fit, the one with the longer path
 * counts. */
static match_t
find(request_rec *r, const up_dir_config_t **config)
{
    match_t found = {NULL, 0, NULL};

    if (!r->uri || r->proxyreq)
        return found;
    const char *uri = r->uri, *end = uri + strlen(uri), *begin;
    const char *last = segment_before(uri, end);
    if (!last || last == end)
        return found;
    for (int i = 0; i < routes->nelts; i++) {
        const route_t *route = route_at(i);
        match_t match = {route, 0, route->ends_in_value ? last : NULL};
        if (!ends_in(&begin, &match.segment, uri,
                     route->ends_in_value ? last : end, route->path,
                     route->end))
            continue;
        match.begin = (apr_size_t)(begin - uri);
        if (found.route && found.begin <= match.begin)
            continue;
        if (!*config)
            *config = config_at_path(r);
        if ((*config)->enabled == UP_ON &&
            follows_section(&match, uri,
                            up_section_length((*config)->section, uri)))
            found = match;
        if (found.route && !found.begin)
            break; /* no other is longer */
    }
    return found;
}

/* Set REQUEST's protocol, unless that was done for the same Content-Type. */
static void
choose_protocol(up_request_t *request,
                const request_rec *r,
                up_path_kind_t kind)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    if (request->protocol && request->content_type == type)
        return;
    request->content_type = type;
    up_protocol_of(&request->protocol, &request->media_type, r, kind);
}

/* Whether CONFIG has R's protocol on, on a path of KIND; sets REQUEST's. A
 * Content-Type that no protocol has is ours to refuse: on a REST path if REST
 * is on, on an RPC path if any protocol is. */
static int
is_protocol_on(up_request_t *request,
               const request_rec *r,
               const up_dir_config_t *config,
               up_path_kind_t kind)
{
    unsigned on = up_config_protocols(config), wanted;

    choose_protocol(request, r, kind);
    if (up_cors_is_preflight(r, config->cors))
        wanted = up_protocols_on(kind); /* it does not say which */
    else if (request->protocol)
        wanted = up_protocol_bit(request->protocol);
    else if (kind == UP_PATH_REST)
        wanted = up_protocol_bit(&up_protocol_rest);
    else
        wanted = up_protocols_on(UP_PATH_RPC);
    return (on & wanted) != 0;
}

/* Keep MATCH, found under CONFIG, for R. */
static void
note_match(request_rec *r, const match_t *match, const up_dir_config_t *config)
{
    up_request_t *request = up_request_of(r);
    const char *segment = match->segment;

    if (segment)
        segment = apr_pstrmemdup(
            r->pool, segment, (apr_size_t)(strchrnul(segment, '/') - segment));
    request->is_looked_up = 1;
    request->is_ours = match->route != NULL;
    request->uri = apr_pstrdup(r->pool, r->uri);
    if (!match->route)
        return;
    request->section = config->section;
    request->origins = config->cors;
    request->service = match->route->service;
    request->on_path = match->route->method;
    request->rpc = request->on_path ? NULL : segment;
    request->segment = request->on_path ? segment : NULL;
    up_request_note(r, "userprofile-user", request->segment);
}

/* Find out whether R is ours under CONFIG, and keep the result. If CONFIG is
 * NULL, the one of R's path is found when it is needed. */
static int
look_up(request_rec *r, const up_dir_config_t *config)
{
    const up_request_t *known = up_request_known(r);

    /* What translate_name found holds if section and path are the same. */
    if (!known->is_ours || !config || config->enabled != UP_ON ||
        config->section != known->section || strcmp(r->uri, known->uri) != 0) {
        match_t match = find(r, &config);
        if (!match.route && !known->is_looked_up)
            return 0; /* as nearly every request of the site is */
        note_match(r, &match, config);
        if (!match.route)
            return 0;
    }
    up_request_t *request = up_request_of(r);
    request->is_ours = is_protocol_on(
        request, r, config, request->on_path ? UP_PATH_REST : UP_PATH_RPC);
    return request->is_ours;
}

int
up_route_translate(request_rec *r)
{
    if (!look_up(r, NULL))
        return DECLINED;
    /* There is no file, but mod_dir would look for a FallbackResource if its
     * type were unset. Modules that check or log the name see the path. */
    r->filename = apr_pstrdup(r->pool, r->uri);
    r->finfo.filetype = APR_UNKFILE;
    return OK;
}

int
up_route_storage(request_rec *r)
{
    return up_request_known(r)->is_ours ? OK : DECLINED;
}

/* LIST and MORE, separated by a comma. */
static const char *
append(apr_pool_t *pool, const char *list, const char *more)
{
    return list ? apr_pstrcat(pool, list, ", ", more, NULL) : more;
}

/* The media types that R's path takes, where those PROTOCOLS are on. */
static const char *
accepted_types(const request_rec *r, up_path_kind_t kind, unsigned protocols)
{
    const char *types = NULL;

    for (int i = 0; up_protocols[i]; i++) {
        if (!(protocols & up_protocols_on(kind) & 1u << i))
            continue;
        for (const char *const *type = up_protocols[i]->media_types; *type;
             type++)
            types = append(r->pool, types, *type);
    }
    return types;
}

static up_error_t *
refuse_method(request_rec *r, const char *allow)
{
    const apr_array_header_t *origins = up_request_known(r)->origins;
    up_error_t *err =
        up_error(r->pool, UP_METHOD_NOT_ALLOWED, APR_SUCCESS,
                 "method %s is not allowed here%s", r->method,
                 up_cors_is_preflight(r, origins)
                     ? ": UserProfileCors does not have the preflight's origin"
                     : "");

    up_error_set_header(err, "Allow", allow, r->pool);
    return err;
}

/* Choose the method of REQUEST's path that R's HTTP method asks for. */
static up_error_t *
choose_method(up_request_t *request, request_rec *r)
{
    const up_service_t *service = request->service;
    const char *allow = NULL;

    if (!request->on_path) {
        request->method = up_service_method(service, request->rpc);
        return r->method_number == M_POST ? NULL : refuse_method(r, "POST");
    }
    for (int i = 0; i < service->methods; i++) {
        const up_method_t *method = &service->method[i];
        if (!method->path || strcmp(method->path, request->on_path->path) != 0)
            continue;
        if (ap_method_number_of(method->http_method) == r->method_number) {
            request->method = method;
            return NULL;
        }
        allow = append(r->pool, allow,
                       strcmp(method->http_method, "GET") ? method->http_method
                                                          : "GET, HEAD");
    }
    return refuse_method(r, allow);
}

/* Refuse a body that no protocol has, and gRPC without HTTP/2. */
static up_error_t *
check_protocol(const up_request_t *request,
               request_rec *r,
               const up_dir_config_t *config)
{
    up_path_kind_t kind = request->on_path ? UP_PATH_REST : UP_PATH_RPC;

    if (!request->protocol) {
        const char *types =
            accepted_types(r, kind, up_config_protocols(config));
        up_error_t *err =
            up_error(r->pool, UP_MEDIA_TYPE_UNSUPPORTED, APR_SUCCESS,
                     "the Content-Type of the body is none of those accepted: "
                     "%s",
                     types);
        if (kind == UP_PATH_RPC)
            up_error_set_header(err, "Accept-Post", types, r->pool);
        return err;
    }
    if (request->protocol->needs_http2 && r->proto_num < HTTP_VERSION(2, 0))
        return up_error(r->pool, UP_HTTP_VERSION_NOT_SUPPORTED, APR_SUCCESS,
                        "gRPC over %s", r->protocol);
    return NULL;
}

int
up_route_choose(request_rec *r)
{
    const up_dir_config_t *config = up_config_of_dir(r);
    int was_ours = up_request_known(r)->is_ours;

    /* If R is no longer ours, its file name is still its path, and no
     * <Directory> was consulted: no other handler may serve that file. */
    if (!look_up(r, config))
        return was_ours ? HTTP_NOT_FOUND : DECLINED;
    up_request_t *request = up_request_of(r);
    request->origins = config->cors;
    if (up_cors_allow(r, config->cors) &&
        up_cors_is_preflight(r, config->cors)) {
        request->is_accepted = request->is_preflight = 1;
        request->filename = r->filename;
        return OK;
    }
    up_error_t *err = choose_method(request, r);
    if (!err)
        err = check_protocol(request, r, config);
    if (err) {
        request->protocol = NULL; /* it is answered in JSON */
        return up_reply_refuse(r, err);
    }
    request->is_accepted = 1;
    request->filename = r->filename;
    if (request->method)
        up_request_note(r, "userprofile-method", request->method->name);
    if (request->protocol->hides_errors)
        up_reply_claim_errors(r);
    return OK;
}

int
up_route_type(request_rec *r)
{
    return up_request_known(r)->is_ours ? OK : DECLINED;
}

int
up_route_fixup(request_rec *r)
{
    const up_request_t *request = up_request_known(r);

    /* A RewriteRule of the section may have sent it elsewhere. */
    if (!request->is_accepted)
        return DECLINED;
    if (r->filename != request->filename)
        return request->is_preflight
                   ? HTTP_FORBIDDEN /* no access was checked */
                   : DECLINED;
    r->handler = HANDLER;
    return OK;
}

int
up_route_is_handled(const request_rec *r)
{
    return up_request_known(r)->is_accepted && r->handler &&
           !strcmp(r->handler, HANDLER);
}

int
up_route_is_ours(request_rec *r)
{
    if (!up_request_known(r)->is_looked_up && look_up(r, NULL)) {
        up_request_t *request = up_request_of(r);
        if (request->protocol && request->protocol->needs_http2 &&
            r->proto_num < HTTP_VERSION(2, 0))
            request->protocol = NULL;
    }
    return up_request_known(r)->is_ours;
}
