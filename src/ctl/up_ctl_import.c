/* up_ctl_import.c -- import and export: lines of JSON into the store, in
 * batches, and out of it. */
#include "core/up_clock.h"
#include "core/up_id.h"
#include "ctl/up_ctl.h"
#include "ctl/up_ctl_lines.h"
#include "ctl/up_ctl_print.h"
#include "service/up_admin.h"
#include "service/up_tokens.h"
#include "wire/up_item_json.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A batch ends at either bound. They limit the memory, and how long other
 * writers wait. */
#define BATCH_LINES 1000
#define BATCH_BYTES (4 * UP_CTL_LINE_MAX)

#define SHOWN_EVERY (APR_USEC_PER_SEC / 5)

#define CLEAR_LINE "\r\033[K"

/* A line of the batch, parsed. */
typedef struct entry_t {
    apr_uint64_t number;
    up_item_t *item;
} entry_t;

typedef struct progress_t {
    apr_uint64_t kept; /* lines that are stored */
    apr_time_t begun;
    apr_time_t shown;
    int on_terminal;
} progress_t;

typedef struct import_t {
    up_ctl_t *ctl;
    const char *path;
    up_ctl_lines_t *lines;
    progress_t progress;
    apr_array_header_t *batch;  /* of entry_t */
    apr_uint64_t slashed;       /* lines kept whose id has a slash */
    apr_uint64_t first_slashed; /* the number of the first of them */
} import_t;

static double
seconds(const progress_t *progress)
{
    return (double)(up_clock() - progress->begun) / APR_USEC_PER_SEC;
}

static double
rate(const progress_t *progress)
{
    double passed = seconds(progress);

    return passed > 0 ? (double)progress->kept / passed : 0;
}

static void
begin_progress(progress_t *progress)
{
    progress->kept = 0;
    progress->begun = progress->shown = up_clock();
    progress->on_terminal = isatty(STDERR_FILENO);
}

/* Show PROGRESS on the standard error, if that is a terminal and nothing was
 * shown in the last fifth of a second. */
static void
show_progress(progress_t *progress)
{
    apr_time_t now = up_clock();

    if (!progress->on_terminal || now - progress->shown < SHOWN_EVERY)
        return;
    progress->shown = now;
    fprintf(stderr,
            CLEAR_LINE "%" APR_UINT64_T_FMT " lines, %.0f lines a second",
            progress->kept, rate(progress));
}

/* Take the progress off the terminal, and print the sum. */
static void
end_progress(const progress_t *progress)
{
    if (progress->on_terminal)
        fputs(CLEAR_LINE, stderr);
    printf("imported %" APR_UINT64_T_FMT " lines in %.1f s, %.0f lines a "
           "second\n",
           progress->kept, seconds(progress), rate(progress));
}

/* ERR, of line NUMBER, as the error of the import. */
static up_error_t *
stop(const import_t *import,
     apr_uint64_t number,
     const up_error_t *err,
     apr_pool_t *pool)
{
    return up_error_wrap(pool, err,
                         "the import stopped at line %" APR_UINT64_T_FMT
                         " of '%s'; the lines before it are kept",
                         number, import->path);
}

/* Set *ITEM to what the LENGTH bytes at LINE say. */
static up_error_t *
parse(up_item_t **item,
      const up_ctl_t *ctl,
      const char *line,
      apr_size_t length,
      apr_pool_t *pool)
{
    const char *token_text;
    unsigned fields;

    UP_ERR(up_item_json_decode(item, &fields, &token_text, line, length,
                               apr_time_now(), pool));
    UP_ERR(up_admin_check(*item, fields, pool));
    if (!token_text)
        return NULL;
    if (!up_token_is_well_formed(token_text))
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "no client can send this token: it may have letters, "
                        "digits and -._~+/ and then = only");
    if (strlen(token_text) < UP_TOKEN_LENGTH_MIN &&
        !ctl->line.option[UP_CTL_ALLOW_WEAK])
        return up_error(pool, UP_FIELD_INVALID, APR_SUCCESS,
                        "the token has less than %d characters and could be "
                        "guessed; --allow-weak takes it all the same",
                        UP_TOKEN_LENGTH_MIN);
    return up_token_hash((*item)->as.token.sha256, token_text, pool);
}

static int
is_blank(const char *line, apr_size_t length)
{
    while (length && apr_isspace(line[length - 1]))
        length--;
    return !length;
}

/* Read the next lines into IMPORT's batch, empty at the end. After an error
 * the batch has the lines before the bad one. */
