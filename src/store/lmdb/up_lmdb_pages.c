/* up_lmdb_pages.c -- the pages of data.mdb, all of them, looked at without
 * LMDB.
 *
 * LMDB takes what it finds on a page for right, and ends the process where it
 * is not. So before its functions read what may be damaged, each page that a
 * transaction sees is read here by pread(): whether it is where it belongs, has
 * the nodes that it says in the order that a search needs, and is in use once.
 * What is neither in use nor free is lost. */
#include "store/lmdb/up_lmdb.h"
#include "store/lmdb/up_lmdb_format.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define HEADER sizeof(lmdb_page_header_t)

/* The trees that are not of a database of ours. */
#define FREE_LIST "the list of free pages"
#define MAIN_TREE "the list of databases"

#define REMEDY                                                                 \
    "restore a backup; what can still be read is in the output of export"
#define ROOM_REMEDY                                                            \
    "nothing is missing but room, which a backup that is restored has again"

typedef struct pages_t {
    int file;
    size_t page_size;
    uint64_t count;       /* of pages, with the last one that the meta names */
    unsigned char *taken; /* a bit for each: in use, or free */
    uint64_t seen;        /* how many have that bit */
    uint64_t records;     /* what there is to look at after the pages */
    const up_check_t *check;
    int *sound;
    apr_pool_t *pool;
    apr_pool_t *iterpool;
} pages_t;

/* A tree of pages, as it is walked. */
typedef struct walk_t {
    pages_t *pages;
    const char *name;  /* for people: "database 'profile'" */
    lmdb_tree_t said;  /* what it says of itself */
    lmdb_tree_t found; /* its counts */
    int is_free_list, is_main;
    int faults;
    char *buffer[LMDB_MAX_DEPTH]; /* the page that is looked at, and those
                                   * above it */
} walk_t;

/* Keys that a page must lie between: from LOW on, and below HIGH. */
typedef struct bounds_t {
    const MDB_val *low, *high; /* NULL: no bound */
} bounds_t;

