/* up_pg_uri.c -- the URI of a store, as libpq takes it.
 *
 * libpq would try its hosts one after the other, but without blocking it gives
 * none of them a limit of time. So they are taken apart here, and tried one by
 * one. */
#include "store/postgresql/up_pg.h"

#include <apr_strings.h>
#include <string.h>

#define WHERE_PASSWORDS_GO                                                     \
    "give it in a file, by passfile=, ~/.pgpass or a service file"

static up_error_t *
refuse_password(apr_pool_t *pool)
{
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "a URI of PostgreSQL must not have a password, which "
                    "others could see in it: " WHERE_PASSWORDS_GO);
}

/* Whether LOCATION, which libpq cannot read, may have a password in it. */
static int
may_have_password(const char *location)
{
    const char *at = strchr(location, '@');
    const char *colon = strncmp(location, "//", 2) == 0
                            ? strchr(location + 2, ':')
                            : strchr(location, ':');

    return (at && colon && colon < at) || strstr(location, "password");
}

/* Set *OPTIONS, libpq's memory, to what LOCATION says. */
static up_error_t *
parse(PQconninfoOption **options, const char *location, apr_pool_t *pool)
{
    const char *uri = apr_pstrcat(pool, "postgresql:", location, NULL);
    int is_uri = strncmp(location, "//", 2) == 0;
    char *why = NULL;

    *options = is_uri ? PQconninfoParse(uri, &why) : NULL;
    if (*options)
        return NULL;
    if (is_uri && (!why || !strcmp(why, "out of memory\n"))) {
        PQfreemem(why);
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                        "cannot read the URI of a store: there is no memory");
    }
    /* It quotes parts of the URI. */
    const char *said = why ? apr_pstrdup(pool, why) : "it begins otherwise";
    PQfreemem(why);
    if (may_have_password(location))
        return refuse_password(pool);
    return up_error(pool, UP_CONFLICT, APR_SUCCESS,
                    "'%s' is not a URI such as postgresql://host/database?"
                    "sslmode=verify-full: %s",
                    uri, apr_pstrmemdup(pool, said, strcspn(said, "\n")));
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
    while (options->keyword && strcmp(options->keyword, keyword) != 0)
        options++;
    return options->keyword ? options->val : NULL;
}

up_error_t *
up_pg_check(const char *location, apr_pool_t *pool)
{
    PQconninfoOption *options;

    UP_ERR(parse(&options, location, pool));
    int has_password =
        value_of(options, "password") || value_of(options, "sslpassword");
    PQconninfoFree(options);
    return has_password ? refuse_password(pool) : NULL;
}

/* The elements of TEXT, which commas separate, in POOL; none if it is NULL. */
static apr_array_header_t *
elements(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));

    while (text) {
        apr_size_t length = strcspn(text, ",");
        APR_ARRAY_PUSH(list, const char *) = apr_pstrmemdup(pool, text, length);
        text = text[length] ? text + length + 1 : NULL;
    }
    return list;
}

/* Element I of LIST; its only one if it has one; NULL for none or empty. */
static const char *
element(const apr_array_header_t *list, int i)
{
    const char *text = NULL;

    if (list->nelts == 1)
        text = APR_ARRAY_IDX(list, 0, const char *);
    else if (i < list->nelts)
        text = APR_ARRAY_IDX(list, i, const char *);
    return text && *text ? text : NULL;
}

static int
longest(int a, int b)
{
    return a > b ? a : b;
}

/* Set STORE's hosts; where the URI has none, libpq knows one. */
static void
set_hosts(pg_store_t *store, const PQconninfoOption *options, apr_pool_t *pool)
{
    const apr_array_header_t *hosts = elements(value_of(options, "host"), pool);
    const apr_array_header_t *addresses =
        elements(value_of(options, "hostaddr"), pool);
    const apr_array_header_t *ports = elements(value_of(options, "port"), pool);
    int count = longest(1, longest(hosts->nelts, addresses->nelts));
    apr_size_t size = sizeof(const char *) * (apr_size_t)count;

    store->host_count = count;
    store->hosts = apr_palloc(pool, size);
    store->addresses = apr_palloc(pool, size);
    store->ports = apr_palloc(pool, size);
    for (int i = 0; i < count; i++) {
        store->hosts[i] = element(hosts, i);
        store->addresses[i] = element(addresses, i);
        store->ports[i] = element(ports, i);
    }
}

