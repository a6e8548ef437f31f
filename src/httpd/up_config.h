/*
 * up_config.h -- the directives, and what they say of a server and of the
 * sections of its configuration.
 *
 * In both structs 0 and NULL mean "not said here"; defaults are applied where
 * a value is read.
 */
#ifndef UP_CONFIG_H
#define UP_CONFIG_H

#include "httpd/up_section.h"
#include "httpd/up_stores.h"

#include <ap_expr.h>
#include <httpd.h>
#include <http_config.h>

extern module AP_MODULE_DECLARE_DATA userprofile_module;

typedef enum up_flag_t { UP_UNSET, UP_ON, UP_OFF } up_flag_t;

/* What callers may do to themselves. */
typedef enum up_self_t {
    UP_SELF_UNSET,
    UP_SELF_OFF,
    UP_SELF_READ,
    UP_SELF_WRITE
} up_self_t;

/* What one server or virtual host says. */
typedef struct up_server_config_t {
    const char *store_uri;       /* UserProfileStore */
    apr_table_t *store_options;  /* UserProfileMapSize, UserProfileSync,
                                  * UserProfileStoreTimeout, UserProfilePool,
                                  * UserProfileReads */
    up_flag_t used;              /* whether anything here asks for a store */
    up_flag_t serving;           /* whether anything in this process is used */
    up_site_store_t *site_store; /* set in post_config if used */
} up_server_config_t;

/* The per-directory configuration: what a server, a <Location> or a <Directory>
 * says. */
typedef struct up_dir_config_t {
    up_flag_t enabled;                   /* UserProfile */
    const up_section_t *section;         /* where it is said, if it is On */
    unsigned protocols;                  /* UserProfileProtocols, a set */
    up_self_t self;                      /* UserProfileSelf */
    up_flag_t unchanged_is_ok;           /* UserProfileUnchanged */
    const apr_array_header_t *languages; /* UserProfileLanguages, of const char
                                          * *, canonical; empty: any */
    apr_size_t max_body;                 /* UserProfileMaxBody, bytes */
    const apr_array_header_t *roles;     /* UserProfileRole, of up_role_t */
    const apr_array_header_t *cors;      /* UserProfileCors: origins */
    const ap_expr_info_t *caller;        /* UserProfileCaller */
    const ap_expr_info_t *caller_org;    /* UserProfileCallerOrg */
    const ap_expr_info_t *caller_roles;  /* UserProfileCallerRoles */
} up_dir_config_t;

/* The module record's five. */
void *up_config_create_server(apr_pool_t *pool, server_rec *server);
void *up_config_merge_server(apr_pool_t *pool, void *base, void *over);
void *up_config_create_dir(apr_pool_t *pool, char *path);
void *up_config_merge_dir(apr_pool_t *pool, void *base, void *over);
extern const command_rec up_config_commands[];

up_server_config_t *up_config_of_server(const server_rec *server);
const up_dir_config_t *up_config_of_dir(const request_rec *r);

/* The values with their defaults. */
const char *up_config_store_uri(const up_server_config_t *config);
apr_size_t up_config_max_body(const up_dir_config_t *config);
unsigned up_config_protocols(const up_dir_config_t *config);

/* NULL: any. */
const apr_array_header_t *up_config_languages(const up_dir_config_t *config);

/* The permissions that callers have over themselves: up_permission_t. */
unsigned up_config_self(const up_dir_config_t *config);

/* The options that CONFIG gives for its store, by their names, without
 * defaults; an empty table, in POOL, if it gives none. */
const apr_table_t *up_config_store_options(const up_server_config_t *config,
                                           apr_pool_t *pool);

/* The directives whose options differ between A and B, tables of options of
 * the store at URI: their names joined by " or ", in POOL; "" for none. */
const char *up_config_differences(const char *uri,
                                  const apr_table_t *a,
                                  const apr_table_t *b,
                                  apr_pool_t *pool);

#endif
