/* up_startup.c -- what is said when httpd starts or tests its configuration.
 *
 * What a section is to mean can be seen only from the directives of other
 * modules beside ours, so these are looked for in httpd's tree of directives. A
 * warning is left out where it is not sure that it is right. */
#include "httpd/up_startup.h"
#include "httpd/up_config.h"
#include "httpd/up_stores.h"

#include <http_core.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <util_cfgtree.h>

APLOG_USE_MODULE(userprofile);

/* A directive, and where it stands. */
typedef struct place_t {
    const ap_directive_t *directive;
    const ap_directive_t *section; /* <Location> or the like, or NULL */
    const ap_directive_t *host;    /* <VirtualHost>, or NULL */
    server_rec *server;
} place_t;

/* What the checks work on. */
typedef struct check_t {
    server_rec *main;
    apr_pool_t *pool;
    apr_array_header_t *places; /* of place_t: all directives of interest */
    int errors;
} check_t;

static int
is_named(const ap_directive_t *directive, const char *name)
{
    return !ap_cstr_casecmp(directive->directive, name);
}

/* Whether DIRECTIVE's name is BEGIN, or BEGIN and more. */
static int
is_named_like(const ap_directive_t *directive, const char *begin)
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
        if (is_named_like(directive, names[i]))
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
        if (is_named(directive, names[i]))
            return 1;
    }
    return is_named_like(directive, "UserProfile");
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
collect(check_t *check, const ap_directive_t *directive, const place_t *around)
{
    for (; directive; directive = directive->next) {
        place_t place = *around;
        place.directive = directive;
        if (is_of_interest(directive))
            APR_ARRAY_PUSH(check->places, place_t) = place;
        if (is_named(directive, "<VirtualHost")) {
            place.host = directive;
            place.server = server_of(check->main, directive);
        } else if (is_section(directive)) {
            place.section = directive;
        }
        collect(check, directive->first_child, &place);
    }
}

/* The first word of PLACE's arguments, without quotes and "<...>"'s end. */
static const char *
first_argument(const ap_directive_t *directive, apr_pool_t *pool)
{
    const char *args = directive->args, *end = args + strlen(args);

    if (directive->directive[0] == '<' && end > args && end[-1] == '>')
        args = apr_pstrmemdup(pool, args, (apr_size_t)(end - 1 - args));
    return ap_getword_conf(pool, &args);
}

static int
says_on(const place_t *place, apr_pool_t *pool)
{
    return is_named(place->directive, "UserProfile") &&
           !ap_cstr_casecmp(first_argument(place->directive, pool), "On");
}

/* Whether SECTION is a <Location> whose argument is a path. */
static int
is_plain_location(const ap_directive_t *section, const char *path)
{
    return is_named(section, "<Location") && strcmp(path, "~") != 0 &&
           !strpbrk(path, "*?[");
}

/* Whether one of the paths A and B is the other, or above it. */
static int
is_path_above(const char *a, const char *b)
{
    apr_size_t length = strlen(a);

    while (length && a[length - 1] == '/')
        length--;
    return !strncmp(a, b, length) && (b[length] == '/' || !b[length]);
}

/* Whether DIRECTIVE can have a say in requests for which ON, a UserProfile On,
 * is said. */
static int
reaches(const place_t *directive, const place_t *on, apr_pool_t *pool)
{
    const ap_directive_t *inner = directive->section, *section = on->section;

    if (directive->host && on->host && directive->host != on->host)
        return 0;
    if (!inner || inner == section)
        return 1;
    if (!is_named_like(inner, "<Location"))
        /* Paths of a <Location> and of the server are no files. */
        return section && !is_named_like(section, "<Location");
    if (!section)
        return 1;
    const char *a = first_argument(inner, pool);
    const char *b = first_argument(section, pool);
    if (!is_plain_location(inner, a) || !is_plain_location(section, b))
        return 1;
    return is_path_above(a, b) || is_path_above(b, a);
}

