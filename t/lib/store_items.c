/* store_items.c -- items as C values, and in words, for tests of stores. */
#include "store_items.h"
#include "core/up_time.h"
#include "temp_store.h"

#include <apr_escape.h>
#include <apr_strings.h>

static up_item_t *
make_item(up_kind_t kind, apr_pool_t *pool)
{
    up_item_t *item = apr_pcalloc(pool, sizeof(*item));

    item->kind = kind;
    return item;
}

up_item_t *
make_org(const char *id, const char *name, apr_pool_t *pool)
{
    up_item_t *item = make_item(UP_KIND_ORG, pool);

    item->as.org = (up_org_t){.id = id, .name = name};
    return item;
}

up_item_t *
make_machine(const char *org, const char *id, apr_pool_t *pool)
{
    up_item_t *item = make_item(UP_KIND_USER, pool);

    item->as.user = (up_user_t){.org = org,
                                .id = id,
                                .type = UP_MACHINE,
                                .sequence = 1,
                                .created = LONG_AGO,
                                .changed = LONG_AGO};
    return item;
}

up_item_t *
make_human(const char *org,
           const char *id,
           up_state_t state,
           const char *first_name,
           apr_pool_t *pool)
{
    up_item_t *item = make_machine(org, id, pool);
    up_profile_t *profile = up_profile_make(pool);

    profile->text[UP_FIRST_NAME] = first_name;
    profile->text[UP_LAST_NAME] = "L";
    profile->text[UP_DISPLAY_NAME] = "D";
    item->as.user.type = UP_HUMAN;
    item->as.user.state = state;
    item->as.user.profile = profile;
    return item;
}

up_item_t *
make_member(const char *org,
            const char *user,
            const char *role,
            apr_pool_t *pool)
{
    up_item_t *item = make_item(UP_KIND_MEMBER, pool);
    apr_array_header_t *roles = apr_array_make(pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(roles, const char *) = role;
    item->as.member = (up_member_t){.org = org, .user = user, .roles = roles};
    return item;
}

up_item_t *
make_token(const char *user, unsigned char byte, apr_pool_t *pool)
{
    up_item_t *item = make_item(UP_KIND_TOKEN, pool);

    item->as.token = (up_token_t){.sha256 = {byte},
                                  .user = user,
                                  .created = LONG_AGO,
                                  .expires = LONG_AGO + APR_USEC_PER_SEC};
    return item;
}

up_error_t *
put_item(up_store_t *store, const up_item_t *item, apr_pool_t *pool)
{
    up_batch_t *batch;
    apr_pool_t *batch_pool;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    up_error_t *err = up_batch_put(batch, item, pool);
    if (err) {
        apr_pool_destroy(batch_pool);
        return err;
    }
    return up_batch_commit(batch);
}

/* Put the item that is made in POOL, and destroy POOL. */
static void
put_new(up_store_t *store, const up_item_t *item, apr_pool_t *pool)
{
    must(put_item(store, item, pool));
    apr_pool_destroy(pool);
}

static apr_pool_t *
new_pool(void)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    return pool;
}

void
put_org(up_store_t *store, const char *id)
{
    apr_pool_t *pool = new_pool();

    put_new(store, make_org(id, "", pool), pool);
}

void
put_human(up_store_t *store, const char *org, const char *id, up_state_t state)
{
    apr_pool_t *pool = new_pool();

    put_new(store, make_human(org, id, state, "F", pool), pool);
}

void
put_machine(up_store_t *store, const char *org, const char *id)
{
    apr_pool_t *pool = new_pool();

    put_new(store, make_machine(org, id, pool), pool);
}

void
put_member(up_store_t *store,
           const char *org,
           const char *user,
           const char *role)
{
    apr_pool_t *pool = new_pool();

    put_new(store, make_member(org, user, role, pool), pool);
}

void
put_token(up_store_t *store, const char *user, unsigned char byte)
{
    apr_pool_t *pool = new_pool();

    put_new(store, make_token(user, byte, pool), pool);
}

const up_item_t *
get_item(up_store_t *store, const up_item_t *key, apr_pool_t *pool)
{
    const up_item_t *item;
    up_batch_t *batch;
    apr_pool_t *batch_pool;

    apr_pool_create(&batch_pool, pool);
    must(up_batch_begin(&batch, store, batch_pool));
    must(up_batch_get(&item, batch, key, pool, pool));
    apr_pool_destroy(batch_pool);
    return item;
}

