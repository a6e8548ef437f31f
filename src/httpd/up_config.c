/* up_config.c -- the directives, and what they say. */
#include "httpd/up_config.h"
#include "httpd/up_cors.h"
#include "httpd/up_protocol.h"
#include "core/up_language.h"
#include "core/up_size.h"
#include "service/up_access.h"

#include <apr_strings.h>
#include <http_log.h>

APLOG_USE_MODULE(userprofile);

#define DEFAULT_MAX_BODY (64 * 1024)
#define MOST_MAX_BODY (1 << 30)

void *
up_config_create_server(apr_pool_t *pool, server_rec *server)
{
    return apr_pcalloc(pool, sizeof(up_server_config_t));
}

void *
up_config_create_dir(apr_pool_t *pool, char *path)
{
    return apr_pcalloc(pool, sizeof(up_dir_config_t));
}

/* The value set nearest the request. Works because 0 and NULL mean "not said
 * here" in every field; keep it so. */
#define NEAREST(field) (inner->field ? inner->field : outer->field)

/* The options of both; of two with one name, the inner one comes first and
 * counts. */
static apr_table_t *
merge_options(apr_pool_t *pool, apr_table_t *outer, apr_table_t *inner)
{
    if (!outer || !inner)
        return inner ? inner : outer;
    return apr_table_overlay(pool, inner, outer);
}

void *
up_config_merge_server(apr_pool_t *pool, void *base, void *over)
{
    const up_server_config_t *outer = base, *inner = over;

    up_server_config_t *config = apr_pcalloc(pool, sizeof(*config));
    config->store_uri = NEAREST(store_uri);
    config->store_options =
        merge_options(pool, outer->store_options, inner->store_options);
    config->used = NEAREST(used);
    return config;
}

/* The roles of both; of two with one name, the inner one comes last and
 * counts. */
static const apr_array_header_t *
merge_roles(apr_pool_t *pool,
            const apr_array_header_t *outer,
            const apr_array_header_t *inner)
{
    if (!outer || !inner)
        return inner ? inner : outer;
    return apr_array_append(pool, outer, inner);
}

void *
up_config_merge_dir(apr_pool_t *pool, void *base, void *over)
{
    const up_dir_config_t *outer = base, *inner = over;

    up_dir_config_t *config = apr_pcalloc(pool, sizeof(*config));
    config->enabled = NEAREST(enabled);
    config->section = inner->enabled ? inner->section : outer->section;
    config->protocols = NEAREST(protocols);
    config->self = NEAREST(self);
    config->unchanged_is_ok = NEAREST(unchanged_is_ok);
    config->languages = NEAREST(languages);
    config->cors = NEAREST(cors);
    config->caller = NEAREST(caller);
    config->caller_org = NEAREST(caller_org);
    config->caller_roles = NEAREST(caller_roles);
    config->max_body = NEAREST(max_body);
    config->roles = merge_roles(pool, outer->roles, inner->roles);
    return config;
}

up_server_config_t *
up_config_of_server(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &userprofile_module);
}

const up_dir_config_t *
up_config_of_dir(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &userprofile_module);
}

const char *
up_config_store_uri(const up_server_config_t *config)
{
    return config->store_uri ? config->store_uri : "lmdb:" UP_STATEDIR;
}

apr_size_t
up_config_max_body(const up_dir_config_t *config)
{
    return config->max_body ? config->max_body : DEFAULT_MAX_BODY;
}

unsigned
up_config_protocols(const up_dir_config_t *config)
{
    return config->protocols ? config->protocols : UP_ALL_PROTOCOLS;
}

const apr_array_header_t *
up_config_languages(const up_dir_config_t *config)
{
    return config->languages && config->languages->nelts ? config->languages
                                                         : NULL;
}

unsigned
up_config_self(const up_dir_config_t *config)
{
    switch (config->self) {
    case UP_SELF_OFF:
        return 0;
    case UP_SELF_READ:
        return UP_USER_READ;
    default:
        return UP_USER_READ | UP_USER_WRITE;
    }
}

