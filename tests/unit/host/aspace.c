// SPDX-License-Identifier: MIT
/*
 * aspace.c - page tables of four levels in charged frames, as on the machine but without large pages.
 * A step that fails has changed nothing but for tables, which stay until the address space goes.
 */
#include "arch/arch.h"

#include "tests/unit/host/host.h"
#include "assert.h"
#include "core.h"
#include "object/process.h"
#include "mm/quota.h"

#define LEVELS 4
#define ENTRIES 512
#define PRESENT (1ull << 63)
#define RIGHTS 0xFFull
#define STEP_PAGES 128u
#define STEP_TABLES 4u

static uint64_t *table_at(uint64_t entry)
{
    return phys_to_virt(entry & ~(PRESENT | (PAGE_BYTES - 1)));
}

static unsigned index_at(uaddr_t address, unsigned level)
{
    return address >> (PAGE_SHIFT + 9 * level) & (ENTRIES - 1);
}

/* The entry of `address` in the lowest table; NULL: no table. With `quota`, tables are made. */
static mnos_status_t walk(const struct arch_aspace *aspace, struct quota *quota, bool make,
                          uaddr_t address, uint64_t **entry)
{
    uint64_t *table = table_at(aspace->root);

    *entry = NULL;
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *at = &table[index_at(address, level)];

        if (*at == 0) {
            mnos_status_t status;
            paddr_t frame;

            if (!make)
                return MNOS_OK;
            status = quota_frame_alloc(quota, &frame);
            if (status != MNOS_OK)
                return status;
            *at = frame | PRESENT;
        }
        table = table_at(*at);
    }
    *entry = &table[index_at(address, 0)];
    return MNOS_OK;
}

mnos_status_t arch_aspace_create(struct arch_aspace *aspace, struct quota *quota)
{
    mnos_status_t status = quota_frame_alloc(quota, &aspace->root);

    aspace->user_root = aspace->root;
    return status;
}

/* True when everything below `table` has gone; the tables that are left are counted down. */
static bool free_below(uint64_t *table, unsigned level, struct quota *quota, unsigned *budget)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (table[i] == 0)
            continue;
        if (level > 1 && !free_below(table_at(table[i]), level - 1, quota, budget))
            return false;
        if (*budget == 0)
            return false;
        --*budget;
        quota_frame_free(quota, virt_to_phys(table_at(table[i])));
        table[i] = 0;
    }
    return true;
}

bool arch_aspace_destroy(struct arch_aspace *aspace, struct quota *quota)
{
    unsigned budget = STEP_TABLES;

    if (aspace->root == PADDR_NONE)
        return true;
    for (uint32_t i = 0; i < core_count; i++)
        assert(cores[i].aspace != aspace);
    if (!free_below(table_at(aspace->root), LEVELS - 1, quota, &budget))
        return false;
    quota_frame_free(quota, aspace->root);
    aspace->root = PADDR_NONE;
    return true;
}

mnos_status_t arch_aspace_map_page(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                   paddr_t frame, unsigned rights)
{
    uint64_t *entry;
    mnos_status_t status = walk(aspace, quota, true, address, &entry);

    assert((rights & ~(unsigned)RIGHTS) == 0 && (rights & MAP_READ) != 0);
    assert((rights & (MAP_WRITE | MAP_EXECUTE)) != (MAP_WRITE | MAP_EXECUTE));
    if (status != MNOS_OK)
        return status;
    if (*entry != 0)
        return MNOS_ERR_OVERLAP;
    *entry = frame | rights | PRESENT;
    return MNOS_OK;
}

mnos_status_t arch_aspace_map_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                                  paddr_t frame, unsigned rights)
{
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    if (entry == NULL || index_at(address, 0) + page_count > ENTRIES)
        return MNOS_ERR_STATE;
    for (uint64_t i = 0; i < page_count; i++)
        if (entry[i] != 0)
            return MNOS_ERR_OVERLAP;
    for (uint64_t i = 0; i < page_count; i++)
        entry[i] = (frame + i * PAGE_BYTES) | rights | PRESENT;
    return MNOS_OK;
}

bool arch_aspace_unmap_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    if (entry == NULL || index_at(address, 0) + page_count > ENTRIES)
        return false;
    for (uint64_t i = 0; i < page_count; i++) {
        assert(entry[i] != 0);
        entry[i] = 0;
    }
    return true;
}

mnos_status_t arch_aspace_map_some(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                   paddr_t frame, uint64_t *page_count, unsigned rights)
{
    uint64_t wanted = *page_count < STEP_PAGES ? *page_count : STEP_PAGES;
    mnos_status_t status = arch_aspace_map_page(aspace, quota, address, frame, rights);

    if (status != MNOS_OK)
        return status;
    for (*page_count = 1; *page_count < wanted; ++*page_count)
        if (arch_aspace_map_page(aspace, quota, address + *page_count * PAGE_BYTES,
                                 frame + *page_count * PAGE_BYTES, rights) != MNOS_OK)
            break;
    return MNOS_OK;
}

