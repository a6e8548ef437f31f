/* record.c -- what a store holds, to bytes and back. */
#include "hex.h"
#include "store_items.h"
#include "tap.h"
#include "temp_store.h"
#include "core/up_utf8.h"
#include "store/lmdb/up_record.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

static const up_profile_t gigi = {
    {"Gigi", "Giraffe", "gg", "Gigi Giraffe", "en", ""},
    UP_GENDER_FEMALE};
static const up_profile_t nobody = {{"", "", "", "", "", ""}, 0};

static const up_item_t events[] = {
    {.kind = UP_KIND_EVENT,
     .as.event = {7, UP_PROFILE_CHANGED, LONG_AGO, "O1", "U1", "A1", 2,
                  UP_FIELD_BIT(UP_FIRST_NAME), &nobody, &gigi, ""}},
    {.kind = UP_KIND_EVENT,
     .as.event = {1, UP_USER_ADDED, LONG_AGO, "O1", "U1", "", 1, 31, NULL,
                  &gigi, ""}},
    {.kind = UP_KIND_EVENT,
     .as.event = {APR_UINT64_MAX, UP_USER_REMOVED, -1, "O1", "U1", "",
                  APR_UINT64_MAX, 0, NULL, NULL, ""}},
    {.kind = UP_KIND_EVENT,
     .as.event = {8, UP_MEMBER_ADDED, LONG_AGO, "", "U1", "tool:t", 0, 0, NULL,
                  NULL, "IAM_OWNER ORG_OWNER"}},
    {.kind = UP_KIND_EVENT,
     .as.event = {9, UP_EVENTS_PRUNED, LONG_AGO, "", "", "", 0, 0, NULL, NULL,
                  ""}},
};

/* A human whose profile is PROFILE. */
static up_item_t *
make_user(const up_profile_t *profile, apr_pool_t *pool)
{
    up_item_t *item = make_human("O1", "U1", UP_ACTIVE, "", pool);

    item->as.user.profile = profile;
    return item;
}

/* ITEM with nothing but its key fields. */
static up_item_t
key_of(const up_item_t *item)
{
    up_item_t key = {.kind = item->kind};

    switch (item->kind) {
    case UP_KIND_ORG:
        key.as.org.id = item->as.org.id;
        break;
    case UP_KIND_USER:
        key.as.user.org = item->as.user.org;
        key.as.user.id = item->as.user.id;
        break;
    case UP_KIND_MEMBER:
        key.as.member.org = item->as.member.org;
        key.as.member.user = item->as.member.user;
        break;
    case UP_KIND_TOKEN:
        memcpy(key.as.token.sha256, item->as.token.sha256, UP_SHA256_BYTES);
        break;
    default:
        key.as.event.number = item->as.event.number;
        break;
    }
    return key;
}

/* The LENGTH bytes at BYTES in memory of their own, so that a reader that goes
 * beyond them is caught, and one that keeps pointers to them too. */
static up_error_t *
unpack_copy(up_item_t *item,
            const void *bytes,
            apr_size_t length,
            apr_pool_t *pool)
{
    char *copy = malloc(length ? length : 1);

    memcpy(copy, bytes, length);
    up_error_t *err = up_record_unpack(item, copy, length, pool);
    memset(copy, '#', length);
    free(copy);
    return err;
}

static int
is_profile(const up_profile_t *profile)
{
    apr_size_t code_points;

    for (int i = 0; i < UP_FIELDS; i++) {
        const char *text = profile->text[i];
        if (!up_utf8_count(&code_points, text, strlen(text)))
            return 0;
    }
    return profile->gender >= 0 && profile->gender < UP_GENDERS;
}

/* Whether ITEM, which was read, has values that an item may have. */
static int
can_be(const up_item_t *item)
{
    const up_user_t *user = &item->as.user;
    const up_event_t *event = &item->as.event;

    if (item->kind == UP_KIND_USER)
        return user->state < UP_STATES &&
               (user->type == UP_HUMAN
                    ? user->profile && is_profile(user->profile)
                    : user->type == UP_MACHINE && !user->profile);
    if (item->kind == UP_KIND_EVENT)
        return event->type < UP_EVENT_TYPES && event->fields <= UP_ALL_FIELDS &&
               (!event->before || is_profile(event->before)) &&
               (!event->after || is_profile(event->after));
    return 1;
}

/* Whether the LENGTH bytes at BYTES are refused, or read as an item whose
 * values are allowed. */
static int
is_harmless(const up_item_t *item,
            const void *bytes,
            apr_size_t length,
            apr_pool_t *pool)
{
    up_item_t read = key_of(item);

    return unpack_copy(&read, bytes, length, pool) != NULL ||
           (can_be(&read) && item_text(&read, pool));
}

