// SPDX-License-Identifier: MIT
/* paging - see paging.h. Bits are from Intel SDM vol 3A, "4-Level Paging and 5-Level Paging". */
#include "paging.h"

#define PTE_PRESENT UINT64_C(1)
#define PTE_WRITE UINT64_C(2)
#define PTE_PWT UINT64_C(8)
#define PTE_LARGE UINT64_C(0x80)
#define PTE_PAT_SMALL UINT64_C(0x80)
#define PTE_PAT_LARGE UINT64_C(0x1000)
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

/* Level 0 maps 4 KiB, level 1 2 MiB, level 2 1 GiB; level 3 is the root. */
#define ROOT_LEVEL 3

static uint64_t page_size(unsigned level)
{
    return UINT64_C(4096) << (9 * level);
}

static uint64_t *entry_at(const struct boot_tables *tables, uint64_t virtual_address,
                          unsigned level)
{
    uint64_t *table = tables->root;

    for (unsigned at = ROOT_LEVEL;; at--) {
        uint64_t *entry = &table[(virtual_address >> (12 + 9 * at)) & 511];

        if (at == level)
            return entry;
        /* Tables grant everything; the last entry decides. */
        if ((*entry & PTE_PRESENT) == 0)
            *entry = (uint64_t)(uintptr_t)tables->new_table() | PTE_PRESENT | PTE_WRITE;
        table = (uint64_t *)(uintptr_t)(*entry & PTE_ADDRESS);
    }
}

/* PAT entry 5 is write-combining: PAT bit set, PCD clear, PWT set. */
static uint64_t leaf(const struct boot_tables *tables, unsigned level, uint64_t flags)
{
    uint64_t entry = PTE_PRESENT | (level > 0 ? PTE_LARGE : 0);

    if ((flags & BOOT_MAP_WRITE) != 0)
        entry |= PTE_WRITE;
    if ((flags & BOOT_MAP_EXECUTE) == 0 && tables->has_nx)
        entry |= PTE_NX;
    if ((flags & BOOT_MAP_WRITE_COMBINING) != 0)
        entry |= PTE_PWT | (level > 0 ? PTE_PAT_LARGE : PTE_PAT_SMALL);
    return entry;
}

static unsigned best_level(const struct boot_tables *tables, uint64_t address_bits, uint64_t length,
                           uint64_t flags)
{
    unsigned level = tables->has_1g ? 2 : 1;

    if ((flags & BOOT_MAP_LARGE) == 0)
        return 0;
    while (level > 0 && ((address_bits & (page_size(level) - 1)) != 0 || length < page_size(level)))
        level--;
    return level;
}

void boot_map(const struct boot_tables *tables, uint64_t virtual_address, uint64_t physical,
              uint64_t length, uint64_t flags)
{
    while (length > 0) {
        unsigned level = best_level(tables, virtual_address | physical, length, flags);
        uint64_t size = page_size(level), attributes = leaf(tables, level, flags);
        uint64_t *entry = entry_at(tables, virtual_address, level);

        /* Fill the rest of this table without walking again. */
        do {
            *entry++ = physical | attributes;
            virtual_address += size;
            physical += size;
            length -= size;
        } while (((uintptr_t)entry & 4095) != 0 &&
                 best_level(tables, virtual_address | physical, length, flags) == level &&
                 length >= size);
    }
}