void arch_aspace_unmap_page(struct arch_aspace *aspace, uaddr_t address)
{
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    assert(entry != NULL && *entry != 0);
    *entry = 0;
}

mnos_status_t arch_aspace_unmap_some(struct arch_aspace *aspace, struct quota *quota,
                                     uaddr_t address, uint64_t *page_count)
{
    uaddr_t end = address + *page_count * PAGE_BYTES;

    (void)quota;
    if (*page_count > STEP_PAGES)
        *page_count = STEP_PAGES;
    for (uint64_t i = 1; i <= *page_count; i++)
        arch_aspace_unmap_page(aspace, end - i * PAGE_BYTES);
    return MNOS_OK;
}

mnos_status_t arch_aspace_cut(struct arch_aspace *aspace, struct quota *quota, uaddr_t address)
{
    (void)aspace, (void)quota, (void)address;
    return MNOS_OK; /* there are no large pages */
}

bool arch_aspace_protect_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                             unsigned rights, bool *lost)
{
    const uint64_t access = MAP_READ | MAP_WRITE | MAP_EXECUTE;
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    assert((rights & ~access) == 0 && (rights & MAP_READ) != 0);
    assert((rights & (MAP_WRITE | MAP_EXECUTE)) != (MAP_WRITE | MAP_EXECUTE));
    if (entry == NULL || index_at(address, 0) + page_count > ENTRIES)
        return false;
    *lost = false;
    for (uint64_t i = 0; i < page_count; i++) {
        assert(entry[i] != 0);
        *lost |= (entry[i] & access & ~(uint64_t)rights) != 0;
        entry[i] = (entry[i] & ~access) | rights;
    }
    return true;
}

bool arch_aspace_protect_some(struct arch_aspace *aspace, uaddr_t address, uint64_t *page_count,
                              unsigned rights)
{
    uaddr_t end = address + *page_count * PAGE_BYTES;
    bool lost = false, one;

    if (*page_count > STEP_PAGES)
        *page_count = STEP_PAGES;
    for (uint64_t i = 1; i <= *page_count; i++, lost |= one)
        (void)arch_aspace_protect_run(aspace, end - i * PAGE_BYTES, 1, rights, &one);
    return lost;
}

uint64_t arch_aspace_pages_in_table(uaddr_t address, uint64_t page_count)
{
    uint64_t pages = ENTRIES - index_at(address, 0);

    return page_count < pages ? page_count : pages;
}

mnos_status_t arch_aspace_prepare(struct arch_aspace *aspace, struct quota *quota, uaddr_t address)
{
    uint64_t *entry;

    return walk(aspace, quota, true, address, &entry);
}

bool arch_aspace_has_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    return entry != NULL && arch_aspace_pages_in_table(address, page_count) == page_count;
}

bool arch_aspace_is_empty(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    assert(entry != NULL);
    for (uint64_t i = 0; i < page_count; i++)
        if (entry[i] != 0)
            return false;
    return true;
}

void arch_aspace_exchange(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                          paddr_t frame, unsigned rights)
{
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    assert(entry != NULL && index_at(address, 0) + page_count <= ENTRIES);
    for (uint64_t i = 0; i < page_count; i++)
        entry[i] = (frame + i * PAGE_BYTES) | rights | PRESENT;
}

bool arch_aspace_lookup(const struct arch_aspace *aspace, uaddr_t address, paddr_t *frame,
                        unsigned *rights)
{
    uint64_t *entry;

    (void)walk(aspace, NULL, false, address, &entry);
    if (entry == NULL || *entry == 0)
        return false;
    *frame = virt_to_phys(table_at(*entry));
    *rights = *entry & RIGHTS;
    return true;
}

unsigned arch_aspace_rights(const struct arch_aspace *aspace, uaddr_t address)
{
    paddr_t frame;
    unsigned rights;

    return arch_aspace_lookup(aspace, address, &frame, &rights)
               ? rights & (MAP_READ | MAP_WRITE | MAP_EXECUTE)
               : 0;
}

void arch_aspace_flush_here(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    (void)address, (void)page_count;
    host_cores[this_core()->index].flushes += aspace->loaded_on >> this_core()->index & 1;
}

void arch_aspace_flush(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    (void)address;
    (void)page_count;
    arch_tlb_flush_cores(aspace->loaded_on);
}

void arch_tlb_flush_cores(uint32_t core_mask)
{
    struct core *core = this_core();

    host_cores[core->index].flushes += core_mask >> core->index & 1;
    if ((core_mask & ~(1u << core->index)) != 0)
        arch_ipi_round(core_mask, IPI_FLUSH_TLB);
}

void arch_aspace_load(struct arch_aspace *aspace)
{
    struct core *core = this_core();

    if (core->aspace == aspace)
        return;
    core->aspace = aspace;
    host_cores[core->index].aspace_loads++;
    if (aspace == NULL)
        return;
    assert(!aspace->dying);
    aspace->loaded_on |= 1u << core->index;
}
