// SPDX-License-Identifier: MIT
/* tables - walks the page tables that the loader has made, and checks every entry. */
#include "probe.h"

#define PRESENT 1u
#define WRITE 2u
#define USER 4u
#define PWT 8u
#define PCD 0x10u
#define LARGE 0x80u
#define GLOBAL 0x100u
#define NX (UINT64_C(1) << 63)
#define ADDRESS UINT64_C(0x000ffffffffff000)

static uint8_t window[4096] __attribute__((aligned(4096)));

static bool table_in_reclaimable = true, supervisor_only = true, lower_half_empty = true;
static bool hhdm_only_allowed = true, hhdm_rights = true, caching = true;
static bool kernel_rights = true, nothing_else = true;

static uint64_t *table_at(uint64_t physical)
{
    return (uint64_t *)(hhdm() + (physical & ADDRESS));
}

static uint64_t read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static bool has_nx(void)
{
    uint32_t id[4];

    cpuid(0x80000001, id);
    return (id[3] & 1u << 20) != 0;
}

static uint64_t *leaf_of(uint64_t address, unsigned *level)
{
    uint64_t *table = table_at(read_cr3());

    for (unsigned at = 3;; at--) {
        uint64_t *entry = &table[address >> (12 + 9 * at) & 511];

        *level = at;
        if ((*entry & PRESENT) == 0)
            return NULL;
        if (at == 0 || (*entry & LARGE) != 0)
            return entry;
        table = table_at(*entry);
    }
}

bool translate(uint64_t address, uint64_t *physical, uint64_t *entry)
{
    unsigned level;
    uint64_t *leaf = leaf_of(address, &level);
    uint64_t mask = (UINT64_C(4096) << (9 * level)) - 1;

    if (leaf == NULL)
        return false;
    *physical = (*leaf & ADDRESS & ~mask) + (address & mask);
    *entry = *leaf;
    return true;
}

const volatile void *look_at(uint64_t physical)
{
    unsigned level;
    uint64_t *leaf = leaf_of((uint64_t)window, &level);

    *leaf = (physical & ~UINT64_C(4095)) | PRESENT | WRITE | PCD | PWT;
    __asm__ volatile("invlpg %0" : : "m"(window[0]) : "memory");
    return window + (physical & 4095);
}

/* The PAT index that an entry selects: 0 is write-back, 5 write-combining. */
static unsigned pat_index(uint64_t entry, unsigned level)
{
    unsigned pat = level > 0 ? entry >> 12 & 1 : entry >> 7 & 1;

    return pat << 2 | ((entry & PCD) != 0) << 1 | ((entry & PWT) != 0);
}

static void check_hhdm_leaf(uint64_t address, uint64_t entry, unsigned level)
{
    uint64_t size = UINT64_C(4096) << (9 * level), physical = entry & ADDRESS & ~(size - 1);

    if (address - hhdm() != physical || !memory_has_type(physical, size, MAPPED_TYPES))
        hhdm_only_allowed = false;
    if ((entry & WRITE) == 0 || (entry & NX) != 0)
        hhdm_rights = false;
    if (pat_index(entry, level) != (memory_has_type(physical, size, 1u << FRAMEBUFFER) ? 5 : 0))
        caching = false;
}

static void check_kernel_leaf(uint64_t address, uint64_t entry)
{
    bool code = address >= (uint64_t)image_start && address < (uint64_t)text_end;
    bool data = address >= (uint64_t)rodata_end;

    if (address < (uint64_t)image_start || address >= (uint64_t)image_end)
        nothing_else = false;
    if (((entry & WRITE) != 0) != data || ((entry & NX) != 0) != (!code && has_nx()))
        kernel_rights = false;
    if (pat_index(entry, 0) != 0 || (entry & GLOBAL) != 0)
        kernel_rights = false;
}

static void walk(uint64_t physical, uint64_t address, unsigned level)
{
    const uint64_t *table = table_at(physical);

    if (!memory_has_type(physical & ADDRESS, 4096, 1u << RECLAIMABLE))
        table_in_reclaimable = false;
    for (unsigned i = 0; i < 512; i++) {
        uint64_t at = address | (uint64_t)i << (12 + 9 * level), entry = table[i];

        if ((entry & PRESENT) == 0)
            continue;
        if (level == 3 && i < 256)
            lower_half_empty = false;
        if (level == 3 && i >= 256)
            at |= UINT64_C(0xffff000000000000);
        if ((entry & USER) != 0)
            supervisor_only = false;
        if (level > 0 && (entry & LARGE) == 0)
            walk(entry, at, level - 1);
        else if (at >= UINT64_C(0xffffffff80000000))
            check_kernel_leaf(at, entry);
        else
            check_hhdm_leaf(at, entry, level);
    }
}

/* Every page of every range of a mapped type must be there. */
static bool hhdm_is_complete(void)
{
    for (uint64_t i = 0; i < range_count(); i++) {
        const struct range *range = range_at(i);

        if ((MAPPED_TYPES >> range->type & 1) == 0)
            continue;
        for (uint64_t at = range->base; at < range->base + range->length;) {
            unsigned level;
            uint64_t size;

            if (leaf_of(hhdm() + at, &level) == NULL)
                return false;
            size = UINT64_C(4096) << (9 * level);
            at = (at + size) & ~(size - 1);
        }
    }
    return true;
}

void check_tables(void)
{
    walk(read_cr3(), 0, 3);
    check(lower_half_empty, "lower half is not mapped", "a lower-half entry is present");
    check(table_in_reclaimable, "page tables are in reclaimable memory", "one is elsewhere");
    check(supervisor_only, "all mappings are supervisor only", "a user bit is set");
    check(hhdm_only_allowed, "direct map covers only the permitted types", "a page is outside");
    check(hhdm_is_complete(), "direct map covers all of the permitted types", "a page is missing");
    check(hhdm_rights, "direct map is readable, writable and executable", "a page is not");
    check(caching, "memory is write-back and the framebuffer write-combining", "a page is not");
    check(kernel_rights, "kernel segments have their own rights", "a page has others");
    check(nothing_else, "nothing but kernel and direct map is mapped", "a page is elsewhere");
}
