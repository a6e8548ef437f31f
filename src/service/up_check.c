/* up_check.c -- whether what a store holds is sound: what each item says, and
 * what items say of one another.
 *
 * Items come in the order of their kinds, so the organisations and users are
 * known when memberships, tokens and events refer to them. Of a user's profile
 * a hash of each field is kept: each event that changes the field then tells
 * whether the record has the value that the event left. */
#include "service/up_check.h"
#include "service/up_admin.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

/* The year 10000, which no time can be written in. */
#define END_OF_TIME APR_TIME_C(253402300800000000)

#define RESTORE "restore a backup, or import the line of an export of before"

/* What is known of a user. */
typedef struct known_t {
    const char *org;       /* NULL: there is no record */
    apr_uint64_t sequence; /* the record's */
    apr_uint64_t last;     /* the sequence of the last event; 0: none */
    apr_uint32_t imports;  /* how many there were before that one */
    apr_uint32_t hash[UP_FIELDS];
    unsigned stale : UP_FIELDS; /* fields in which the record is not what the
                                 * last event about them left */
    unsigned type : 2;
    unsigned state : 4;
    unsigned last_state : 4; /* by the last event about it; UP_STATES: none */
} known_t;

typedef struct checker_t {
    up_check_result_t *result;
    const up_check_t *listener;
    apr_hash_t *orgs;     /* id: itself */
    apr_hash_t *users;    /* id: known_t */
    apr_uint32_t imports; /* so far */
    int is_partial;       /* what was not found may be what cannot be read */
    apr_pool_t *pool;
} checker_t;

static up_error_t *tell(checker_t *checker,
                        apr_pool_t *pool,
                        const char *remedy,
                        const char *format,
                        ...) __attribute__((format(printf, 4, 5)));

static up_error_t *
tell(checker_t *checker,
     apr_pool_t *pool,
     const char *remedy,
     const char *format,
     ...)
{
    va_list args;

    va_start(args, format);
    const char *what = apr_pvsprintf(pool, format, args);
    va_end(args);
    checker->result->faults++;
    return checker->listener->fault(checker->listener->baton, what, remedy,
                                    pool);
}