const apr_table_t *
up_config_store_options(const up_server_config_t *config, apr_pool_t *pool)
{
    return config->store_options ? config->store_options
                                 : apr_table_make(pool, 1);
}

static const char *
wrong(cmd_parms *cmd, const char *value, const char *right)
{
    return apr_psprintf(cmd->pool, "%s: '%s' is not %s", cmd->cmd->name, value,
                        right);
}

static const char *
set_store(cmd_parms *cmd, void *dir, const char *uri)
{
    up_server_config_t *config = up_config_of_server(cmd->server);

    up_error_t *err = up_store_check_uri(uri, cmd->temp_pool);
    if (err)
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name,
                            up_error_story(err, cmd->temp_pool));
    config->store_uri = uri;
    config->used = UP_ON;
    return NULL;
}

/* For the directives that are options of the store's driver, by the name that
 * is the directive's data. */
static const char *
set_store_option(cmd_parms *cmd, void *dir, const char *value)
{
    up_server_config_t *config = up_config_of_server(cmd->server);
    const char *option = cmd->info;

    up_error_t *err = up_store_check_option(option, value, cmd->temp_pool);
    if (err)
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name,
                            up_error_story(err, cmd->temp_pool));
    if (!config->store_options)
        config->store_options = apr_table_make(cmd->pool, 2);
    apr_table_setn(config->store_options, option, value);
    return NULL;
}

static const char *
set_enabled(cmd_parms *cmd, void *dir, int on)
{
    up_dir_config_t *config = dir;

    config->enabled = on ? UP_ON : UP_OFF;
    config->section = on ? up_section_of(cmd) : NULL;
    if (on)
        up_config_of_server(cmd->server)->used = UP_ON;
    return NULL;
}

static const char *
set_max_body(cmd_parms *cmd, void *dir, const char *text)
{
    up_dir_config_t *config = dir;
    apr_int64_t size;

    if (!up_size_parse(&size, text, 1, MOST_MAX_BODY))
        return wrong(cmd, text, "a size from 1 to 1G, such as 64K");
    config->max_body = (apr_size_t)size;
    return NULL;
}

static const char *
set_self(cmd_parms *cmd, void *dir, const char *text)
{
    static const struct {
        const char *text;
        up_self_t self;
    } values[] = {
        {"Off", UP_SELF_OFF}, {"Read", UP_SELF_READ}, {"Write", UP_SELF_WRITE}};
    up_dir_config_t *config = dir;

    for (apr_size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (!ap_cstr_casecmp(values[i].text, text)) {
            config->self = values[i].self;
            return NULL;
        }
    }
    return wrong(cmd, text, "Off, Read or Write");
}

static const char *
set_unchanged(cmd_parms *cmd, void *dir, const char *text)
{
    up_dir_config_t *config = dir;

    if (!ap_cstr_casecmp(text, "ok"))
        config->unchanged_is_ok = UP_ON;
    else if (!ap_cstr_casecmp(text, "error"))
        config->unchanged_is_ok = UP_OFF;
    else
        return wrong(cmd, text, "error or ok");
    return NULL;
}

static const char *
set_languages(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    up_dir_config_t *config = dir;
    apr_array_header_t *languages =
        apr_array_make(cmd->pool, argc, sizeof(const char *));

    if (argc < 1)
        return apr_psprintf(cmd->pool,
                            "%s: takes one or more language tags, or *",
                            cmd->cmd->name);
    config->languages = languages;
    if (argc == 1 && !strcmp(argv[0], "*"))
        return NULL;
    for (int i = 0; i < argc; i++) {
        const char *tag = up_language_canonical(argv[i], cmd->pool);
        if (!tag)
            return wrong(cmd, argv[i],
                         "a language tag of up to " APR_STRINGIFY(
                             UP_LANGUAGE_MAX) " characters, such as en or "
                                              "de-CH");
        APR_ARRAY_PUSH(languages, const char *) = tag;
    }
    return NULL;
}

