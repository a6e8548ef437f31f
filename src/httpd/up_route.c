/* up_route.c -- which requests are ours, and what each asks for. */
#include "httpd/up_route.h"
#include "httpd/up_config.h"
#include "httpd/up_reply.h"
#include "httpd/up_rest.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#define HANDLER "userprofile"
#define PROFILE_PATH "/users/*/profile"

static const char *const json[] = {"application/json", NULL};

static const up_route_t routes[] = {
    {PROFILE_PATH, M_GET, NULL, up_rest_get},
    {PROFILE_PATH, M_PUT, json, up_rest_put},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

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

/* Look at R's path, which httpd may have changed since, and its place. */
static int
recognise(request_rec *r)
{
    const up_route_t *route = r->uri ? on_path(routes, r->uri) : NULL;
    int ours = route && !r->proxyreq && up_config_of_place(r)->enabled == UP_ON;
    const char *segment;
    apr_size_t length;

    if (!ours && !up_request_known(r)->ours)
        return 0;
    up_request_t *request = up_request_of(r);
    request->ours = ours;
    request->user = NULL;
    if (ours && path_matches(&segment, &length, r->uri, route->path) && segment)
        request->user = apr_pstrmemdup(r->pool, segment, length);
    return ours;
}

int
up_route_translate(request_rec *r)
{
    if (!recognise(r))
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

/* Whether TYPE, a Content-Type, is one of MEDIA; none at all is JSON. */
static int
media_matches(const char *type, const char *const *media)
{
    if (!media || !type || !*type)
        return 1;
    apr_size_t length = strcspn(type, ";");
    while (length && apr_isspace(type[length - 1]))
        length--;
    for (; *media; media++) {
        if (strlen(*media) == length && !ap_cstr_casecmpn(*media, type, length))
            return 1;
    }
    return 0;
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
    const char *allow = NULL;
    const up_route_t *route = on_path(routes, r->uri);

    for (; route; route = on_path(route + 1, r->uri))
        allow = append(r->pool, allow,
                       route->method == M_GET
                           ? "GET, HEAD"
                           : ap_method_name_of(r->pool, route->method));
    return allow;
}

/* Set *CHOSEN to the row for R, or say what is wrong with R. */
static up_error_t *
choose(const up_route_t **chosen, request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    const char *accepted = NULL;
    const up_route_t *route = on_path(routes, r->uri);

    for (; route; route = on_path(route + 1, r->uri)) {
        if (route->method != r->method_number)
            continue;
        if (media_matches(type, route->media)) {
            *chosen = route;
            return NULL;
        }
        for (const char *const *media = route->media; *media; media++)
            accepted = append(r->pool, accepted, *media);
    }
    if (!accepted)
        return up_error(r->pool, UP_METHOD_NOT_ALLOWED, APR_SUCCESS,
                        "method %s is not allowed here", r->method);
    return up_error(r->pool, UP_MEDIA_TYPE_UNSUPPORTED, APR_SUCCESS,
                    "the Content-Type of the body is none of those accepted: "
                    "%s",
                    accepted);
}

int
up_route_choose(request_rec *r)
{
    if (!recognise(r))
        return DECLINED;
    up_error_t *err = choose(&up_request_of(r)->route, r);
    return err ? up_reply_refuse(r, err) : OK;
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
    ap_conf_vector_t *place = r->per_dir_config;

    if (up_request_known(r)->ours)
        return 1;
    if (!r->uri || !on_path(routes, r->uri))
        return 0;
    int ours =
        ap_location_walk(r) == OK && up_config_of_place(r)->enabled == UP_ON;
    r->per_dir_config = place;
    return ours;
}
