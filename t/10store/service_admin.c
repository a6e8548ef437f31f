/* service_admin.c -- what administrators do. */
#include "service/up_admin.h"
#include "service/up_tokens.h"
#include "tap.h"
#include "temp_store.h"
#include "wire/up_item_json.h"

#include <apr_escape.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <string.h>

#define TEN(x) x x x x x x x x x x
#define A200 TEN(TEN("aa"))
#define ID_RULE " must be 1 to 200 bytes of UTF-8 without control characters"
#define USER(rest) "{\"user\":{\"id\":\"U1\",\"orgId\":\"O1\"," rest "}}"
#define HUMAN(rest)                                                            \
    USER("\"type\":\"human\",\"profile\":{\"firstName\":\"F\"," rest "}")
#define MEMBER(rest) "{\"member\":{\"userId\":\"U1\"," rest "}}"

/* Lines, and what is wrong with them; NULL: nothing. */
static const struct {
    const char *name, *line, *message;
} checks[] = {
    {"an organisation", "{\"org\":{\"id\":\"O1\",\"name\":\"" A200 "\"}}",
     NULL},
    {"an organisation without an id", "{\"org\":{\"id\":\"\"}}",
     "the id of an organisation" ID_RULE},
    {"too long an id", "{\"org\":{\"id\":\"" A200 "a\"}}",
     "the id of an organisation" ID_RULE},
    {"a control character in an id", "{\"org\":{\"id\":\"a\\u0085\"}}",
     "the id of an organisation" ID_RULE},
    {"too long a name of an organisation",
     "{\"org\":{\"id\":\"O1\",\"name\":\"" A200 "a\"}}",
     "the name of organisation 'O1' must be at most 200 characters of UTF-8"},
    {"a human", HUMAN("\"lastName\":\"L\""), NULL},
    {"a machine", USER("\"type\":\"machine\""), NULL},
    {"a user with an empty id",
     "{\"user\":{\"id\":\"\",\"orgId\":\"O1\",\"type\":\"machine\"}}",
     "the id of a user" ID_RULE},
    {"a user in an empty organisation",
     "{\"user\":{\"id\":\"U1\",\"orgId\":\"\",\"type\":\"machine\"}}",
     "the organisation of a user" ID_RULE},
    {"a profile with two faults",
     HUMAN("\"lastName\":\"\",\"preferredLanguage\":\"12\""),
     "the profile of user 'U1' is invalid: lastName: value length must be "
     "between 1 and 200 runes, inclusive; preferredLanguage: value must be a "
     "BCP 47 language tag"},
    {"a member", MEMBER("\"orgId\":\"O1\",\"roles\":[\"ORG_OWNER\"]"), NULL},
    {"a member of the instance", MEMBER("\"roles\":[\"IAM_OWNER\"]"), NULL},
    {"a role with a comma", MEMBER("\"roles\":[\"A,B\"]"),
     "a role of user 'U1' must be 1 to 200 bytes of UTF-8 without blanks, "
     "commas or control characters"},
    {"an empty role", MEMBER("\"roles\":[\"\"]"),
     "a role of user 'U1' must be 1 to 200 bytes of UTF-8 without blanks, "
     "commas or control characters"},
    {"a hundred and one roles",
     MEMBER("\"roles\":[\"R\"" TEN(TEN(",\"R\"")) "]"),
     "the membership of user 'U1' must have 1 to 100 roles"},
    {"a token", "{\"token\":{\"userId\":\"U1\",\"token\":\"x\"}}", NULL},
    {"a token of nobody", "{\"token\":{\"userId\":\"\",\"token\":\"x\"}}",
     "the user of a token" ID_RULE},
};

static void
check_checks(apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        const char *token_text;
        up_item_t *item;
        must(up_item_json_decode(&item, &token_text, checks[i].line,
                                 strlen(checks[i].line), apr_time_now(), pool));
        up_error_t *err = up_admin_check(item, pool);
        is(err ? err->message : NULL, checks[i].message, "%s", checks[i].name);
        if (err)
            is(reason_of(err), "FIELD_INVALID", "... is refused as such");
    }
}

