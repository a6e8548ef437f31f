/* up_route.c -- which requests are ours, and what each asks for. */
#include "httpd/up_route.h"
#include "httpd/up_config.h"
#include "httpd/up_protocol.h"
#include "httpd/up_reply.h"
#include "httpd/up_request.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#define HANDLER "userprofile"

/* A path of the API at the end of a request's. */
typedef struct match_t {
    const up_service_t *service;
    const up_method_t *method; /* a method with that path; NULL: an RPC path */
    const char *path;          /* of the table; "/<service>/{method}" for RPC */
    int is_short;              /* it is METHOD's short path */
    apr_size_t begin;          /* where in the request's path it begins */
    const char *segment;       /* what stands for the path's {x}, or NULL */
    apr_size_t segment_length;
} match_t;

/* Where the segment that ends before END begins in PATH: behind its slash. NULL
 * if there is none. */
static const char *
segment_before(const char *path, const char *end)
{
    const char *begin = end;

    while (begin > path && begin[-1] != '/')
        begin--;
    return begin > path ? begin : NULL;
}

/* Whether the segment from SEGMENT to END is the one from WANTED to WANTED_END
 * of a path of the table. */
static int
is_segment(const char *segment,
           const char *end,
           const char *wanted,
           const char *wanted_end)
{
    if (*wanted == '{')
        return end > segment;
    return end - segment == wanted_end - wanted &&
           !memcmp(segment, wanted, (apr_size_t)(end - segment));
}

/* Whether URI ends in MATCH's path; sets where it begins, and the segment. */
static int
ends_in(match_t *match, const char *uri)
{
    const char *path = match->path;
    const char *end = uri + strlen(uri), *path_end = path + strlen(path);

    match->segment = NULL;
    while (path_end > path) {
        const char *segment = segment_before(uri, end);
        const char *wanted = segment_before(path, path_end);
        if (!segment || !is_segment(segment, end, wanted, path_end))
            return 0;
        if (*wanted == '{') {
            match->segment = segment;
            match->segment_length = (apr_size_t)(end - segment);
        }
        end = segment - 1;
        path_end = wanted - 1;
    }
    match->begin = (apr_size_t)(end - uri);
    return 1;
}

/* The end of the COUNT first segments of PATH. */
static const char *
after_segments(const char *path, int count)
{
    for (; count; count--)
        path += 1 + strcspn(path + 1, "/");
    return path;
}

static int
count_segments(const char *path)
{
    int count = 0;

    for (; *path; path++)
        count += *path == '/';
    return count;
}

/* Whether the LENGTH bytes at URI end in the COUNT first segments of PATH. */
static int
section_ends_in(const char *uri, apr_size_t length, const char *path, int count)
{
    const char *end = uri + length, *path_end = after_segments(path, count);

    while (path_end > path) {
        const char *segment = segment_before(uri, end);
        const char *wanted = segment_before(path, path_end);
        if (!segment || !is_segment(segment, end, wanted, path_end))
            return 0;
        end = segment - 1;
        path_end = wanted - 1;
    }
    return 1;
}

/* How many segments of PATH, from its first, the LENGTH bytes at URI end in. */
static int
overlap(const char *uri, apr_size_t length, const char *path)
{
    int count = count_segments(path);

    while (count && !section_ends_in(uri, length, path, count))
        count--;
    return count;
}

/* Whether MATCH begins where the section of LENGTH bytes ends, but for those
 * first segments of its path that the section ends in: these are not repeated,
 * so that a section has one path for each call, and a rule for a part of it
 * holds. A short path may follow a section that ends in none of the long one's
 * own segments; one that could be a user's id is none, unless the section has
 * all of the path. */
static int
follows_section(const match_t *match, const char *uri, apr_size_t length)
{
    int common = overlap(uri, length, match->path);

    if (match->is_short) {
        const char *path = match->method->path;
        int own = count_segments(path) - count_segments(match->path);
        if (overlap(uri, length, path) > own)
            return 0;
        if (common < count_segments(match->path) &&
            memchr(match->path, '{',
                   (apr_size_t)(after_segments(match->path, common) -
                                match->path)))
            common = 0;
    }
    const char *end = after_segments(uri + match->begin, common);
    return end == uri + length;
}

/* A search for the method that a request's path names. */
typedef struct search_t {
    request_rec *r;
    const up_dir_config_t *config; /* that applies to the path; NULL: not known
                                    * yet */
    match_t match;                 /* the best so far; its path is NULL: none */
} search_t;

/* The per-directory configuration where R's path is now. httpd looks for it
 * before modules rewrite the path and once more after translate_name; this is
 * for the time between, and leaves R as it is. For the path that httpd knows
 * already it is cached. */
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

/* Take MATCH, whose path stands at the end of the request's, for SEARCH's if it
 * is the better one, and UserProfile is On where it begins. */