static apr_uint32_t
hash_of(const up_profile_t *profile, up_field_t field)
{
    const char *text = profile->text[field];
    apr_uint32_t hash = 2166136261u; /* FNV-1a */

    if (up_field_info(field)->kind == UP_FIELD_GENDER)
        return (apr_uint32_t)profile->gender;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static int
is_sane(apr_time_t time)
{
    return time > 0 && time < END_OF_TIME;
}

/* Whether it is certain that there is no organisation ORG. */
static int
lacks_org(const checker_t *checker, const char *org)
{
    return !checker->is_partial &&
           !apr_hash_get(checker->orgs, org, APR_HASH_KEY_STRING);
}

/* TEXT as a word of a shell's command, in POOL. */
static const char *
quoted(const char *text, apr_pool_t *pool)
{
    const char *word = "'";

    for (const char *quote; (quote = strchr(text, '\'')); text = quote + 1)
        word = apr_pstrcat(
            pool, word, apr_pstrmemdup(pool, text, (apr_size_t)(quote - text)),
            "'\\''", NULL);
    return apr_pstrcat(pool, word, text, "'", NULL);
}

/* What CHECKER knows of the user ID; made, with nothing known, if MAKES. */
static known_t *
find_user(const checker_t *checker, const char *id, int makes)
{
    known_t *known = apr_hash_get(checker->users, id, APR_HASH_KEY_STRING);

    if (known || !makes)
        return known;
    known = apr_pcalloc(checker->pool, sizeof(*known));
    known->last_state = UP_STATES;
    apr_hash_set(checker->users, apr_pstrdup(checker->pool, id),
                 APR_HASH_KEY_STRING, known);
    return known;
}

/* Check what ITEM, not an event, says by itself, as an import does. */
static up_error_t *
check_rules(checker_t *checker, const up_item_t *item, apr_pool_t *pool)
{
    up_item_t copy = *item;

    const up_error_t *err = up_admin_check(&copy, UP_ALL_FIELDS, pool);
    return err ? tell(checker, pool, RESTORE, "%s", up_error_story(err, pool))
               : NULL;
}

static up_error_t *
check_org(checker_t *checker, const up_org_t *org)
{
    const char *id = apr_pstrdup(checker->pool, org->id);

    apr_hash_set(checker->orgs, id, APR_HASH_KEY_STRING, id);
    return NULL;
}

/* Note USER for what refers to it. */
static up_error_t *
note_user(checker_t *checker, const up_user_t *user, apr_pool_t *pool)
{
    known_t *known = find_user(checker, user->id, 1);

    if (known->org)
        return tell(checker, pool, RESTORE,
                    "user '%s' is in organisation '%s' and in organisation "
                    "'%s': it is not certain whose it is",
                    user->id, known->org, user->org);
    known->org = apr_hash_get(checker->orgs, user->org, APR_HASH_KEY_STRING);
    if (!known->org)
        known->org = apr_pstrdup(checker->pool, user->org);
    known->sequence = user->sequence;
    known->type = user->type;
    known->state = user->state;
    for (int i = 0; i < UP_FIELDS && user->profile; i++)
        known->hash[i] = hash_of(user->profile, (up_field_t)i);
    return NULL;
}

static up_error_t *
check_user(checker_t *checker, const up_user_t *user, apr_pool_t *pool)
{
    const char *name = apr_psprintf(pool, "user '%s' of organisation '%s'",
                                    user->id, user->org);

    if (lacks_org(checker, user->org))
        UP_ERR(tell(checker, pool,
                    apr_pstrcat(pool, "userprofilectl org add ",
                                quoted(user->org, pool), NULL),
                    "%s: there is no such organisation, so the user cannot be "
                    "reached",
                    name));
    if (!user->sequence || user->sequence > UP_SEQUENCE_MAX)
        UP_ERR(tell(checker, pool, RESTORE,
                    "%s: the sequence %" APR_UINT64_T_FMT
                    " is none that a user can have",
                    name, user->sequence));
    if (!is_sane(user->created) || !is_sane(user->changed) ||
        user->changed < user->created)
        UP_ERR(tell(checker, pool, RESTORE,
                    "%s: the dates of creation and change are none that a user "
                    "can have",
                    name));
    return note_user(checker, user, pool);
}

static up_error_t *
check_member(checker_t *checker, const up_member_t *member, apr_pool_t *pool)
{
    const known_t *user = find_user(checker, member->user, 0);
    const char *place =
        *member->org ? apr_psprintf(pool, "in organisation '%s'", member->org)
                     : "on the instance";
    const char *remedy = apr_pstrcat(
        pool, "userprofilectl member remove ", *member->org ? "--org " : "",
        *member->org ? quoted(member->org, pool) : "", *member->org ? " " : "",
        quoted(member->user, pool), NULL);

    if (*member->org && lacks_org(checker, member->org))
        UP_ERR(tell(checker, pool, remedy,
                    "the membership of user '%s' %s: there is no such "
                    "organisation",
                    member->user, place));
    if (user && user->org && user->state == UP_REMOVED)
        UP_ERR(tell(checker, pool, remedy,
                    "the membership of user '%s' %s: the user is removed, and "
                    "should have no rights",
                    member->user, place));
    return NULL;
}

static up_error_t *
check_token(checker_t *checker, const up_token_t *token, apr_pool_t *pool)
{
    const known_t *user = find_user(checker, token->user, 0);
    const char *remedy =
        apr_pstrcat(pool, "userprofilectl token revoke --user ",
                    quoted(token->user, pool), NULL);

    if (!is_sane(token->created) ||
        (token->expires && !is_sane(token->expires)) ||
        (token->revoked && !is_sane(token->revoked)))
        UP_ERR(tell(checker, pool, remedy,
                    "a token of user '%s': the dates of creation, expiry or "
                    "revocation are none that a token can have",
                    token->user));
    if (!token->revoked && user && user->org && user->state == UP_REMOVED)
        UP_ERR(tell(checker, pool, remedy,
                    "a token of user '%s': the user is removed, and should "
                    "have none",
                    token->user));
    return NULL;
}

/* Begin anew with what events say of USER, if there was an import since, which
 * may have replaced any user. */
static void
forget_before_import(const checker_t *checker, known_t *user)
{
    if (user->imports == checker->imports)
        return;
    user->imports = checker->imports;
    user->last = 0;
    user->stale = 0;
    user->last_state = UP_STATES;
}

/* The state that EVENT gives its user, or UP_STATES. */
static unsigned
state_after(const up_event_t *event)
{
    switch (event->type) {
    case UP_USER_ADDED:
    case UP_USER_ACTIVATED:
        return UP_ACTIVE;
    case UP_USER_DEACTIVATED:
        return UP_INACTIVE;
    case UP_USER_LOCKED:
        return UP_LOCKED;
    case UP_USER_INITIALISED:
        return UP_INITIAL;
    case UP_USER_REMOVED:
        return UP_REMOVED;
    default:
        return UP_STATES;
    }
}

/* Note what EVENT says of USER. */
static void
note_event(known_t *user, const up_event_t *event)
{
    unsigned state = state_after(event);

    user->last = event->sequence;
    if (state != UP_STATES)
        user->last_state = state;
    for (int i = 0; i < UP_FIELDS; i++) {
        unsigned bit = UP_FIELD_BIT(i);
        /* What was erased has no value any longer. */
        if (!(event->fields & bit) || !event->after)
            continue;
        user->stale &= ~bit;
        if (hash_of(event->after, (up_field_t)i) != user->hash[i])
            user->stale |= bit;
    }
}

static up_error_t *
check_event(checker_t *checker, const up_event_t *event, apr_pool_t *pool)
{
    const char *name =
        apr_psprintf(pool, "event %" APR_UINT64_T_FMT, event->number);

    if (!is_sane(event->time))
        UP_ERR(tell(checker, pool, RESTORE,
                    "%s: its time is none that an event can have", name));
    if (event->type == UP_STORE_IMPORTED)
        checker->imports++;
    if (!event->sequence) /* it changed something else than the user */
        return NULL;

    known_t *user = find_user(checker, event->user, 1);
    forget_before_import(checker, user);
    /* An id that was given up with its organisation may be used again. */
    int begins = event->type == UP_USER_ADDED || !user->last;
    if (!begins && event->sequence != user->last + 1)
        UP_ERR(tell(checker, pool, RESTORE,
                    "%s: user '%s' has sequence %" APR_UINT64_T_FMT
                    " after it, but %" APR_UINT64_T_FMT
                    " after the event before: changes are lost",
                    name, event->user, event->sequence, user->last));
    note_event(user, event);
    return NULL;
}

static up_error_t *
visit(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    checker_t *checker = baton;

    checker->result->count[item->kind]++;
    if (item->kind != UP_KIND_EVENT)
        UP_ERR(check_rules(checker, item, pool));
    switch (item->kind) {
    case UP_KIND_ORG:
        return check_org(checker, &item->as.org);
    case UP_KIND_USER:
        return check_user(checker, &item->as.user, pool);
    case UP_KIND_MEMBER:
        return check_member(checker, &item->as.member, pool);
    case UP_KIND_TOKEN:
        return check_token(checker, &item->as.token, pool);
    default:
        return check_event(checker, &item->as.event, pool);
    }
}

/* Pass on what the driver tells of. */
static up_error_t *
pass_fault(void *baton, const char *what, const char *remedy, apr_pool_t *pool)
{
    checker_t *checker = baton;

    checker->is_partial = 1;
    return tell(checker, pool, remedy, "%s", what);
}

static up_error_t *
pass_progress(void *baton,
              apr_uint64_t done,
              apr_uint64_t all,
              apr_pool_t *pool)
{
    const up_check_t *listener = ((checker_t *)baton)->listener;

    return listener->progress(listener->baton, done, all, pool);
}

/* The JSON names of FIELDS, a set. */
static const char *
names_of(unsigned fields, apr_pool_t *pool)
{
    const char *names = "";

    for (int i = 0; i < UP_FIELDS; i++) {
        if (fields & UP_FIELD_BIT(i))
            names = apr_pstrcat(pool, names, *names ? ", " : "",
                                up_field_info((up_field_t)i)->json, NULL);
    }
    return names;
}

/* Check that the record of the user ID is what the events have made it. */
static up_error_t *
check_outcome(checker_t *checker,
              const char *id,
              known_t *user,
              apr_pool_t *pool)
{
    forget_before_import(checker, user);
    if (!user->last)
        return NULL;
    if (!user->org)
        return user->last_state == UP_REMOVED || checker->is_partial
                   ? NULL /* with the organisation, or unreadable */
                   : tell(checker, pool, RESTORE,
                          "user '%s' has events, but no record, and was not "
                          "removed",
                          id);
    if (user->sequence != user->last)
        UP_ERR(tell(checker, pool, RESTORE,
                    "user '%s' of organisation '%s' has sequence "
                    "%" APR_UINT64_T_FMT ", but %" APR_UINT64_T_FMT
                    " after the last event: %s",
                    id, user->org, user->sequence, user->last,
                    user->sequence < user->last
                        ? "the record is older than the event"
                        : "events are lost"));
    if (user->last_state != UP_STATES && user->last_state != user->state)
        UP_ERR(tell(checker, pool, RESTORE,
                    "user '%s' of organisation '%s' is %s, but %s after the "
                    "last event about that",
                    id, user->org, up_state_name((up_state_t)user->state),
                    up_state_name((up_state_t)user->last_state)));
    if (user->stale && user->type == UP_HUMAN)
        return tell(checker, pool, RESTORE,
                    "user '%s' of organisation '%s' does not have the values "
                    "that the last events left: %s",
                    id, user->org, names_of(user->stale, pool));
    return NULL;
}

static up_error_t *
check_outcomes(checker_t *checker)
{
    apr_hash_index_t *index = apr_hash_first(checker->pool, checker->users);
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, checker->pool);
    for (; index; index = apr_hash_next(index)) {
        const void *id;
        void *user;
        apr_pool_clear(iterpool);
        apr_hash_this(index, &id, NULL, &user);
        UP_ERR(check_outcome(checker, id, user, iterpool));
    }
    apr_pool_destroy(iterpool);
    return NULL;
}

up_error_t *
up_check_store(up_check_result_t *result,
               up_store_t *store,
               const up_check_t *listener,
               apr_pool_t *scratch_pool)
{
    checker_t checker = {.result = result,
                         .listener = listener,
                         .orgs = apr_hash_make(scratch_pool),
                         .users = apr_hash_make(scratch_pool),
                         .pool = scratch_pool};
    up_check_t check = {pass_fault, visit, pass_progress, &checker};

    memset(result, 0, sizeof(*result));
    UP_ERR(up_store_check(store, &check, scratch_pool));
    return check_outcomes(&checker);
}
