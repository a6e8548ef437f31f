/* service_admin.c -- the commands of administrators. */
#include "service/up_admin.h"
#include "service/up_tokens.h"
#include "service/up_user.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <string.h>

#define ID_RULE                                                                \
    " must be 1 to 200 bytes of UTF-8 without control characters, and "        \
    "neither . nor .."
#define ROLE_RULE                                                              \
    "a role of user 'U1' must be 1 to 200 bytes of UTF-8 without blanks, "     \
    "commas or control characters"

/* A human whose last name and language are these. */
static up_item_t *
make_named(const char *last_name, const char *language, apr_pool_t *pool)
{
    up_item_t *item = make_human("O1", "U1", UP_ACTIVE, "F", pool);
    up_profile_t *profile = up_profile_copy(item->as.user.profile, pool);

    profile->text[UP_LAST_NAME] = last_name;
    profile->text[UP_PREFERRED_LANGUAGE] = language;
    item->as.user.profile = profile;
    return item;
}

static up_item_t *
make_member_of_roles(int count, apr_pool_t *pool)
{
    up_item_t *item = make_member("O1", "U1", "R", pool);
    apr_array_header_t *roles =
        apr_array_make(pool, count, sizeof(const char *));

    for (int i = 0; i < count; i++)
        APR_ARRAY_PUSH(roles, const char *) = "R";
    item->as.member.roles = roles;
    return item;
}

static void
check_checks(apr_pool_t *pool)
{
    up_item_t *early = make_token("U1", 1, pool),
              event = {.kind = UP_KIND_EVENT,
                       .as.event = {.org = "", .user = "", .author = ""}},
              strange = event;
    up_item_t *empty = make_machine("O1", "U1", pool);

    strange.as.event.user = "a\nb";
    early->as.token.expires = -1;
    empty->as.user.type = UP_HUMAN;
    /* Items, and what is wrong with them; NULL: nothing. */
    const struct {
        const char *name;
        up_item_t *item;
        const char *message;
    } rows[] = {
        {"an organisation", make_org("O1", LONGEST_ID, pool), NULL},
        {"an organisation without an id", make_org("", "", pool),
         "the id of an organisation" ID_RULE},
        {"an id that is too long", make_org(LONGEST_ID "a", "", pool),
         "the id of an organisation" ID_RULE},
        {"an id with a control character", make_org("a\xc2\x85", "", pool),
         "the id of an organisation" ID_RULE},
        {"a name of an organisation that is too long",
         make_org("O1", LONGEST_ID "a", pool),
         "the name of organisation 'O1' must be at most 200 characters of "
         "UTF-8"},
        {"an organisation .", make_org(".", "", pool),
         "the id of an organisation" ID_RULE},
        {"an organisation ..", make_org("..", "", pool),
         "the id of an organisation" ID_RULE},
        {"an organisation ...", make_org("...", "", pool), NULL},
        {"an organisation with a slash", make_org("a/b", "", pool), NULL},
        {"a human", make_named("L", "", pool), NULL},
        {"a user .", make_machine("O1", ".", pool), "the id of a user" ID_RULE},
        {"a user ..", make_machine("O1", "..", pool),
         "the id of a user" ID_RULE},
        {"a user with a slash", make_machine("O1", "a/b", pool), NULL},
        {"a user of the organisation ..", make_machine("..", "U1", pool),
         "the organisation of a user" ID_RULE},
        {"a member ..", make_member("O1", "..", "R", pool),
         "the user of a membership" ID_RULE},
        {"a member of the organisation .", make_member(".", "U1", "R", pool),
         "the organisation of a membership" ID_RULE},
        {"a token of the user .", make_token(".", 1, pool),
         "the user of a token" ID_RULE},
        {"a machine", make_machine("O1", "U1", pool), NULL},
        {"a user with an empty id", make_machine("O1", "", pool),
         "the id of a user" ID_RULE},
        {"a user with an empty organisation", make_machine("", "U1", pool),
         "the organisation of a user" ID_RULE},
        {"a profile with two fields at fault", make_named("", "12", pool),
         "the profile of user 'U1' is invalid: lastName: value length must be "
         "between 1 and 200 runes, inclusive; preferredLanguage: value must be "
         "a BCP 47 language tag"},
        {"a member", make_member("O1", "U1", "ORG_OWNER", pool), NULL},
        {"a member of the instance", make_member("", "U1", "IAM_OWNER", pool),
         NULL},
        {"a role with a comma", make_member("O1", "U1", "A,B", pool),
         ROLE_RULE},
        {"an empty role", make_member("O1", "U1", "", pool), ROLE_RULE},
        {"a hundred roles", make_member_of_roles(100, pool), NULL},
        {"a hundred and one roles", make_member_of_roles(101, pool),
         "the membership of user 'U1' must have 1 to 100 roles"},
        {"a token", make_token("U1", 1, pool), NULL},
        {"a token that expired before 1970", early,
         "a token of user 'U1' must expire after 1970 began"},
        {"a human without a profile", empty,
         "user 'U1' must be either human, with a profile, or a machine, "
         "without one"},
        {"an event", &event, NULL},
        {"an event of a user whose id cannot be stored", &strange,
         "the user of an event" ID_RULE},
        {"a token without a user", make_token("", 1, pool),
         "the user of a token" ID_RULE},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_error_t *err = up_admin_check(rows[i].item, UP_ALL_FIELDS, pool);
        is(err ? err->message : NULL, rows[i].message, "up_admin_check() of %s",
           rows[i].name);
        if (err)
            is(reason_of(err), "FIELD_INVALID", "%s: FIELD_INVALID",
               rows[i].name);
    }
}