/* What is said where the URI does not say it. */
static const struct {
    const char *keyword, *value;
} defaults[] = {
    {"client_encoding", "UTF8"},
    {"fallback_application_name", "mod_userprofile"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
};
#define DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

static int
is_of_host(const char *keyword)
{
    return !strcmp(keyword, "host") || !strcmp(keyword, "hostaddr") ||
           !strcmp(keyword, "port");
}

/* Set STORE's other parameters. */
static void
set_parameters(pg_store_t *store,
               const PQconninfoOption *options,
               apr_pool_t *pool)
{
    apr_array_header_t *keywords =
        apr_array_make(pool, 10, sizeof(const char *));
    apr_array_header_t *values = apr_array_make(pool, 10, sizeof(const char *));

    for (size_t i = 0; i < DEFAULTS; i++) {
        const char *said = value_of(options, defaults[i].keyword);
        APR_ARRAY_PUSH(keywords, const char *) = defaults[i].keyword;
        /* Text is UTF-8, whatever the URI says. */
        APR_ARRAY_PUSH(values, const char *) =
            said && i > 0 ? apr_pstrdup(pool, said) : defaults[i].value;
    }
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        size_t i = 0;
        while (i < DEFAULTS &&
               strcmp(defaults[i].keyword, option->keyword) != 0)
            i++;
        if (!option->val || i < DEFAULTS || is_of_host(option->keyword))
            continue;
        APR_ARRAY_PUSH(keywords, const char *) =
            apr_pstrdup(pool, option->keyword);
        APR_ARRAY_PUSH(values, const char *) = apr_pstrdup(pool, option->val);
    }
    APR_ARRAY_PUSH(keywords, const char *) = NULL;
    APR_ARRAY_PUSH(values, const char *) = NULL;
    store->keywords = (const char **)keywords->elts;
    store->values = (const char **)values->elts;
}

/* The value of STORE's parameter KEYWORD, or NULL. */
static const char *
parameter(const pg_store_t *store, const char *keyword)
{
    int i = 0;

    while (store->keywords[i] && strcmp(store->keywords[i], keyword) != 0)
        i++;
    return store->values[i];
}

const char *
up_pg_wanted_session(const pg_pool_t *pool)
{
    if (pool->is_of_standbys)
        return "standby";
    /* Among the hosts there are standbys. */
    return pool->store->base.may_lag &&
                   !parameter(pool->store, "target_session_attrs")
               ? "read-write"
               : NULL;
}

up_error_t *
up_pg_uri_parse(pg_store_t *store, const char *location, apr_pool_t *pool)
{
    PQconninfoOption *options;

    UP_ERR(up_pg_check(location, pool));
    UP_ERR(parse(&options, location, pool));
    set_hosts(store, options, pool);
    set_parameters(store, options, pool);
    PQconninfoFree(options);
    store->name = apr_pstrcat(
        pool,
        "postgresql:", apr_pstrmemdup(pool, location, strcspn(location, "?")),
        NULL);
    return NULL;
}

up_error_t *
up_pg_hold(const char **held,
           uid_t *uid,
           gid_t *gid,
           const char *location,
           apr_pool_t *pool)
{
    *held = location;
    *uid = (uid_t)-1;
    *gid = (gid_t)-1;
    return up_pg_check(location, pool);
}

const char *
up_pg_identity(const pg_store_t *store, apr_pool_t *pool)
{
    const char *service = parameter(store, "service");
    const char *database = parameter(store, "dbname");
    const char *text = apr_pstrcat(pool, "postgresql ", service ? service : "",
                                   " ", database ? database : "", NULL);

    for (int i = 0; i < store->host_count; i++) {
        const char *address = store->addresses[i];
        const char *host = address ? address : store->hosts[i];
        const char *port = store->ports[i];
        text = apr_pstrcat(pool, text, " ", host ? host : "", " ",
                           port ? port : "5432", NULL);
    }
    return text;
}
