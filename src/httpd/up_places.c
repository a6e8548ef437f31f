/* up_places.c -- the directives of httpd's tree that are of interest to us. */
#include "httpd/up_places.h"

#include <apr_strings.h>
#include <http_config.h>
#include <string.h>

int
up_place_is_named(const ap_directive_t *directive, const char *name)
{
    return !ap_cstr_casecmp(directive->directive, name);
}

int
up_place_is_named_like(const ap_directive_t *directive, const char *begin)
{
    return !ap_cstr_casecmpn(directive->directive, begin, strlen(begin));
}

/* Whether DIRECTIVE begins a section for paths or files. */
static int
is_section(const ap_directive_t *directive)
{
    static const char *const names[] = {"<Location", "<Directory", "<Files",
                                        "<Proxy"};

    for (apr_size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (up_place_is_named_like(directive, names[i]))
            return 1;
    }
    return 0;
}

/* Whether the checks look at DIRECTIVE. */
static int
is_of_interest(const ap_directive_t *directive)
{
    static const char *const names[] = {"AuthType", "Require", "SSLUserName",
                                        "DocumentRoot", "Protocols"};

    for (apr_size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (up_place_is_named(directive, names[i]))
            return 1;
    }
    return up_place_is_named_like(directive, "UserProfile");
}

/* The server that the <VirtualHost> HOST makes; MAIN if HOST is NULL. */
static server_rec *
server_of(server_rec *main, const ap_directive_t *host)
{
    for (server_rec *s = main->next; host && s; s = s->next) {
        if (s->defn_name && !strcmp(s->defn_name, host->filename) &&
            s->defn_line_number == (unsigned)host->line_num)
            return s;
    }
    return main;
}

/* Add the directives of interest of the list at DIRECTIVE, and of what is in
 * it; all are in AROUND's section and host. */
static void
collect(up_places_t *places,
        const ap_directive_t *directive,
        const up_place_t *around)
{
    for (; directive; directive = directive->next) {
        up_place_t place = *around;
        place.directive = directive;
        if (is_of_interest(directive))
            APR_ARRAY_PUSH(places->list, up_place_t) = place;
        if (up_place_is_named(directive, "<VirtualHost")) {
            place.host = directive;
            place.server = server_of(places->main, directive);
        } else if (is_section(directive)) {
            place.section = directive;
        }
        collect(places, directive->first_child, &place);
    }
}

const char *
up_place_argument(const ap_directive_t *directive, apr_pool_t *pool)
{
    const char *args = directive->args, *end = args + strlen(args);

    if (directive->directive[0] == '<' && end > args && end[-1] == '>')
        args = apr_pstrmemdup(pool, args, (apr_size_t)(end - 1 - args));
    return ap_getword_conf(pool, &args);
}

int
up_place_says_on(const up_place_t *place, apr_pool_t *pool)
{
    return up_place_is_named(place->directive, "UserProfile") &&
           !ap_cstr_casecmp(up_place_argument(place->directive, pool), "On");
}

/* Whether SECTION is a <Location> whose argument is a path. */
static int
is_plain_location(const ap_directive_t *section, const char *path)
{
    return up_place_is_named(section, "<Location") && strcmp(path, "~") != 0 &&
           !strpbrk(path, "*?[");
}

int
up_place_is_above(const char *a, const char *b)
{
    apr_size_t length = strlen(a);

    while (length && a[length - 1] == '/')
        length--;
    return !strncmp(a, b, length) && (b[length] == '/' || !b[length]);
}

/* Whether DIRECTIVE can have a say in requests for which ON, a UserProfile On,
 * is said. */
static int
reaches(const up_place_t *directive, const up_place_t *on, apr_pool_t *pool)
{
    const ap_directive_t *inner = directive->section, *section = on->section;

    if (directive->host && on->host && directive->host != on->host)
        return 0;
    if (!inner || inner == section)
        return 1;
    if (!up_place_is_named_like(inner, "<Location"))
        /* Paths of a <Location> and of the server are no files. */
        return section && !up_place_is_named_like(section, "<Location");
    if (!section)
        return 1;
    const char *a = up_place_argument(inner, pool);
    const char *b = up_place_argument(section, pool);
    if (!is_plain_location(inner, a) || !is_plain_location(section, b))
        return 1;
    return up_place_is_above(a, b) || up_place_is_above(b, a);
}

const up_place_t *
up_places_find(const up_places_t *places,
               const up_place_t *on,
               const char *name)
{
    for (int i = 0; i < places->list->nelts; i++) {
        const up_place_t *place = &APR_ARRAY_IDX(places->list, i, up_place_t);
        if (up_place_is_named(place->directive, name) &&
            reaches(place, on, places->pool))
            return place;
    }
    return NULL;
}

const up_place_t *
up_places_find_on(const up_places_t *places, const up_place_t *place)
{
    for (int i = 0; i < places->list->nelts; i++) {
        const up_place_t *on = &APR_ARRAY_IDX(places->list, i, up_place_t);
        if (up_place_says_on(on, places->pool) &&
            reaches(place, on, places->pool))
            return on;
    }
    return NULL;
}

const char *
up_place_text(const up_place_t *place, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s:%d", place->directive->filename,
                        place->directive->line_num);
}

const up_places_t *
up_places_read(server_rec *main, apr_pool_t *pool)
{
    up_places_t *places = apr_pcalloc(pool, sizeof(*places));
    up_place_t around = {.server = main};

    places->main = main;
    places->pool = pool;
    places->list = apr_array_make(pool, 16, sizeof(up_place_t));
    collect(places, ap_conftree, &around);
    return places;
}
