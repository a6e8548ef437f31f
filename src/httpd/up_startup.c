/* up_startup.c -- what is said when httpd starts or tests its configuration.
 *
 * What a section is to mean can be seen only from the directives of other
 * modules beside ours, so these are looked for in httpd's tree of directives. A
 * warning is left out where it is not sure that it is right. */
#include "httpd/up_startup.h"
#include "httpd/up_auth_type.h"
#include "httpd/up_config.h"
#include "httpd/up_places.h"
#include "httpd/up_stores.h"

#include <http_core.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>

APLOG_USE_MODULE(userprofile);

/* What the checks work on. */
typedef struct check_t {
    const up_places_t *places;
    int errors;
} check_t;

static int
is_loaded(const char *file)
{
    return ap_find_linked_module(file) != NULL;
}

/*
 * AuthType.
 */

static int
is_our_type(const up_place_t *place, apr_pool_t *pool)
{
    return up_place_is_named(place->directive, "AuthType") &&
           up_auth_type_is_ours(up_place_argument(place->directive, pool));
}

/* Whether PLACE's server, or for what is in no <VirtualHost> any, has a store.
 */
static int
has_store(const check_t *check, const up_place_t *place)
{
    if (place->host)
        return up_config_of_server(place->server)->used == UP_ON;
    for (const server_rec *s = check->places->main; s; s = s->next) {
        if (up_config_of_server(s)->used == UP_ON)
            return 1;
    }
    return 0;
}

static void
check_auth_type(check_t *check, const up_place_t *place)
{
    const char *type = up_place_argument(place->directive, check->places->pool);
    const char *at = up_place_text(place, check->places->pool), *missing;

    if (is_our_type(place, check->places->pool)) {
        if (has_store(check, place))
            return;
        check->errors++;
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, place->server,
            "UP0040: %s: AuthType UserProfile has no store to look for "
            "tokens in: say UserProfileStore, or UserProfile On",
            at);
    } else if (strpbrk(type, "%{")) {
        return; /* an expression */
    } else if (up_auth_type_is_like_ours(type)) {
        check->errors++;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, place->server,
                     "UP0041: %s: no module has AuthType %s; is AuthType "
                     "UserProfile meant?",
                     at, type);
    } else if (up_places_find_on(check->places, place)) {
        missing = up_auth_type_missing(type);
        if (missing)
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, place->server,
                         "UP0042: %s: AuthType %s is that of %.*s, which is "
                         "not loaded; tokens of userprofilectl are AuthType "
                         "UserProfile",
                         at, type, (int)strlen(missing) - 2, missing);
    }
}

/*
 * UserProfile On.
 */

/* Whether ON's section is for calls that need no caller. */
static int
is_for_health(const up_place_t *on)
{
    const char *args = on->section ? on->section->args : "";

    return ap_strcasestr(args, "health") != NULL;
}

/* Warn if nothing says who calls, or who may, where ON is said. */
static void
check_access(check_t *check, const up_place_t *on)
{
    const up_place_t *type = up_places_find(check->places, on, "AuthType");
    const char *at = up_place_text(on, check->places->pool);

    if (type &&
        !ap_cstr_casecmp(
            up_place_argument(type->directive, check->places->pool), "None"))
        type = NULL;
    if (!type && !up_places_find(check->places, on, "SSLUserName") &&
        !up_places_find(check->places, on, "UserProfileCaller") &&
        !is_for_health(on))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, on->server,
                     "UP0043: %s: UserProfile On has no AuthType in reach, so "
                     "that every call is answered with 401; 'AuthType "
                     "UserProfile' takes tokens of userprofilectl",
                     at);
    if (type && !up_places_find(check->places, on, "Require"))
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, on->server,
            "UP0044: %s: UserProfile On has an AuthType but no Require "
            "in reach, which Apache answers with 500; 'Require "
            "valid-user' lets in all callers that it knows",
            at);
}

