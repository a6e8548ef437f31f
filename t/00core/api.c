/* api.c -- the tables of services and methods: what the readers of messages,
 * the routes and the health check rely on. */
#include "api/up_api.h"
#include "tap.h"
#include "wire/up_message.h"
#include "zitadel/object.pb-c.h"

#include <apr_strings.h>
#include <string.h>

/* The longest name that a field may have, for its name in JSON. */
#define LONGEST_NAME 63

/* The types on the way to the one that is looked at. */
typedef struct way_t {
    const struct way_t *outer;
    const ProtobufCMessageDescriptor *type;
} way_t;

static const char *wrong_with_type(const way_t *way, apr_pool_t *pool);

/* What keeps the readers from reading FIELD, or NULL. */
static const char *
wrong_with_field(const ProtobufCFieldDescriptor *field,
                 const way_t *way,
                 apr_pool_t *pool)
{
    way_t inner = {way, field->descriptor};

    if (strlen(field->name) > LONGEST_NAME)
        return "its name is too long";
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return "it is required";
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return wrong_with_type(&inner, pool);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return "elements that are no messages";
    if (field->type != PROTOBUF_C_TYPE_STRING &&
        field->type != PROTOBUF_C_TYPE_ENUM)
        return "a type that no reader knows";
    return NULL;
}

/* The index of a field before FIELD with the same name in JSON, or -1. */
static int
same_name(const ProtobufCMessageDescriptor *type, unsigned field)
{
    char camel[128], other[128];

    up_message_camel(camel, sizeof(camel), type->fields[field].name);
    for (unsigned i = 0; i < field; i++) {
        up_message_camel(other, sizeof(other), type->fields[i].name);
        if (!strcmp(camel, other))
            return (int)i;
    }
    return -1;
}

/* What keeps the readers from reading messages of WAY's type, or NULL. */
static const char *
wrong_with_type(const way_t *way, apr_pool_t *pool)
{
    for (const way_t *outer = way->outer; outer; outer = outer->outer) {
        if (outer->type == way->type)
            return "it recurs";
    }
    for (unsigned i = 0; i < way->type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &way->type->fields[i];
        const char *wrong = wrong_with_field(field, way, pool);
        if (!wrong && same_name(way->type, i) >= 0)
            wrong = "its JSON name is another field's";
        if (wrong)
            return apr_pstrcat(pool, field->name, ": ", wrong, NULL);
    }
    return NULL;
}

/* The check itself, on types that requests must not have. */
static void
test_check(apr_pool_t *pool)
{
    static ProtobufCFieldDescriptor itself = {.name = "itself",
                                              .label =
                                                  PROTOBUF_C_LABEL_OPTIONAL,
                                              .type = PROTOBUF_C_TYPE_MESSAGE};
    static const ProtobufCMessageDescriptor recurring = {.n_fields = 1,
                                                         .fields = &itself};
    static const ProtobufCFieldDescriptor texts = {
        .name = "texts",
        .label = PROTOBUF_C_LABEL_REPEATED,
        .type = PROTOBUF_C_TYPE_STRING};
    static const ProtobufCMessageDescriptor list = {.n_fields = 1,
                                                    .fields = &texts};
    way_t ways[] = {{NULL, &zitadel__v1__object_details__descriptor},
                    {NULL, &recurring},
                    {NULL, &list}};

    itself.descriptor = &recurring;
    is(wrong_with_type(&ways[0], pool), "sequence: a type that no reader knows",
       "a number would be found out");
    is(wrong_with_type(&ways[1], pool), "itself: it recurs",
       "a type that recurs would be found out");
    is(wrong_with_type(&ways[2], pool), "texts: elements that are no messages",
       "texts that are repeated would be found out");
}

/* What is wrong with PATH, a REST path of METHOD: each {x} is a text field of
 * the request, and there is one at most. */
static const char *
wrong_with_path(const char *path, const up_method_t *method, apr_pool_t *pool)
{
    const char *begin = strchr(path, '{');

    if (path[0] != '/')
        return "it begins without a slash";
    if (!begin)
        return strchr(path, '}') ? "a brace too many" : NULL;
    const char *end = strchr(begin, '}');
    if (!end || begin[-1] != '/' || (end[1] && end[1] != '/'))
        return "{x} is no segment";
    if (strchr(end, '{'))
        return "more than one {x}";
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(
            method->request,
            apr_pstrmemdup(pool, begin + 1, (apr_size_t)(end - begin) - 1));
    return !field                                  ? "{x} is no field"
           : field->type != PROTOBUF_C_TYPE_STRING ? "{x} is no text"
                                                   : NULL;
}

