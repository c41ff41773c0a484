// SPDX-License-Identifier: MIT
/* aspace.c - see aspace.h. */
#include "vm/aspace.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "cap/capability.h"
#include "core.h"
#include "lib/base/list.h"
#include "vm/mapping.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/sched.h"

/* What is done between two looks for something more urgent: entries written, and for each piece, that is contiguous
 * frames within one table, as much as so many entries take. */
#define STEP_UNITS 128
#define PIECE_UNITS 16
/* Mappings that are looked at, or freed. */
#define STEP_MAPPINGS 8

/* ---- creation and destruction ---- */

mnos_status_t aspace_create(struct process *process)
{
    spin_init(&process->aspace.lock, LOCK_ASPACE);
    process->aspace.mappings.root = NULL;
    return arch_aspace_create(&process->aspace.arch, &process->quota);
}

void mapping_remove(struct mapping *mapping)
{
    tree_remove(&mapping->process->aspace.mappings, &mapping->node);
    mapping_destroy(mapping);
}

bool aspace_destroy(struct process *process)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping;

    for (unsigned i = 0; i < STEP_MAPPINGS; i++) {
        spin_lock(&aspace->lock);
        mapping = mapping_of(tree_first(&aspace->mappings));
        if (mapping != NULL)
            mapping_remove(mapping);
        spin_unlock(&aspace->lock);
        if (mapping == NULL)
            return i == 0 && arch_aspace_destroy(&aspace->arch, &process->quota);
    }
    return false;
}

/* ---- mapping ---- */

bool aspace_overlaps_locked(struct aspace *aspace, uaddr_t address, uint64_t count)
{
    const struct mapping *last =
        mapping_of(tree_at_or_below(&aspace->mappings, address + count * PAGE_BYTES - 1));

    return last != NULL && (last->node.key >= address || mapping_end(last) > address);
}

/* Enters one more piece of `mapping`, which is to have `count` pages. */
static mnos_status_t map_piece_locked(struct mapping *mapping, const struct cap_view *cap,
                                      uint64_t count, uint64_t *pages)
{
    struct process *process = mapping->process;
    uint64_t done = mapping->page_count;
    paddr_t frame = memory_frame(mapping->memory, mapping->first_page + done, pages);
    mnos_status_t status;

    if (*pages > count - done)
        *pages = count - done;
    if (*pages == 0 || !cap_allows(cap, mapping->first_page + done, *pages, mapping->rights))
        return MNOS_ERR_STATE;
    status =
        arch_aspace_map_some(&process->aspace.arch, &process->quota,
                             mapping->node.key + done * PAGE_BYTES, frame, pages, mapping->rights);
    if (status == MNOS_OK)
        mapping->page_count += *pages;
    return status;
}

/* As many as a step may; the first needs tables and is alone. */
static mnos_status_t map_some_locked(struct mapping *mapping, const struct cap_view *cap,
                                     uint64_t count)
{
    mnos_status_t status = MNOS_OK;
    uint64_t pages = 0;

    for (uint64_t units = 0; status == MNOS_OK && mapping->page_count < count && units < STEP_UNITS;
         units += mapping->page_count == pages ? STEP_UNITS : PIECE_UNITS + pages)
        status = map_piece_locked(mapping, cap, count, &pages);
    return status;
}

static mnos_status_t mapping_begin_locked(struct process *process, const struct cap_view *cap,
                                          uaddr_t address, uint64_t first, uint64_t count,
                                          unsigned rights, struct mapping **created)
{
    mnos_status_t status;

    if (aspace_overlaps_locked(&process->aspace, address, count))
        return MNOS_ERR_OVERLAP;
    status = mapping_create(process, cap, first, rights, created);
    if (status != MNOS_OK)
        return status;
    mapping_watch(*created, count);
    tree_insert(&process->aspace.mappings, &(*created)->node, address);
    return MNOS_OK;
}

/* The mapping that `record` says was begun at `address`. MNOS_ERR_STATE: it has been undone between two steps, or
 * a part of it; what is there now, however like it, was made by somebody else, through who knows what. */
static mnos_status_t mapping_begun_locked(struct aspace *aspace, uaddr_t address,
                                          struct call_record *record, struct mapping **mapping)
{
    *mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));
    if (*mapping == NULL || (*mapping)->serial != record->serial)
        return MNOS_ERR_STATE;
    if (record->failed != MNOS_OK)
        record->done = (*mapping)->page_count; /* what is left is taken back */
    return (*mapping)->page_count == record->done ? MNOS_OK : MNOS_ERR_STATE;
}

/* What most mappings are. That no mapping is in the way is what empty entries prove (A2). Inlined, so that of one page it is
 * what one page takes. */