long long
count_items(up_store_t *store, up_kind_t kind, apr_pool_t *pool)
{
    up_store_stat_t stat;

    must(up_store_stat(&stat, store, pool));
    return (long long)stat.count[kind];
}

/* The fields of PROFILE that are set: " firstName 'Gigi' gender 1". */
static const char *
profile_text(const up_profile_t *profile, apr_pool_t *pool)
{
    const char *text = "";

    if (!profile)
        return " no profile";
    for (int i = 0; i < UP_FIELDS; i++) {
        if (*profile->text[i])
            text = apr_pstrcat(pool, text, " ", up_field_info(i)->json, " '",
                               profile->text[i], "'", NULL);
    }
    return profile->gender
               ? apr_psprintf(pool, "%s gender %d", text, profile->gender)
               : text;
}

static const char *
user_text(const up_user_t *user, apr_pool_t *pool)
{
    return apr_psprintf(
        pool,
        "user %s/%s, %s, %s, sequence %" APR_UINT64_T_FMT
        ", created %s, changed %s,%s",
        user->org, user->id, user->type == UP_HUMAN ? "human" : "machine",
        up_state_name(user->state), user->sequence,
        up_time_format(user->created, pool),
        up_time_format(user->changed, pool), profile_text(user->profile, pool));
}

static const char *
token_text(const up_token_t *token, apr_pool_t *pool)
{
    return apr_psprintf(
        pool, "token of %s, sha256 %s, created %s, expires %s%s%s", token->user,
        apr_pescape_hex(pool, token->sha256, UP_SHA256_BYTES, 0),
        up_time_format(token->created, pool),
        token->expires ? up_time_format(token->expires, pool) : "never",
        token->revoked ? ", revoked " : "",
        token->revoked ? up_time_format(token->revoked, pool) : "");
}

const char *
fields_text(unsigned fields, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 6, sizeof(const char *));

    for (int i = 0; i < UP_FIELDS; i++) {
        if (fields & UP_FIELD_BIT(i))
            APR_ARRAY_PUSH(names, const char *) = up_field_info(i)->json;
    }
    return fields ? apr_array_pstrcat(pool, names, ' ') : "none";
}

static const char *
event_text(const up_event_t *event, apr_pool_t *pool)
{
    return apr_psprintf(
        pool,
        "event %" APR_UINT64_T_FMT ", %s of %s/%s by '%s' at %s, "
        "sequence %" APR_UINT64_T_FMT ", fields %s, before%s, after%s%s%s",
        event->number, up_event_type_name(event->type), event->org, event->user,
        event->author, up_time_format(event->time, pool), event->sequence,
        fields_text(event->fields, pool), profile_text(event->before, pool),
        profile_text(event->after, pool), *event->detail ? ", " : "",
        event->detail);
}

const char *
item_text(const up_item_t *item, apr_pool_t *pool)
{
    if (!item)
        return NULL;
    switch (item->kind) {
    case UP_KIND_ORG:
        return apr_psprintf(pool, "org %s '%s'", item->as.org.id,
                            item->as.org.name);
    case UP_KIND_USER:
        return user_text(&item->as.user, pool);
    case UP_KIND_MEMBER:
        return apr_psprintf(
            pool, "member %s of %s, roles %s", item->as.member.user,
            *item->as.member.org ? item->as.member.org : "the instance",
            apr_array_pstrcat(pool, item->as.member.roles, ' '));
    case UP_KIND_TOKEN:
        return token_text(&item->as.token, pool);
    default:
        return event_text(&item->as.event, pool);
    }
}

static up_error_t *
append_line(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_array_header_t *lines = baton;

    APR_ARRAY_PUSH(lines, const char *) =
        apr_pstrcat(lines->pool, item_text(item, pool), "\n", NULL);
    return NULL;
}

const char *
store_text(up_store_t *store, unsigned kinds, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = kinds};
    apr_array_header_t *lines = apr_array_make(pool, 10, sizeof(const char *));

    must(up_store_each(store, &filter, append_line, lines, pool));
    return apr_array_pstrcat(pool, lines, 0);
}