/* Warn if the section of ON is not what paths of calls are in. */
static void
check_section(const check_t *check, const up_place_t *on)
{
    const ap_directive_t *section = on->section;

    if (!section)
        return;
    const char *path = up_place_argument(section, check->places->pool);
    if (up_place_is_named(section, "<Location") && strpbrk(path, "^$|()"))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, on->server,
                     "UP0045: %s: UserProfile On is in <Location %s>, which "
                     "looks like a regular expression; a <Location> takes a "
                     "path, <LocationMatch> an expression",
                     up_place_text(on, check->places->pool), path);
    if (up_place_is_named_like(section, "<Files") ||
        up_place_is_named_like(section, "<Proxy"))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, on->server,
                     "UP0046: %s: UserProfile On in %s serves nothing; put it "
                     "in a <Location>",
                     up_place_text(on, check->places->pool),
                     section->directive);
}

/* Whether gRPC is among the protocols where ON is said; sets *ALONE to whether
 * there is no other. */
static int
wants_grpc(int *alone, const check_t *check, const up_place_t *on)
{
    const up_place_t *place =
        up_places_find(check->places, on, "UserProfileProtocols");
    const char *args = place ? place->directive->args : "grpc rest", *word;
    int wanted = 0;

    *alone = 1;
    while (*(word = ap_getword_conf(check->places->pool, &args))) {
        if (!ap_cstr_casecmp(word, "grpc"))
            wanted = 1;
        else
            *alone = 0;
    }
    return wanted;
}

/* Why there is no HTTP/2 where ON is said; NULL if there is. */
static const char *
why_no_http2(const check_t *check, const up_place_t *on)
{
    const up_place_t *protocols =
        up_places_find(check->places, on, "Protocols");

    if (!is_loaded("mod_http2.c"))
        return "mod_http2 is not loaded";
    if (!strcmp(ap_show_mpm(), "prefork"))
        return "mod_http2 does not work under the prefork MPM";
    if (!protocols || !ap_strcasestr(protocols->directive->args, "h2"))
        return "no 'Protocols h2 h2c http/1.1' is said";
    return NULL;
}

/* Say once that gRPC cannot be called, if it is to be. */
static void
check_http2(const check_t *check)
{
    int alone;

    for (int i = 0; i < check->places->list->nelts; i++) {
        const up_place_t *on =
            &APR_ARRAY_IDX(check->places->list, i, up_place_t);
        if (!up_place_says_on(on, check->places->pool) ||
            !wants_grpc(&alone, check, on))
            continue;
        const char *why = why_no_http2(check, on);
        if (!why)
            continue;
        ap_log_error(APLOG_MARK, alone ? APLOG_WARNING : APLOG_NOTICE, 0,
                     on->server,
                     "UP0047: %s: gRPC, which needs HTTP/2, cannot be called, "
                     "as %s",
                     up_place_text(on, check->places->pool), why);
        return;
    }
}

/* Check that the modules are there without which ON, the first UserProfile On,
 * has no sense. */
static void
check_modules(check_t *check, const up_place_t *on)
{
    static const char *const needed[] = {"mod_authn_core", "mod_authz_core",
                                         "mod_authz_user"};

    for (apr_size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (is_loaded(apr_pstrcat(check->places->pool, needed[i], ".c", NULL)))
            continue;
        check->errors++;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, on->server,
                     "UP0048: %s: UserProfile On needs %s, which is not loaded",
                     up_place_text(on, check->places->pool), needed[i]);
    }
}

/*
 * Our other directives.
 */

/* Whether AuthType UserProfile uses the store that PLACE, of a server, is
 * about.
 */
static int
is_for_tokens(const check_t *check, const up_place_t *place)
{
    for (int i = 0; i < check->places->list->nelts; i++) {
        const up_place_t *other =
            &APR_ARRAY_IDX(check->places->list, i, up_place_t);
        if (is_our_type(other, check->places->pool) &&
            (!place->host || !other->host || place->host == other->host))
            return 1;
    }
    return 0;
}

