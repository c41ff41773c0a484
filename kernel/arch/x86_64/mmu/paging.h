// SPDX-License-Identifier: MIT
/*
 * paging.h - page-table format, the kernel's own tables, and the proof that they keep W^X. User
 * address spaces are in aspace_tables.c; loading them and flushing TLBs is the business of cpu and IPI
 * code.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/cpu/insn.h"
#include "mm/addr.h"

/* Intel SDM vol 3A, "4-Level Paging and 5-Level Paging". */
#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_USER (1ull << 2)
#define PTE_PWT (1ull << 3)
#define PTE_PCD (1ull << 4)
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY (1ull << 6)
#define PTE_LARGE (1ull << 7) /* in a page directory or its pointer table */
#define PTE_PAT (1ull << 7)   /* of a 4 KiB page */
#define PTE_GLOBAL (1ull << 8)
#define PTE_PAT_LARGE (1ull << 12)
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000FFFFFFFFFF000ull

/* Memory types: the boot protocol fixes the PAT; entry 3 is uncached and entry 5 write-combining. The
 * PAT bit is given as for 4 KiB pages. */
#define PTE_UNCACHED (PTE_PCD | PTE_PWT)
#define PTE_WRITE_COMBINING (PTE_PAT | PTE_PWT)

/* Table levels: 4 is the root, an entry of level 1 maps 4 KiB. */
#define LEVEL_ROOT 4u
#define TABLE_ENTRIES 512u
#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9u * ((level)-1u))
#define LEVEL_BYTES(level) (1ull << LEVEL_SHIFT(level))
#define LEVEL_INDEX(level, address)                                                                \
    ((unsigned)((address) >> LEVEL_SHIFT(level)) & (TABLE_ENTRIES - 1u))
#define ROOT_KERNEL_ENTRY 256u /* the kernel's half of a root table begins here */

/* Device registers and stacks, kmap.c: one entry of the root table. */
#define KMAP_BASE 0xFFFFFE0000000000ull
#define KMAP_END 0xFFFFFE8000000000ull

static inline bool entry_present(uint64_t entry)
{
    return entry & PTE_PRESENT;
}

/* An entry of level 2 or 3 that maps memory instead of naming a table. */
static inline bool entry_is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (entry & PTE_LARGE);
}

/* Set before paging_init(): the processor keeps pages marked global over a change of CR3. */
extern bool kernel_pages_global;
/* Set before the first arch_aspace_create(): processes get a second root table for user mode, which
 * maps of the kernel only what entering it needs. */
extern bool paging_isolation;

/* Builds the kernel's own tables and loads them on this core. From here on phys_to_virt() works and
 * the loader's mappings are gone. */
void paging_init(void);
extern paddr_t paging_kernel_root; /* PADDR_NONE before */

/* Maps [virt, virt + bytes), page aligned, in the kernel half of every address space, with the
 * largest pages possible. `flags` are PTE bits with the PAT bit as for 4 KiB pages; nothing may be
 * mapped there. Panics when frames are spent. */
void paging_map_kernel(uint64_t virt, paddr_t phys, uint64_t bytes, uint64_t flags);
/* Clears the entries of 4 KiB or large pages that lie in the range; flushes only this core's TLB. */
void paging_unmap_kernel(uint64_t virt, uint64_t bytes);
/* The entry of the tables under `root` that maps `virt`, and its level; NULL when nothing does. Needs phys_to_virt(). */
uint64_t *paging_leaf(paddr_t root, uint64_t virt, unsigned *leaf_level);
/* True when the kernel can read `virt`; usable in a panic. */
bool paging_is_mapped(uint64_t virt);

/* Walks the tables that CR3 names and proves: no user access; executable memory is exactly the
 * kernel's text, that of the boot included, and mapped writable nowhere; text and read-only data are mapped writable nowhere;
 * guard pages are not mapped. Panics otherwise. */
void paging_prove(void);