/* The first directive NAME that reaches ON, or NULL. */
static const place_t *
find_for(const check_t *check, const place_t *on, const char *name)
{
    for (int i = 0; i < check->places->nelts; i++) {
        const place_t *place = &APR_ARRAY_IDX(check->places, i, place_t);
        if (is_named(place->directive, name) && reaches(place, on, check->pool))
            return place;
    }
    return NULL;
}

/* The UserProfile On that PLACE reaches, or NULL. */
static const place_t *
find_on(const check_t *check, const place_t *place)
{
    for (int i = 0; i < check->places->nelts; i++) {
        const place_t *on = &APR_ARRAY_IDX(check->places, i, place_t);
        if (says_on(on, check->pool) && reaches(place, on, check->pool))
            return on;
    }
    return NULL;
}

static int
is_loaded(const char *file)
{
    return ap_find_linked_module(file) != NULL;
}

/* Where PLACE is, for a message: "file:line". */
static const char *
where(const place_t *place, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s:%d", place->directive->filename,
                        place->directive->line_num);
}

/*
 * AuthType.
 */

#define OUR_TYPE "UserProfile"
#define MOST_LETTERS 24

static int
is_our_type(const place_t *place, apr_pool_t *pool)
{
    return is_named(place->directive, "AuthType") &&
           !ap_cstr_casecmp(first_argument(place->directive, pool), OUR_TYPE);
}

/* Copy the letters of WORD, as lower case, to LETTERS, if there are not too
 * many. Returns their number. */
static int
copy_letters(char letters[MOST_LETTERS], const char *word)
{
    int count = 0;

    for (; *word && count < MOST_LETTERS; word++) {
        if (apr_isalpha(*word))
            letters[count++] = (char)apr_tolower(*word);
    }
    return count;
}

static int
least(int a, int b, int c)
{
    int smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

/* How many letters must be put in, left out or replaced to make our AuthType of
 * WORD (the Levenshtein distance). */
static int
distance_from_ours(const char *word)
{
    char from[MOST_LETTERS], to[MOST_LETTERS];
    int row[MOST_LETTERS + 1];
    int length = copy_letters(from, word), columns = copy_letters(to, OUR_TYPE);

    for (int k = 0; k <= columns; k++)
        row[k] = k;
    for (int i = 1; i <= length; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int k = 1; k <= columns; k++) {
            int above = row[k];
            row[k] = least(above + 1, row[k - 1] + 1,
                           diagonal + (from[i - 1] != to[k - 1]));
            diagonal = above;
        }
    }
    return row[columns];
}

/* The types of known modules, in their source files. */
static const struct {
    const char *type, *file;
} known_types[] = {
    {"Basic", "mod_auth_basic.c"},
    {"Digest", "mod_auth_digest.c"},
    {"Form", "mod_auth_form.c"},
    {"Bearer", "mod_auth_bearer.c"},
    {"GSSAPI", "mod_auth_gssapi.c"},
    {"oauth20", "mod_auth_openidc.c"},
    {"openid-connect", "mod_auth_openidc.c"},
};

/* The source file of the module whose AuthType TYPE is, if it is known and not
 * loaded; otherwise NULL. */
static const char *
missing_module(const char *type)
{
    for (apr_size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]);
         i++) {
        if (!ap_cstr_casecmp(known_types[i].type, type) &&
            !is_loaded(known_types[i].file))
            return known_types[i].file;
    }
    return NULL;
}

/* Whether PLACE's server, or for what is in no <VirtualHost> any, has a store.
 */
static int
has_store(const check_t *check, const place_t *place)
{
    if (place->host)
        return up_config_of_server(place->server)->used == UP_ON;
    for (const server_rec *s = check->main; s; s = s->next) {
        if (up_config_of_server(s)->used == UP_ON)
            return 1;
    }
    return 0;
}