/* No beginning of BYTES, and no change of one bit, may do harm. */
static void
damage(const char *name,
       const up_item_t *item,
       const void *bytes,
       apr_size_t length,
       apr_pool_t *pool)
{
    unsigned char *copy = apr_pmemdup(pool, bytes, length);
    int harm = 0;

    for (apr_size_t i = 0; i < length; i++)
        harm += !is_harmless(item, bytes, i, pool);
    for (apr_size_t i = 0; i < length * 8; i++) {
        copy[i / 8] ^= (unsigned char)(1u << i % 8);
        harm += !is_harmless(item, copy, length, pool);
        copy[i / 8] ^= (unsigned char)(1u << i % 8);
    }
    is_number(harm, 0, "%s, cut or damaged, is refused or has allowed values",
              name);
}

static void
round_trip(const char *name,
           const up_item_t *item,
           apr_size_t most,
           apr_pool_t *pool)
{
    up_item_t back = key_of(item), later = key_of(item);
    const char *bytes;
    apr_size_t length, longer;

    up_record_pack(&bytes, &length, item, pool);
    ok(!unpack_copy(&back, bytes, length, pool), "%s can be read", name);
    is(item_text(&back, pool), item_text(item, pool),
       "%s is read as it was written", name);
    if (most)
        ok(length <= most, "%s takes %d bytes, at most %d", name, (int)length,
           (int)most);

    /* Field 1000, of each wire type that protobuf still has. */
    const char *future = hex_read(
        &longer,
        apr_pstrcat(pool, hex_show(bytes, length, pool),
                    "c03e2a c13e0102030405060708 c23e03616263 c53e01020304",
                    NULL),
        pool);
    ok(!unpack_copy(&later, future, longer, pool),
       "%s with fields of a later version can be read", name);
    is(item_text(&later, pool), item_text(item, pool),
       "%s with fields of a later version is read as it was written", name);
    damage(name, item, bytes, length, pool);
}

/* Bytes that are no record, though some are a message. */
static const struct {
    const char *name;
    up_kind_t kind;
    const char *hex;
    const char *message;
} broken[] = {
    {"a field that goes on beyond the end", UP_KIND_ORG, "0a05 4f",
     "the stored organisation 'O1' cannot be read"},
    {"a length of 2^64-1", UP_KIND_ORG, "0a ffffffffffffffffff01",
     "the stored organisation 'O1' cannot be read"},
    {"a name that is not UTF-8", UP_KIND_ORG, "0a01 ff",
     "the stored organisation 'O1' cannot be read"},
    {"a human without a profile", UP_KIND_USER, "",
     "the stored user 'U1' of organisation 'O1' cannot be read"},
    {"a machine with a profile", UP_KIND_USER, "0a00 1001",
     "the stored user 'U1' of organisation 'O1' cannot be read"},
    {"an unknown type of user", UP_KIND_USER, "1002",
     "the stored user 'U1' of organisation 'O1' cannot be read"},
    {"an unknown state", UP_KIND_USER, "0a00 1805",
     "the stored user 'U1' of organisation 'O1' cannot be read"},
    {"an unknown gender", UP_KIND_USER, "0a02 3004",
     "the stored user 'U1' of organisation 'O1' cannot be read"},
    {"a profile whose text is not UTF-8", UP_KIND_USER, "0a03 0a01c3",
     "the stored user 'U1' of organisation 'O1' cannot be read"},
    {"a role that is not UTF-8", UP_KIND_MEMBER, "0a01 80",
     "the stored membership of user 'U1' in 'O1' cannot be read"},
    {"a token without a user", UP_KIND_TOKEN, "",
     "the stored token 0000000000000000... cannot be read"},
    {"an event of an unknown type", UP_KIND_EVENT, "0863",
     "the stored event 7 cannot be read"},
    {"an event of an unknown later type", UP_KIND_EVENT, "5863",
     "the stored event 7 cannot be read"},
    {"an event of an unknown field", UP_KIND_EVENT, "3840",
     "the stored event 7 cannot be read"},
};

static void
refusals(apr_pool_t *pool)
{
    static const up_item_t keys[UP_KINDS] = {
        [UP_KIND_ORG] = {.as.org = {.id = "O1"}},
        [UP_KIND_USER] = {.as.user = {.org = "O1", .id = "U1"}},
        [UP_KIND_MEMBER] = {.as.member = {.org = "O1", .user = "U1"}},
        [UP_KIND_EVENT] = {.as.event = {.number = 7}},
    };

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        up_item_t item = keys[broken[i].kind];
        apr_size_t length;
        const char *bytes = hex_read(&length, broken[i].hex, pool);
        item.kind = broken[i].kind;
        const up_error_t *err = unpack_copy(&item, bytes, length, pool);
        is(reason_of(err), "INTERNAL", "%s is INTERNAL", broken[i].name);
        is(err ? err->message : NULL, broken[i].message, "%s: the message",
           broken[i].name);
    }
}

/* What an earlier version, which knows fewer fields, makes of what it did not
 * know yet: a revoked token has expired, and a later type is the first one. */
