/* service_tokens.c -- bearer tokens. */
#include "service/up_tokens.h"
#include "service/up_admin.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_escape.h>
#include <apr_general.h>
#include <string.h>

#define USER(id, state)                                                        \
    "{\"user\":{\"id\":\"" id "\",\"orgId\":\"O1\",\"type\":\"machine\","      \
    "\"state\":\"" state "\"}}"
/* SHA-256 of "abc", by FIPS 180-4's example. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char *const lines[] = {
    "{\"org\":{\"id\":\"O1\"}}",
    USER("active", "active"),
    USER("initial", "initial"),
    USER("locked", "locked"),
    USER("inactive", "inactive"),
    USER("removed", "removed"),
    "{\"token\":{\"userId\":\"abc\",\"sha256\":\"" ABC "\"}}",
    NULL,
};

/* A token for each of these users, and what comes of it. */
static const struct {
    const char *user;
    int lives; /* seconds; 0: for ever */
    const char *reason;
} rows[] = {
    {"active", 0, ""},
    {"active", 3600, ""},
    {"active", -1, "TOKEN_INVALID"},
    {"stranger", 0, ""},
    {"initial", 0, ""},
    {"locked", 0, "TOKEN_INVALID"},
    {"inactive", 0, "TOKEN_INVALID"},
    {"removed", 0, "TOKEN_INVALID"},
};

static void
check_rows(up_store_t *store, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_item_t item = {.kind = UP_KIND_TOKEN};
        apr_time_t now = apr_time_now();
        const char *text, *user = NULL;
        up_batch_t *batch;

        must(up_token_generate(&text, pool));
        must(up_token_hash(item.as.token.sha256, text, pool));
        item.as.token.user = rows[i].user;
        item.as.token.created = now;
        if (rows[i].lives)
            item.as.token.expires = now + apr_time_from_sec(rows[i].lives);
        must(up_batch_begin(&batch, store, pool));
        must(up_batch_put(batch, &item, pool));
        must(up_batch_commit(batch));

        up_error_t *err = up_token_check(&user, store, text, pool, pool);
        is(reason_of(err), rows[i].reason, "a token of %s for %d seconds",
           rows[i].user, rows[i].lives);
        is(user, err ? NULL : rows[i].user, "... and whose it is");
    }
}

static void
check_unknown(up_store_t *store, apr_pool_t *pool)
{
    const char *user = NULL;

    is(reason_of(up_token_check(&user, store, "abcd", pool, pool)),
       "TOKEN_INVALID", "an unknown token");
    is(reason_of(up_token_check(&user, store, "", pool, pool)), "TOKEN_INVALID",
       "an empty token");
    is(reason_of(up_token_check(&user, store, "abc", pool, pool)), "",
       "a token that was stored by its hash");
    is(user, "abc", "... is its user's");
}

static void
check_making(apr_pool_t *pool)
{
    const char *first, *second;
    unsigned char sha256[UP_SHA256_BYTES];

    must(up_token_generate(&first, pool));
    must(up_token_generate(&second, pool));
    is_number((long long)strlen(first), 46, "a token has 46 characters");
    ok(!strncmp(first, "up_", 3), "it begins with up_");
    ok(up_token_is_well_formed(first), "a client can send it");
    ok(strcmp(first, second) != 0, "no two are equal");
    must(up_token_hash(sha256, "abc", pool));
    is(apr_pescape_hex(pool, sha256, sizeof(sha256), 0), ABC,
       "the hash is SHA-256");
}

static void
check_form(void)
{
    static const struct {
        const char *text;
        int well_formed;
    } forms[] = {{"a", 1},    {"aZ09-._~+/", 1}, {"abc==", 1}, {"", 0},
                 {"=", 0},    {"a=b", 0},        {"a b", 0},   {"a,b", 0},
                 {"\xc3", 0}, {"a\"", 0},        {"a\n", 0}};

    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        is_number(up_token_is_well_formed(forms[i].text), forms[i].well_formed,
                  "form %u of a token", i);
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    up_store_t *store = temp_store_open(pool);
    temp_store_fill(store, lines);
    check_rows(store, pool);
    check_unknown(store, pool);
    check_making(pool);
    check_form();
    temp_store_close(store);
    apr_terminate();
    return done_testing();
}
