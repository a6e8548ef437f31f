/* up_ctl_user.c -- user add, set, get, find, list, remove. */
#include "core/up_time.h"
#include "core/up_utf8.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "service/up_admin.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include <wctype.h>

/* Set *GENDER from GIVEN, "female" or "GENDER_FEMALE", the value of the option
 * of the field INFO. */
static up_error_t *
read_gender(int *gender,
            const up_field_info_t *info,
            const char *given,
            up_ctl_t *ctl)
{
    char *name = apr_pstrcat(ctl->pool, "GENDER_", given, NULL);

    for (char *c = name; *c; c++)
        *c = (char)apr_toupper(*c);
    *gender = up_gender_by_name(name);
    if (*gender == UP_GENDER_UNKNOWN)
        *gender = up_gender_by_name(given);
    if (*gender == UP_GENDER_UNKNOWN)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "--%s must be female, male, diverse or "
                              "unspecified",
                              info->option);
    return NULL;
}

/* Misuse if a field that a human needs is not given. */
static up_error_t *
check_required(up_ctl_t *ctl)
{
    const char *list = "";
    int missing = 0;

    for (int i = 0; i < UP_FIELDS; i++) {
        if (!up_ctl_field_is_required((up_field_t)i))
            continue;
        list = apr_pstrcat(ctl->pool, list, *list ? " and --" : "--",
                           up_field_info((up_field_t)i)->option, NULL);
        missing |= !ctl->line.option[UP_CTL_FIELD(i)];
    }
    if (missing)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "a human needs %s; a machine needs --machine",
                              list);
    return NULL;
}

/* Set *FIELDS to those that the options give, and *GIVEN to a profile with
 * them. */
static up_error_t *
read_fields(unsigned *fields, const up_profile_t **given, up_ctl_t *ctl)
{
    up_profile_t *profile = up_profile_make(ctl->pool);

    *fields = 0;
    for (int i = 0; i < UP_FIELDS; i++) {
        const up_field_info_t *info = up_field_info((up_field_t)i);
        const char *text = ctl->line.option[UP_CTL_FIELD(i)];
        if (!text)
            continue;
        *fields |= UP_FIELD_BIT(i);
        if (info->kind == UP_FIELD_GENDER)
            UP_ERR(read_gender(&profile->gender, info, text, ctl));
        else
            profile->text[i] = text;
    }
    *given = profile;
    return NULL;
}

/* Set *GIVEN to the profile in the options, NULL with --machine. */
static up_error_t *
read_profile(const up_profile_t **given, up_ctl_t *ctl)
{
    unsigned fields;

    UP_ERR(read_fields(&fields, given, ctl));
    if (!ctl->line.option[UP_CTL_MACHINE])
        return check_required(ctl);
    *given = NULL;
    if (fields)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "a --machine has no profile");
    return NULL;
}

up_error_t *
up_ctl_user_add(up_ctl_t *ctl)
{
    up_user_t user = {.org = ctl->line.operand[0], .id = ctl->line.operand[1]};

    UP_ERR(read_profile(&user.profile, ctl));
    user.type = user.profile ? UP_HUMAN : UP_MACHINE;
    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_admin_add_user(ctl->store, &user, ctl->author, ctl->pool));
    up_ctl_warn_of_slash(ctl, user.id);
    return NULL;
}

/* Set *STATE to the one in --state. */
static up_error_t *
read_state(up_state_t *state, up_ctl_t *ctl)
{
    if (up_state_by_name(state, ctl->line.option[UP_CTL_STATE]) &&
        *state != UP_REMOVED)
        return NULL;
    return up_ctl_misused(&ctl->line, ctl->pool,
                          "--state must be active, inactive, locked or "
                          "initial");
}

up_error_t *
up_ctl_user_set(up_ctl_t *ctl)
{
    up_user_t user = {.org = ctl->line.operand[0], .id = ctl->line.operand[1]};
    int sets_state = ctl->line.option[UP_CTL_STATE] != NULL;
    unsigned fields;

    UP_ERR(read_fields(&fields, &user.profile, ctl));
    if (sets_state)
        UP_ERR(read_state(&user.state, ctl));
    else if (!fields)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "no option says what to set");
    UP_ERR(up_ctl_open(ctl));
    return up_admin_set_user(ctl->store, &user, fields, sets_state, ctl->author,
                             ctl->pool);
}

static const char *
type_name(const up_user_t *user)
{
    return user->type == UP_HUMAN ? "human" : "machine";
}

static const char *
number(apr_uint64_t value, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT, value);
}

static void
user_cells(const char **cells, const up_item_t *item, apr_pool_t *pool)
{
    const up_user_t *user = &item->as.user;

    cells[0] = user->id;
    cells[1] = type_name(user);
    cells[2] = up_state_name(user->state);
    cells[3] = number(user->sequence, pool);
    cells[4] = up_time_format(user->changed, pool);
    cells[5] = user->profile ? user->profile->text[UP_DISPLAY_NAME] : "";
}

/* Set *LIMIT to the number in --limit, 0 without it. */
static up_error_t *
read_limit(apr_uint64_t *limit, up_ctl_t *ctl)
{
    const char *text = ctl->line.option[UP_CTL_LIMIT];
    char *end;

    *limit = 0;
    if (!text)
        return NULL;
    errno = 0;
    apr_int64_t number = apr_strtoi64(text, &end, 10);
    if (!apr_isdigit(*text) || *end || errno || number < 1)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "--limit must be a number above 0");
    *limit = (apr_uint64_t)number;
    return NULL;
}

/* Which users user list lists. */
typedef struct range_t {
    const char *after; /* ids that sort after this one; "": all */
    int has_state;
    up_state_t state;
} range_t;