static void
check_display_names(apr_pool_t *pool)
{
    static const struct {
        const char *name, *given, *stored;
        unsigned fields;
    } rows[] = {
        {"an absent display name is the first and the last name", "", "F L",
         UP_ALL_FIELDS & ~UP_FIELD_BIT(UP_DISPLAY_NAME)},
        {"a display name that is given stays", "G", "G", UP_ALL_FIELDS},
        {"an empty display name that is given stays", "", "", UP_ALL_FIELDS},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up_item_t *item = make_named("L", "", pool);
        up_profile_t *given = up_profile_copy(item->as.user.profile, pool);
        given->text[UP_DISPLAY_NAME] = rows[i].given;
        item->as.user.profile = given;
        must(up_admin_check(item, rows[i].fields, pool));
        is(item->as.user.profile->text[UP_DISPLAY_NAME], rows[i].stored, "%s",
           rows[i].name);
        is(given->text[UP_DISPLAY_NAME], rows[i].given,
           "%s: the profile that was given is not changed", rows[i].name);
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
    is(err ? err->message : NULL, message, "%s: the message", name);
    is(reason_of(err), "CONFLICT", "%s is a CONFLICT", name);
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

    must(up_admin_add_org(store, &org, "tool:t", pool));
    must(up_admin_add_org(store, &second, "tool:t", pool));
    is_conflict(up_admin_add_org(store, &org, "tool:t", pool),
                "organisation 'O1' exists already",
                "adding an organisation twice");
    is(reason_of(up_admin_add_org(store, &bad, "tool:t", pool)),
       "FIELD_INVALID",
       "adding an organisation with an invalid id is FIELD_INVALID");
    is(store_text(store, 1u << UP_KIND_ORG, pool),
       "org O1 'First'\norg O2 ''\n", "the added organisations are stored");
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

    must(up_admin_add_user(store, &user, "tool:t", pool));
    must(up_admin_add_user(store, &robot, "tool:t", pool));
    must(up_admin_get_user(&read, store, "O1", "U1", pool));
    if (!ok(read != NULL, "an added user is stored"))
        return;
    is_number((long long)read->sequence, 1, "an added user has the sequence 1");
    is_number(read->state, UP_ACTIVE, "an added user is active");
    ok(read->created >= begun && read->created == read->changed,
       "an added user has both dates set to now");
    is(read->profile->text[UP_PREFERRED_LANGUAGE], "de-CH",
       "an added user's language tag is canonical");

    is_conflict(up_admin_add_user(store, &user, "tool:t", pool),
                "organisation 'O1' has a user 'U1' already",
                "adding a user twice");
    user.org = "O2";
    is_conflict(up_admin_add_user(store, &user, "tool:t", pool),
                "organisation 'O1' has a user 'U1' already",
                "adding a user to a second organisation");
    const up_error_t *err = up_admin_add_user(store, &lost, "tool:t", pool);
    spoil_free_memory(pool);
    is_conflict(
        err, "there is no organisation 'O9'",
        "adding a user to an unknown organisation, whose error outlives "
        "the batch");
    ((up_profile_t *)bytes.profile)->text[UP_NICK_NAME] = "\xff";
    is(reason_of(up_admin_add_user(store, &bytes, "tool:t", pool)),
       "FIELD_INVALID",
       "adding a user with a name that is not UTF-8 is FIELD_INVALID");

    must(up_admin_get_user(&read, store, "O2", "U1", pool));
    ok(!read, "a user is not found in another organisation");
    must(up_admin_get_user(&read, store, "O1", "U\n1", pool));
    ok(!read, "a user with an id that cannot be stored is not found");
}

static void
check_members(up_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *roles = apr_array_make(pool, 2, sizeof(const char *));
    up_member_t member = {"O1", "U1", roles};

    APR_ARRAY_PUSH(roles, const char *) = "ORG_OWNER";
    must(up_admin_add_member(store, &member, "tool:t", pool));
    APR_ARRAY_IDX(roles, 0, const char *) = "ORG_USER_MANAGER";
    must(up_admin_add_member(store, &member, "tool:t", pool));
    must(up_admin_add_member(store, &member, "tool:t", pool));
    is(store_text(store, 1u << UP_KIND_MEMBER, pool),
       "member U1 of O1, roles ORG_OWNER ORG_USER_MANAGER\n",
       "adding a member keeps the roles that are there, each once");
    apr_array_header_t *many = apr_array_make(pool, 99, sizeof(const char *));
    for (int i = 0; i < 99; i++)
        APR_ARRAY_PUSH(many, const char *) = apr_psprintf(pool, "R%d", i);
    member.roles = many;
    is(reason_of(up_admin_add_member(store, &member, "tool:t", pool)),
       "FIELD_INVALID", "adding roles to more than a hundred is FIELD_INVALID");
    member.roles = roles;
    APR_ARRAY_IDX(roles, 0, const char *) = "ORG_OWNER_VIEWER";
    must(up_admin_set_member(store, &member, "tool:t", pool));
    member.org = "";
    must(up_admin_set_member(store, &member, "tool:t", pool));
    is(store_text(store, 1u << UP_KIND_MEMBER, pool),
       "member U1 of the instance, roles ORG_OWNER_VIEWER\n"
       "member U1 of O1, roles ORG_OWNER_VIEWER\n",
       "setting a member replaces the roles in that organisation alone");
    member.org = "O9";
    is(reason_of(up_admin_add_member(store, &member, "tool:t", pool)),
       "CONFLICT", "adding a member to an unknown organisation is a CONFLICT");

    must(up_admin_remove_member(store, "O1", "U1", "tool:t", pool));
    is_conflict(up_admin_remove_member(store, "O1", "U1", "tool:t", pool),
                "user 'U1' is no member of organisation 'O1'",
                "removing a member twice");
    must(up_admin_remove_member(store, "", "U1", "tool:t", pool));
    is_conflict(up_admin_remove_member(store, "", "U1", "tool:t", pool),
                "user 'U1' is no member of the instance",
                "removing a member of the instance twice");
    is_conflict(up_admin_remove_member(store, "O\n", "U1", "tool:t", pool),
                "user 'U1' is no member of organisation 'O\n'",
                "removing a member from an organisation that cannot exist");
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

    must(up_admin_add_token(&text, store, "U1", 0, "tool:t", pool));
    must(up_admin_add_token(&other, store, "stranger", 0, "tool:t", pool));
    must(up_token_check(&user, store, 0, text, pool, pool));
    is(user, "U1", "a new token gives its user");
    is_conflict(
        up_admin_revoke_token(store, token_id(text, 15, pool), "tool:t", pool),
        "no token has this id or text; an id has 16 hex digits or more",
        "revoking by an id that is too short");
    is_conflict(
        up_admin_revoke_token(store, "0000000000000000", "tool:t", pool),
        "no token has this id or text; an id has 16 hex digits or more",
        "revoking by an id that no token has");
    is(reason_of(
           up_admin_revoke_token(store, "not hex digits !", "tool:t", pool)),
       "CONFLICT", "revoking by what is not hexadecimal is a CONFLICT");
    must(
        up_admin_revoke_token(store, token_id(text, 16, pool), "tool:t", pool));
    is(reason_of(up_token_check(&user, store, 0, text, pool, pool)),
       "TOKEN_INVALID", "a revoked token is refused");
    must(up_token_check(&user, store, 0, other, pool, pool));
    is(user, "stranger", "another token stays valid");
    must(up_admin_revoke_token(store, token_id(other, 64, pool), "tool:t",
                               pool));
    is(reason_of(up_token_check(&user, store, 0, other, pool, pool)),
       "TOKEN_INVALID", "a token may be revoked by all digits of its SHA-256");
    is_number(count_items(store, UP_KIND_TOKEN, pool), 2,
              "the records of revoked tokens stay");
}

static up_error_t *
count_valid(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    (void)pool;
    *(int *)baton += !item->as.token.revoked;
    return NULL;
}

/* Two tokens whose ids begin alike: neither may be revoked by mistake. */
static void
check_ambiguity(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    int count = 0;

    for (unsigned char last = 0; last < 2; last++) {
        up_item_t *token = make_token("x", 0, pool);
        memset(token->as.token.sha256, 0xab, UP_SHA256_BYTES - 1);
        token->as.token.sha256[UP_SHA256_BYTES - 1] = last;
        must(put_item(store, token, pool));
    }
    is_conflict(
        up_admin_revoke_token(store, "abababababababab", "tool:t", pool),
        "more than one token has this id",
        "revoking by an id that two tokens have");
    must(up_store_each(store, &filter, count_valid, &count, pool));
    is_number(count, 2,
              "revoking by an id that two tokens have revokes neither");
    must(up_admin_revoke_token(store, TIMES_10("ABABAB") "AB01", "tool:t",
                               pool));
    is_conflict(
        up_admin_revoke_token(store, TIMES_10("ababab") "ab01", "tool:t", pool),
        "no token has this id or text; an id has 16 hex digits or more",
        "revoking by capitals, twice");
    must(up_admin_revoke_token(store, "abababababababab", "tool:t", pool));
}

static void
check_removal(up_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *roles = apr_array_make(pool, 1, sizeof(const char *));
    up_member_t member = {"O1", "U1", roles};
    up_filter_t tokens = {.kinds = 1u << UP_KIND_TOKEN};
    up_user_t user = human("O1", "U1", pool);
    const up_user_t *read = NULL;
    const char *text;

    APR_ARRAY_PUSH(roles, const char *) = "ORG_OWNER";
    must(up_admin_add_member(store, &member, "tool:t", pool));
    member.org = "";
    must(up_admin_add_member(store, &member, "tool:t", pool));
    must(up_admin_add_token(&text, store, "U1", 0, "tool:t", pool));

    is_conflict(up_admin_remove_user(store, "O2", "U1", 0, "tool:t", pool),
                "organisation 'O2' has no user 'U1'",
                "removing a user of another organisation");
    is_conflict(up_admin_remove_user(store, "O1", "\xff", 0, "tool:t", pool),
                "organisation 'O1' has no user '\xff'",
                "removing a user with an id that cannot be stored");
    must(up_admin_remove_user(store, "O1", "U1", 0, "tool:t", pool));
    must(up_admin_get_user(&read, store, "O1", "U1", pool));
    if (!ok(read != NULL, "a removed user's record stays"))
        return;
    is_number(read->state, UP_REMOVED, "a removed user has the state removed");
    is_number((long long)read->sequence, 2,
              "removing a user counts the sequence up");
    is(store_text(store, 1u << UP_KIND_MEMBER, pool), "",
       "a removed user has no memberships");
    int valid = 0;
    must(up_store_each(store, &tokens, count_valid, &valid, pool));
    is_number(valid, 0, "a removed user has no valid tokens");

    is_conflict(up_admin_remove_user(store, "O1", "U1", 0, "tool:t", pool),
                "user 'U1' is removed already", "removing a user twice");
    is_conflict(up_admin_add_user(store, &user, "tool:t", pool),
                "organisation 'O1' had a user 'U1' already",
                "adding a removed user again");
    is_conflict(up_admin_add_member(store, &member, "tool:t", pool),
                "user 'U1' is removed", "adding a removed user as a member");
    is_conflict(up_admin_add_token(&text, store, "U1", 0, "tool:t", pool),
                "user 'U1' is removed", "adding a token for a removed user");
}

/* Users . and .. may be stored already: they can be read and removed. */
static void
check_removal_of_dots(up_store_t *store, apr_pool_t *pool)
{
    const up_user_t *read = NULL;

    put_machine(store, "O1", "..");
    must(up_admin_get_user(&read, store, "O1", "..", pool));
    ok(read != NULL, "a stored user .. is read");
    must(up_admin_remove_user(store, "O1", "..", 0, "tool:t", pool));
    must(up_admin_get_user(&read, store, "O1", "..", pool));
    is_number(read ? (int)read->state : -1, UP_REMOVED,
              "a stored user .. can be removed");
}

/* A larger sequence could not be exported and imported again. */
static void
check_last_sequence(up_store_t *store, apr_pool_t *pool)
{
    up_item_t *item = make_human("O1", "last", UP_ACTIVE, "X", pool);
    const up_user_t *read;

    item->as.user.sequence = UP_SEQUENCE_MAX;
    must(put_item(store, item, pool));
    is(reason_of(up_admin_remove_user(store, "O1", "last", 0, "tool:t", pool)),
       "STORE_FULL", "removing a user with the largest sequence is STORE_FULL");
    must(up_admin_get_user(&read, store, "O1", "last", pool));
    ok(read->state == UP_ACTIVE && read->sequence == UP_SEQUENCE_MAX,
       "a user with the largest sequence stays as it is");
}

static void
check_change_dates(apr_pool_t *pool)
{
    apr_time_t begun = apr_time_now(), future = begun + APR_USEC_PER_SEC * 3600;
    up_user_t *past = &make_machine("O1", "U1", pool)->as.user;
    up_user_t *ahead = &make_machine("O1", "U2", pool)->as.user;

    must(up_user_touch(past, pool));
    is_number((long long)past->sequence, 2,
              "a change counts the sequence up by one");
    ok(past->changed >= begun && past->changed <= apr_time_now(),
       "a change sets the change date to now");
    is_number(past->created, LONG_AGO, "a change leaves the creation date");
    ahead->changed = future;
    must(up_user_touch(ahead, pool));
    is_number(ahead->changed, future, "a change date never goes back");
}

static up_error_t *
append_event(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_array_header_t *lines = baton;
    const up_event_t *event = &item->as.event;

    /* The ids of new tokens are random. */
    int is_token =
        event->type == UP_TOKEN_ADDED || event->type == UP_TOKEN_REVOKED;
    APR_ARRAY_PUSH(lines, const char *) = apr_psprintf(
        lines->pool, "%s %s/%s by '%s', sequence %d, fields %s: %s\n",
        up_event_type_name(event->type), event->org, event->user, event->author,
        (int)event->sequence, fields_text(event->fields, pool),
        is_token ? strlen(event->detail) == 16 ? "an id" : "no id"
                 : event->detail);
    return NULL;
}

static void
check_events(up_store_t *store, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_EVENT};
    apr_array_header_t *lines = apr_array_make(pool, 3, sizeof(const char *));

    must(up_store_each(store, &filter, append_event, lines, pool));
    is(apr_array_pstrcat(pool, lines, 0),
       "org.added O1/ by 'tool:t', sequence 0, fields none: First\n"
       "org.added O2/ by 'tool:t', sequence 0, fields none: \n"
       "user.added O1/U1 by 'tool:t', sequence 1, fields firstName lastName "
       "displayName preferredLanguage: \n"
       "user.added O1/M1 by 'tool:t', sequence 1, fields none: \n"
       "member.added O1/U1 by 'tool:t', sequence 0, fields none: ORG_OWNER\n"
       "member.changed O1/U1 by 'tool:t', sequence 0, fields none: ORG_OWNER "
       "ORG_USER_MANAGER\n"
       "member.changed O1/U1 by 'tool:t', sequence 0, fields none: "
       "ORG_OWNER_VIEWER\n"
       "member.added /U1 by 'tool:t', sequence 0, fields none: "
       "ORG_OWNER_VIEWER\n"
       "member.removed O1/U1 by 'tool:t', sequence 0, fields none: "
       "ORG_OWNER_VIEWER\n"
       "member.removed /U1 by 'tool:t', sequence 0, fields none: "
       "ORG_OWNER_VIEWER\n"
       "token.added /U1 by 'tool:t', sequence 0, fields none: an id\n"
       "token.added /stranger by 'tool:t', sequence 0, fields none: an id\n"
       "token.revoked /U1 by 'tool:t', sequence 0, fields none: an id\n"
       "token.revoked /stranger by 'tool:t', sequence 0, fields none: an id\n"
       "token.revoked /x by 'tool:t', sequence 0, fields none: an id\n"
       "token.revoked /x by 'tool:t', sequence 0, fields none: an id\n"
       "member.added O1/U1 by 'tool:t', sequence 0, fields none: ORG_OWNER\n"
       "member.added /U1 by 'tool:t', sequence 0, fields none: ORG_OWNER\n"
       "token.added /U1 by 'tool:t', sequence 0, fields none: an id\n"
       "user.removed O1/U1 by 'tool:t', sequence 2, fields none: \n"
       "user.removed O1/.. by 'tool:t', sequence 2, fields none: \n",
       "everything that is changed is an event");
}

static void
test(apr_pool_t *pool)
{
    up_store_t *store = temp_store_open(pool);
    check_checks(pool);
    check_display_names(pool);
    check_orgs(store, pool);
    check_adding_users(store, pool);
    check_members(store, pool);
    check_tokens(store, pool);
    check_ambiguity(store, pool);
    check_removal(store, pool);
    check_removal_of_dots(store, pool);
    check_last_sequence(store, pool);
    check_change_dates(pool);
    check_events(store, pool);
    up_store_close(store);
}

int
main(void)
{
    return run_for_each_driver(test);
}
