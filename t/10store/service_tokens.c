/* service_tokens.c -- bearer tokens. */
#include "service/up_tokens.h"
#include "service/up_admin.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_escape.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <string.h>

/* SHA-256 of "abc", by FIPS 180-4's example. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* How many of libcrypto's methods were fetched, and whether that fails. */
static int fetches, no_fetch;

/* The module calls this one rather than libcrypto's. */
__attribute__((visibility("default"))) EVP_MD *
EVP_MD_fetch(OSSL_LIB_CTX *context, const char *name, const char *properties)
{
    EVP_MD *(*fetch)(OSSL_LIB_CTX *, const char *, const char *);

    fetches++;
    *(void **)&fetch = dlsym(RTLD_NEXT, "EVP_MD_fetch");
    return no_fetch ? NULL : fetch(context, name, properties);
}

/* Before any other hash of the process. */
static void
check_fetching(apr_pool_t *pool)
{
    unsigned char sha256[UP_SHA256_BYTES];

    if (fetches)
        return;
    no_fetch = 1;
    is(reason_of(up_token_init(pool)), "INTERNAL",
       "without SHA-256, libcrypto is not ready");
    is(reason_of(up_token_hash(sha256, "abc", pool)), "INTERNAL",
       "without SHA-256, hashing a token is INTERNAL");
    no_fetch = 0;
    is(reason_of(up_token_hash(sha256, "abc", pool)), "",
       "once SHA-256 can be had, a token is hashed");
    is(reason_of(up_token_init(pool)), "", "libcrypto is ready then");
    must(up_token_hash(sha256, "abc", pool));
    is_number(fetches, 3, "SHA-256 is fetched once that it can be had");
}

static void
fill(up_store_t *store, apr_pool_t *pool)
{
    up_item_t *token = make_token("abc", 0, pool);

    put_org(store, "O1");
    for (int i = 0; i < UP_STATES; i++)
        put_human(store, "O1", up_state_name(i), i);
    must(up_token_hash(token->as.token.sha256, "abc", pool));
    token->as.token.expires = 0;
    must(put_item(store, token, pool));
}

/* A token for each of these users, and the error of checking it. */
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
        up_item_t *item = make_token(rows[i].user, 0, pool);
        const char *text, *user = NULL;

        must(up_token_generate(&text, pool));
        must(up_token_hash(item->as.token.sha256, text, pool));
        item->as.token.expires =
            rows[i].lives ? apr_time_now() + apr_time_from_sec(rows[i].lives)
                          : 0;
        must(put_item(store, item, pool));

        up_error_t *err = up_token_check(&user, store, 0, text, pool, pool);
        is(reason_of(err), rows[i].reason, "a token of user %s for %d seconds",
           rows[i].user, rows[i].lives);
        is(user, err ? NULL : rows[i].user,
           "a token of user %s for %d seconds: the user", rows[i].user,
           rows[i].lives);
    }
}

static void
check_unknown(up_store_t *store, apr_pool_t *pool)
{
    const char *user = NULL;

    is(reason_of(up_token_check(&user, store, 0, "abcd", pool, pool)),
       "TOKEN_INVALID", "an unknown token is invalid");
    is(reason_of(up_token_check(&user, store, 0, "", pool, pool)),
       "TOKEN_INVALID", "an empty token is invalid");
    is(reason_of(up_token_check(&user, store, 0, "abc", pool, pool)), "",
       "a token that was stored by its hash is valid");
    is(user, "abc", "a token that was stored by its hash gives its user");
}

static void
check_making(apr_pool_t *pool)
{
    const char *first, *second;
    unsigned char sha256[UP_SHA256_BYTES];

    must(up_token_generate(&first, pool));
    must(up_token_generate(&second, pool));
    is_number((long long)strlen(first), 46, "a token has 46 characters");
    ok(!strncmp(first, "up_", 3), "a token begins with up_");
    ok(up_token_is_well_formed(first), "a token can be sent by a client");
    ok(strcmp(first, second) != 0, "two tokens differ");
    must(up_token_hash(sha256, "abc", pool));
    is(apr_pescape_hex(pool, sha256, sizeof(sha256), 0), ABC,
       "a token's hash is SHA-256");
}

static void
check_form(void)
{
    static const struct {
        const char *name, *text;
        int well_formed;
    } forms[] = {{"a letter", "a", 1},
                 {"every kind of character", "aZ09-._~+/", 1},
                 {"padding at the end", "abc==", 1},
                 {"nothing", "", 0},
                 {"padding alone", "=", 0},
                 {"padding in the middle", "a=b", 0},
                 {"a blank", "a b", 0},
                 {"a comma", "a,b", 0},
                 {"a byte beyond ASCII", "\xc3", 0},
                 {"a quote", "a\"", 0},
                 {"a newline", "a\n", 0}};

    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        is_number(up_token_is_well_formed(forms[i].text), forms[i].well_formed,
                  "a token of %s is %swell formed", forms[i].name,
                  forms[i].well_formed ? "" : "not ");
}

static void
test(apr_pool_t *pool)
{
    check_fetching(pool);
    up_store_t *store = temp_store_open(pool);
    fill(store, pool);
    check_rows(store, pool);
    check_unknown(store, pool);
    check_making(pool);
    check_form();
    up_store_close(store);
}

int
main(void)
{
    return run_for_each_driver(test);
}
