// SPDX-License-Identifier: MIT
/*
 * store.h - the file system in memory as one block of plain data, which the caller hands in and may make
 * larger at its end. No pointer is stored in it: what refers to something is a number, and 0 is none. So it
 * can lie in memory that outlives the process, at another address in each run.
 *
 *   struct tmpfs | page 1 | page 2 | ...
 *
 * Pages hold everything else: bytes of files, inodes, names, and the trees by which a file finds its pages.
 * Pages that inodes and names have got stay theirs; the rest goes from use to use through one free list.
 *
 * An operation first looks whether it can be done, and reserves nothing; then it changes, which cannot fail. What it
 * changes it notes (lib/server/state.h), so that a death in the middle is taken back. Bytes of files are not noted as
 * long as they are inside the file: a write may be torn, and is repeated. An operation's notes fit
 * TMPFS_LOG_BYTES; what would take more (freeing many pages) is done in steps, each of which leaves the invariants.
 *
 * T1  A page is free, or belongs to exactly one of: an inode's tree, doomed ones included, the inodes, the names.
 * T2  What lies behind the end of a file in its last page is zero.
 * T3  `links` of an inode is the number of its names; of a directory, 1 while it has a name, and the root's is 1.
 * T4  An inode without links and without openings is free, or doomed: chained to have its pages freed.
 * T5  What an account is charged is the sum over the inodes and names that carry its number. So it is not noted:
 *     tmpfs_rebuild() adds it up again. Nor is `generation`, which only grows.
 * T6  `opens` of an inode is the number of handles and sessions that have it. It is not noted either: after
 *     tmpfs_rebuild(), which makes it 0, the caller calls tmpfs_hold() for each.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "protocols/file.h"

#define TMPFS_MAGIC 0x3153465F504D54ull /* "TMP_FS1" */
#define TMPFS_LAYOUT 4u
#define TMPFS_PAGE_BYTES 4096u
#define TMPFS_PAGE_ENTRIES 1024u
#define TMPFS_HEIGHT_MAX 3u /* pages of index above a page of data */
#define TMPFS_SIZE_MAX ((uint64_t)TMPFS_PAGE_BYTES << (10 * TMPFS_HEIGHT_MAX))
#define TMPFS_ROOT 1u

#define TMPFS_INODES_PER_PAGE 32u
#define TMPFS_UNITS_PER_PAGE 64u
#define TMPFS_TABLE_PAGES_MAX 4096u
#define TMPFS_BUCKETS 16384u
#define TMPFS_ACCOUNTS 128u
/* The notes of one operation: a write of FILE_WINDOW_BYTES_MAX takes up to 260 pages, at some 120 bytes each. */
#define TMPFS_LOG_BYTES 65536u
#define TMPFS_SPACE_PAGES 256u /* that a request allocates or punches */
#define TMPFS_CUT_PAGES 256u   /* that are freed in one step, at some 72 bytes each */
#define TMPFS_SHARE 4u         /* an account may have this part of the whole: 1/4 */
#define TMPFS_NAMES_OF_FILE_MAX 65000u

struct tmpfs_account {
    uint32_t pages; /* of files, with their trees */
    uint32_t inodes;
    uint32_t units;
    uint32_t reserved;
};

/* Records of one size in pages of their own; numbers from 1. */
struct tmpfs_table {
    uint32_t free_head; /* chained through the records */
    uint32_t free_count;
    uint32_t page_count;
    uint32_t reserved;
    uint32_t pages[TMPFS_TABLE_PAGES_MAX];
};

struct tmpfs {
    uint64_t magic;
    uint32_t layout;
    uint32_t page_count; /* in the block */
    uint32_t page_limit; /* that the block may grow to: shares are parts of it */
    uint32_t
        doomed; /* inodes that are nobody's but have pages still: freed in steps, chained by next_free */
    uint32_t free_page, free_page_count;
    uint64_t generation; /* of the inode that was made last */
    int64_t now_ns;      /* the caller's clock */
    uint64_t seed;       /* of the hash of names: no client knows it */
    struct tmpfs_account accounts[TMPFS_ACCOUNTS];
    struct tmpfs_table inodes, units;
    uint32_t buckets[TMPFS_BUCKETS]; /* first units of names by directory and text */
};
#define TMPFS_HEADER_BYTES                                                                         \
    ((sizeof(struct tmpfs) + TMPFS_PAGE_BYTES - 1) / TMPFS_PAGE_BYTES * TMPFS_PAGE_BYTES)