/* For the directives that are expressions: their data is the offset of the
 * field. Vary is not for them, since no answer may be stored. */
static const char *
set_expression(cmd_parms *cmd, void *dir, const char *text)
{
    const ap_expr_info_t **field =
        (void *)((char *)dir + (apr_size_t)cmd->info);
    const char *why;

    *field = ap_expr_parse_cmd(
        cmd, text, AP_EXPR_FLAG_STRING_RESULT | AP_EXPR_FLAG_DONT_VARY, &why,
        NULL);
    if (why)
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not an expression that gives text, "
                            "such as %%{REMOTE_USER}: %s",
                            cmd->cmd->name, text, why);
    return NULL;
}

/* Likewise for the directives that can be Off: that is the empty text, which
 * gives nothing, also in place of an outer section's. */
static const char *
set_claim(cmd_parms *cmd, void *dir, const char *text)
{
    return set_expression(cmd, dir, ap_cstr_casecmp(text, "Off") ? text : "");
}

static const char *
set_cors(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    up_dir_config_t *config = dir;
    apr_array_header_t *origins =
        apr_array_make(cmd->pool, argc, sizeof(const char *));
    const char *origin;

    if (argc < 1)
        return apr_psprintf(cmd->pool,
                            "%s: takes one or more origins, * or Off",
                            cmd->cmd->name);
    config->cors = origins;
    if (argc == 1 && !ap_cstr_casecmp(argv[0], "Off"))
        return NULL;
    if (argc == 1 && !strcmp(argv[0], "*")) {
        APR_ARRAY_PUSH(origins, const char *) = argv[0];
        return NULL;
    }
    for (int i = 0; i < argc; i++) {
        if (!up_cors_parse_origin(&origin, argv[i], cmd->pool))
            return wrong(cmd, argv[i],
                         "an origin, such as https://app.example.com or "
                         "http://localhost:3000; * and Off stand alone");
        APR_ARRAY_PUSH(origins, const char *) = origin;
    }
    return NULL;
}

static const char *
set_protocols(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    up_dir_config_t *config = dir;
    unsigned protocols = 0;

    for (int i = 0; i < argc; i++) {
        int p = 0;
        while (up_protocols[p] &&
               ap_cstr_casecmp(up_protocols[p]->name, argv[i]) != 0)
            p++;
        if (!up_protocols[p])
            return wrong(cmd, argv[i],
                         "a protocol: rest, grpc, grpc-web or connect");
        protocols |= up_protocol_bit(up_protocols[p]);
    }
    if (!protocols)
        return apr_psprintf(cmd->pool,
                            "%s: takes one or more of rest, grpc, grpc-web and "
                            "connect",
                            cmd->cmd->name);
    config->protocols = protocols;
    return NULL;
}

static const char *
add_role(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    up_dir_config_t *config = dir;
    up_role_t role = {0};

    if (argc < 2)
        return apr_psprintf(cmd->pool,
                            "%s: takes the name of a role and at least one "
                            "permission, user.read or user.write",
                            cmd->cmd->name);
    if (!up_role_name_is_valid(argv[0]))
        return wrong(cmd, argv[0], "the name of a role: " UP_ROLE_NAME_RULE);
    role.name = argv[0];
    for (int i = 1; i < argc; i++) {
        unsigned permission = up_permission_by_name(argv[i]);
        if (!permission)
            return wrong(cmd, argv[i], "a permission: user.read or user.write");
        role.permissions |= permission;
    }

    apr_array_header_t *one = apr_array_make(cmd->pool, 1, sizeof(role));
    APR_ARRAY_PUSH(one, up_role_t) = role;
    config->roles = merge_roles(cmd->pool, config->roles, one);
    return NULL;
}

/* Server, virtual host and <Location> or <Directory>, but never .htaccess. */
#define DIR (RSRC_CONF | ACCESS_CONF)