/* Warn if PLACE, a directive of ours, applies to nothing. */
static void
check_use(const check_t *check, const up_place_t *place)
{
    if (up_places_find_on(check->places, place) ||
        (!place->section && is_for_tokens(check, place)))
        return;
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, place->server,
        "UP0049: %s: %s applies to nothing, as no UserProfile On is in "
        "its reach",
        up_place_text(place, check->places->pool), place->directive->directive);
}

/* Warn if PLACE, a DocumentRoot, has a store in it. */
static void
check_document_root(const check_t *check, const up_place_t *place)
{
    const char *root = ap_server_root_relative(
        check->places->pool,
        up_place_argument(place->directive, check->places->pool));

    for (server_rec *s = check->places->main; root && s; s = s->next) {
        const up_server_config_t *config = up_config_of_server(s);
        const char *uri = up_config_store_uri(config);
        const char *path = strchr(uri, ':') + 1;
        if (config->used == UP_ON && up_place_is_above(root, path)) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "UP0050: %s: the store '%s' is in the DocumentRoot, "
                         "from where Apache may send its files to anyone",
                         up_place_text(place, check->places->pool), uri);
            return;
        }
    }
}

static void
check_place(check_t *check, const up_place_t *place)
{
    if (up_place_is_named(place->directive, "AuthType")) {
        check_auth_type(check, place);
    } else if (up_place_says_on(place, check->places->pool)) {
        check_access(check, place);
        check_section(check, place);
    } else if (up_place_is_named(place->directive, "DocumentRoot")) {
        check_document_root(check, place);
    } else if (up_place_is_named_like(place->directive, "UserProfile") &&
               !up_place_is_named(place->directive, "UserProfile")) {
        check_use(check, place);
    }
}

static void
check_places(check_t *check)
{
    const up_place_t *first = NULL;

    for (int i = 0; i < check->places->list->nelts; i++) {
        const up_place_t *place =
            &APR_ARRAY_IDX(check->places->list, i, up_place_t);
        check_place(check, place);
        if (!first && up_place_says_on(place, check->places->pool))
            first = place;
    }
    if (!first)
        return;
    check_modules(check, first);
    check_http2(check);
}

int
up_startup_test(apr_pool_t *pconf,
                apr_pool_t *plog,
                apr_pool_t *ptemp,
                server_rec *main)
{
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST)
        return OK;

    check_t check = {.places = up_places_read(main, ptemp)};
    check_places(&check);
    check.errors += up_stores_prepare(pconf, ptemp, main, 1);
    return check.errors ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/* Where SERVER says UserProfile On: the sections, joined; NULL: nowhere. */
static const char *
sections_of(const check_t *check, const server_rec *server)
{
    const char *list = NULL;

    for (int i = 0; i < check->places->list->nelts; i++) {
        const up_place_t *place =
            &APR_ARRAY_IDX(check->places->list, i, up_place_t);
        if (place->server != server ||
            !up_place_says_on(place, check->places->pool))
            continue;
        const char *section =
            place->section
                ? apr_pstrcat(check->places->pool, place->section->directive,
                              " ", place->section->args, NULL)
                : "all paths";
        list = list
                   ? apr_pstrcat(check->places->pool, list, ", ", section, NULL)
                   : section;
    }
    return list;
}

void
up_startup_report(server_rec *main, apr_pool_t *ptemp)
{
    check_t check = {.places = up_places_read(main, ptemp)};

    for (server_rec *server = main; server; server = server->next) {
        const char *sections = sections_of(&check, server);
        if (sections)
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, server,
                         "UP0033: mod_userprofile/" UP_VERSION " serves the "
                         "store '%s' in %s",
                         up_config_store_uri(up_config_of_server(server)),
                         sections);
    }
    check_places(&check);
}