/* The {x} of PATH, or "". */
static const char *
placeholder(const char *path, apr_pool_t *pool)
{
    const char *begin = strchr(path, '{');

    return begin ? apr_pstrmemdup(pool, begin, strcspn(begin, "}")) : "";
}

static int
is_same_path(const up_method_t *a, const char *b_method, const char *b)
{
    return a->path && b && !strcmp(a->http_method, b_method) &&
           (!strcmp(a->path, b) ||
            (a->short_path && !strcmp(a->short_path, b)));
}

/* How many methods before METHOD of SERVICE have its name, or its HTTP method
 * and one of its paths. */
static int
count_same(const up_service_t *service, int number)
{
    const up_method_t *method = &service->method[number];
    int same = 0;

    for (int i = 0; i < number; i++) {
        const up_method_t *other = &service->method[i];
        same += !strcmp(other->name, method->name) ||
                is_same_path(other, method->http_method, method->path) ||
                is_same_path(other, method->http_method, method->short_path);
    }
    return same;
}

static void
test_method(const up_service_t *service, int number, apr_pool_t *pool)
{
    const up_method_t *method = &service->method[number];
    const char *name =
        apr_pstrcat(pool, service->name, "/", method->name, NULL);
    apr_size_t package = strlen(method->request->package_name);
    way_t way = {NULL, method->request};

    ok(method->name && method->request && method->procedure,
       "%s has a request and a procedure", name);
    ok(up_service_method(service, method->name) == method,
       "%s is found by its name", name);
    is_number(count_same(service, number), 0,
              "%s: no other method has its name, or its HTTP method and path",
              name);
    is(wrong_with_type(&way, pool), NULL, "%s: the request can be read", name);
    ok(!strncmp(method->request->name, method->request->package_name,
                package) &&
           method->request->name[package] == '.',
       "%s: the request's name begins with its package", name);
    ok(!method->path == !method->http_method,
       "%s has both a path and an HTTP method, or neither", name);
    if (method->path)
        is(wrong_with_path(method->path, method, pool), NULL, "%s: the path",
           name);
    if (!method->short_path)
        return;
    is(wrong_with_path(method->short_path, method, pool), NULL,
       "%s: the short path", name);
    is(placeholder(method->short_path, pool),
       method->path ? placeholder(method->path, pool) : NULL,
       "%s: the short path has the field of the long one", name);
}

static void
test_services(apr_pool_t *pool)
{
    static const char *const names[] = {
        "zitadel.management.v1.ManagementService",
        "zitadel.auth.v1.AuthService",
        "zitadel.user.v2.UserService",
        "grpc.health.v1.Health",
    };
    int count = 0;

    for (; up_services[count]; count++) {
        const up_service_t *service = up_services[count];
        ok(up_service_by_name(service->name) == service,
           "%s is found by its name", service->name);
        for (int i = 0; i < service->methods; i++)
            test_method(service, i, pool);
    }
    is_number(count, sizeof(names) / sizeof(*names), "how many services");
    for (apr_size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        ok(up_service_by_name(names[i]) != NULL, "%s is served", names[i]);
}

static void
test_unknown(void)
{
    static const char *const names[] = {"",
                                        "zitadel.auth.v1",
                                        "zitadel.auth.v1.AuthServic",
                                        "zitadel.auth.v1.AuthServicex",
                                        "zitadel.auth.v1.authservice",
                                        "zitadel.auth.v1.AuthService/Healthz",
                                        "grpc.reflection.v1.ServerReflection"};
    for (apr_size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        ok(!up_service_by_name(names[i]), "no service is named '%s'", names[i]);
    ok(!up_service_method(&up_service_auth, "getMyProfile") &&
           !up_service_method(&up_service_auth, "GetMyProfil") &&
           !up_service_method(&up_service_auth, ""),
       "a method has its whole name, in its case");
}

static void
test(apr_pool_t *pool)
{
    test_check(pool);
    test_services(pool);
    test_unknown();
}

int
main(void)
{
    return run_test(test);
}
