/* up_identity.c -- who calls, and what the site says of the caller besides. */
#include "httpd/up_identity.h"
#include "httpd/up_bearer.h"
#include "httpd/up_config.h"
#include "wire/up_json.h"

#include <ap_expr.h>
#include <apr_strings.h>

/* What separates roles that are not JSON. */
#define SEPARATORS ", \t\r\n"

/* Set *TEXT to what EXPRESSION, the value of DIRECTIVE, gives for R; to NULL if
 * that is nothing. An EXPRESSION of NULL leaves *TEXT as it is. */
static up_error_t *
evaluate(const char **text,
         const ap_expr_info_t *expression,
         const char *directive,
         request_rec *r)
{
    const char *why = NULL;

    if (!expression)
        return NULL;
    *text = ap_expr_str_exec(r, expression, &why);
    if (why)
        return up_error(r->pool, UP_INTERNAL, APR_SUCCESS,
                        "%s cannot be evaluated: %s", directive, why);
    if (*text && !**text)
        *text = NULL;
    return NULL;
}

static up_error_t *
wrong_roles(const char *why, apr_pool_t *pool)
{
    return up_error(pool, UP_INTERNAL, APR_SUCCESS,
                    "UserProfileCallerRoles gives JSON that names no roles: %s",
                    why);
}

/* Set *ROLES to the elements, or the names of the members, of the JSON that
 * TEXT is. */
static up_error_t *
read_json(const apr_array_header_t **roles, const char *text, apr_pool_t *pool)
{
    up_json_t *value;

    up_error_t *err = up_json_parse_value(&value, text, strlen(text), pool);
    if (err)
        return wrong_roles(err->message, pool);
    if (up_json_type(value) == UP_JSON_OBJECT) {
        *roles = up_json_names(value, pool);
        return NULL;
    }

    apr_size_t count = up_json_count(value);
    apr_array_header_t *list =
        apr_array_make(pool, (int)count, sizeof(const char *));
    for (apr_size_t i = 0; i < count; i++) {
        const up_json_t *element = up_json_element(value, i);
        if (up_json_type(element) != UP_JSON_STRING)
            return wrong_roles("an element of the array is no string", pool);
        APR_ARRAY_PUSH(list, const char *) = up_json_string(element);
    }
    *roles = list;
    return NULL;
}

/* The names in TEXT. */
static const apr_array_header_t *
split(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));
    char *rest, *name = apr_strtok(apr_pstrdup(pool, text), SEPARATORS, &rest);

    for (; name; name = apr_strtok(NULL, SEPARATORS, &rest))
        APR_ARRAY_PUSH(list, const char *) = name;
    return list;
}

/* Set *ROLES to those in TEXT; to NULL if there are none. */
static up_error_t *
read_roles(const apr_array_header_t **roles, const char *text, apr_pool_t *pool)
{
    text += strspn(text, SEPARATORS);
    if (*text == '[' || *text == '{')
        UP_ERR(read_json(roles, text, pool));
    else
        *roles = split(text, pool);
    if (!(*roles)->nelts)
        *roles = NULL;
    return NULL;
}

up_error_t *
up_identity_read(up_call_t *call, request_rec *r)
{
    const up_dir_config_t *config = up_config_of_dir(r);
    const char *roles = NULL;

    call->caller = r->user;
    UP_ERR(evaluate(&call->caller, config->caller, "UserProfileCaller", r));
    UP_ERR(up_bearer_require_caller(r, call->caller));
    UP_ERR(evaluate(&call->claimed_org, config->caller_org,
                    "UserProfileCallerOrg", r));
    UP_ERR(evaluate(&roles, config->caller_roles, "UserProfileCallerRoles", r));
    return roles ? read_roles(&call->claimed_roles, roles, r->pool) : NULL;
}