/* Write over all memory that a pool gave back so far. */
static void
spoil_free_memory(apr_pool_t *pool)
{
    apr_pool_t *spoiled;

    apr_pool_create(&spoiled, pool);
    for (int i = 0; i < 1000; i++)
        memset(apr_palloc(spoiled, 64), 'x', 64);
    apr_pool_destroy(spoiled);
}

/* Is ERR a conflict that says MESSAGE? */
static void
is_conflict(const up_error_t *err, const char *message, const char *name)
{
    is(err ? err->message : NULL, message, "%s", name);
    is(reason_of(err), "CONFLICT", "... is a conflict");
}

static up_user_t
human(const char *org, const char *id, apr_pool_t *pool)
{
    up_profile_t *profile = up_profile_make(pool);

    profile->text[UP_FIRST_NAME] = "Gigi";
    profile->text[UP_LAST_NAME] = "Giraffe";
    profile->text[UP_DISPLAY_NAME] = "Gigi Giraffe";
    profile->text[UP_PREFERRED_LANGUAGE] = "DE-ch";
    return (up_user_t){.org = org, .id = id, .profile = profile};
}

static void
check_orgs(up_store_t *store, apr_pool_t *pool)
{
    up_org_t org = {"O1", "First"}, second = {"O2", ""}, bad = {"\n", ""};

    must(up_admin_add_org(store, &org, pool));
    must(up_admin_add_org(store, &second, pool));
    is_conflict(up_admin_add_org(store, &org, pool),
                "organisation 'O1' exists already", "an organisation twice");
    is(reason_of(up_admin_add_org(store, &bad, pool)), "FIELD_INVALID",
       "an organisation with a bad id");
    is(temp_store_dump(store, 1u << UP_KIND_ORG, pool),
       "{\"org\":{\"id\":\"O1\",\"name\":\"First\"}}\n"
       "{\"org\":{\"id\":\"O2\"}}\n",
       "the organisations that are there");
}

static void
check_adding_users(up_store_t *store, apr_pool_t *pool)
{
    up_user_t user = human("O1", "U1", pool);
    up_user_t robot = {.org = "O1", .id = "M1", .type = UP_MACHINE};
    up_user_t lost = {.org = "O9", .id = "M2", .type = UP_MACHINE};
    up_user_t bytes = human("O1", "U2", pool);
    apr_time_t begun = apr_time_now();
    const up_user_t *read = NULL;

    must(up_admin_add_user(store, &user, pool));
    must(up_admin_add_user(store, &robot, pool));
    must(up_admin_get_user(&read, store, "O1", "U1", pool));
    if (!ok(read != NULL, "a user who was added is there"))
        return;
    is_number((long long)read->sequence, 1, "the sequence begins with 1");
    is_number(read->state, UP_ACTIVE, "the user is active");
    ok(read->created >= begun && read->created == read->changed,
       "both times are now");
    is(read->profile->text[UP_PREFERRED_LANGUAGE], "de-CH",
       "the profile is canonical");

    is_conflict(up_admin_add_user(store, &user, pool),
                "organisation 'O1' has a user 'U1' already", "a user twice");
    user.org = "O2";
    is_conflict(up_admin_add_user(store, &user, pool),
                "organisation 'O1' has a user 'U1' already",
                "a user in two organisations");
    const up_error_t *err = up_admin_add_user(store, &lost, pool);
    spoil_free_memory(pool);
    is_conflict(err, "there is no organisation 'O9'",
                "a user in no organisation, said as long as its pool lives");
    ((up_profile_t *)bytes.profile)->text[UP_NICK_NAME] = "\xff";
    is(reason_of(up_admin_add_user(store, &bytes, pool)), "FIELD_INVALID",
       "a name that is not UTF-8");

    must(up_admin_get_user(&read, store, "O2", "U1", pool));
    ok(!read, "another organisation does not have the user");
    must(up_admin_get_user(&read, store, "O1", "U\n1", pool));
    ok(!read, "nobody has an id that cannot be stored");
}

