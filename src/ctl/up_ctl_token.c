/* up_ctl_token.c -- token add, list, revoke. */
#include "core/up_time.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_print.h"
#include "service/up_admin.h"
#include "service/up_tokens.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* The longest duration: a hundred years. */
#define MAX_MINUTES (100 * 366 * 24 * 60)

/* Set *MINUTES from "90d", "12h" or "30m"; returns 0 if TEXT is no duration. */
static int
read_duration(apr_int64_t *minutes, const char *text)
{
    static const struct {
        char letter;
        int minutes;
    } units[] = {{'d', 24 * 60}, {'h', 60}, {'m', 1}};
    char *unit;

    if (!apr_isdigit(*text))
        return 0;
    apr_int64_t count = apr_strtoi64(text, &unit, 10);
    for (apr_size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (*unit == units[i].letter && !unit[1] && count > 0 &&
            count <= MAX_MINUTES / units[i].minutes) {
            *minutes = count * units[i].minutes;
            return 1;
        }
    }
    return 0;
}

/* Set *EXPIRES to the time in --expires, 0 without it. */
static up_error_t *
read_expiry(apr_time_t *expires, up_ctl_t *ctl)
{
    const char *text = ctl->line.option[UP_CTL_EXPIRES];
    apr_time_t now = apr_time_now();
    apr_int64_t minutes;

    *expires = 0;
    if (!text)
        return NULL;
    if (read_duration(&minutes, text)) {
        *expires = now + apr_time_from_sec(minutes * 60);
        return NULL;
    }
    if (!up_time_parse(expires, text))
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "--expires must be a duration like 90d, 12h or "
                              "30m, of at most a hundred years, or a time like "
                              "2030-01-01T00:00:00Z");
    if (*expires <= now)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "--expires is in the past");
    return NULL;
}

/* Revoke the token TEXT, which could not be printed because of ERR and so is of
 * no use to anybody. */
static up_error_t *
take_back(up_ctl_t *ctl, const char *text, const up_error_t *err)
{
    unsigned char sha256[UP_SHA256_BYTES];

    UP_ERR(up_token_hash(sha256, text, ctl->pool));
    const char *id = up_token_id(sha256, ctl->pool);
    up_error_t *left =
        up_admin_revoke_token(ctl->store, id, ctl->author, ctl->pool);
    if (left)
        return up_error_wrap(ctl->pool, left,
                             "the new token, '%s', was not shown, and is still "
                             "to be revoked",
                             id);
    return up_error_wrap(ctl->pool, err, "the new token is revoked again");
}

up_error_t *
up_ctl_token_add(up_ctl_t *ctl)
{
    apr_time_t expires;
    const char *text;

    UP_ERR(read_expiry(&expires, ctl));
    UP_ERR(up_ctl_open(ctl));
    UP_ERR(up_admin_add_token(&text, ctl->store, ctl->line.operand[0], expires,
                              ctl->author, ctl->pool));
    up_error_t *err = up_ctl_print_line(text, ctl->pool);
    if (!err)
        err = up_ctl_print_end(ctl->pool);
    if (err)
        return take_back(ctl, text, err);
    up_ctl_warn_of_slash(ctl, ctl->line.operand[0]);
    return NULL;
}

static void
token_cells(const char **cells, const up_item_t *item, apr_pool_t *pool)
{
    const up_token_t *token = &item->as.token;

    cells[0] = up_token_id(token->sha256, pool);
    cells[1] = token->user;
    cells[2] = up_time_format(token->created, pool);
    cells[3] = token->revoked   ? up_time_format(token->revoked, pool)
               : token->expires ? up_time_format(token->expires, pool)
                                : "never";
}

/* Which tokens token list lists. */
typedef struct choice_t {
    const char *user; /* NULL: of every user */
    int revoked;
} choice_t;

static int
is_chosen(const void *baton, const up_item_t *item)
{
    const up_token_t *token = &item->as.token;
    const choice_t *choice = baton;

    return !token->revoked == !choice->revoked &&
           (!choice->user || !strcmp(token->user, choice->user));
}

up_error_t *
up_ctl_token_list(up_ctl_t *ctl)
{
    choice_t choice = {ctl->line.option[UP_CTL_USER],
                       ctl->line.option[UP_CTL_REVOKED] != NULL};
    const char *const titles[] = {"ID", "USER", "CREATED",
                                  choice.revoked ? "REVOKED" : "EXPIRES", NULL};
    up_filter_t filter = {.kinds = 1u << UP_KIND_TOKEN};
    up_ctl_selection_t selection = {is_chosen, &choice, 0};

    UP_ERR(up_ctl_open(ctl));
    return up_ctl_list(ctl, &filter, &selection, titles, token_cells);
}

up_error_t *
up_ctl_token_revoke(up_ctl_t *ctl)
{
    const char *user = ctl->line.option[UP_CTL_USER];

    if (!user == !ctl->line.operands)
        return up_ctl_misused(&ctl->line, ctl->pool,
                              "token revoke needs the id or text of a token, "
                              "or --user");
    UP_ERR(up_ctl_open(ctl));
    if (user)
        return up_admin_revoke_tokens(ctl->store, user, ctl->author, ctl->pool);
    return up_admin_revoke_token(ctl->store, ctl->line.operand[0], ctl->author,
                                 ctl->pool);
}