static int
is_in_range(const void *baton, const up_item_t *item)
{
    const range_t *range = baton;
    const up_user_t *user = &item->as.user;

    return strcmp(user->id, range->after) > 0 &&
           (!range->has_state || user->state == range->state);
}

up_error_t *
up_ctl_user_list(up_ctl_t *ctl)
{
    static const char *const titles[] = {
        "ID", "TYPE", "STATE", "SEQUENCE", "CHANGED", "DISPLAY NAME", NULL};
    const char *const *option = ctl->line.option;
    up_filter_t filter = {.kinds = 1u << UP_KIND_USER,
                          .org = ctl->line.operand[0]};
    range_t range = {option[UP_CTL_AFTER] ? option[UP_CTL_AFTER] : "",
                     option[UP_CTL_STATE] != NULL, UP_ACTIVE};
    up_ctl_selection_t selection = {is_in_range, &range, 0};

    UP_ERR(read_limit(&selection.limit, ctl));
    if (range.has_state &&
        !up_state_by_name(&range.state, option[UP_CTL_STATE]))
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "--state must be active, inactive, locked, "
                              "initial or removed");
    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_ctl_require_org(ctl, filter.org));
    return up_ctl_list(ctl, &filter, &selection, titles, user_cells);
}

/* The code point that TEXT, UTF-8, begins with, in lower case; sets *SIZE to
 * how many bytes it takes. */
static wint_t
lower(const char *text, apr_size_t *size)
{
    apr_uint32_t code_point = (unsigned char)*text;

    *size = up_utf8_decode(&code_point, text, strlen(text));
    if (!*size)
        *size = 1; /* a byte that is not UTF-8 */
    return towlower((wint_t)code_point);
}

/* Whether TEXT begins with PART, in either case. */
static int
begins_with(const char *text, const char *part)
{
    apr_size_t text_size, part_size;

    for (; *part; text += text_size, part += part_size) {
        if (!*text || lower(text, &text_size) != lower(part, &part_size))
            return 0;
    }
    return 1;
}

static int
contains(const char *text, const char *part)
{
    for (; *text; text++) {
        if (begins_with(text, part))
            return 1;
    }
    return 0;
}

static int
is_found(const void *baton, const up_item_t *item)
{
    const char *part = baton;
    const up_user_t *user = &item->as.user;

    return contains(user->id, part) ||
           (user->profile &&
            contains(user->profile->text[UP_DISPLAY_NAME], part));
}

static void
found_cells(const char **cells, const up_item_t *item, apr_pool_t *pool)
{
    const up_user_t *user = &item->as.user;

    (void)pool;
    cells[0] = user->org;
    cells[1] = user->id;
    cells[2] = up_state_name(user->state);
    cells[3] = user->profile ? user->profile->text[UP_DISPLAY_NAME] : "";
}

up_error_t *
up_ctl_user_find(up_ctl_t *ctl)
{
    static const char *const titles[] = {"ORG", "ID", "STATE", "DISPLAY NAME",
                                         NULL};
    up_filter_t filter = {.kinds = 1u << UP_KIND_USER,
                          .org = ctl->line.option[UP_CTL_ORG]};
    up_ctl_selection_t selection = {is_found, ctl->line.operand[0], 0};

    UP_ERR(read_limit(&selection.limit, ctl));
    if (!*ctl->line.operand[0])
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "the text to find is empty");
    UP_ERR(up_ctl_open(ctl));
    if (filter.org)
        UP_ERR(up_ctl_require_org(ctl, filter.org));
    return up_ctl_list(ctl, &filter, &selection, titles, found_cells);
}

static up_error_t *
print_profile(up_ctl_table_t *table,
              const up_profile_t *profile,
              apr_pool_t *pool)
{
    for (int i = 0; i < UP_FIELDS; i++) {
        up_field_t field = (up_field_t)i;
        const char *cells[] = {up_field_info(field)->json,
                               up_profile_reading(profile, field)};
        UP_ERR(up_ctl_table_row(table, cells, pool));
    }
    return NULL;
}

/* Print USER as a table of names and values. */
static up_error_t *
print_user(const up_user_t *user, apr_pool_t *pool)
{
    up_ctl_table_t *table = up_ctl_table_make(2, NULL, pool);
    const char *const rows[][2] = {
        {"id", user->id},
        {"orgId", user->org},
        {"type", type_name(user)},
        {"state", up_state_name(user->state)},
        {"sequence", number(user->sequence, pool)},
        {"creationDate", up_time_format(user->created, pool)},
        {"changeDate", up_time_format(user->changed, pool)},
    };

    for (apr_size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UP_ERR(up_ctl_table_row(table, rows[i], pool));
    if (user->profile)
        UP_ERR(print_profile(table, user->profile, pool));
    return up_ctl_table_end(table, pool);
}

up_error_t *
up_ctl_user_get(up_ctl_t *ctl)
{
    const char *org = ctl->line.operand[0], *id = ctl->line.operand[1];
    const up_user_t *user;

    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_admin_get_user(&user, ctl->store, org, id, ctl->pool));
    if (!user)
        return up_error(ctl->pool, UP_CONFLICT, APR_SUCCESS,
                        "organisation '%s' has no user '%s'", org, id);
    if (!ctl->line.option[UP_CTL_JSON])
        return print_user(user, ctl->pool);

    up_item_t item = {.kind = UP_KIND_USER, .as.user = *user};
    return up_ctl_print_item(&item, ctl->pool);
}

up_error_t *
up_ctl_user_remove(up_ctl_t *ctl)
{
    UP_ERR(up_ctl_open(ctl));
    return up_admin_remove_user(
        ctl->store, ctl->line.operand[0], ctl->line.operand[1],
        ctl->line.option[UP_CTL_ERASE] != NULL, ctl->author, ctl->pool);
}