static void
check_members(up_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *roles = apr_array_make(pool, 2, sizeof(const char *));
    up_member_t member = {"O1", "U1", roles};

    APR_ARRAY_PUSH(roles, const char *) = "ORG_OWNER";
    must(up_admin_add_member(store, &member, pool));
    APR_ARRAY_IDX(roles, 0, const char *) = "ORG_OWNER_VIEWER";
    must(up_admin_add_member(store, &member, pool));
    member.org = "";
    must(up_admin_add_member(store, &member, pool));
    is(temp_store_dump(store, 1u << UP_KIND_MEMBER, pool),
       "{\"member\":{\"userId\":\"U1\",\"roles\":[\"ORG_OWNER_VIEWER\"]}}\n"
       "{\"member\":{\"orgId\":\"O1\",\"userId\":\"U1\","
       "\"roles\":[\"ORG_OWNER_VIEWER\"]}}\n",
       "roles replace those before, in their organisation");
    member.org = "O9";
    is(reason_of(up_admin_add_member(store, &member, pool)), "CONFLICT",
       "a member of no organisation");

    must(up_admin_remove_member(store, "O1", "U1", pool));
    is_conflict(up_admin_remove_member(store, "O1", "U1", pool),
                "user 'U1' is no member of organisation 'O1'",
                "removing a member twice");
    must(up_admin_remove_member(store, "", "U1", pool));
    is_conflict(up_admin_remove_member(store, "", "U1", pool),
                "user 'U1' is no member of the instance",
                "removing one of the instance twice");
    is_conflict(up_admin_remove_member(store, "O\n", "U1", pool),
                "user 'U1' is no member of organisation 'O\n'",
                "removing one from what is no organisation");
}

static const char *
token_id(const char *text, apr_size_t digits, apr_pool_t *pool)
{
    unsigned char sha256[UP_SHA256_BYTES];

    must(up_token_hash(sha256, text, pool));
    return apr_pstrndup(pool, apr_pescape_hex(pool, sha256, sizeof(sha256), 0),
                        digits);
}

static void
check_tokens(up_store_t *store, apr_pool_t *pool)
{
    const char *text, *other, *user = NULL;

    must(up_admin_add_token(&text, store, "U1", 0, pool));
    must(up_admin_add_token(&other, store, "stranger", 0, pool));
    must(up_token_check(&user, store, text, pool, pool));
    is(user, "U1", "a token is its user's");
    is(reason_of(up_admin_revoke_token(store, "0123", pool)), "FIELD_INVALID",
       "too short an id of a token");
    is_conflict(up_admin_revoke_token(store, "0000000000000000", pool),
                "no token has the id '0000000000000000'",
                "an id that no token has");
    is(reason_of(up_admin_revoke_token(store, "not hex digits !", pool)),
       "CONFLICT", "what is no id at all");
    must(up_admin_revoke_token(store, token_id(text, 16, pool), pool));
    is(reason_of(up_token_check(&user, store, text, pool, pool)),
       "TOKEN_INVALID", "a revoked token is refused");
    must(up_token_check(&user, store, other, pool, pool));
    is(user, "stranger", "... and no other");
    must(up_admin_revoke_token(store, token_id(other, 64, pool), pool));
    is(temp_store_dump(store, 1u << UP_KIND_TOKEN, pool), "",
       "an id may have all digits");
}

static up_error_t *
same_beginning(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    (void)item;
    (void)pool;
    ++*(int *)baton;
    return NULL;
}