/* What changes together lies together, so that it is noted at once. */
struct tmpfs_inode {
    uint64_t generation;
    uint64_t size; /* of a directory: 0 */
    int64_t created_ns, modified_ns, changed_ns;
    /* Directories keep the numbers of their names in slots, in pages as a file keeps bytes. A name stays in
     * its slot, so the slot is the cookie of readdir. */
    uint32_t names;
    uint32_t slots;     /* that were ever used since it was empty last */
    uint32_t free_slot; /* its number plus 1; free slots are chained */
    uint32_t type;      /* enum file_type; FILE_TYPE_NONE: free, or doomed if it has a root */
    uint32_t
        next_free; /* of the inodes that are free, or doomed. In one that is free nothing else means anything */
    uint32_t root, height; /* of its tree of pages */
    uint32_t pages;        /* in the tree, index pages among them */
    uint32_t links;
    uint32_t opens;  /* handles and sessions that have it: T6 */
    uint32_t parent; /* directory: the one that it is in; 0: the root, or removed */
    uint32_t account;
    uint32_t counted; /* tmpfs_check()'s own: its names */
    uint32_t reserved[9];
};
_Static_assert(sizeof(struct tmpfs_inode) * TMPFS_INODES_PER_PAGE == TMPFS_PAGE_BYTES,
               "fills pages");

#define TMPFS_UNIT_TEXT 36u
#define TMPFS_MORE_TEXT 60u
/* The first unit of a name. A long one goes on in others. */
struct tmpfs_name {
    uint32_t more; /* also chains free units */
    uint32_t next; /* in the bucket */
    uint32_t hash;
    uint32_t directory;
    uint32_t inode;
    uint32_t slot;
    uint8_t bytes;
    uint8_t type; /* of the inode: enum file_type */
    uint16_t account;
    char text[TMPFS_UNIT_TEXT]; /* zeros behind the last */
};
struct tmpfs_more {
    uint32_t more;
    char text[TMPFS_MORE_TEXT];
};
_Static_assert(sizeof(struct tmpfs_name) * TMPFS_UNITS_PER_PAGE == TMPFS_PAGE_BYTES, "fills pages");
_Static_assert(sizeof(struct tmpfs_more) == sizeof(struct tmpfs_name), "units of one size");

/* ---- store.c: the block ---- */

/* Makes an empty file system in `bytes` of memory, which may become `page_limit` pages. NULL: too little. */
struct tmpfs *tmpfs_format(void *block, uint64_t bytes, uint32_t page_limit, uint64_t seed);
/* Pages were added at the end of the block. One step of its own. */
void tmpfs_extend(struct tmpfs *fs, uint32_t page_count);

static inline void *tmpfs_page(struct tmpfs *fs, uint32_t page)
{
    return (uint8_t *)fs + TMPFS_HEADER_BYTES + (uint64_t)(page - 1) * TMPFS_PAGE_BYTES;
}

static inline struct tmpfs_inode *tmpfs_inode(struct tmpfs *fs, uint32_t number)
{
    uint32_t page = fs->inodes.pages[(number - 1) / TMPFS_INODES_PER_PAGE];

    return (struct tmpfs_inode *)tmpfs_page(fs, page) + (number - 1) % TMPFS_INODES_PER_PAGE;
}

static inline struct tmpfs_name *tmpfs_unit(struct tmpfs *fs, uint32_t number)
{
    uint32_t page = fs->units.pages[(number - 1) / TMPFS_UNITS_PER_PAGE];

    return (struct tmpfs_name *)tmpfs_page(fs, page) + (number - 1) % TMPFS_UNITS_PER_PAGE;
}

/* The caller has seen that there is one. */
uint32_t tmpfs_page_take(struct tmpfs *fs, bool zeroed);
void tmpfs_page_give(struct tmpfs *fs, uint32_t page);

/* Whether the account may have so many more pages, inodes and units, and there are so many: MNOS_OK,
 * MNOS_ERR_FULL, MNOS_ERR_QUOTA. The tables get pages as needed. */
mnos_status_t tmpfs_reserve(struct tmpfs *fs, uint32_t account, uint32_t pages, uint32_t inodes,
                            uint32_t units);
uint32_t tmpfs_inode_take(struct tmpfs *fs, enum file_type type, uint32_t account);
uint32_t tmpfs_unit_take(struct tmpfs *fs, uint32_t account);
void tmpfs_unit_give(struct tmpfs *fs, uint32_t unit, uint32_t account);

