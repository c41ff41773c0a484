// SPDX-License-Identifier: MIT
/* symbols.c - looks addresses up in the table that tools/mksymbols.py makes from the linked kernel. */
#include "arch/x86_64/report/symbols.h"

#include <stddef.h>

#include "arch/x86_64/cpu/image.h"
#include "mm/addr.h"

extern const uint32_t kernel_symbol_count;
extern const uint32_t kernel_symbol_offsets[]; /* ascending, from KERNEL_BASE */
extern const uint32_t kernel_symbol_names[];   /* indices into the pool */
extern const char kernel_symbol_pool[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
    uint32_t low = 0, high = kernel_symbol_count;
    uint64_t wanted = address - KERNEL_BASE;

    if (address < (uintptr_t)__boot_text_start || address >= (uintptr_t)__text_end)
        return NULL;
    while (low < high) { /* low: the first symbol beyond the address */
        uint32_t middle = low + (high - low) / 2;
        if (kernel_symbol_offsets[middle] <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    *offset = wanted - kernel_symbol_offsets[low - 1];
    return kernel_symbol_pool + kernel_symbol_names[low - 1];
}
