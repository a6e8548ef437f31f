/*
 * mod_userprofile.c -- the module's record and its hooks: where httpd calls us,
 * and why there.
 */
#include "httpd/up_bearer.h"
#include "httpd/up_call.h"
#include "httpd/up_config.h"
#include "httpd/up_cors.h"
#include "httpd/up_error_filter.h"
#include "httpd/up_h2_frames.h"
#include "httpd/up_metrics.h"
#include "httpd/up_metrics_page.h"
#include "httpd/up_request.h"
#include "httpd/up_route.h"
#include "httpd/up_startup.h"
#include "httpd/up_stores.h"
#include "service/up_tokens.h"
#include "wire/up_json.h"

#include <ap_release.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_auth.h>
#include <mod_status.h>

#if AP_SERVER_MAJORVERSION_NUMBER != 2 ||                                      \
    AP_SERVER_MINORVERSION_NUMBER != 4 || AP_SERVER_PATCHLEVEL_NUMBER < 50
#error "mod_userprofile needs Apache httpd 2.4.50 or newer"
#endif

static int
post_config(apr_pool_t *pconf,
            apr_pool_t *plog,
            apr_pool_t *ptemp,
            server_rec *main)
{
    /* httpd reads its configuration twice as it starts; the first is a test. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    up_startup_report(main, ptemp);
    up_stores_prepare(pconf, ptemp, main, 0);
    if (up_config_of_server(main)->serving == UP_ON)
        up_metrics_prepare(main);
    return OK;
}

static void
child_init(apr_pool_t *pchild, server_rec *main)
{
    up_json_init();
    up_error_t *err = up_token_init(pchild);
    if (err)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main, "UP0014: %s",
                     up_error_story(err, pchild));
    up_stores_open(pchild, main);
}

static int
serve(request_rec *r)
{
    if (!up_route_is_handled(r))
        return DECLINED;
    return up_request_known(r)->is_preflight ? up_cors_serve(r)
                                             : up_call_serve(r);
}

static void
register_hooks(apr_pool_t *pool)
{
    static const char *const rewrite[] = {"mod_rewrite.c", NULL};
    static const char *const mappers[] = {"mod_proxy.c", "mod_alias.c", NULL};
    static const char *const dir[] = {"mod_dir.c", NULL};

    up_route_init(pool);
    /* "apachectl configtest" gets no further than this hook. Last, so that the
     * MPM has checked its own figures. */
    ap_hook_check_config(up_startup_test, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);

    /* A rewritten path may become ours; a path of ours is neither proxied nor
     * an alias nor a file. */
    ap_hook_translate_name(up_route_translate, rewrite, mappers,
                           APR_HOOK_FIRST);
    ap_hook_map_to_storage(up_route_storage, NULL, NULL, APR_HOOK_FIRST);

    /* The first hook after the final per-directory configuration is known. */
    ap_hook_post_perdir_config(up_route_choose, NULL, NULL, APR_HOOK_MIDDLE);

    /* Before mod_authz_core, whose Require lines are not for a preflight. */
    ap_hook_check_access_ex(up_cors_check_access, NULL, NULL, APR_HOOK_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(up_bearer_authenticate, NULL, NULL, APR_HOOK_MIDDLE,
                        AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_force_authn(up_bearer_force, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_note_auth_failure(up_bearer_note_failure, NULL, NULL,
                              APR_HOOK_MIDDLE);

    /* Before mod_mime_magic, which answers 500 if there is no file. */
    ap_hook_type_checker(up_route_type, NULL, NULL, APR_HOOK_FIRST);

    /* After SetHandler, before mod_dir looks for a folder's index. */
    ap_hook_fixups(up_route_fixup, NULL, dir, APR_HOOK_LAST);
    ap_hook_handler(serve, NULL, NULL, APR_HOOK_MIDDLE);

    /* When all that can go wrong with a request has. */
    ap_hook_log_transaction(up_metrics_count, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(up_metrics_page_handle, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ap, status_hook, up_metrics_page_status, NULL, NULL,
                      APR_HOOK_MIDDLE);

    up_h2_frames_register();
    ap_hook_pre_connection(up_h2_frames_insert, NULL, NULL, APR_HOOK_MIDDLE);
    up_error_filter_register();
    ap_hook_insert_error_filter(up_error_filter_insert, NULL, NULL,
                                APR_HOOK_LAST);
}

AP_DECLARE_MODULE(userprofile) = {
    STANDARD20_MODULE_STUFF, up_config_create_dir,   up_config_merge_dir,
    up_config_create_server, up_config_merge_server, up_config_commands,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE,
#endif
};