[[gnu::always_inline]] static inline mnos_status_t map_run_locked(struct process *process,
                                                                  const struct cap_view *cap,
                                                                  uaddr_t address, uint64_t first,
                                                                  uint64_t count, unsigned rights)
{
    struct arch_aspace *arch = &process->aspace.arch;
    struct mapping *mapping;
    uint64_t run;
    paddr_t frame;
    mnos_status_t status = mapping_create(process, cap, first, rights, &mapping);

    if (status != MNOS_OK)
        return status;
    mapping_watch(mapping, count);
    frame = memory_frame(mapping->memory, first, &run);
    if (run < count) /* of one page: beyond the object, where no capability reaches */
        status = MNOS_ERR_STATE;
    else if (count == 1)
        status = arch_aspace_map_page(arch, &process->quota, address, frame, rights);
    else
        status = arch_aspace_map_run(arch, address, count, frame, rights);
    if (status != MNOS_OK) {
        mapping_destroy(mapping);
        return status;
    }
    mapping->page_count = count;
    tree_insert(&process->aspace.mappings, &mapping->node, address);
    return MNOS_OK;
}

[[gnu::always_inline]] static inline mnos_status_t map_run(struct process *process,
                                                           const struct cap_view *cap,
                                                           uaddr_t address, uint64_t first,
                                                           uint64_t count, unsigned rights)
{
    mnos_status_t status;

    if (!aspace_range_valid(address, count))
        return MNOS_ERR_ADDRESS;
    spin_lock(&process->aspace.lock);
    status = map_run_locked(process, cap, address, first, count, rights);
    spin_unlock(&process->aspace.lock);
    return status;
}

mnos_status_t aspace_map_page(struct process *process, const struct cap_view *cap, uaddr_t address,
                              uint64_t first, unsigned rights)
{
    return map_run(process, cap, address, first, 1, rights);
}

mnos_status_t aspace_map_run(struct process *process, const struct cap_view *cap, uaddr_t address,
                             uint64_t first, uint64_t count, unsigned rights)
{
    return map_run(process, cap, address, first, count, rights);
}

/* Unmaps some pages at the end of what `mapping` has in [address, end), where `end` is inside it; *unmapped tells
 * how many. The page tables come first: cutting a large page may fail, and then nothing has changed. */
static mnos_status_t unmap_tail_locked(struct mapping *mapping, uaddr_t address, uaddr_t end,
                                       uint64_t *unmapped, struct tlb_batch *batch)
{
    struct process *process = mapping->process;
    struct aspace *aspace = &process->aspace;
    uaddr_t from = address > mapping->node.key ? address : mapping->node.key;
    uint64_t behind = (mapping_end(mapping) - end) / PAGE_BYTES;
    uint64_t pages = (end - from) / PAGE_BYTES;
    struct mapping *rest = NULL;
    mnos_status_t status = behind == 0 ? MNOS_OK : mapping_twin(mapping, &rest);

    if (status != MNOS_OK)
        return status;
    status = arch_aspace_unmap_some(&aspace->arch, &process->quota, from, &pages);
    if (status != MNOS_OK) {
        if (rest != NULL)
            mapping_destroy(rest);
        return status;
    }
    tlb_batch_add(batch, &aspace->arch, end - pages * PAGE_BYTES, pages);
    if (rest != NULL) {
        rest->first_page = mapping->first_page + mapping->page_count - behind;
        rest->page_count = behind;
        tree_insert(&aspace->mappings, &rest->node, end);
    }
    mapping->page_count -= pages + behind;
    if (mapping->page_count == 0)
        mapping_remove(mapping);
    *unmapped = pages;
    return MNOS_OK;
}

/* Takes back some of a mapping that could not be finished; true when nothing is left of it. */
static bool abandon_some_locked(struct mapping *mapping, struct call_record *record,
                                struct tlb_batch *batch)
{
    uint64_t unmapped = 0;

    if (mapping->page_count == 0) {
        mapping_remove(mapping);
        return true;
    }
    if (unmap_tail_locked(mapping, mapping->node.key, mapping_end(mapping), &unmapped, batch) !=
        MNOS_OK)
        assert(!"the end of a whole mapping: no large page is cut");
    record->done -= unmapped;
    return record->done == 0;
}

/* One step of making the mapping of `record`, or of taking it back. True: it is finished, with *status. */
static bool map_step_locked(struct mapping *mapping, const struct cap_view *cap, uint64_t count,
                            struct call_record *record, mnos_status_t *status,
                            struct tlb_batch *batch)
{
    record->serial = mapping->serial;
    if (record->failed == MNOS_OK) {
        record->failed = map_some_locked(mapping, cap, count);
        record->done = mapping->page_count;
        if (record->failed == MNOS_OK)
            return record->done == count;
        if (record->done != 0)
            return false;
    }
    *status = record->failed;
    return abandon_some_locked(mapping, record, batch);
}

