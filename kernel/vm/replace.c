// SPDX-License-Identifier: MIT
/* replace.c - exchanging what is mapped for something else: see aspace.h. */
#include <stddef.h>

#include "cap/capability.h"
#include "core.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "vm/aspace.h"
#include "vm/mapping.h"

/* Mappings of which a step takes something away: to remove one takes some 400 instructions. */
#define STEP_MAPPINGS 4

/* What is taken first, since it may be missing; then nothing fails any more. */
struct supplies {
    struct mapping
        *made; /* the mapping of the call, which has no page yet or those of earlier steps */
    struct mapping
        *rest;   /* for what is behind the step, of a mapping that goes on there; or NULL */
    bool begins; /* `made` is new, in no tree */
};

static struct mapping *first_in(struct aspace *aspace, uaddr_t address, uaddr_t end)
{
    struct mapping *mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));

    if (mapping != NULL && mapping_end(mapping) > address)
        return mapping;
    mapping = mapping_of(tree_at_or_above(&aspace->mappings, address));
    return mapping != NULL && mapping->node.key < end ? mapping : NULL;
}

/* As many of the pages as STEP_MAPPINGS mappings and the gaps between them have. */
static uint64_t pages_of_step(struct aspace *aspace, uaddr_t address, uint64_t count)
{
    const uaddr_t end = address + count * PAGE_BYTES;
    uaddr_t at = address;

    for (unsigned i = 0; i < STEP_MAPPINGS; i++) {
        const struct mapping *mapping = first_in(aspace, at, end);

        if (mapping == NULL || mapping_end(mapping) >= end)
            return count;
        at = mapping_end(mapping);
    }
    return (at - address) / PAGE_BYTES;
}

/* Where nothing is mapped nothing may be present: an IPC buffer, the information page. */
static bool gaps_are_empty(struct aspace *aspace, uaddr_t address, uaddr_t end)
{
    while (address < end) {
        const struct mapping *mapping = first_in(aspace, address, end);
        uaddr_t gap_end = mapping == NULL ? end : mapping->node.key;

        if (gap_end > address &&
            !arch_aspace_is_empty(&aspace->arch, address, (gap_end - address) / PAGE_BYTES))
            return false;
        address = mapping == NULL ? end : mapping_end(mapping);
    }
    return true;
}

static void supplies_give_back(const struct supplies *supplies)
{
    if (supplies->rest != NULL)
        mapping_destroy(supplies->rest);
    if (supplies->begins && supplies->made != NULL)
        mapping_destroy(supplies->made);
}

/* The mapping that the call has begun, as it left it (A4). */
static struct mapping *begun(struct aspace *aspace, uaddr_t address,
                             const struct call_record *record)
{
    struct mapping *mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));

    return mapping != NULL && mapping->serial == record->serial &&
                   mapping->page_count == record->done
               ? mapping
               : NULL;
}

static mnos_status_t supplies_take(const struct exchange *wanted, const struct call_record *record,
                                   uaddr_t at, uaddr_t end, struct supplies *supplies)
{
    struct aspace *aspace = &wanted->process->aspace;
    struct mapping *last = first_in(aspace, end - PAGE_BYTES, end);
    mnos_status_t status = MNOS_OK;

    *supplies = (struct supplies){.begins = record->serial == 0};
    if (supplies->begins)
        status = mapping_create(wanted->process, wanted->cap, wanted->first, wanted->rights,
                                &supplies->made);
    else if ((supplies->made = begun(aspace, wanted->address, record)) == NULL)
        status = MNOS_ERR_STATE;
    if (status == MNOS_OK && last != NULL && mapping_end(last) > end)
        status = mapping_twin(last, &supplies->rest);
    if (status == MNOS_OK && !gaps_are_empty(aspace, at, end))
        status = MNOS_ERR_OVERLAP;
    if (status != MNOS_OK)
        supplies_give_back(supplies);
    return status;
}

/* What mappings have of [at, end), whose entries lead elsewhere already, is theirs no longer; what one has behind it is
 * that of `rest`. */
