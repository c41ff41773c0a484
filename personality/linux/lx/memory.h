// SPDX-License-Identifier: MIT
/*
 * memory.h - the program's address space: areas (vma.h), the pages that are present in them, and the chunks that those
 * lie in.
 *
 * A page is absent until the program or lx touches it; the fault makes a run of pages present (memory_fault()). A chunk
 * is one Memory object, made for one run, and for a heap with room for the next ones, charged to the process; it is given
 * back when none of its pages is present any more.
 *
 * M1  a present page is a page of a chunk, and of no other address
 * M2  a page that is mapped is present, and its rights in the kernel's table are at most those of its area; no page is
 *     writable and executable
 * M3  a chunk's `used` is the number of its pages that are present
 */
#pragma once

#include "personality/linux/lx/lx.h"
#include "personality/linux/lx/vma.h"

#define MEMORY_LOWEST 0x10000ull /* vm.mmap_min_addr */
#define MEMORY_TOP LX_BASE
#define MEMORY_AREAS_MAX 65530u /* vm.max_map_count */

extern struct vma_set memory_areas;

void memory_start(void);

enum memory_answer {
    MEMORY_READY,     /* try again: it is there now */
    MEMORY_UNMAPPED,  /* no area has the address */
    MEMORY_FORBIDDEN, /* the area does not allow it */
    MEMORY_NO_FILE,   /* the file ends before, or cannot be read */
    MEMORY_NONE_LEFT, /* the process may use no more */
};
/* A fault of the program, or of lx on its behalf, at an address with this error code. */
enum memory_answer memory_fault(uint64_t address, uint64_t error);

/* Maps an area at its address, over what is there. 0 or an error. */
int64_t memory_place(const struct vma *area);
/* A free range of that size below the stack; 0: there is none. */
uint64_t memory_find(uint64_t bytes);
int64_t memory_remove(uint64_t start, uint64_t end);
int64_t memory_protect(uint64_t start, uint64_t end, uint32_t protection);
/* Pages of the range become absent: an anonymous area has zeros there then. */
void memory_drop(uint64_t start, uint64_t end);
/* Makes room to note the present pages of one range as those of another; false: there is no memory for it. */
bool memory_make_room(uint64_t from, uint64_t to, uint64_t bytes);
/* They become those of the other, where none is present, and for which there is room. */
void memory_move(uint64_t from, uint64_t to, uint64_t bytes);
/* Nothing of the program is mapped any more. */
void memory_clear(void);
/* Frames that are present. */
uint64_t memory_present(void);
/* Where brk() begins; set by the loader. */
void memory_set_break(uint64_t start);

/* ---- A copy of the process (fork.c) ---- */

/* Pages of the program that are present, in order of their addresses; `rights` as they are mapped, 0: they are not. */
struct memory_run {
    uint64_t address, pages;
    uint32_t rights; /* enum vma_protection */
};
/* The next run from `address` on, which ends where the rights change; false: there is none. */
bool memory_next_run(uint64_t address, struct memory_run *run);
/* Copies one present page of the program, whether it is mapped or not. */
bool memory_copy_page(uint64_t address, void *to);
/* In the copy: all present pages, in that order, lie in `memory` from page `first` on; no other chunk is there. */
void memory_forked(mnos_cap_t memory, uint64_t pages, uint64_t first);
