/* up_config.c -- the directives, and what they say. */
#include "httpd/up_config.h"
#include "httpd/up_protocol.h"
#include "service/up_access.h"

#include <apr_lib.h>
#include <apr_strings.h>

#define KIB APR_INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define DEFAULT_MAP_SIZE (16 * GIB)
#define DEFAULT_MAX_BODY (64 * KIB)

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

void *
up_config_merge_server(apr_pool_t *pool, void *base, void *over)
{
    const up_server_config_t *outer = base, *inner = over;

    up_server_config_t *config = apr_pcalloc(pool, sizeof(*config));
    config->store_uri = NEAREST(store_uri);
    config->map_size = NEAREST(map_size);
    config->sync = NEAREST(sync);
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

up_store_options_t
up_config_store_options(const up_server_config_t *config)
{
    return (up_store_options_t){
        .map_size = config->map_size ? config->map_size : DEFAULT_MAP_SIZE,
        .no_sync = config->sync == UP_OFF,
    };
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

/* Set *SIZE from TEXT, digits and perhaps a K, M or G. Returns 0 if it is no
 * such thing or not from LEAST to MOST. */
static int
parse_size(apr_int64_t *size,
           const char *text,
           apr_int64_t least,
           apr_int64_t most)
{
    char *end;

    if (!apr_isdigit(*text))
        return 0;
    errno = 0;
    apr_int64_t number = apr_strtoi64(text, &end, 10), unit = 1;
    if (errno)
        return 0;
    switch (apr_toupper(*end)) {
    case 'K':
        unit = KIB;
        break;
    case 'M':
        unit = MIB;
        break;
    case 'G':
        unit = GIB;
        break;
    }
    if (unit > 1)
        end++;
    if (*end || number > most / unit || number * unit < least)
        return 0;
    *size = number * unit;
    return 1;
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

static const char *
set_map_size(cmd_parms *cmd, void *dir, const char *text)
{
    up_server_config_t *config = up_config_of_server(cmd->server);
    apr_int64_t size;

    if (!parse_size(&size, text, MIB, 16384 * GIB))
        return wrong(cmd, text, "a size from 1M to 16384G, such as 16G");
    config->map_size = (apr_uint64_t)size;
    return NULL;
}

static const char *
set_sync(cmd_parms *cmd, void *dir, const char *text)
{
    up_server_config_t *config = up_config_of_server(cmd->server);

    if (ap_cstr_casecmp(text, "full") != 0 && ap_cstr_casecmp(text, "off") != 0)
        return wrong(cmd, text, "'full' or 'off'");
    config->sync = ap_cstr_casecmp(text, "full") == 0 ? UP_ON : UP_OFF;
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

    if (!parse_size(&size, text, 1, GIB))
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

/* clang-format off */
const command_rec up_config_commands[] = {
    AP_INIT_TAKE1("UserProfileStore", set_store, NULL, RSRC_CONF,
                  "where profiles are kept: lmdb:DIRECTORY"),
    AP_INIT_TAKE1("UserProfileMapSize", set_map_size, NULL, RSRC_CONF,
                  "how large an LMDB store may grow (default 16G)"),
    AP_INIT_TAKE1("UserProfileSync", set_sync, NULL, RSRC_CONF,
                  "full: an answered change is on disk (default); off"),
    AP_INIT_FLAG("UserProfile", set_enabled, NULL, DIR,
                 "On: serve user profiles below this path"),
    AP_INIT_TAKE_ARGV("UserProfileProtocols", set_protocols, NULL, DIR,
                      "which are served: rest, grpc, grpc-web, connect "
                      "(default all)"),
    AP_INIT_TAKE1("UserProfileSelf", set_self, NULL, DIR,
                  "what callers may do to themselves where a call allows it: "
                  "Off, Read, Write (default)"),
    AP_INIT_TAKE1("UserProfileMaxBody", set_max_body, NULL, DIR,
                  "longest request body (default 64K)"),
    AP_INIT_TAKE_ARGV("UserProfileRole", add_role, NULL, DIR,
                      "a role and what it permits: user.read, user.write"),
    {NULL}
};
/* clang-format on */