mnos_status_t aspace_map(struct process *process, const struct cap_view *cap, uaddr_t address,
                         uint64_t first, uint64_t count, unsigned rights,
                         struct call_record *record, bool *again, struct tlb_batch *batch)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping = NULL;
    mnos_status_t status = MNOS_OK;
    bool finished = true;

    *again = false;
    if (!aspace_range_valid(address, count))
        return MNOS_ERR_ADDRESS;
    spin_lock(&aspace->lock);
    if (record->serial == 0)
        status = mapping_begin_locked(process, cap, address, first, count, rights, &mapping);
    else
        status = mapping_begun_locked(aspace, address, record, &mapping);
    if (status == MNOS_OK)
        finished = map_step_locked(mapping, cap, count, record, &status, batch);
    else if (record->failed != MNOS_OK)
        status = record->failed; /* somebody else has taken it back */
    spin_unlock(&aspace->lock);
    *again = !finished;
    if (finished) {
        record->serial = record->done = 0;
        record->failed = MNOS_OK;
    }
    return finished ? status : MNOS_OK;
}

/* ---- unmapping ---- */

/* Looks at some more mappings: whether they cover [address, address + count pages), of which *checked pages are
 * known to be. */
static mnos_status_t check_some_locked(struct aspace *aspace, uaddr_t address, uint64_t count,
                                       uint64_t *checked)
{
    for (unsigned i = 0; i < STEP_MAPPINGS && *checked < count; i++) {
        uaddr_t at = address + *checked * PAGE_BYTES;
        struct mapping *mapping = mapping_of(tree_at_or_below(&aspace->mappings, at));

        if (mapping == NULL || mapping_end(mapping) <= at)
            return MNOS_ERR_NOT_MAPPED;
        *checked = (mapping_end(mapping) - address) / PAGE_BYTES;
    }
    if (*checked > count)
        *checked = count;
    return MNOS_OK;
}

/* The end of [address, end). */
static mnos_status_t unmap_some_locked(struct aspace *aspace, uaddr_t address, uaddr_t end,
                                       uint64_t *unmapped, struct tlb_batch *batch)
{
    struct mapping *mapping = mapping_of(tree_at_or_below(&aspace->mappings, end - 1));

    if (mapping == NULL || mapping_end(mapping) < end)
        return MNOS_ERR_NOT_MAPPED; /* no longer: it was when it was checked */
    return unmap_tail_locked(mapping, address, end, unmapped, batch);
}

mnos_status_t aspace_unmap(struct process *process, uaddr_t address, uint64_t count,
                           struct call_record *record, bool *again, struct tlb_batch *batch)
{
    struct aspace *aspace = &process->aspace;
    mnos_status_t status = MNOS_OK;
    uint64_t unmapped = 0;

    *again = false;
    if (!aspace_range_valid(address, count))
        return MNOS_ERR_ADDRESS;
    spin_lock(&aspace->lock);
    if (record->checked < count)
        status = check_some_locked(aspace, address, count, &record->checked);
    if (status == MNOS_OK && record->checked == count)
        status = unmap_some_locked(aspace, address, address + (count - record->done) * PAGE_BYTES,
                                   &unmapped, batch);
    spin_unlock(&aspace->lock);
    record->done += unmapped;
    *again = status == MNOS_OK && record->done < count;
    return status;
}

[[gnu::always_inline]] static inline bool unmap_run(struct process *process, uaddr_t address,
                                                    uint64_t count)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping;

    if (address >= MNOS_USER_END)
        return false; /* what stands there in the tree is a port opening (A1) */
    spin_lock(&aspace->lock);
    mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));
    if (mapping == NULL || mapping->node.key != address || mapping->page_count != count ||
        (count != 1 && !arch_aspace_unmap_run(&aspace->arch, address, count))) {
        spin_unlock(&aspace->lock);
        return false;
    }
    if (count == 1)
        arch_aspace_unmap_page(&aspace->arch, address);
    this_core()->tlb_pending = true; /* before its memory loses sight of it */
    mapping_remove(mapping);
    spin_unlock(&aspace->lock);
    arch_aspace_flush(&aspace->arch, address, count);
    this_core()->tlb_pending = false;
    return true;
}

bool aspace_unmap_page(struct process *process, uaddr_t address)
{
    return unmap_run(process, address, 1);
}

bool aspace_unmap_run(struct process *process, uaddr_t address, uint64_t count)
{
    return unmap_run(process, address, count);
}

bool aspace_unmap_one_of(struct memory *memory, struct capability *cap, struct tlb_batch *batch)
{
    struct mapping *mapping;
    struct process *process = mapping_first_of(memory, cap, &mapping);
    mnos_status_t status = MNOS_OK;
    uint64_t unmapped;

    if (process == NULL)
        return false;
    /* The address space's lock comes before the list's; its process may have unmapped it meanwhile. */
    spin_lock(&process->aspace.lock);
    if (mapping_is_first(mapping, process, memory, cap)) {
        if (mapping->page_count == 0)
            mapping_remove(mapping); /* of a sys_mem_map that has not got far */
        else
            status = unmap_tail_locked(mapping, mapping->node.key, mapping_end(mapping), &unmapped,
                                       batch);
    }
    spin_unlock(&process->aspace.lock);
    assert(status == MNOS_OK); /* the end of a whole mapping: no large page is cut */
    return status == MNOS_OK;
}
