/* up_ctl_print.c -- the tool's output: lines, tables and lists. */
#include "ctl/up_ctl_print.h"
#include "core/up_id.h"
#include "core/up_utf8.h"
#include "ctl/up_ctl.h"
#include "wire/up_item_json.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

/* The widths of columns are found from so many rows. */
#define KEPT_ROWS 500

/* No list has more columns. */
#define MAX_COLUMNS 8

#define GAP "  "

/* Whether C would act on a terminal: control characters, line separators, marks
 * and overrides of direction. */
static int
is_control(apr_uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e ||
           c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

const char *
up_ctl_printable(const char *text, apr_pool_t *pool)
{
    const char *plain = text, *result = "";
    apr_size_t left = strlen(text);

    while (left) {
        apr_uint32_t c = (unsigned char)*text;
        /* Most of it is ASCII: decoding that would take half of an export. */
        apr_size_t size = c < 0x80 ? 1 : up_utf8_decode(&c, text, left);
        if (!size || is_control(c)) {
            const char *escaped =
                size ? apr_psprintf(pool, "\\u%04x", (unsigned)c)
                     : apr_psprintf(pool, "\\x%02x", (unsigned char)*text);
            const char *before =
                apr_pstrmemdup(pool, plain, (apr_size_t)(text - plain));
            result = apr_pstrcat(pool, result, before, escaped, NULL);
            size = size ? size : 1;
            plain = text + size;
        }
        text += size;
        left -= size;
    }
    return *result ? apr_pstrcat(pool, result, plain, NULL) : plain;
}

void
up_ctl_say(const char *sentence, apr_pool_t *pool)
{
    fprintf(stderr, UP_CTL_TOOL ": %s\n", up_ctl_printable(sentence, pool));
}

void
up_ctl_note(up_ctl_t *ctl, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    up_ctl_say(apr_pvsprintf(ctl->pool, format, args), ctl->pool);
    va_end(args);
}

void
up_ctl_warn_of_slash(up_ctl_t *ctl, const char *id)
{
    if (up_id_has_slash(id))
        up_ctl_note(ctl, "the id '%s' has a slash; " UP_CTL_SLASH_RULE, id);
}

static up_error_t *
write_error(apr_pool_t *pool)
{
    return up_error(pool, UP_INTERNAL, APR_FROM_OS_ERROR(errno),
                    "cannot write the output");
}

/* Where lines go while a list is read, or NULL: the standard output. */
static FILE *spool;

up_error_t *
up_ctl_print_line(const char *text, apr_pool_t *pool)
{
    FILE *to = spool ? spool : stdout;

    if (fputs(up_ctl_printable(text, pool), to) == EOF || putc('\n', to) == EOF)
        return write_error(pool);
    return NULL;
}

/* Have lines go to a temporary file, unless the standard output is a file:
 * whatever else takes them may keep us waiting, and LMDB keeps the pages that
 * others free as long as we read. */
static up_error_t *
begin_spool(apr_pool_t *pool)
{
    const char *folder;
    struct stat status;

    if (!fstat(STDOUT_FILENO, &status) && S_ISREG(status.st_mode))
        return NULL;
    apr_status_t rv = apr_temp_dir_get(&folder, pool);
    if (rv)
        return up_error(pool, UP_INTERNAL, rv,
                        "cannot find a folder for temporary files");
    char *path = apr_pstrcat(pool, folder, "/" UP_CTL_TOOL "-XXXXXX", NULL);
    int file = mkstemp(path);
    if (file >= 0)
        unlink(path);
    if (file >= 0)
        spool = fdopen(file, "w+");
    if (!spool)
        return up_error(pool, UP_INTERNAL, APR_FROM_OS_ERROR(errno),
                        "cannot make the temporary file '%s'", path);
    return NULL;
}

/* Print what was spooled. */
static up_error_t *
end_spool(apr_pool_t *pool)
{
    FILE *from = spool;
    char buffer[8192];
    size_t length;
    int failed;

    if (!from)
        return NULL;
    spool = NULL;
    failed = fflush(from) || fseek(from, 0, SEEK_SET);
    while (!failed && (length = fread(buffer, 1, sizeof(buffer), from)) > 0)
        failed = fwrite(buffer, 1, length, stdout) != length;
    failed |= ferror(from);
    up_error_t *err = failed ? write_error(pool) : NULL;
    fclose(from);
    return err;
}

up_error_t *
up_ctl_print_end(apr_pool_t *pool)
{
    return fflush(stdout) || ferror(stdout) ? write_error(pool) : NULL;
}

void
up_ctl_print_discard(void)
{
    int nowhere = open("/dev/null", O_WRONLY);

    if (nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0) {
        fflush(stdout);
        clearerr(stdout);
    }
    if (nowhere > STDOUT_FILENO)
        close(nowhere);
}

struct up_ctl_table_t {
    int columns;
    int *width;                /* of each column, so far */
    const char *const *titles; /* or NULL */
    int is_narrow; /* the terminal is: each cell has a line of its own */
    apr_array_header_t *rows; /* of const char **: the first ones, not printed
                               * yet; NULL once they are */
    apr_pool_t *pool;
};

up_ctl_table_t *
up_ctl_table_make(int columns, const char *const *titles, apr_pool_t *pool)
{
    up_ctl_table_t *table = apr_pcalloc(pool, sizeof(*table));

    table->columns = columns;
    table->width = apr_pcalloc(pool, (apr_size_t)columns * sizeof(int));
    table->rows = apr_array_make(pool, KEPT_ROWS, sizeof(const char *const *));
    table->pool = pool;
    table->titles = titles;
    if (titles)
        APR_ARRAY_PUSH(table->rows, const char *const *) = titles;
    return table;
}

void
up_ctl_table_widen(up_ctl_table_t *table, int column, int width)
{
    if (table->width[column] < width)
        table->width[column] = width;
}

/* How many places on a terminal TEXT, printable, takes. */
static int
width_of(const char *text)
{
    apr_size_t left = strlen(text), size;
    apr_uint32_t c;
    int width = 0;

    for (; left && (size = up_utf8_decode(&c, text, left)) > 0; left -= size) {
        int places = wcwidth((wchar_t)c);
        width += places < 0 ? 1 : places;
        text += size;
    }
    return width;
}

/* Whether rows of TABLE are too long for the terminal that they go to. */
static int
is_too_wide(const up_ctl_table_t *table)
{
    struct winsize size;
    int width = -(int)strlen(GAP);

    for (int i = 0; i < table->columns; i++)
        width += table->width[i] + (int)strlen(GAP);
    return table->titles && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) &&
           size.ws_col && width > size.ws_col;
}