static up_error_t *tell(walk_t *walk,
                        const char *remedy,
                        const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* Tell of a fault of WALK's tree. */
static up_error_t *
tell(walk_t *walk, const char *remedy, const char *format, ...)
{
    pages_t *pages = walk->pages;
    va_list args;

    walk->faults++;
    apr_pool_clear(pages->iterpool);
    va_start(args, format);
    const char *fault = apr_pvsprintf(pages->iterpool, format, args);
    va_end(args);
    return pages->check->fault(
        pages->check->baton,
        apr_psprintf(pages->iterpool, "data.mdb: %s: %s", walk->name, fault),
        remedy, pages->iterpool);
}

/* Note that page NUMBER is in use, or free. Returns 0 if it cannot be: there is
 * no such page, or it is noted already. */
static int
take(pages_t *pages, uint64_t number)
{
    unsigned char bit = (unsigned char)(1u << number % 8);

    if (number >= pages->count || pages->taken[number / 8] & bit)
        return 0;
    pages->taken[number / 8] |= bit;
    pages->seen++;
    return 1;
}

/* Why page NUMBER cannot be taken. */
static const char *
untaken(const pages_t *pages, uint64_t number)
{
    return number < pages->count ? "is in use elsewhere, or free"
                                 : "is beyond the last one";
}

/* Order A and B, keys of WALK's tree. */
static int
compare(const walk_t *walk, const MDB_val *a, const MDB_val *b)
{
    size_t shorter = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
    uint64_t left, right;

    if (walk->is_free_list && shorter >= sizeof(left)) { /* numbers */
        memcpy(&left, a->mv_data, sizeof(left));
        memcpy(&right, b->mv_data, sizeof(right));
        return left < right ? -1 : left > right;
    }
    int order = shorter ? memcmp(a->mv_data, b->mv_data, shorter) : 0;
    return order                     ? order
           : a->mv_size < b->mv_size ? -1
                                     : a->mv_size > b->mv_size;
}

/* Read page NUMBER into BUFFER. Returns 0, an errno, or -1 if it is not in the
 * file. */
static int
read_page(const pages_t *pages, char *buffer, uint64_t number)
{
    ssize_t length = pread(pages->file, buffer, pages->page_size,
                           (off_t)(number * pages->page_size));

    if (length < 0)
        return errno;
    return (size_t)length == pages->page_size ? 0 : -1;
}

/* Count as free the pages of a list of LENGTH bytes at OFFSET of the file,
 * which begins with how many there are. */
static up_error_t *
take_free_pages(walk_t *walk, uint64_t offset, uint64_t length)
{
    pages_t *pages = walk->pages;
    uint64_t numbers[512];

    for (uint64_t at = sizeof(numbers[0]); at < length;) {
        size_t part = length - at < sizeof(numbers) ? (size_t)(length - at)
                                                    : sizeof(numbers);
        if (pread(pages->file, numbers, part, (off_t)(offset + at)) !=
            (ssize_t)part)
            return tell(walk, REMEDY, "it cannot be read");
        for (size_t i = 0; i < part / sizeof(numbers[0]); i++) {
            if (!take(pages, numbers[i]))
                UP_ERR(tell(walk, REMEDY,
                            "page %" APR_UINT64_T_FMT
                            " is free, and it %s: a change may overwrite it",
                            (apr_uint64_t)numbers[i],
                            untaken(pages, numbers[i])));
        }
        at += part;
    }
    return NULL;
}

/* Look at the pages from FIRST on that hold a value of LENGTH bytes. Sets
 * *WHOLE to whether they do. */
static up_error_t *
check_overflow(int *whole, walk_t *walk, uint64_t first, uint64_t length)
{
    pages_t *pages = walk->pages;
    uint64_t needed =
        (HEADER + length + pages->page_size - 1) / pages->page_size;
    lmdb_page_header_t header = {0};

    *whole = 0;
    if (pread(pages->file, &header, HEADER,
              (off_t)(first * pages->page_size)) != (ssize_t)HEADER ||
        header.number != first || !(header.flags & LMDB_PAGE_IS_OVERFLOW))
        return tell(walk, REMEDY,
                    "page %" APR_UINT64_T_FMT
                    " does not begin a long value, as it should",
                    (apr_uint64_t)first);
    uint64_t count = header.lower | (uint64_t)header.upper << 16;
    if (count < needed || count > pages->count)
        return tell(walk, REMEDY,
                    "page %" APR_UINT64_T_FMT
                    " begins a value of another length than it should",
                    (apr_uint64_t)first);
    walk->found.overflow_pages += count;
    for (uint64_t i = first; i < first + count; i++) {
        if (!take(pages, i))
            return tell(walk, REMEDY,
                        "page %" APR_UINT64_T_FMT " of a long value %s",
                        (apr_uint64_t)i, untaken(pages, i));
    }
    *whole = 1;
    return NULL;
}

static up_error_t *walk_tree(pages_t *pages,
                             const char *name,
                             const lmdb_tree_t *tree,
                             int is_free_list,
                             int is_main,
                             int *sound);

/* Walk through the tree of the database with this KEY in the main tree, whose
 * root is in VALUE, of LENGTH bytes. */
static up_error_t *
check_database(walk_t *walk,
               const MDB_val *key,
               const char *value,
               uint64_t length)
{
    pages_t *pages = walk->pages;
    const char *name = apr_pstrmemdup(pages->pool, key->mv_data, key->mv_size);
    int unknown = 0, *sound = &unknown;
    lmdb_tree_t tree;

    if (length != sizeof(tree))
        return tell(walk, REMEDY, "the root of '%s' cannot be read", name);
    memcpy(&tree, value, sizeof(tree));
    for (int i = 0; i < LMDB_DATABASES; i++) {
        if (!strcmp(name, up_lmdb_database_name((lmdb_database_t)i)))
            sound = &pages->sound[i];
    }
    *sound = 1;
    return walk_tree(pages, apr_psprintf(pages->pool, "database '%s'", name),
                     &tree, 0, 0, sound);
}

/* Look at the value of a leaf's NODE, which follows KEY on PAGE, page NUMBER,
 * at its offset AT. */
static up_error_t *
check_value(walk_t *walk,
            uint64_t number,
            const lmdb_node_t *node,
            const MDB_val *key,
            const char *page,
            size_t at)
{
    pages_t *pages = walk->pages;
    uint64_t length = node->low | (uint64_t)node->high << 16;
    int elsewhere = node->flags & LMDB_VALUE_IS_ELSEWHERE, whole = 1;
    uint64_t offset = number * pages->page_size + at;

    walk->found.entries++;
    if (at + (elsewhere ? sizeof(uint64_t) : length) > pages->page_size)
        return tell(walk, REMEDY,
                    "a value on page %" APR_UINT64_T_FMT
                    " goes beyond the end of the page",
                    (apr_uint64_t)number);
    if (node->flags & ~(LMDB_VALUE_IS_ELSEWHERE | LMDB_VALUE_IS_TREE) ||
        !(node->flags & LMDB_VALUE_IS_TREE) != !walk->is_main ||
        (elsewhere && walk->is_main))
        return tell(walk, REMEDY,
                    "a value on page %" APR_UINT64_T_FMT
                    " is of a kind that it cannot be",
                    (apr_uint64_t)number);
    if (walk->is_main)
        return check_database(walk, key, page + at, length);
    if (elsewhere) {
        uint64_t first;
        memcpy(&first, page + at, sizeof(first));
        UP_ERR(check_overflow(&whole, walk, first, length));
        offset = first * pages->page_size + HEADER;
    }
    return walk->is_free_list && whole ? take_free_pages(walk, offset, length)
                                       : NULL;
}

/* Check the header of PAGE, which is to be page NUMBER at DEPTH of WALK's tree.
 * Returns what is wrong, or NULL. */
static const char *
header_fault(const walk_t *walk,
             const lmdb_page_header_t *page,
             uint64_t number,
             int depth)
{
    unsigned type = page->flags & (LMDB_PAGE_IS_BRANCH | LMDB_PAGE_IS_LEAF |
                                   LMDB_PAGE_IS_OVERFLOW | LMDB_PAGE_IS_META |
                                   LMDB_PAGE_IS_OTHER);
    int is_leaf = type == LMDB_PAGE_IS_LEAF;
    size_t least = is_leaf ? 1 : 2;

    if (page->number != number)
        return "is another page than it should be";
    if ((!is_leaf && type != LMDB_PAGE_IS_BRANCH) ||
        is_leaf != (depth == walk->said.depth))
        return "is of a kind that it cannot be";
    if (page->lower < HEADER + least * sizeof(uint16_t) || page->lower % 2 ||
        page->upper < page->lower || page->upper > walk->pages->page_size)
        return "does not say where its nodes are";
    return NULL;
}

/* Set *NODE and *KEY to those number I of PAGE, and *AT to where the value is.
 * Returns what is wrong, or NULL. */
static const char *
read_node(lmdb_node_t *node,
          MDB_val *key,
          size_t *at,
          const walk_t *walk,
          char *page,
          size_t i)
{
    lmdb_page_header_t header;
    uint16_t offset;

    memcpy(&header, page, HEADER);
    memcpy(&offset, page + HEADER + i * sizeof(offset), sizeof(offset));
    if (offset < header.upper ||
        offset + sizeof(*node) > walk->pages->page_size)
        return "has a node outside of itself";
    memcpy(node, page + offset, sizeof(*node));
    *at = offset + sizeof(*node) + node->key_length;
    if (*at > walk->pages->page_size)
        return "has a key that goes beyond its end";
    key->mv_data = page + offset + sizeof(*node);
    key->mv_size = node->key_length;
    return NULL;
}

static up_error_t *walk_page(walk_t *walk,
                             uint64_t number,
                             int depth,
                             bounds_t bounds);

/* Walk through what the COUNT nodes of PAGE, page NUMBER at DEPTH, lead to. */
static up_error_t *
walk_nodes(walk_t *walk,
           uint64_t number,
           char *page,
           size_t count,
           int depth,
           bounds_t bounds)
{
    int is_leaf = depth == walk->said.depth;
    MDB_val key, next = {0, NULL};
    lmdb_node_t node, next_node = {0};
    size_t at, next_at = 0;

    const char *fault = read_node(&node, &key, &at, walk, page, 0);
    for (size_t i = 0; i < count && !fault; i++) {
        int last = i + 1 == count, first_of_branch = !is_leaf && i == 0;
        if (!last)
            fault = read_node(&next_node, &next, &next_at, walk, page, i + 1);
        /* The first key of a branch stands for all below the second. */
        if (!fault &&
            ((!last && !first_of_branch && compare(walk, &key, &next) >= 0) ||
             (!first_of_branch && bounds.low &&
              compare(walk, &key, bounds.low) < 0) ||
             (!first_of_branch && bounds.high &&
              compare(walk, &key, bounds.high) >= 0)))
            fault = "has keys that are not in order";
        if (fault)
            break;
        if (is_leaf) {
            UP_ERR(check_value(walk, number, &node, &key, page, at));
        } else {
            bounds_t below = {first_of_branch ? bounds.low : &key,
                              last ? bounds.high : &next};
            uint64_t child = node.low | (uint64_t)node.high << 16 |
                             (uint64_t)node.flags << 32;
            UP_ERR(walk_page(walk, child, depth + 1, below));
        }
        node = next_node;
        key = next;
        at = next_at;
    }
    if (fault)
        return tell(walk, REMEDY, "page %" APR_UINT64_T_FMT " %s",
                    (apr_uint64_t)number, fault);
    return NULL;
}

/* Walk through the part of WALK's tree below page NUMBER at DEPTH, whose keys
 * lie within BOUNDS. */
static up_error_t *
walk_page(walk_t *walk, uint64_t number, int depth, bounds_t bounds)
{
    pages_t *pages = walk->pages;
    lmdb_page_header_t header;

    if (!take(pages, number))
        return tell(walk, REMEDY, "page %" APR_UINT64_T_FMT " of it %s",
                    (apr_uint64_t)number, untaken(pages, number));
    if (!walk->buffer[depth - 1])
        walk->buffer[depth - 1] = apr_palloc(pages->pool, pages->page_size);
    char *page = walk->buffer[depth - 1];
    int why = read_page(pages, page, number);
    if (why)
        return tell(walk, REMEDY,
                    "page %" APR_UINT64_T_FMT " cannot be read: %s",
                    (apr_uint64_t)number,
                    why < 0 ? "the file ends before it"
                            : apr_pstrdup(pages->pool, mdb_strerror(why)));
    memcpy(&header, page, HEADER);
    const char *fault = header_fault(walk, &header, number, depth);
    if (fault)
        return tell(walk, REMEDY, "page %" APR_UINT64_T_FMT " %s",
                    (apr_uint64_t)number, fault);
    if (depth == walk->said.depth)
        walk->found.leaf_pages++;
    else
        walk->found.branch_pages++;
    UP_ERR(pages->check->progress(pages->check->baton, pages->seen,
                                  pages->count + pages->records,
                                  pages->iterpool));
    return walk_nodes(walk, number, page,
                      (header.lower - HEADER) / sizeof(uint16_t), depth,
                      bounds);
}

/* Walk through TREE, which is called NAME. Sets *SOUND to 0 if it has a fault.
 */
static up_error_t *
walk_tree(pages_t *pages,
          const char *name,
          const lmdb_tree_t *tree,
          int is_free_list,
          int is_main,
          int *sound)
{
    walk_t *walk = apr_pcalloc(pages->pool, sizeof(*walk));
    bounds_t none = {NULL, NULL};

    walk->pages = pages;
    walk->name = name;
    walk->said = *tree;
    walk->is_free_list = is_free_list;
    walk->is_main = is_main;
    if (tree->depth > LMDB_MAX_DEPTH ||
        (tree->root == LMDB_NO_PAGE) != (tree->depth == 0))
        UP_ERR(tell(walk, REMEDY, "it has a depth that it cannot have"));
    else if (tree->depth)
        UP_ERR(walk_page(walk, tree->root, 1, none));
    if (!walk->faults && (walk->found.branch_pages != tree->branch_pages ||
                          walk->found.leaf_pages != tree->leaf_pages ||
                          walk->found.overflow_pages != tree->overflow_pages ||
                          walk->found.entries != tree->entries))
        UP_ERR(tell(walk, REMEDY,
                    "it has other numbers of pages or records than it says"));
    if (walk->faults)
        *sound = 0;
    return NULL;
}

/* Set *META to the meta page of what TXN sees. Returns 0 if it is not there any
 * longer, after two changes. */
static int
read_meta(lmdb_meta_t *meta, const pages_t *pages, const lmdb_txn_t *txn)
{
    lmdb_meta_page_t page;
    size_t txnid = mdb_txn_id(txn->handle);

    if (pread(pages->file, &page, sizeof(page),
              (off_t)((txnid & 1) * pages->page_size)) != sizeof(page) ||
        page.meta.txnid != txnid)
        return 0;
    *meta = page.meta;
    return 1;
}

/* Walk through all that META leads to. */
static up_error_t *
walk_all(pages_t *pages, const lmdb_meta_t *meta)
{
    int trees = 1;

    UP_ERR(walk_tree(pages, FREE_LIST, &meta->free_pages, 1, 0, &trees));
    UP_ERR(walk_tree(pages, MAIN_TREE, &meta->databases, 0, 1, &trees));
    /* Without those two LMDB finds nothing. */
    if (!trees)
        memset(pages->sound, 0, LMDB_DATABASES * sizeof(*pages->sound));
    for (int i = 0; i < LMDB_DATABASES && trees; i++)
        trees = pages->sound[i];
    if (!trees || pages->seen == pages->count)
        return NULL;
    walk_t whole = {.pages = pages, .name = "the file"};
    return tell(&whole, ROOM_REMEDY,
                "%" APR_UINT64_T_FMT
                " pages are neither in use nor free: their room is lost",
                (apr_uint64_t)(pages->count - pages->seen));
}

up_error_t *
up_lmdb_check_pages(int sound[LMDB_DATABASES],
                    apr_uint64_t *count,
                    const lmdb_txn_t *txn,
                    apr_uint64_t records,
                    const up_check_t *check,
                    apr_pool_t *pool)
{
    pages_t pages = {
        .check = check, .sound = sound, .records = records, .pool = pool};
    lmdb_meta_t meta;
    MDB_stat stat;

    memset(sound, 0, LMDB_DATABASES * sizeof(*sound));
    int rc = mdb_env_stat(txn->store->env, &stat);
    if (!rc)
        rc = mdb_env_get_fd(txn->store->env, &pages.file);
    if (rc)
        return up_lmdb_error(rc, "find the pages", txn->store, pool);
    pages.page_size = stat.ms_psize;
    *count = 0;
    if (!read_meta(&meta, &pages, txn))
        return NULL;
    *count = pages.count = meta.last_page + 1;
    pages.taken = apr_pcalloc(pool, (apr_size_t)(pages.count / 8 + 1));
    apr_pool_create(&pages.iterpool, pool);
    (void)(take(&pages, 0) && take(&pages, 1)); /* the meta pages */
    up_error_t *err = walk_all(&pages, &meta);
    return err ? up_error_copy(err, pool) : NULL;
}