static void take_away_locked(struct aspace *aspace, uaddr_t at, uaddr_t end, struct mapping *rest)
{
    struct mapping *mapping;

    while ((mapping = first_in(aspace, at, end)) != NULL) {
        if (mapping_end(mapping) > end) {
            rest->page_count = (mapping_end(mapping) - end) / PAGE_BYTES;
            rest->first_page = mapping->first_page + mapping->page_count - rest->page_count;
            mapping->page_count -= rest->page_count;
            tree_insert(&aspace->mappings, &rest->node, end);
        }
        if (mapping->node.key < at)
            mapping->page_count = (at - mapping->node.key) / PAGE_BYTES;
        else
            mapping_remove(mapping);
    }
}

static mnos_status_t exchange_some_locked(const struct exchange *wanted, struct call_record *record,
                                          struct tlb_batch *batch)
{
    struct aspace *aspace = &wanted->process->aspace;
    uaddr_t at = wanted->address + record->done * PAGE_BYTES, end;
    uint64_t first = wanted->first + record->done, pages, run;
    paddr_t frame = memory_frame((struct memory *)wanted->cap->object, first, &run);
    struct supplies supplies;
    mnos_status_t status;

    pages = arch_aspace_pages_in_table(at, wanted->count - record->done);
    if (pages > run)
        pages = run;
    if (pages > ASPACE_RUN_MAX)
        pages = ASPACE_RUN_MAX;
    if (pages == 0 || !cap_allows(wanted->cap, first, pages, wanted->rights))
        return MNOS_ERR_STATE;
    /* A step of its own: to make tables, or to cut a large page, is as long as the rest. */
    if (!arch_aspace_has_run(&aspace->arch, at, pages))
        return arch_aspace_prepare(&aspace->arch, &wanted->process->quota, at);
    pages = pages_of_step(aspace, at, pages);
    end = at + pages * PAGE_BYTES;
    status = supplies_take(wanted, record, at, end, &supplies);
    if (status != MNOS_OK)
        return status;
    this_core()->tlb_pending = true; /* before memory loses sight of a mapping */
    arch_aspace_exchange(&aspace->arch, at, pages, frame, wanted->rights);
    tlb_batch_add(batch, &aspace->arch, at, pages);
    take_away_locked(aspace, at, end, supplies.rest);
    supplies.made->page_count += pages;
    if (supplies.begins) {
        mapping_watch(supplies.made, wanted->count);
        tree_insert(&aspace->mappings, &supplies.made->node, wanted->address);
    }
    record->serial = supplies.made->serial;
    record->done += pages;
    return MNOS_OK;
}

mnos_status_t aspace_replace(const struct exchange *wanted, struct call_record *record, bool *again,
                             struct tlb_batch *batch)
{
    struct aspace *aspace = &wanted->process->aspace;
    mnos_status_t status;

    *again = false;
    if (!aspace_range_valid(wanted->address, wanted->count))
        return MNOS_ERR_ADDRESS;
    spin_lock(&aspace->lock);
    status = exchange_some_locked(wanted, record, batch);
    spin_unlock(&aspace->lock);
    *again = status == MNOS_OK && record->done < wanted->count;
    return status;
}

mnos_status_t aspace_replace_run(const struct exchange *wanted)
{
    struct aspace *aspace = &wanted->process->aspace;
    struct mapping *mapping;
    mnos_status_t status = MNOS_ERR_STATE;
    uint64_t run;
    paddr_t frame;

    if (!aspace_range_valid(wanted->address, wanted->count))
        return MNOS_ERR_ADDRESS;
    frame = memory_frame((struct memory *)wanted->cap->object, wanted->first, &run);
    if (run < wanted->count)
        return MNOS_ERR_STATE;
    spin_lock(&aspace->lock);
    mapping = mapping_of(tree_at_or_below(&aspace->mappings, wanted->address));
    if (mapping != NULL && mapping->node.key == wanted->address &&
        mapping->page_count == wanted->count &&
        arch_aspace_has_run(&aspace->arch, wanted->address, wanted->count)) {
        status = mapping_exchange(mapping, wanted->cap, wanted->first, wanted->rights);
        if (status == MNOS_OK)
            arch_aspace_exchange(&aspace->arch, wanted->address, wanted->count, frame,
                                 wanted->rights);
    }
    spin_unlock(&aspace->lock);
    if (status != MNOS_OK)
        return status;
    arch_aspace_flush(&aspace->arch, wanted->address, wanted->count);
    this_core()->tlb_pending = false;
    return MNOS_OK;
}