/* Something has it open; or has not any more, and then it may go. */
void tmpfs_hold(struct tmpfs *fs, uint32_t inode);
void tmpfs_drop(struct tmpfs *fs, uint32_t inode);
/* Frees some of the pages that are nobody's, as a step of its own; false: there are none. */
bool tmpfs_reap(struct tmpfs *fs);
/* After `links` has become less. */
void tmpfs_release(struct tmpfs *fs, uint32_t inode);

void tmpfs_attr(struct tmpfs *fs, uint32_t inode, struct file_attr *attr);
void tmpfs_set_modified(struct tmpfs *fs, uint32_t inode, int64_t modified_ns);
void tmpfs_space(struct tmpfs *fs, uint32_t account, struct file_space *space);

/* ---- pages.c: the tree of an inode's pages ---- */

/* The page at an index below that there are index pages for. */
uint32_t tmpfs_tree_descend(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index);
/* The page at an index, or 0: nothing was ever written there. */
static inline uint32_t tmpfs_tree_find(struct tmpfs *fs, const struct tmpfs_inode *inode,
                                       uint64_t index)
{
    if (inode->height == 0)
        return index == 0 ? inode->root : 0;
    return tmpfs_tree_descend(fs, inode, index);
}
/* The pages that follow each other in the file and in the block, the one at `index` among them, within the row of `most`
 * that it is in: *first is the index of the first; its page, or 0: there is none at `index`. */
uint32_t tmpfs_tree_run(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index,
                        uint32_t most, uint64_t *first, uint32_t *count);
/* How many pages tmpfs_tree_make() would take from the free list. */
uint32_t tmpfs_tree_cost(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index);
uint32_t tmpfs_tree_make(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index, bool zeroed);
/* Frees pages from the end of the tree on, down to index `first` at most, TMPFS_CUT_PAGES or a few less; whether all that
 * shall go has gone. Else *reached is the index from which on no data is left, which may be `first`: then it is pages above
 * data that are left. */
bool tmpfs_tree_cut(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t first, uint64_t *reached);
/* The first index from `index` on that has a page, or has none; UINT64_MAX: all behind it have none. */
uint64_t tmpfs_tree_next(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index,
                         bool hole);
/* Frees the page at an index, where there is one, and the pages above it that have nothing below them then. */
void tmpfs_tree_punch(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index);
/* The pages are nobody's any more, and are freed by and by. */
void tmpfs_tree_drop(struct tmpfs *fs, struct tmpfs_inode *inode);

/* ---- data.c: the bytes of a file ---- */

/* Returns how many there were. */
uint64_t tmpfs_read(struct tmpfs *fs, uint32_t inode, uint64_t offset, void *to, uint64_t length);
/* MNOS_OK with less than all when there is no room for the rest; an error: nothing was written. */
mnos_status_t tmpfs_write(struct tmpfs *fs, uint32_t inode, uint64_t offset, const void *from,
                          uint64_t length, uint64_t *written);
mnos_status_t tmpfs_truncate(struct tmpfs *fs, uint32_t inode, uint64_t size);
/* The first byte of data, or of a hole, from `offset` on; UINT64_MAX: no data. */
uint64_t tmpfs_seek(struct tmpfs *fs, uint32_t inode, uint64_t offset, bool hole);
/* Both are rows of steps, each sound by itself, and stop after TMPFS_SPACE_PAGES: *done is how many bytes from the offset
 * on are as they shall be. MNOS_ERR_FULL, MNOS_ERR_QUOTA, MNOS_ERR_SIZE: none are. */
mnos_status_t tmpfs_allocate(struct tmpfs *fs, uint32_t inode, uint64_t offset, uint64_t length,
                             bool keep_size, uint64_t *done);
void tmpfs_punch(struct tmpfs *fs, uint32_t inode, uint64_t offset, uint64_t length,
                 uint64_t *done);

/* ---- check.c ---- */

/* In a run that finds the block, before tmpfs_check(): makes anew what is not noted. What handles and sessions have is
 * held by the caller between the two. */
void tmpfs_rebuild(struct tmpfs *fs);
/* NULL, or which of T1 to T6 does not hold. `seen` has a byte for each page of the block, and one more. */
const char *tmpfs_check(struct tmpfs *fs, uint8_t *seen);