/* Print each of the CELLS behind its title, and an empty line. */
static up_error_t *
print_cells(const up_ctl_table_t *table,
            const char *const *cells,
            apr_pool_t *scratch_pool)
{
    int width = 0;

    if (cells == table->titles)
        return NULL;
    for (int i = 0; i < table->columns; i++)
        width = width < width_of(table->titles[i]) ? width_of(table->titles[i])
                                                   : width;
    for (int i = 0; i < table->columns; i++)
        UP_ERR(
            up_ctl_print_line(apr_psprintf(scratch_pool, "%-*s" GAP "%s", width,
                                           table->titles[i], cells[i]),
                              scratch_pool));
    return up_ctl_print_line("", scratch_pool);
}

/* Print a row; its last cell is not padded. */
static up_error_t *
print_row(const up_ctl_table_t *table,
          const char *const *cells,
          apr_pool_t *scratch_pool)
{
    const char *line = "";

    if (table->is_narrow)
        return print_cells(table, cells, scratch_pool);
    for (int i = 0; i < table->columns; i++) {
        const char *cell = up_ctl_printable(cells[i], scratch_pool);
        int last = i + 1 == table->columns;
        int padding = last ? 0 : table->width[i] - width_of(cell);
        line = apr_psprintf(scratch_pool, "%s%s%*s%s", line, cell,
                            padding > 0 ? padding : 0, "", last ? "" : GAP);
    }
    return up_ctl_print_line(line, scratch_pool);
}