static void
check_auth_type(check_t *check, const place_t *place)
{
    const char *type = first_argument(place->directive, check->pool);
    const char *at = where(place, check->pool), *missing;

    if (is_our_type(place, check->pool)) {
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
    } else if (distance_from_ours(type) <= 2) {
        check->errors++;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, place->server,
                     "UP0041: %s: AuthType %s is no module's; is it to be "
                     "AuthType UserProfile?",
                     at, type);
    } else if (find_on(check, place)) {
        missing = missing_module(type);
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
is_for_health(const place_t *on)
{
    const char *args = on->section ? on->section->args : "";

    return ap_strcasestr(args, "health") != NULL;
}

/* Warn if nothing says who calls, or who may, where ON is said. */
static void
check_access(check_t *check, const place_t *on)
{
    const place_t *type = find_for(check, on, "AuthType");
    const char *at = where(on, check->pool);

    if (type &&
        !ap_cstr_casecmp(first_argument(type->directive, check->pool), "None"))
        type = NULL;
    if (!type && !find_for(check, on, "SSLUserName") &&
        !find_for(check, on, "UserProfileCaller") && !is_for_health(on))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, on->server,
                     "UP0043: %s: UserProfile On has no AuthType in reach, so "
                     "that every call is answered with 401; 'AuthType "
                     "UserProfile' takes tokens of userprofilectl",
                     at);
    if (type && !find_for(check, on, "Require"))
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, on->server,
            "UP0044: %s: UserProfile On has an AuthType but no Require "
            "in reach, which Apache answers with 500; 'Require "
            "valid-user' lets in all callers that it knows",
            at);
}

/* Warn if the section of ON is not what paths of calls are in. */
static void
check_section(const check_t *check, const place_t *on)
{
    const ap_directive_t *section = on->section;

    if (!section)
        return;
    const char *path = first_argument(section, check->pool);
    if (is_named(section, "<Location") && strpbrk(path, "^$|()"))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, on->server,
                     "UP0045: %s: UserProfile On is in <Location %s>, which "
                     "looks like a regular expression; a <Location> takes a "
                     "path, <LocationMatch> an expression",
                     where(on, check->pool), path);
    if (is_named_like(section, "<Files") || is_named_like(section, "<Proxy"))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, on->server,
                     "UP0046: %s: UserProfile On in %s serves nothing; put it "
                     "in a <Location>",
                     where(on, check->pool), section->directive);
}

/* Whether gRPC is among the protocols where ON is said; sets *ALONE to whether
 * there is no other. */
static int
wants_grpc(int *alone, const check_t *check, const place_t *on)
{
    const place_t *place = find_for(check, on, "UserProfileProtocols");
    const char *args = place ? place->directive->args : "grpc rest", *word;
    int wanted = 0;

    *alone = 1;
    while (*(word = ap_getword_conf(check->pool, &args))) {
        if (!ap_cstr_casecmp(word, "grpc"))
            wanted = 1;
        else
            *alone = 0;
    }
    return wanted;
}

/* Why there is no HTTP/2 where ON is said; NULL if there is. */
static const char *
why_no_http2(const check_t *check, const place_t *on)
{
    const place_t *protocols = find_for(check, on, "Protocols");

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

    for (int i = 0; i < check->places->nelts; i++) {
        const place_t *on = &APR_ARRAY_IDX(check->places, i, place_t);
        if (!says_on(on, check->pool) || !wants_grpc(&alone, check, on))
            continue;
        const char *why = why_no_http2(check, on);
        if (!why)
            continue;
        ap_log_error(APLOG_MARK, alone ? APLOG_WARNING : APLOG_NOTICE, 0,
                     on->server,
                     "UP0047: %s: gRPC, which needs HTTP/2, cannot be called, "
                     "as %s",
                     where(on, check->pool), why);
        return;
    }
}

/* Check that the modules are there without which ON, the first UserProfile On,
 * has no sense. */