#define FIELD(name) (void *)APR_OFFSETOF(up_dir_config_t, name)

/* clang-format off */
const command_rec up_config_commands[] = {
    AP_INIT_TAKE1("UserProfileStore", set_store, NULL, RSRC_CONF,
                  "where profiles are kept: lmdb:DIRECTORY or "
                  "postgresql://HOST/DATABASE (default lmdb:" UP_STATEDIR ")"),
    AP_INIT_TAKE1("UserProfileMapSize", set_store_option, "map-size", RSRC_CONF,
                  "how large an LMDB store may grow (default 16G)"),
    AP_INIT_TAKE1("UserProfileSync", set_store_option, "sync", RSRC_CONF,
                  "full: an answered change is on disk; or off (default full)"),
    AP_INIT_TAKE1("UserProfileStoreTimeout", set_store_option, "timeout",
                  RSRC_CONF,
                  "how many seconds a change waits for an LMDB store that "
                  "another process has locked, and any call for a PostgreSQL "
                  "store (default 10)"),
    AP_INIT_TAKE1("UserProfilePool", set_store_option, "pool", RSRC_CONF,
                  "how many connections a child has to a PostgreSQL store, at "
                  "most (default 8)"),
    AP_INIT_TAKE1("UserProfileReads", set_store_option, "reads", RSRC_CONF,
                  "where profiles are read from a PostgreSQL store: primary; "
                  "any: from a standby among its hosts (default primary)"),
    AP_INIT_FLAG("UserProfile", set_enabled, NULL, DIR,
                 "On: serve user profiles below this path (default Off)"),
    AP_INIT_TAKE_ARGV("UserProfileProtocols", set_protocols, NULL, DIR,
                      "which are served (default rest grpc grpc-web connect)"),
    AP_INIT_TAKE1("UserProfileSelf", set_self, NULL, DIR,
                  "what callers may do to themselves where a call allows it: "
                  "Off, Read or Write (default Write)"),
    AP_INIT_TAKE1("UserProfileUnchanged", set_unchanged, NULL, DIR,
                  "what a v1 update that changes nothing is: error or ok "
                  "(default error)"),
    AP_INIT_TAKE_ARGV("UserProfileLanguages", set_languages, NULL, DIR,
                      "the languages that may be stored, as tags or their "
                      "first subtags; * is any (default *)"),
    AP_INIT_TAKE1("UserProfileCaller", set_expression, FIELD(caller), DIR,
                  "an expression: the caller's user id (default "
                  "%{REMOTE_USER})"),
    AP_INIT_TAKE1("UserProfileCallerOrg", set_claim, FIELD(caller_org),
                  DIR, "an expression: the caller's organisation; Off: the store "
                  "has it (default Off)"),
    AP_INIT_TAKE1("UserProfileCallerRoles", set_claim,
                  FIELD(caller_roles), DIR,
                  "an expression: the caller's roles; Off: the store has them "
                  "(default Off)"),
    AP_INIT_TAKE_ARGV("UserProfileCors", set_cors, NULL, DIR,
                      "the origins whose pages may call, * for any without "
                      "credentials, or Off (default Off)"),
    AP_INIT_TAKE1("UserProfileMaxBody", set_max_body, NULL, DIR,
                  "longest request body (default 64K)"),
    AP_INIT_TAKE_ARGV("UserProfileRole", add_role, NULL, DIR,
                      "a role and what it permits: user.read, user.write"),
    {NULL}
};
/* clang-format on */

const char *
up_config_differences(const char *uri,
                      const apr_table_t *a,
                      const apr_table_t *b,
                      apr_pool_t *pool)
{
    const char *names = "";

    for (const command_rec *directive = up_config_commands; directive->name;
         directive++) {
        if (directive->AP_TAKE1 == set_store_option &&
            up_store_option_differs(uri, directive->cmd_data, a, b))
            names = apr_pstrcat(pool, names, *names ? " or " : "",
                                directive->name, NULL);
    }
    return names;
}