static void
earlier_versions(apr_pool_t *pool)
{
    up_item_t *token = make_token("U1", 1, pool);
    up_item_t event = {.kind = UP_KIND_EVENT,
                       .as.event = {.type = UP_ORG_ADDED,
                                    .org = "",
                                    .user = "",
                                    .author = "",
                                    .detail = ""}};
    const char *bytes;
    apr_size_t length;

    token->as.token.created = 0;
    token->as.token.expires = 0;
    token->as.token.revoked = 2;
    up_record_pack(&bytes, &length, token, pool);
    is(hex_show(bytes, length, pool),
       "0a025531"
       "190100000000000000"
       "210200000000000000",
       "a revoked token has expired for an earlier version");
    up_record_pack(&bytes, &length, &event, pool);
    is(hex_show(bytes, length, pool), "5808",
       "an event of a later type has the type 0 for an earlier version");
}

static void
meta(apr_pool_t *pool)
{
    static const up_meta_t rows[] = {{1, APR_UINT64_C(1) << 40, 0},
                                     {2, APR_UINT64_C(1) << 40, 0},
                                     {2, APR_UINT64_C(1) << 20, 1},
                                     {3, 0, 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const up_meta_t *in = &rows[i];
        up_meta_t out = {0};
        const char *bytes;
        apr_size_t length;
        up_meta_pack(&bytes, &length, in, pool);
        ok(up_meta_unpack(&out, bytes, length, pool) &&
               out.format == in->format && out.map_size == in->map_size &&
               out.upgrading == in->upgrading,
           "a store's own record, format %d, is read as it was written",
           (int)in->format);
    }
}

/* A store's own record of format 2 that is cut, or of which one bit is another,
 * is refused, or names a format that there is not yet. */
static void
damaged_meta(apr_pool_t *pool)
{
    up_meta_t in = {2, APR_UINT64_C(1) << 40, 0}, out = {0};
    const char *bytes;
    apr_size_t length;
    int taken = 0;

    ok(!up_meta_unpack(&out, "\x0a", 1, pool),
       "a store's own record that is cut is refused");
    ok(!up_meta_unpack(&out, "\x08\x02", 2, pool),
       "a store's own record of format 2 without a checksum is refused");
    up_meta_pack(&bytes, &length, &in, pool);
    unsigned char *copy = apr_pmemdup(pool, bytes, length);
    for (apr_size_t i = 0; i < length * 8; i++) {
        copy[i / 8] ^= (unsigned char)(1u << i % 8);
        taken += up_meta_unpack(&out, copy, length, pool) && out.format <= 2;
        copy[i / 8] ^= (unsigned char)(1u << i % 8);
    }
    is_number(taken, 0, "a store's own record with one bit changed is refused");
}

static void
items(apr_pool_t *pool)
{
    up_profile_t named = nobody;
    up_item_t *full = make_user(&gigi, pool), *plain = make_user(&named, pool);
    up_item_t *odd = make_user(&named, pool);
    up_item_t *token = make_token("U1", 1, pool);
    up_item_t *revoked = make_token("U1", 2, pool);
    up_item_t *member = make_member("O1", "U1", "ORG_OWNER", pool);
    apr_array_header_t *roles = apr_array_copy(pool, member->as.member.roles);

    revoked->as.token.expires = 0;
    revoked->as.token.revoked = LONG_AGO;
    named.text[UP_FIRST_NAME] = "Gigi";
    named.text[UP_LAST_NAME] = "Giraffe";
    named.text[UP_DISPLAY_NAME] = "Gigi Giraffe";
    full->as.user.state = UP_LOCKED;
    full->as.user.sequence = UP_SEQUENCE_MAX;
    full->as.user.changed = LONG_AGO + APR_TIME_C(31536000023456);
    odd->as.user.created = APR_TIME_C(253402300799999999);
    odd->as.user.changed = APR_TIME_C(-62135596800000000);
    APR_ARRAY_PUSH(roles, const char *) = "ORG_USER_MANAGER";
    member->as.member.roles = roles;
    for (int i = 0; i < UP_SHA256_BYTES; i++)
        token->as.token.sha256[i] = (unsigned char)(i * 17);

    const struct {
        const char *name;
        const up_item_t *item;
        apr_size_t most; /* bytes that it may take; 0: any */
    } rows[] = {
        {"an organisation", make_org("O1", "One", pool), 5},
        {"an organisation without a name", make_org("O1", "", pool), 0},
        {"a user who was never changed", plain, 42},
        {"a user with every field", full, 0},
        {"a user changed before being created, at the ends of time", odd, 0},
        {"a machine", make_machine("O1", "M1", pool), 14},
        {"a membership of two roles", member, 0},
        {"a token", token, 0},
        {"a token that is revoked", revoked, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        round_trip(rows[i].name, rows[i].item, rows[i].most, pool);
}

static void
test(apr_pool_t *pool)
{
    items(pool);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        round_trip(apr_psprintf(pool, "an event, %s",
                                up_event_type_name(events[i].as.event.type)),
                   &events[i], 0, pool);
    refusals(pool);
    earlier_versions(pool);
    meta(pool);
    damaged_meta(pool);
}

int
main(void)
{
    return run_test(test);
}