static void
check_modules(check_t *check, const place_t *on)
{
    static const char *const needed[] = {"mod_authn_core", "mod_authz_core",
                                         "mod_authz_user"};

    for (apr_size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (is_loaded(apr_pstrcat(check->pool, needed[i], ".c", NULL)))
            continue;
        check->errors++;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, on->server,
                     "UP0048: %s: UserProfile On needs %s, which is not loaded",
                     where(on, check->pool), needed[i]);
    }
}

/*
 * Our other directives.
 */

/* Whether AuthType UserProfile uses the store that PLACE, of a server, is
 * about.
 */
static int
is_for_tokens(const check_t *check, const place_t *place)
{
    for (int i = 0; i < check->places->nelts; i++) {
        const place_t *other = &APR_ARRAY_IDX(check->places, i, place_t);
        if (is_our_type(other, check->pool) &&
            (!place->host || !other->host || place->host == other->host))
            return 1;
    }
    return 0;
}

/* Warn if PLACE, a directive of ours, applies to nothing. */
static void
check_use(const check_t *check, const place_t *place)
{
    if (find_on(check, place) ||
        (!place->section && is_for_tokens(check, place)))
        return;
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, place->server,
        "UP0049: %s: %s applies to nothing, as no UserProfile On is in "
        "its reach",
        where(place, check->pool), place->directive->directive);
}

/* Warn if PLACE, a DocumentRoot, has a store in it. */
static void
check_document_root(const check_t *check, const place_t *place)
{
    const char *root = ap_server_root_relative(
        check->pool, first_argument(place->directive, check->pool));

    for (server_rec *s = check->main; root && s; s = s->next) {
        const up_server_config_t *config = up_config_of_server(s);
        const char *uri = up_config_store_uri(config);
        const char *path = strchr(uri, ':') + 1;
        if (config->used == UP_ON && is_path_above(root, path)) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "UP0050: %s: the store '%s' is in the DocumentRoot, "
                         "from where Apache may send its files to anyone",
                         where(place, check->pool), uri);
            return;
        }
    }
}

static void
check_place(check_t *check, const place_t *place)
{
    if (is_named(place->directive, "AuthType")) {
        check_auth_type(check, place);
    } else if (says_on(place, check->pool)) {
        check_access(check, place);
        check_section(check, place);
    } else if (is_named(place->directive, "DocumentRoot")) {
        check_document_root(check, place);
    } else if (is_named_like(place->directive, "UserProfile") &&
               !is_named(place->directive, "UserProfile")) {
        check_use(check, place);
    }
}

/* The directives of MAIN's configuration that are checked. */
static check_t
read_places(server_rec *main, apr_pool_t *pool)
{
    check_t check = {.main = main, .pool = pool};
    place_t around = {.server = main};

    check.places = apr_array_make(pool, 16, sizeof(place_t));
    collect(&check, ap_conftree, &around);
    return check;
}

static void
check_places(check_t *check)
{
    const place_t *first = NULL;

    for (int i = 0; i < check->places->nelts; i++) {
        const place_t *place = &APR_ARRAY_IDX(check->places, i, place_t);
        check_place(check, place);
        if (!first && says_on(place, check->pool))
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

    check_t check = read_places(main, ptemp);
    check_places(&check);
    check.errors += up_stores_prepare(pconf, ptemp, main, 1);
    return check.errors ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/* Where SERVER says UserProfile On: the sections, joined; NULL: nowhere. */
static const char *
sections_of(const check_t *check, const server_rec *server)
{
    const char *list = NULL;

    for (int i = 0; i < check->places->nelts; i++) {
        const place_t *place = &APR_ARRAY_IDX(check->places, i, place_t);
        if (place->server != server || !says_on(place, check->pool))
            continue;
        const char *section =
            place->section ? apr_pstrcat(check->pool, place->section->directive,
                                         " ", place->section->args, NULL)
                           : "all paths";
        list = list ? apr_pstrcat(check->pool, list, ", ", section, NULL)
                    : section;
    }
    return list;
}

void
up_startup_report(server_rec *main, apr_pool_t *ptemp)
{
    check_t check = read_places(main, ptemp);

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
