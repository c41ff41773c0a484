// SPDX-License-Identifier: MIT
/*
 * kernel_tables.c - what is done with the kernel's page tables, which paging.c builds, once the system
 * runs: looking an address up, and giving back what only the boot needed.
 */
#include "arch/arch.h"
#include "arch/x86_64/image.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/tlb.h"
#include "boot/bootinfo.h"
#include "info.h"
#include "mm/frame.h"
#include "sched/sched.h"

bool kernel_pages_global;
bool paging_isolation;
paddr_t paging_kernel_root;

uint64_t *paging_leaf(uint64_t virt, unsigned *leaf_level)
{
    paddr_t table = paging_kernel_root;

    for (unsigned level = LEVEL_ROOT; level >= 1; level--) {
        uint64_t *entry = (uint64_t *)phys_to_virt(table) + LEVEL_INDEX(level, virt);
        if (!entry_present(*entry))
            return NULL;
        if (level < LEVEL_ROOT && entry_is_leaf(*entry, level)) {
            *leaf_level = level;
            return entry;
        }
        table = *entry & PTE_ADDRESS;
    }
    return NULL;
}

bool paging_is_mapped(uint64_t virt)
{
    unsigned level;

    if (paging_kernel_root == PADDR_NONE || (virt >> 47) != 0x1FFFF)
        return false;
    return paging_leaf(virt, &level) != NULL;
}

uint64_t arch_boot_pages(void)
{
    return (uint64_t)(__boot_end - __boot_start) / PAGE_BYTES;
}

/* The pages go from the image, and become writable in the direct map, before they are anybody's. */
void arch_leave_boot(void)
{
    paddr_t first = boot_image_to_phys(__boot_start);
    unsigned level;

    for (uint64_t i = 0; i < arch_boot_pages(); i++) {
        *paging_leaf((uintptr_t)__boot_start + i * PAGE_BYTES, &level) = 0;
        *paging_leaf(HHDM_BASE + first + i * PAGE_BYTES, &level) |= PTE_WRITE;
    }
    tlb_flush_all();
    arch_ipi_round(UINT32_MAX, IPI_FLUSH_ALL);
    frame_free_run(first, arch_boot_pages());
    info_update_memory();
    sched_leave_kernel();
    arch_enter_user();
}
