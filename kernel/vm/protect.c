// SPDX-License-Identifier: MIT
/* protect.c - changing the rights of what is mapped: see aspace.h. */
#include <stddef.h>

#include "cap/capability.h"
#include "core.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "vm/aspace.h"
#include "vm/mapping.h"

/* Mappings that a step looks at. */
#define STEP_MAPPINGS 8

#define ACCESS (MAP_READ | MAP_WRITE | MAP_EXECUTE)

/* What `caller` may make of pages of `mapping`: what they were mapped with, and what their capability allows when it is
 * the caller's own, and alive. Whoever kills that looks for mappings afterwards, finds this one in its list (A3) and waits
 * for the lock of the address space, which is held: what is allowed here is undone by a revocation that comes later. */
static unsigned allowed(const struct mapping *mapping, const struct process *caller)
{
    struct memory *memory = mapping->memory;
    const struct capability *cap = mapping->cap;
    unsigned rights = mapping->most;

    spin_lock(&memory->mappings_lock);
    if (cap_owner(cap) == caller && cap->type == MNOS_TYPE_MEMORY)
        rights |= cap->rights & ACCESS;
    spin_unlock(&memory->mappings_lock);
    if (memory->read_only)
        rights &= ~(unsigned)MAP_WRITE;
    if (memory->flavour != MNOS_MEMORY_RAM)
        rights &= ~(unsigned)MAP_EXECUTE;
    return rights;
}

static mnos_status_t check_locked(const struct mapping *mapping, const struct protection *wanted)
{
    unsigned held = allowed(mapping, wanted->caller);

    *wanted->missing = wanted->rights & ~held;
    return *wanted->missing == 0 ? MNOS_OK : MNOS_ERR_RIGHTS;
}

/* The mapping that covers the page at `address`; NULL. */
static struct mapping *covering(struct aspace *aspace, uaddr_t address)
{
    struct mapping *mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));

    return mapping != NULL && mapping_end(mapping) > address ? mapping : NULL;
}

/* Looks at the next mapping: whether it covers the range and allows it, of which *checked pages are known; at as much of it
 * as one table has when that is to be executed, which takes a table of small pages. */
static mnos_status_t check_next_locked(struct process *process, uaddr_t address, uint64_t count,
                                       const struct protection *wanted, uint64_t *checked)
{
    const uaddr_t at = address + *checked * PAGE_BYTES;
    const struct mapping *mapping = covering(&process->aspace, at);
    uint64_t pages = count - *checked;
    mnos_status_t status;

    if (mapping == NULL)
        return MNOS_ERR_NOT_MAPPED;
    if (pages > (mapping_end(mapping) - at) / PAGE_BYTES)
        pages = (mapping_end(mapping) - at) / PAGE_BYTES;
    status = check_locked(mapping, wanted);
    if (status == MNOS_OK && (wanted->rights & MAP_EXECUTE) != 0) {
        pages = arch_aspace_pages_in_table(at, pages);
        status = arch_aspace_prepare(&process->aspace.arch, &process->quota, at);
    }
    if (status == MNOS_OK)
        *checked += pages;
    return status;
}

/* A step: some mappings, or one table, since making that takes long. */
static mnos_status_t check_some_locked(struct process *process, uaddr_t address, uint64_t count,
                                       const struct protection *wanted, uint64_t *checked)
{
    const unsigned steps = (wanted->rights & MAP_EXECUTE) != 0 ? 1 : STEP_MAPPINGS;
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < steps && *checked < count && status == MNOS_OK; i++)
        status = check_next_locked(process, address, count, wanted, checked);
    return status;
}

/* Makes two mappings of one that goes across `at`, in the page tables as well. */
static mnos_status_t split_locked(struct process *process, uaddr_t at)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping = covering(aspace, at), *rest;
    mnos_status_t status;

    if (mapping == NULL || mapping->node.key == at)
        return MNOS_OK;
    status = mapping_twin(mapping, &rest);
    if (status != MNOS_OK)
        return status;
    status = arch_aspace_cut(&aspace->arch, &process->quota, at);
    if (status != MNOS_OK) {
        mapping_destroy(rest);
        return status;
    }
    rest->page_count = (mapping_end(mapping) - at) / PAGE_BYTES;
    mapping->page_count -= rest->page_count;
    rest->first_page = mapping->first_page + mapping->page_count;
    tree_insert(&aspace->mappings, &rest->node, at);
    return MNOS_OK;
}

