// SPDX-License-Identifier: MIT
/*
 * vma.h - what the program has mapped where: areas in the order of their addresses, none of which overlap.
 *
 * Pure bookkeeping: which pages are present is page_table.h's, what is in them memory.c's. Host tests compile it.
 *
 * V1  areas are sorted, whole pages, not empty, and none overlaps another
 * V2  each area that has a file holds one reference to it
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct open_file;

/* As in mmap(2). */
enum vma_protection { VMA_READ = 1, VMA_WRITE = 2, VMA_EXECUTE = 4 };
enum vma_flags { VMA_SHARED = 1, VMA_STACK = 2, VMA_HEAP = 4 };

#define VMA_NO_END UINT64_MAX

struct vma {
    uint64_t start, end;
    uint32_t protection, flags;
    struct open_file *file; /* NULL: anonymous */
    uint64_t offset;        /* of `start` in the file */
    /* Where the file's bytes end, as an address: behind it are zeros. VMA_NO_END: where the file ends, and pages behind
     * that cannot be reached. */
    uint64_t data_end;
    /* For populating: the page that a sequential program touches next, and how many were populated last. */
    uint64_t next_page;
    uint32_t run;
};

struct vma_set {
    struct vma *areas;
    uint32_t count, capacity;
    uint32_t limit; /* how many there may be */
    /* Called when an area begins or ends to refer to a file. */
    void (*hold)(struct open_file *file);
    void (*release)(struct open_file *file);
};

/* The area of that address, or the first above it; `count` when there is none. */
uint32_t vma_index(const struct vma_set *set, uint64_t address);
struct vma *vma_find(const struct vma_set *set, uint64_t address); /* NULL: not mapped */

/* Adds an area where none is, whose file is held by the set from then on; one that goes on where a neighbour of the same
 * kind ends becomes part of it. False: there can be no more, and nothing has changed. */
bool vma_insert(struct vma_set *set, const struct vma *area);
/* Takes the range out of all areas. False: an area would have to be split and there can be no more; nothing has changed. */
bool vma_remove(struct vma_set *set, uint64_t start, uint64_t end);
/* The range, which lies in one area, becomes another where none is. False as for vma_remove(). */
bool vma_move(struct vma_set *set, uint64_t start, uint64_t end, const struct vma *moved);
/* The range, which must be mapped whole, gets these rights. False as for vma_remove(). */
bool vma_protect(struct vma_set *set, uint64_t start, uint64_t end, uint32_t protection);
/* Whether all of the range is mapped. */
bool vma_covers(const struct vma_set *set, uint64_t start, uint64_t end);
/* The highest free range of that size between two addresses; 0: there is none. */
uint64_t vma_gap(const struct vma_set *set, uint64_t low, uint64_t high, uint64_t bytes);
