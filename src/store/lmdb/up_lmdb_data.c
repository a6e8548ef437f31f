/* up_lmdb_data.c -- whether data.mdb is whole, found out without LMDB.
 *
 * LMDB maps the file and trusts it: a page that its tree names and that is not
 * in the file is a SIGBUS. So the file is read here first, by pread(). */
#include "store/lmdb/up_lmdb.h"
#include "store/lmdb/up_lmdb_format.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A search for pages beyond the end of the file in the list of free ones. */
typedef struct search_t {
    int file;
    size_t page_size;
    uint64_t pages; /* in the file */
    uint64_t last;  /* the last one that the meta page names */
    uint64_t found;
} search_t;

/* Set *META to the newer one of the two in FILE. Returns 0 if there are no such
 * two: LMDB says the same, and why, before it maps the file. */
static int
read_meta(lmdb_meta_t *meta, int file)
{
    size_t page_size = 0;

    for (int i = 0; i < 2; i++) {
        lmdb_meta_page_t page;
        if (pread(file, &page, sizeof(page), (off_t)(i * page_size)) !=
                sizeof(page) ||
            !(page.header.flags & LMDB_PAGE_IS_META) ||
            page.meta.magic != LMDB_MAGIC || page.meta.version != LMDB_VERSION)
            return 0;
        if (i == 0 || page.meta.txnid > meta->txnid)
            *meta = page.meta;
        page_size = page.meta.free_pages.pad;
        if (page_size < LMDB_MIN_PAGE_SIZE || page_size > LMDB_MAX_PAGE_SIZE)
            return 0;
    }
    return 1;
}

/* Count the pages beyond the file's end in a list, which follows its own
 * length, of LENGTH bytes at OFFSET of the file. */
static int
search_list(search_t *search, uint64_t offset, size_t length)
{
    uint64_t numbers[512];

    for (size_t at = sizeof(numbers[0]); at < length;) {
        size_t part = length - at;
        if (part > sizeof(numbers))
            part = sizeof(numbers);
        if (pread(search->file, numbers, part, (off_t)(offset + at)) !=
            (ssize_t)part)
            return 0;
        for (size_t i = 0; i < part / sizeof(numbers[0]); i++)
            search->found +=
                numbers[i] >= search->pages && numbers[i] <= search->last;
        at += part;
    }
    return 1;
}

static int search_page(search_t *search, uint64_t number, int depth);

/* Search what NODE, at OFFSET of the page NUMBER whose FLAGS are given, leads
 * to. */
static int
search_node(search_t *search,
            const unsigned char *page,
            uint64_t number,
            size_t offset,
            int depth)
{
    const lmdb_page_header_t *header = (const void *)page;
    uint64_t list = number * search->page_size + offset + sizeof(lmdb_node_t);
    uint64_t elsewhere;
    lmdb_node_t node;

    memcpy(&node, page + offset, sizeof(node));
    uint64_t value = node.low | (uint64_t)node.high << 16;
    if (header->flags & LMDB_PAGE_IS_BRANCH)
        return search_page(search, value | (uint64_t)node.flags << 32,
                           depth + 1);
    list += node.key_length;
    if (!(node.flags & LMDB_VALUE_IS_ELSEWHERE))
        return search_list(search, list, value);
    if (pread(search->file, &elsewhere, sizeof(elsewhere), (off_t)list) !=
            sizeof(elsewhere) ||
        elsewhere >= search->pages)
        return 0;
    return search_list(
        search, elsewhere * search->page_size + sizeof(lmdb_page_header_t),
        value);
}

/* Search the part of the tree below the page NUMBER. Returns 0 if a page of it
 * is not in the file, or makes no sense. */
static int
search_page(search_t *search, uint64_t number, int depth)
{
    union {
        lmdb_page_header_t header;
        unsigned char bytes[LMDB_MAX_PAGE_SIZE];
    } page;
    const size_t first = sizeof(lmdb_page_header_t);
    uint16_t offset;

    if (depth > LMDB_MAX_DEPTH || number >= search->pages ||
        pread(search->file, &page, search->page_size,
              (off_t)(number * search->page_size)) !=
            (ssize_t)search->page_size ||
        !(page.header.flags & (LMDB_PAGE_IS_BRANCH | LMDB_PAGE_IS_LEAF)) ||
        page.header.lower > search->page_size)
        return 0;
    for (size_t at = first; at + sizeof(offset) <= page.header.lower;
         at += sizeof(offset)) {
        memcpy(&offset, page.bytes + at, sizeof(offset));
        if (offset + sizeof(lmdb_node_t) > search->page_size ||
            !search_node(search, page.bytes, number, offset, depth))
            return 0;
    }
    return 1;
}

/* Whether all pages that META names and that are beyond the end of FILE, of
 * SIZE bytes, are free: LMDB does not write a page that was taken and given
 * back in one transaction. */
static int
lacks_only_free_pages(int file, apr_off_t size, const lmdb_meta_t *meta)
{
    size_t page_size = meta->free_pages.pad;
    search_t search = {.file = file,
                       .page_size = page_size,
                       .pages = (uint64_t)size / page_size,
                       .last = meta->last_page};

    return search_page(&search, meta->free_pages.root, 1) &&
           search.found == search.last + 1 - search.pages;
}

static up_error_t *
cut_off(const lmdb_store_t *store,
        apr_off_t size,
        apr_uint64_t whole,
        apr_pool_t *pool)
{
    return up_error(pool, UP_STORE_UNAVAILABLE, APR_SUCCESS,
                    "the LMDB file '%s/" UP_LMDB_DATA "' is damaged: it has "
                    "%" APR_OFF_T_FMT " bytes and had %" APR_UINT64_T_FMT
                    " at least; put a whole copy in its place",
                    store->path, size, whole);
}

up_error_t *
up_lmdb_check_data(const lmdb_store_t *store, apr_pool_t *pool)
{
    up_error_t *err = NULL;
    struct stat status;
    lmdb_meta_t meta = {0};

    int file = open(store->data_path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                        "cannot open the LMDB file '%s/" UP_LMDB_DATA "'",
                        store->path);
    /* The size last: another process may be writing. */
    int known = read_meta(&meta, file);
    if (fstat(file, &status))
        err = up_error(pool, UP_STORE_UNAVAILABLE, APR_FROM_OS_ERROR(errno),
                       "cannot look at the LMDB file '%s/" UP_LMDB_DATA "'",
                       store->path);
    else if (!status.st_size)
        err = cut_off(store, 0, 2 * sizeof(lmdb_meta_page_t), pool);
    else if (known &&
             (uint64_t)status.st_size / meta.free_pages.pad <= meta.last_page &&
             !lacks_only_free_pages(file, status.st_size, &meta))
        err = cut_off(store, status.st_size,
                      (meta.last_page + 1) * meta.free_pages.pad, pool);
    close(file);
    return err;
}
