// SPDX-License-Identifier: MIT
/*
 * kernel_tables.c - what is done with the kernel's page tables, which paging.c builds, once the system
 * runs: looking an address up, and giving back what only the boot needed.
 */
#include "arch/arch.h"
#include "arch/x86_64/cpu/image.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/mmu/tlb.h"
#include "boot/bootinfo.h"
#include "mm/frame.h"

bool kernel_pages_global;
bool paging_isolation;
paddr_t paging_kernel_root;

bool paging_is_mapped(uint64_t virt)
{
    unsigned level;

    if (paging_kernel_root == PADDR_NONE || (virt >> 47) != 0x1FFFF)
        return false;
    return paging_leaf(paging_kernel_root, virt, &level) != NULL;
}

/* What only the boot needs, and the entries of the variant that it has not chosen. */
static char *const *parts_to_free(void)
{
    static char *const plain[] = {__boot_start, __boot_end, __entry_plain_start,
                                  __entry_isolating_start};
    static char *const isolating[] = {__boot_start, __boot_end, __entry_isolating_start,
                                      __text_start};

    return paging_isolation ? plain : isolating;
}

static uint64_t part_pages(char *const *part)
{
    return (uint64_t)(part[1] - part[0]) / PAGE_BYTES;
}

uint64_t arch_boot_pages(void)
{
    char *const *parts = parts_to_free();

    return part_pages(parts) + part_pages(parts + 2);
}

/* The pages go from the image, and become writable in the direct map. */
static void unmap_part(char *const *part)
{
    paddr_t first = boot_image_to_phys(part[0]);
    unsigned level;

    for (uint64_t at = 0; at < part_pages(part) * PAGE_BYTES; at += PAGE_BYTES) {
        *paging_leaf(paging_kernel_root, (uintptr_t)part[0] + at, &level) = 0;
        *paging_leaf(paging_kernel_root, HHDM_BASE + first + at, &level) |= PTE_WRITE;
    }
}

void arch_leave_boot(void)
{
    char *const *parts = parts_to_free();

    unmap_part(parts);
    unmap_part(parts + 2);
    tlb_flush_all();
    arch_ipi_round(UINT32_MAX, IPI_FLUSH_ALL);
    frame_free_run(boot_image_to_phys(parts[0]), part_pages(parts));
    frame_free_run(boot_image_to_phys(parts[2]), part_pages(parts + 2));
}
