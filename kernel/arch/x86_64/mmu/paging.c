// SPDX-License-Identifier: MIT
/*
 * paging.c - the kernel half of all address spaces: image, direct map of RAM, and the area of kmap.c.
 *
 * Root entries of the kernel half are made here and never change, so that every process copies them
 * once and sees all that is mapped later. docs/memory-layout.md has the map.
 */
#include "arch/x86_64/mmu/paging.h"

#include "arch/x86_64/cpu/image.h"
#include "assert.h"
#include "boot/bootinfo.h"
#include "base/log.h"
#include "base/panic.h"
#include "mm/frame.h"

#define CPUID_EXTENDED 0x80000001u
#define CPUID_EXTENDED_EDX_NX (1u << 20)
#define CPUID_EXTENDED_EDX_1G (1u << 26)

static paddr_t kernel_root;
static uint64_t table_offset;  /* of the map that tables are reached through */
static unsigned largest_level; /* 3: pages of 1 GiB, 2: of 2 MiB */

static uint64_t *table_at(paddr_t table)
{
    return (uint64_t *)(uintptr_t)(table + table_offset);
}

static paddr_t new_table(void)
{
    paddr_t table = frame_alloc_zeroed();

    if (table == PADDR_NONE)
        panic("no memory for the kernel's page tables");
    return table;
}

/* ---- mapping ---- */

/* What is left to map. */
struct span {
    uint64_t virt;
    uint64_t end;
    paddr_t phys;
    uint64_t flags; /* PAT bit as for 4 KiB pages */
};

static uint64_t leaf_flags(uint64_t flags, unsigned level)
{
    if (level == 1)
        return flags;
    if (flags & PTE_PAT)
        flags = (flags & ~PTE_PAT) | PTE_PAT_LARGE;
    return flags | PTE_LARGE;
}

static bool fits_leaf(const struct span *span, unsigned level)
{
    uint64_t bytes = LEVEL_BYTES(level);

    return level <= largest_level && ((span->virt | span->phys) & (bytes - 1)) == 0 &&
           span->end - span->virt >= bytes;
}

/* Maps what of the span lies in this table. Tables carry all rights; pages restrict them. */
static void map_level(paddr_t table, unsigned level, struct span *span)
{
    uint64_t *entries = table_at(table);
    uint64_t bytes = LEVEL_BYTES(level);
    uint64_t leaf = leaf_flags(span->flags, level);
    unsigned index = LEVEL_INDEX(level, span->virt);

    for (; index < TABLE_ENTRIES && span->virt < span->end; index++) {
        if (level == 1 || fits_leaf(span, level)) {
            assert(!entry_present(entries[index]));
            entries[index] = span->phys | leaf;
            span->virt += bytes;
            span->phys += bytes;
            continue;
        }
        if (!entry_present(entries[index]))
            entries[index] = new_table() | PTE_PRESENT | PTE_WRITE;
        assert(!entry_is_leaf(entries[index], level));
        map_level(entries[index] & PTE_ADDRESS, level - 1, span);
    }
}

void paging_map_kernel(uint64_t virt, paddr_t phys, uint64_t bytes, uint64_t flags)
{
    uint64_t global = kernel_pages_global ? PTE_GLOBAL : 0;
    /* Accessed and dirty from the start: the processor need not write the entries later. */
    struct span span = {virt, virt + bytes, phys,
                        flags | PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | global};

    map_level(kernel_root, LEVEL_ROOT, &span);
}

void paging_unmap_kernel(uint64_t virt, uint64_t bytes)
{
    uint64_t end = virt + bytes;

    while (virt < end) {
        unsigned level;
        uint64_t *entry = paging_leaf(kernel_root, virt, &level);
        if (!entry) {
            virt += PAGE_BYTES;
            continue;
        }
        assert((virt & (LEVEL_BYTES(level) - 1)) == 0 && LEVEL_BYTES(level) <= end - virt);
        *entry = 0;
        invlpg(virt);
        virt += LEVEL_BYTES(level);
    }
}

/* ---- the kernel's tables ---- */

static void map_image(const char *start, const char *end, uint64_t flags)
{
    paging_map_kernel((uintptr_t)start, boot_image_to_phys(start), (uint64_t)(end - start), flags);
}

static paddr_t round_up(paddr_t address)
{
    return (address + PAGE_BYTES - 1) & ~(paddr_t)(PAGE_BYTES - 1);
}

/* A part of RAM that nobody may write, not even through the direct map. */
struct frozen {
    paddr_t base;
    paddr_t end;
};

/* Maps [base, end) of RAM, read-only where it is frozen. */
static void map_direct(paddr_t base, paddr_t end, const struct frozen *frozen, unsigned count)
{
    while (base < end) {
        paddr_t stop = end;
        bool writable = true;
        for (unsigned i = 0; i < count; i++) {
            if (frozen[i].base <= base && base < frozen[i].end) {
                writable = false;
                if (frozen[i].end < stop)
                    stop = frozen[i].end;
            } else if (frozen[i].base > base && frozen[i].base < stop) {
                stop = frozen[i].base;
            }
        }
        paging_map_kernel(HHDM_BASE + base, base, stop - base, PTE_NX | (writable ? PTE_WRITE : 0));
        base = stop;
    }
}

static bool in_direct_map(const struct boot_range *range)
{
    return range->type == BOOT_RANGE_USABLE || range->type == BOOT_RANGE_RECLAIMABLE ||
           range->type == BOOT_RANGE_KERNEL;
}

/* Neighbours become one piece, whatever their types, so that large pages cross their borders. The
 * kernel and module ranges may overlap others by less than a page. */
static void map_all_ram(void)
{
    const struct frozen frozen[] = {
        {boot_image_to_phys(__boot_start), boot_image_to_phys(__rodata_end)},
        {boot_info.initrd, round_up(boot_info.initrd + boot_info.initrd_bytes)},
    };
    paddr_t base = 0, end = 0;

    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        if (!in_direct_map(range))
            continue;
        if (range->base > end) {
            map_direct(base, end, frozen, sizeof(frozen) / sizeof(frozen[0]));
            base = range->base;
        }
        if (range->end > end)
            end = range->end;
    }
    map_direct(base, end, frozen, sizeof(frozen) / sizeof(frozen[0]));
}

static void map_kernel_image(void)
{
    map_image(__boot_start, __boot_text_start, PTE_NX);
    map_image(__boot_text_start, __text_end, 0);
    map_image(__rodata_start, __rodata_end, PTE_NX);
    map_image(__data_start, __boot_stack_guard, PTE_WRITE | PTE_NX);
    map_image(__boot_stack_start, __data_end, PTE_WRITE | PTE_NX);
}

static void need_no_execute(void)
{
    if (!(cpuid_leaf(CPUID_EXTENDED, 0).edx & CPUID_EXTENDED_EDX_NX))
        panic("this processor cannot make memory non-executable");
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
}

void paging_init(void)
{
    need_no_execute();
    largest_level = cpuid_leaf(CPUID_EXTENDED, 0).edx & CPUID_EXTENDED_EDX_1G ? 3 : 2;
    table_offset = boot_info.hhdm_offset;
    kernel_root = new_table();
    map_kernel_image();
    map_all_ram();
    table_at(kernel_root)[LEVEL_INDEX(LEVEL_ROOT, KMAP_BASE)] =
        new_table() | PTE_PRESENT | PTE_WRITE;

    write_cr3(kernel_root);
    paging_kernel_root = kernel_root;
    table_offset = HHDM_BASE;
    frame_use_direct_map();
}