static up_error_t *
read_batch(import_t *import, apr_pool_t *pool)
{
    apr_size_t bytes = 0, length;
    const char *line;

    import->batch = apr_array_make(pool, BATCH_LINES, sizeof(entry_t));
    while (import->batch->nelts < BATCH_LINES && bytes < BATCH_BYTES) {
        entry_t entry;
        up_error_t *err =
            up_ctl_lines_next(&line, &length, import->lines, pool);
        if (!err && !line)
            return NULL;
        entry.number = up_ctl_lines_number(import->lines) + (err != NULL);
        if (!err && is_blank(line, length))
            continue;
        if (!err)
            err = parse(&entry.item, import->ctl, line, length, pool);
        if (err)
            return stop(import, entry.number, err, pool);
        APR_ARRAY_PUSH(import->batch, entry_t) = entry;
        bytes += length;
    }
    return NULL;
}

/* Put IMPORT's batch into BATCH. What the store refuses of it, and only that,
 * comes as *REFUSED: the entries before it are in BATCH. */
static up_error_t *
put_entries(up_error_t **refused,
            import_t *import,
            up_batch_t *batch,
            apr_pool_t *pool)
{
    for (int i = 0; i < import->batch->nelts && !*refused; i++) {
        const entry_t *entry = &APR_ARRAY_IDX(import->batch, i, entry_t);
        up_error_t *err = up_batch_put(batch, entry->item, pool);
        if (err && err->reason == UP_CONFLICT)
            *refused = stop(import, entry->number, err, pool);
        else if (err)
            return err;
        else
            import->progress.kept++;
    }
    return NULL;
}

/* Count those of the first KEPT lines of IMPORT's batch that store an id with a
 * slash. */
static void
count_slashed(import_t *import, apr_uint64_t kept)
{
    for (int i = 0; (apr_uint64_t)i < kept; i++) {
        const entry_t *entry = &APR_ARRAY_IDX(import->batch, i, entry_t);
        const up_item_t *item = entry->item;
        const char *id = item->kind == UP_KIND_ORG    ? item->as.org.id
                         : item->kind == UP_KIND_USER ? item->as.user.id
                                                      : "";
        if (!up_id_has_slash(id))
            continue;
        if (!import->slashed++)
            import->first_slashed = entry->number;
    }
}

/* Store IMPORT's batch, as far as the store takes it. */
static up_error_t *
store_batch(import_t *import, apr_pool_t *pool)
{
    apr_uint64_t kept = import->progress.kept;
    up_error_t *refused = NULL;
    apr_pool_t *batch_pool;
    up_batch_t *batch;

    if (!import->batch->nelts)
        return NULL;
    apr_pool_create(&batch_pool, pool);
    up_error_t *err = up_batch_begin(&batch, import->ctl->store, batch_pool);
    if (!err) {
        err = put_entries(&refused, import, batch, pool);
        if (err)
            apr_pool_destroy(batch_pool); /* before the store is closed */
        else
            err = up_batch_commit(batch);
    }
    if (!err) {
        count_slashed(import, import->progress.kept - kept);
        return refused;
    }
    import->progress.kept = kept;
    return stop(import, APR_ARRAY_IDX(import->batch, 0, entry_t).number, err,
                pool);
}

static up_error_t *
run(import_t *import, apr_pool_t *pool)
{
    apr_pool_t *iterpool;

    apr_pool_create(&iterpool, pool);
    do {
        apr_pool_clear(iterpool);
        up_error_t *bad_line = read_batch(import, iterpool);
        UP_ERR(store_batch(import, iterpool));
        if (bad_line)
            return bad_line;
        show_progress(&import->progress);
    } while (import->batch->nelts);
    return NULL;
}

up_error_t *
up_ctl_import(up_ctl_t *ctl)
{
    import_t import = {.ctl = ctl, .path = ctl->line.operand[0]};

    /* Before root becomes the store's owner, who may not read the file. */
    UP_ERR(up_ctl_lines_open(&import.lines, import.path, ctl->pool));
    UP_ERR(up_ctl_open(ctl));
    begin_progress(&import.progress);
    up_error_t *err = run(&import, ctl->pool);
    end_progress(&import.progress);
    if (import.slashed)
        up_ctl_note(ctl,
                    "ids with a slash: %" APR_UINT64_T_FMT ", the first in "
                    "line %" APR_UINT64_T_FMT "; " UP_CTL_SLASH_RULE,
                    import.slashed, import.first_slashed);
    return err;
}

up_error_t *
up_ctl_export(up_ctl_t *ctl)
{
    up_filter_t filter = {.kinds = 1u << UP_KIND_ORG | 1u << UP_KIND_USER |
                                   1u << UP_KIND_MEMBER | 1u << UP_KIND_TOKEN};

    UP_ERR(up_ctl_open(ctl));
    return up_ctl_list(ctl, &filter, NULL, NULL, NULL);
}
