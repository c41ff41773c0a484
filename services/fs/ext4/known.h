// SPDX-License-Identifier: MIT
/*
 * known.h - names and inodes that are known, so that blocks of directories and of inodes are not looked at each time.
 *
 * Both lie in pages of the cache, as if they were files: of numbers that no file has. So they take memory from it as far as
 * they are used, grow with it, and go like every other page that nobody uses: what is not there is not known. An inode's
 * place follows from its number, 64 of them in a page. Names are found by a hash, which grows and shrinks (names.c).
 *
 * None of it outlives the process. What changes an inode or a name says so here in the same step.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"

struct ext4_service;

/* ---- known.c: inodes ---- */

/* The inode of bad blocks, which no name may have and nobody opens: its pages have what is known of inodes. */
#define KNOWN_ATTRS_FILE 1u
#define KNOWN_ATTRS_PER_PAGE 64u
#define KNOWN_USED_PAGES 8u /* a power of two */

/* What requests want to know of an inode. */
struct known_attr {
    uint32_t inode; /* 0: nothing is known */
    uint32_t generation;
    uint32_t type; /* EXT4_TYPE_* */
    uint32_t links;
    uint64_t size, allocated_bytes;
    int64_t created_ns, modified_ns, changed_ns;
    uint64_t partly; /* not 0: only what known_kind() says is true */
};
_Static_assert(sizeof(struct known_attr) * KNOWN_ATTRS_PER_PAGE == 4096, "so many as fill a page");

/* Asks the core for what is not known. May wait, as the core may; else fails as it does. */
mnos_status_t known_attr(struct ext4_service *service, uint32_t inode, struct known_attr *attr);
/* The same where it is kept: until anything else is asked, or something changes. Never NULL, an error or not. */
mnos_status_t known_inode(struct ext4_service *service, uint32_t inode,
                          const struct known_attr **attr);
/* As known_inode(), but only the inode, its generation, type and links are said. */
mnos_status_t known_kind(struct ext4_service *service, uint32_t inode,
                         const struct known_attr **attr);
/* Asks nobody: whether it is known. */
bool known_generation(struct ext4_service *service, uint32_t inode, uint32_t *generation);
/* Size, times or blocks of an inode have changed. */
void known_touch(struct ext4_service *service, uint32_t inode);
/* What is known of an inode is not true any more. */
void known_forget(struct ext4_service *service, uint32_t inode);

/* ---- names.c ---- */

/* A longer name is looked up each time. */
#define KNOWN_NAME_BYTES 51u

/* The names of one size. Its pages are numbered; which of them are there the cache knows. */
struct name_table {
    uint32_t file;        /* the number of an inode that no file has, for the cache */
    uint32_t entry_shift; /* of the size of a name with its text */
    uint32_t pages;       /* that names are spread over; not all of them need be there */
    uint32_t mask;        /* 2^n - 1, the first such that is not below `pages` - 1 */
    uint32_t crowded;     /* names that drove out another since it grew */
};

struct known {
    struct name_table short_names, long_names;
    uint32_t turn; /* which name of a full set goes next */
    /* The pages of inodes that were looked at last, each at the place that its index has; 0: none. It may have become
     * another's since. So a directory stays at hand while its names lead to inodes everywhere. */
    uint32_t used_pages[KNOWN_USED_PAGES];
    struct known_attr other; /* for which the cache has no page */
};

/* Nothing is known, and the cache is empty. */
void known_begin(struct ext4_service *service);
/* The inode of a name; 0: the directory has none. Asks the core for what is not known, and may wait. */
mnos_status_t names_find(struct ext4_service *service, uint32_t directory, const char *text,
                         uint32_t bytes, uint32_t *inode);
/* A name is this inode's now; 0: nobody's. */
void names_set(struct ext4_service *service, uint32_t directory, const char *text, uint32_t bytes,
               uint32_t inode);