/* From now on its pages have these rights, or are about to. Who has to know of a device that is written to is told. */
static void set_rights_locked(struct mapping *mapping, unsigned rights)
{
    mapping->rights = (mapping->rights & ~(unsigned)ACCESS) | rights;
    if (mapping->watch == 0)
        mapping_watch(mapping, mapping->page_count);
}

/* The end of [address, end), the first part of [address, range_end), at whose ends mappings begin and end from now on. A
 * mapping in it has its new rights as soon as a page of it has, and whatever is not done yet has at most the old
 * ones. */
static mnos_status_t protect_some_locked(struct process *process, uaddr_t address, uaddr_t end,
                                         uaddr_t range_end, const struct protection *wanted,
                                         uint64_t *pages, struct tlb_batch *batch)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping = covering(aspace, end - 1);
    mnos_status_t status;
    bool lost;

    if (mapping == NULL)
        return MNOS_ERR_NOT_MAPPED; /* no longer: it was when it was checked */
    status = check_locked(mapping, wanted);
    if (status == MNOS_OK)
        status = split_locked(process, range_end);
    if (status == MNOS_OK)
        status = split_locked(process, address);
    if (status != MNOS_OK)
        return status;
    mapping = covering(aspace, end - 1);
    *pages = (end - mapping->node.key) / PAGE_BYTES;
    set_rights_locked(mapping, wanted->rights);
    lost = arch_aspace_protect_some(&aspace->arch, mapping->node.key, pages, wanted->rights);
    if (lost)
        tlb_batch_add(batch, &aspace->arch, end - *pages * PAGE_BYTES, *pages);
    else
        arch_aspace_flush_here(&aspace->arch, end - *pages * PAGE_BYTES, *pages);
    return MNOS_OK;
}

mnos_status_t aspace_protect(struct process *process, uaddr_t address, uint64_t count,
                             const struct protection *wanted, struct call_record *record,
                             bool *again, struct tlb_batch *batch)
{
    struct aspace *aspace = &process->aspace;
    mnos_status_t status = MNOS_OK;
    uaddr_t end = address + (count - record->done) * PAGE_BYTES;
    uint64_t changed = 0;

    *again = false;
    if (!aspace_range_valid(address, count))
        return MNOS_ERR_ADDRESS;
    spin_lock(&aspace->lock);
    if (record->checked < count)
        status = check_some_locked(process, address, count, wanted, &record->checked);
    if (status == MNOS_OK && record->checked == count)
        status = protect_some_locked(process, address, end, address + count * PAGE_BYTES, wanted,
                                     &changed, batch);
    spin_unlock(&aspace->lock);
    record->done += changed;
    *again = status == MNOS_OK && record->done < count;
    return status;
}

mnos_status_t aspace_protect_run(struct process *process, uaddr_t address, uint64_t count,
                                 const struct protection *wanted)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping;
    mnos_status_t status = MNOS_ERR_STATE;
    bool lost = false;

    if (!aspace_range_valid(address, count))
        return MNOS_ERR_ADDRESS;
    spin_lock(&aspace->lock);
    mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));
    if (mapping != NULL && mapping->node.key == address && mapping->page_count == count) {
        status = check_locked(mapping, wanted);
        if (status == MNOS_OK &&
            !arch_aspace_protect_run(&aspace->arch, address, count, wanted->rights, &lost))
            status = MNOS_ERR_STATE;
        if (status == MNOS_OK)
            set_rights_locked(mapping, wanted->rights);
    }
    spin_unlock(&aspace->lock);
    if (status == MNOS_OK && lost)
        arch_aspace_flush(&aspace->arch, address, count);
    else if (status == MNOS_OK)
        arch_aspace_flush_here(&aspace->arch, address, count);
    return status;
}

bool aspace_allows(struct process *process, uaddr_t address, unsigned rights)
{
    unsigned held;

    spin_lock(&process->aspace.lock);
    held = arch_aspace_rights(&process->aspace.arch, address);
    spin_unlock(&process->aspace.lock);
    return (rights & ~held) == 0;
}