static void
take(search_t *search, const match_t *match)
{
    const char *uri = search->r->uri;

    if (search->match.path && search->match.begin <= match->begin)
        return;
    if (!search->config)
        search->config = config_at_path(search->r);
    if (search->config->enabled == UP_ON &&
        follows_section(match, uri,
                        up_section_length(search->config->section, uri)))
        search->match = *match;
}

static void
try_rest(search_t *search,
         const up_service_t *service,
         const up_method_t *method,
         int is_short)
{
    match_t match = {.service = service,
                     .method = method,
                     .path = is_short ? method->short_path : method->path,
                     .is_short = is_short};

    if (match.path && ends_in(&match, search->r->uri))
        take(search, &match);
}

/* Whether the path is that of an RPC: its last segment but one is a service. */
static void
try_rpc(search_t *search)
{
    const char *uri = search->r->uri;
    const char *method = segment_before(uri, uri + strlen(uri));
    const char *name = method ? segment_before(uri, method - 1) : NULL;
    match_t match = {.segment = method};

    if (!name || !*method)
        return;
    match.service = up_service_by_name(name, (apr_size_t)(method - 1 - name));
    if (!match.service)
        return;
    match.path = apr_pstrcat(search->r->pool, "/", match.service->name,
                             "/{method}", NULL);
    match.segment_length = strlen(method);
    match.begin = (apr_size_t)(name - 1 - uri);
    take(search, &match);
}

/* Find the method that R's path names where CONFIG (NULL: to be looked for)
 * applies. Of two that fit, the one with the longer path counts. */
static search_t
find(request_rec *r, const up_dir_config_t *config)
{
    search_t search = {.r = r, .config = config};

    if (!r->uri || r->proxyreq)
        return search;
    try_rpc(&search);
    for (int s = 0; up_services[s]; s++) {
        for (int i = 0; i < up_services[s]->methods; i++) {
            const up_method_t *method = &up_services[s]->method[i];
            if (!method->path)
                continue;
            try_rest(&search, up_services[s], method, 0);
            try_rest(&search, up_services[s], method, 1);
        }
    }
    return search;
}

/* Whether CONFIG leaves R's protocol, on a path of KIND, to us; sets REQUEST's.
 * A body that no protocol has is ours to refuse where JSON would be read. */
static int
is_protocol_on(up_request_t *request,
               const request_rec *r,
               const up_dir_config_t *config,
               up_path_kind_t kind)
{
    unsigned on = up_config_protocols(config), wanted;

    up_protocol_of(&request->protocol, &request->media_type, r, kind);
    if (request->protocol)
        wanted = up_protocol_bit(request->protocol);
    else if (kind == UP_PATH_REST)
        wanted = up_protocol_bit(&up_protocol_rest);
    else
        wanted = up_protocols_on(UP_PATH_RPC);
    return (on & wanted) != 0;
}

/* Note what MATCH says of R. */
static void
note_match(up_request_t *request, const match_t *match, apr_pool_t *pool)
{
    const char *segment = match->segment ? apr_pstrmemdup(pool, match->segment,
                                                          match->segment_length)
                                         : NULL;

    request->service = match->service;
    request->on_path = match->method;
    request->rpc = match->method ? NULL : segment;
    request->segment = match->method ? segment : NULL;
}

/* Note whether R is ours, where CONFIG (NULL: to be looked for) applies. */
static int
look_up(request_rec *r, const up_dir_config_t *config)
{
    const up_request_t *known = up_request_known(r);

    /* What was found for the path before its section was known for sure. */
    int is_same = known->is_ours && config && config->enabled == UP_ON &&
                  config->section == known->section &&
                  !strcmp(r->uri, known->uri);
    search_t search = {.r = r, .config = config};
    if (!is_same)
        search = find(r, config);
    if (!is_same && !search.match.path && !known->is_looked_up)
        return 0; /* as nearly every request of the site is */

    up_request_t *request = up_request_of(r);
    request->is_looked_up = 1;
    if (!is_same) {
        request->is_ours = search.match.path != NULL;
        request->uri = apr_pstrdup(r->pool, r->uri);
        if (!request->is_ours)
            return 0;
        request->section = search.config->section;
        note_match(request, &search.match, r->pool);
    }
    request->is_ours =
        is_protocol_on(request, r, search.config,
                       request->on_path ? UP_PATH_REST : UP_PATH_RPC);
    up_request_note(r, "userprofile-user", request->segment);
    return request->is_ours;
}

int
up_route_translate(request_rec *r)
{
    if (!look_up(r, NULL))
        return DECLINED;
    /* No file, but with a type, without which mod_dir would look for a
     * fallback. Modules that judge or log its name see the path. */
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
    up_error_t *err = up_error(r->pool, UP_METHOD_NOT_ALLOWED, APR_SUCCESS,
                               "method %s is not allowed here", r->method);

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

    if (!look_up(r, config))
        return DECLINED;
    up_request_t *request = up_request_of(r);
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
    if (!request->is_accepted || r->filename != request->filename)
        return DECLINED;
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
