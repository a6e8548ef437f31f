/*
 * up_lmdb_format.h -- what is in data.mdb: the format of LMDB 0.9,
 * MDB_DATA_VERSION 1 of mdb.c, with 64 bits and in the byte order of the
 * machine. For what must not trust the file, as LMDB does.
 */
#ifndef UP_LMDB_FORMAT_H
#define UP_LMDB_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define LMDB_MAGIC 0xBEEFC0DE
#define LMDB_VERSION 1
#define LMDB_MIN_PAGE_SIZE 512
#define LMDB_MAX_PAGE_SIZE 65536
#define LMDB_MAX_DEPTH 32 /* of a tree; LMDB's own */

/* The flags of pages. */
#define LMDB_PAGE_IS_BRANCH 0x01
#define LMDB_PAGE_IS_LEAF 0x02
#define LMDB_PAGE_IS_OVERFLOW 0x04
#define LMDB_PAGE_IS_META 0x08
#define LMDB_PAGE_IS_OTHER 0x60 /* what only databases with duplicates have */

/* The flags of the nodes of a leaf. */
#define LMDB_VALUE_IS_ELSEWHERE 0x01 /* the value is the number of a page */
#define LMDB_VALUE_IS_TREE 0x02      /* the value is a lmdb_tree_t */

/* No page. */
#define LMDB_NO_PAGE UINT64_MAX

typedef struct lmdb_page_header_t {
    uint64_t number;
    uint16_t pad, flags;
    uint16_t lower, upper; /* the offsets of the nodes end at LOWER; of an
                            * overflow page both are one number: how many pages
                            * it has */
} lmdb_page_header_t;

typedef struct lmdb_tree_t {
    uint32_t pad; /* of the list of free pages: the size of a page */
    uint16_t flags, depth;
    uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
} lmdb_tree_t;

typedef struct lmdb_meta_t {
    uint32_t magic, version;
    uint64_t address, map_size;
    lmdb_tree_t free_pages, databases;
    uint64_t last_page, txnid;
} lmdb_meta_t;

typedef struct lmdb_meta_page_t {
    lmdb_page_header_t header;
    lmdb_meta_t meta;
} lmdb_meta_page_t;

/* A node is these bytes, a key, and a value. Of a leaf, the number is the
 * length of the value; of a branch it is, with the flags as its upper part, the
 * page below. */
typedef struct lmdb_node_t {
    uint16_t low, high, flags, key_length;
} lmdb_node_t;

#endif
