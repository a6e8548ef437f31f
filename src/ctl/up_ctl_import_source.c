/* up_ctl_import_source.c -- what import reads: lines of JSON, or ZITADEL's
 * export. */
#include "ctl/up_ctl_import_source.h"
#include "ctl/up_ctl_lines.h"
#include "service/up_admin.h"
#include "service/up_tokens.h"
#include "wire/up_item_json.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* ZITADEL's export is one JSON text, which is read as a whole. */
#define EXPORT_MAX (256 * 1024 * 1024)

struct up_ctl_source_t {
    up_ctl_lines_t *lines;
    int takes_weak;                    /* tokens that can be guessed */
    apr_time_t now;                    /* the date of what has none */
    const apr_array_header_t *items;   /* ZITADEL's, of up_zitadel_item_t; NULL:
                                        * it is lines */
    const apr_array_header_t *skipped; /* ZITADEL's, or NULL */
    int next;                          /* of the items */
};

static up_error_t *
open_export(up_ctl_source_t *source, const char *path, apr_pool_t *pool)
{
    apr_size_t length;
    const char *text;

    UP_ERR(up_ctl_lines_all(&text, &length, source->lines, EXPORT_MAX, pool));
    up_error_t *err = up_zitadel_decode(&source->items, &source->skipped, text,
                                        length, source->now, pool);
    return err ? up_error_wrap(pool, err, "cannot import '%s'", path) : NULL;
}

up_error_t *
up_ctl_source_open(up_ctl_source_t **source, up_ctl_t *ctl)
{
    const char *from = ctl->line.option[UP_CTL_FROM];
    const char *path = ctl->line.operand[0];
    up_ctl_source_t *opened = apr_pcalloc(ctl->pool, sizeof(*opened));

    if (from && strcmp(from, "zitadel") != 0)
        return up_ctl_misused(&ctl->line, ctl->pool, "--from must be zitadel");
    opened->takes_weak = ctl->line.option[UP_CTL_ALLOW_WEAK] != NULL;
    opened->now = apr_time_now();
    UP_ERR(up_ctl_lines_open(&opened->lines, path, ctl->pool));
    if (from)
        UP_ERR(open_export(opened, path, ctl->pool));
    *source = opened;
    return NULL;
}

/* Set TOKEN's hash to that of TEXT. */
static up_error_t *
hash_text(up_token_t *token,
          const up_ctl_source_t *source,
          const char *text,
          apr_pool_t *pool)
{
    if (!up_token_is_well_formed(text))
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "no client can send this token: it may have letters, "
                        "digits and -._~+/ and then = only");
    if (strlen(text) < UP_TOKEN_LENGTH_MIN && !source->takes_weak)
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "the token has less than %d characters and could be "
                        "guessed; --allow-weak takes it all the same",
                        UP_TOKEN_LENGTH_MIN);
    return up_token_hash(token->sha256, text, pool);
}

/* Set ENTRY's item to what the LENGTH bytes at LINE say. */
static up_error_t *
parse(up_ctl_entry_t *entry,
      const up_ctl_source_t *source,
      const char *line,
      apr_size_t length,
      apr_pool_t *pool)
{
    const char *token_text;
    up_item_t *item;

    UP_ERR(up_item_json_decode(&item, &entry->given, &token_text, line, length,
                               source->now, pool));
    entry->item = item;
    UP_ERR(up_admin_check(item, entry->given.fields, pool));
    return token_text ? hash_text(&item->as.token, source, token_text, pool)
                      : NULL;
}

static int
is_blank(const char *line, apr_size_t length)
{
    while (length && apr_isspace(line[length - 1]))
        length--;
    return !length;
}

/* Read the next line that is not blank. */
static void
next_line(up_ctl_entry_t *entry, up_ctl_source_t *source, apr_pool_t *pool)
{
    const char *line;

    do {
        entry->err =
            up_ctl_lines_next(&line, &entry->bytes, source->lines, pool);
    } while (!entry->err && line && is_blank(line, entry->bytes));
    if (!entry->err && !line)
        return;
    entry->is_last = entry->err != NULL;
    entry->where = apr_psprintf(pool, "line %" APR_UINT64_T_FMT,
                                up_ctl_lines_number(source->lines) +
                                    (apr_uint64_t)entry->is_last);
    if (!entry->err)
        entry->err = parse(entry, source, line, entry->bytes, pool);
}

void
up_ctl_source_next(up_ctl_entry_t *entry,
                   up_ctl_source_t *source,
                   apr_pool_t *pool)
{
    *entry = (up_ctl_entry_t){0};
    if (!source->items) {
        next_line(entry, source, pool);
        return;
    }
    if (source->next == source->items->nelts)
        return;

    up_zitadel_item_t *read =
        &APR_ARRAY_IDX(source->items, source->next++, up_zitadel_item_t);
    entry->where = read->path;
    entry->item = &read->item;
    entry->given = read->given;
    entry->err = up_admin_check(entry->item, entry->given.fields, pool);
}

const char *
up_ctl_source_noun(const up_ctl_source_t *source)
{
    return source->items ? "items" : "lines";
}

const apr_array_header_t *
up_ctl_source_skipped(const up_ctl_source_t *source)
{
    return source->skipped;
}

up_error_t *
up_ctl_source_sha256(const char **sha256,
                     up_ctl_source_t *source,
                     apr_pool_t *pool)
{
    return up_ctl_lines_sha256(sha256, source->lines, pool);
}