static up_error_t *
print_kept(up_ctl_table_t *table, apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows = table->rows;

    table->rows = NULL;
    for (int i = 0; i < rows->nelts; i++) {
        const char *const *cells = APR_ARRAY_IDX(rows, i, const char *const *);
        for (int column = 0; column < table->columns; column++) {
            int width = width_of(up_ctl_printable(cells[column], scratch_pool));
            if (table->width[column] < width)
                table->width[column] = width;
        }
    }
    table->is_narrow = is_too_wide(table);
    for (int i = 0; i < rows->nelts; i++)
        UP_ERR(print_row(table, APR_ARRAY_IDX(rows, i, const char *const *),
                         scratch_pool));
    return NULL;
}

up_error_t *
up_ctl_table_row(up_ctl_table_t *table,
                 const char *const *cells,
                 apr_pool_t *scratch_pool)
{
    if (!table->rows)
        return print_row(table, cells, scratch_pool);

    const char **copy =
        apr_palloc(table->pool, (apr_size_t)table->columns * sizeof(*copy));
    for (int i = 0; i < table->columns; i++)
        copy[i] = apr_pstrdup(table->pool, cells[i]);
    APR_ARRAY_PUSH(table->rows, const char *const *) = copy;
    if (table->rows->nelts < KEPT_ROWS)
        return NULL;
    return print_kept(table, scratch_pool);
}

up_error_t *
up_ctl_table_end(up_ctl_table_t *table, apr_pool_t *scratch_pool)
{
    return table->rows ? print_kept(table, scratch_pool) : NULL;
}

up_error_t *
up_ctl_print_item(const up_item_t *item, apr_pool_t *pool)
{
    const char *line;
    apr_size_t length;

    up_item_json_encode(&line, &length, item, pool);
    return up_ctl_print_line(line, pool);
}

typedef struct list_t {
    const up_ctl_selection_t *selection; /* or NULL */
    up_ctl_cells_t cells;
    up_ctl_table_t *table; /* NULL: lines of JSON */
    apr_uint64_t listed;
    int is_complete; /* as many as may be listed */
} list_t;

static up_error_t *
list_item(const list_t *list, const up_item_t *item, apr_pool_t *pool)
{
    const char *cells[MAX_COLUMNS];

    if (!list->table)
        return up_ctl_print_item(item, pool);
    list->cells(cells, item, pool);
    return up_ctl_table_row(list->table, cells, pool);
}

static up_error_t *
visit(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    list_t *list = baton;
    const up_ctl_selection_t *selection = list->selection;

    if (selection && !selection->accepts(selection->baton, item))
        return NULL;
    if (selection && selection->limit && list->listed == selection->limit) {
        list->is_complete = 1;
        return up_error(pool, UP_CONFLICT, APR_SUCCESS, "the list is complete");
    }
    list->listed++;
    return list_item(list, item, pool);
}

/* Print the items of CTL's store that FILTER lets pass, as LIST says. */
static up_error_t *
list_each(list_t *list, up_ctl_t *ctl, const up_filter_t *filter)
{
    UP_ERR(begin_spool(ctl->pool));
    up_error_t *err = up_store_each(ctl->store, filter, visit, list, ctl->pool);
    up_error_t *unprinted = end_spool(ctl->pool);
    return err && !list->is_complete /* else it is visit()'s own */
               ? err
               : unprinted;
}

up_error_t *
up_ctl_list(up_ctl_t *ctl,
            const up_filter_t *filter,
            const up_ctl_selection_t *selection,
            const char *const *titles,
            up_ctl_cells_t cells)
{
    list_t list = {.selection = selection, .cells = cells};
    int columns = 0;

    if (cells && !ctl->line.option[UP_CTL_JSON]) {
        while (titles[columns])
            columns++;
        list.table = up_ctl_table_make(columns, titles, ctl->pool);
    }
    UP_ERR(list_each(&list, ctl, filter));
    return list.table ? up_ctl_table_end(list.table, ctl->pool) : NULL;
}