/* Two tokens whose ids begin alike: neither may go by mistake. */
static void
check_ambiguity(up_store_t *store, apr_pool_t *pool)
{
    static const char *const lines[] = {
        "{\"token\":{\"userId\":\"x\",\"sha256\":\"" TEN("abcd")
            TEN("ab") "0000\"}}",
        "{\"token\":{\"userId\":\"x\",\"sha256\":\"" TEN("abcd")
            TEN("ab") "0001\"}}",
        NULL};
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    int count = 0;

    temp_store_fill(store, lines);
    is_conflict(up_admin_revoke_token(store, "abcdabcdabcdabcd", pool),
                "more than one token has the id 'abcdabcdabcdabcd'",
                "an id that two tokens have");
    must(up_store_each(store, &filter, same_beginning, &count, pool));
    is_number(count, 2, "... revokes neither");
    must(up_admin_revoke_token(store, TEN("ABCD") TEN("ab") "0001", pool));
    is_conflict(
        up_admin_revoke_token(store, TEN("abcd") TEN("ab") "0001", pool),
        "no token has the id '" TEN("abcd") TEN("ab") "0001'",
        "capitals are digits too; a token revoked twice");
    must(up_admin_revoke_token(store, "abcdabcdabcdabcd", pool));
}

static void
check_removal(up_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *roles = apr_array_make(pool, 1, sizeof(const char *));
    up_member_t member = {"O1", "U1", roles};
    up_user_t user = human("O1", "U1", pool);
    const up_user_t *read = NULL;
    const char *text;

    APR_ARRAY_PUSH(roles, const char *) = "ORG_OWNER";
    must(up_admin_add_member(store, &member, pool));
    member.org = "";
    must(up_admin_add_member(store, &member, pool));
    must(up_admin_add_token(&text, store, "U1", 0, pool));

    is_conflict(up_admin_remove_user(store, "O2", "U1", pool),
                "organisation 'O2' has no user 'U1'",
                "removing another organisation's user");
    is_conflict(up_admin_remove_user(store, "O1", "\xff", pool),
                "organisation 'O1' has no user '\xff'",
                "removing what cannot be a user");
    must(up_admin_remove_user(store, "O1", "U1", pool));
    must(up_admin_get_user(&read, store, "O1", "U1", pool));
    if (!ok(read != NULL, "a removed user's record stays"))
        return;
    is_number(read->state, UP_REMOVED, "its state is removed");
    is_number((long long)read->sequence, 2, "its sequence counts on");
    is(temp_store_dump(store, 1u << UP_KIND_MEMBER | 1u << UP_KIND_TOKEN, pool),
       "", "its rights are gone");

    is_conflict(up_admin_remove_user(store, "O1", "U1", pool),
                "user 'U1' is removed already", "removing a user twice");
    is_conflict(up_admin_add_user(store, &user, pool),
                "organisation 'O1' had a user 'U1' already",
                "adding a removed user again");
    is_conflict(up_admin_add_member(store, &member, pool),
                "user 'U1' is removed", "a removed user as a member");
    is_conflict(up_admin_add_token(&text, store, "U1", 0, pool),
                "user 'U1' is removed", "a token for a removed user");
}

static up_error_t *
append_event(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_array_header_t *said = baton;
    const up_event_t *event = &item->as.event;

    (void)pool;
    APR_ARRAY_PUSH(said, const char *) = apr_psprintf(
        said->pool, "%s %s/%s by '%s', sequence %d, fields %x, %s\n",
        up_event_type_name(event->type), event->org, event->user, event->author,
        (int)event->sequence, event->fields,
        event->after ? event->after->text[UP_FIRST_NAME] : "-");
    return NULL;
}

static void
check_events(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_EVENT};
    apr_array_header_t *said = apr_array_make(pool, 3, sizeof(const char *));

    must(up_store_each(store, &filter, append_event, said, pool));
    is(apr_array_pstrcat(pool, said, 0),
       "user.added O1/U1 by '', sequence 1, fields 1b, Gigi\n"
       "user.added O1/M1 by '', sequence 1, fields 0, -\n"
       "user.removed O1/U1 by '', sequence 2, fields 0, -\n",
       "users who come and go are events, and nothing else is");
}

int
main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    up_store_t *store = temp_store_open(pool);
    check_checks(pool);
    check_orgs(store, pool);
    check_adding_users(store, pool);
    check_members(store, pool);
    check_tokens(store, pool);
    check_ambiguity(store, pool);
    check_removal(store, pool);
    check_events(store, pool);
    temp_store_close(store);
    apr_terminate();
    return done_testing();
}
