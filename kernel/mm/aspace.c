// SPDX-License-Identifier: MIT
/* aspace.c - see aspace.h. */
#include "mm/aspace.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "cap/capability.h"
#include "core.h"
#include "lib/list.h"
#include "mm/mapping.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/sched.h"

/* Pages handled between two looks for something more urgent. */
#define CHUNK_PAGES 512
#define LARGE_BYTES (CHUNK_PAGES * PAGE_BYTES) /* of a large page */
/* Page tables freed in one step of aspace_destroy(). */
#define DESTROY_TABLES 16

static uint64_t mapping_end(const struct mapping *mapping)
{
    return mapping->node.key + mapping->page_count * PAGE_BYTES;
}

/* ---- TLB ---- */

/* Forgets which address space it is, and keeps which cores it concerns. */
static void tlb_batch_detach(struct tlb_batch *batch)
{
    if (batch->single != NULL) {
        batch->cores |= batch->single->loaded_on;
        batch->several = true;
    }
    batch->single = NULL;
}

bool tlb_batch_preempt_point(struct tlb_batch *batch)
{
    tlb_batch_detach(batch);
    return sched_preempt_point();
}

/* After the entries have been cleared: a core that loads the address space later reads them cleared, one
 * that did so earlier is seen here. */
static void batch_add(struct tlb_batch *batch, struct arch_aspace *aspace, uaddr_t address,
                      uint64_t page_count)
{
    this_core()->tlb_pending = true;
    atomic_thread_fence(memory_order_seq_cst); /* pairs with arch_aspace_load() */
    if (batch->single == NULL && !batch->several) {
        batch->single = aspace;
        batch->address = address;
        batch->page_count = page_count;
        batch->cores = aspace->loaded_on;
        return;
    }
    if (batch->single == aspace && batch->address == address + page_count * PAGE_BYTES) {
        batch->address = address; /* unmapping goes from the end */
        batch->page_count += page_count;
        return;
    }
    tlb_batch_detach(batch);
    batch->cores |= aspace->loaded_on;
}

void tlb_batch_finish(struct tlb_batch *batch)
{
    if (batch->several)
        arch_tlb_flush_cores(batch->cores);
    else if (batch->single != NULL)
        arch_aspace_flush(batch->single, batch->address, batch->page_count);
    if (batch->ports)
        arch_ports_changed();
    *batch = (struct tlb_batch){0};
    this_core()->tlb_pending = this_core()->tlb_owed != 0 || this_core()->ports_owed;
}

void tlb_batch_finish_all(struct tlb_batch *batch)
{
    tlb_batch_finish(batch);
    for (uint32_t i = 0; i < core_count; i++) {
        if (!__atomic_load_n(&cores[i].tlb_pending, __ATOMIC_ACQUIRE))
            continue;
        arch_tlb_flush_cores(sched_online_cores());
        arch_ports_changed();
        return;
    }
}

void tlb_batch_defer(struct tlb_batch *batch)
{
    struct core *core = this_core();

    tlb_batch_detach(batch);
    core->tlb_owed |= batch->cores;
    core->ports_owed |= batch->ports;
    if (core->tlb_owed != 0 || core->ports_owed)
        core->need_resched = true; /* so that the long way out is taken */
    *batch = (struct tlb_batch){0};
}

void tlb_batch_leave_kernel(void)
{
    struct core *core = this_core();

    if (core->tlb_owed != 0)
        arch_tlb_flush_cores(core->tlb_owed);
    if (core->ports_owed)
        arch_ports_changed();
    core->tlb_owed = 0;
    core->ports_owed = false;
    core->tlb_pending = false;
}

/* ---- creation and destruction ---- */

mnos_status_t aspace_create(struct process *process)
{
    spin_init(&process->aspace.lock, LOCK_ASPACE);
    process->aspace.mappings.root = NULL;
    return arch_aspace_create(&process->aspace.arch, &process->quota);
}

/* The address space is locked. */
static void mapping_free_locked(struct mapping *mapping)
{
    tree_remove(&mapping->process->aspace.mappings, &mapping->node);
    mapping_destroy(mapping);
}

bool aspace_destroy(struct process *process)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping;

    for (unsigned i = 0; i < DESTROY_TABLES; i++) {
        spin_lock(&aspace->lock);
        mapping = mapping_of(tree_first(&aspace->mappings));
        if (mapping != NULL)
            mapping_free_locked(mapping);
        spin_unlock(&aspace->lock);
        if (mapping == NULL)
            return arch_aspace_destroy(&aspace->arch, &process->quota, DESTROY_TABLES);
    }
    return false;
}

/* ---- mapping ---- */

static bool range_valid(uaddr_t address, uint64_t count)
{
    return address % PAGE_BYTES == 0 && count != 0 && address >= PAGE_BYTES &&
           address < MNOS_USER_END && count <= (MNOS_USER_END - address) / PAGE_BYTES;
}

bool aspace_overlaps_locked(struct aspace *aspace, uaddr_t address, uint64_t count)
{
    struct mapping *below = mapping_of(tree_at_or_below(&aspace->mappings, address));
    struct mapping *above = mapping_of(tree_at_or_above(&aspace->mappings, address));

    return (below != NULL && mapping_end(below) > address) ||
           (above != NULL && above->node.key < address + count * PAGE_BYTES);
}

/* True when `cap`, as the present kernel entry found it, lets its holder have pages [first, first + count) of
 * the object with these rights. */
static bool allows(const struct cap_view *cap, uint64_t first, uint64_t count, unsigned rights)
{
    const unsigned access = rights & (MAP_READ | MAP_WRITE | MAP_EXECUTE);

    return first >= cap->first && first - cap->first <= cap->count &&
           count <= cap->count - (first - cap->first) && (access & ~(unsigned)cap->rights) == 0;
}

/* Enters up to CHUNK_PAGES more pages of `mapping`, beginning at page `done`, into the page tables. */
static mnos_status_t map_chunk_locked(struct mapping *mapping, const struct cap_view *cap,
                                      uint64_t done, uint64_t count)
{
    struct process *process = mapping->process;
    uint64_t end = done + CHUNK_PAGES < count ? done + CHUNK_PAGES : count;
    mnos_status_t status;

    while (done < end) {
        uint64_t run;
        paddr_t frame = memory_frame(mapping->memory, mapping->first_page + done, &run);

        /* Large pages need the whole run at once; a run of one extent is cheap however long. */
        if (run > count - done)
            run = count - done;
        if (run > CHUNK_PAGES && (mapping->node.key + done * PAGE_BYTES - frame) % LARGE_BYTES != 0)
            run = CHUNK_PAGES; /* page by page */
        if (run > CHUNK_PAGES * CHUNK_PAGES)
            run = CHUNK_PAGES * CHUNK_PAGES;
        if (run == 0 || !allows(cap, mapping->first_page + done, run, mapping->rights))
            return MNOS_ERR_STATE;
        status =
            arch_aspace_map(&process->aspace.arch, &process->quota,
                            mapping->node.key + done * PAGE_BYTES, frame, run, mapping->rights);
        if (status != MNOS_OK)
            return status;
        done += run;
        mapping->page_count = done;
    }
    return MNOS_OK;
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
                                          const struct call_record *record,
                                          struct mapping **mapping)
{
    *mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));
    if (*mapping == NULL || (*mapping)->serial != record->serial ||
        (*mapping)->page_count != record->done)
        return MNOS_ERR_STATE;
    return MNOS_OK;
}

/* A failed mapping leaves nothing behind. No TLB can hold what was never used by a thread that got an
 * error; another thread of the process may have touched it, hence the flush by the caller. */
static void mapping_abandon_locked(struct mapping *mapping)
{
    struct process *process = mapping->process;

    if (mapping->page_count != 0 &&
        arch_aspace_unmap(&process->aspace.arch, &process->quota, mapping->node.key,
                          mapping->page_count) != MNOS_OK)
        assert(!"unmapping whole pages cannot fail");
    mapping_free_locked(mapping);
}

/* What most mappings are. That no mapping is in the way is what its empty entry proves (A2). */
static mnos_status_t map_page_locked(struct process *process, const struct cap_view *cap,
                                     uaddr_t address, uint64_t first, unsigned rights)
{
    struct mapping *mapping;
    uint64_t run;
    paddr_t frame;
    mnos_status_t status = mapping_create(process, cap, first, rights, &mapping);

    if (status != MNOS_OK)
        return status;
    mapping_watch(mapping, 1);
    frame = memory_frame(mapping->memory, first, &run);
    status = run == 0 ? MNOS_ERR_STATE /* beyond the object: no capability reaches there */
                      : arch_aspace_map(&process->aspace.arch, &process->quota, address, frame, 1,
                                        rights);
    if (status != MNOS_OK) {
        mapping_destroy(mapping);
        return status;
    }
    mapping->page_count = 1;
    tree_insert(&process->aspace.mappings, &mapping->node, address);
    return MNOS_OK;
}

mnos_status_t aspace_map_page(struct process *process, const struct cap_view *cap, uaddr_t address,
                              uint64_t first, unsigned rights)
{
    mnos_status_t status;

    if (address % PAGE_BYTES != 0 || address - PAGE_BYTES >= MNOS_USER_END - PAGE_BYTES)
        return MNOS_ERR_ADDRESS;
    spin_lock(&process->aspace.lock);
    status = map_page_locked(process, cap, address, first, rights);
    spin_unlock(&process->aspace.lock);
    return status;
}

mnos_status_t aspace_map(struct process *process, const struct cap_view *cap, uaddr_t address,
                         uint64_t first, uint64_t count, unsigned rights,
                         struct call_record *record, bool *again)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping = NULL;
    struct tlb_batch batch = {0};
    mnos_status_t status = MNOS_OK;

    *again = false;
    if (!range_valid(address, count))
        return MNOS_ERR_ADDRESS;
    spin_lock(&aspace->lock);
    if (record->serial == 0)
        status = mapping_begin_locked(process, cap, address, first, count, rights, &mapping);
    else
        status = mapping_begun_locked(aspace, address, record, &mapping);
    if (status == MNOS_OK) {
        record->serial = mapping->serial;
        status = map_chunk_locked(mapping, cap, record->done, count);
        record->done = mapping->page_count;
        if (status != MNOS_OK) {
            batch_add(&batch, &aspace->arch, address, count);
            mapping_abandon_locked(mapping);
            record->serial = record->done = 0;
        }
    }
    spin_unlock(&aspace->lock);
    tlb_batch_finish(&batch);
    *again = status == MNOS_OK && record->done < count;
    return status;
}

/* ---- unmapping ---- */

static bool covered_locked(struct aspace *aspace, uaddr_t address, uaddr_t end)
{
    while (address < end) {
        struct mapping *mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));

        if (mapping == NULL || mapping_end(mapping) <= address)
            return false;
        address = mapping_end(mapping);
    }
    return true;
}

/* Where the next piece to be unmapped of [address, end) begins: at the end of the range, and not in the
 * middle of a large page, which would have to be split. */
static uaddr_t tail_start(const struct mapping *mapping, uaddr_t address, uaddr_t end)
{
    uaddr_t from = (end - 1) & ~(LARGE_BYTES - 1);

    if (from < address)
        from = address;
    return from < mapping->node.key ? mapping->node.key : from;
}

/* Unmaps up to CHUNK_PAGES pages at the end of [address, end), which is covered; *unmapped tells how
 * many. The page tables come first: splitting a large page may fail, and then nothing has changed. */
static mnos_status_t unmap_tail_locked(struct process *process, uaddr_t address, uaddr_t end,
                                       uint64_t *unmapped, struct tlb_batch *batch)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping = mapping_of(tree_at_or_below(&aspace->mappings, end - 1));
    uaddr_t from = tail_start(mapping, address, end);
    uint64_t behind = (mapping_end(mapping) - end) / PAGE_BYTES;
    uint64_t pages = (end - from) / PAGE_BYTES;
    struct mapping *rest = NULL;
    mnos_status_t status = behind == 0 ? MNOS_OK : mapping_twin(mapping, &rest);

    if (status != MNOS_OK)
        return status;
    status = arch_aspace_unmap(&aspace->arch, &process->quota, from, pages);
    if (status != MNOS_OK) {
        if (rest != NULL)
            mapping_destroy(rest);
        return status;
    }
    batch_add(batch, &aspace->arch, from, pages);
    if (rest != NULL) {
        rest->first_page = mapping->first_page + mapping->page_count - behind;
        rest->page_count = behind;
        tree_insert(&aspace->mappings, &rest->node, end);
    }
    mapping->page_count -= pages + behind;
    if (mapping->page_count == 0)
        mapping_free_locked(mapping);
    *unmapped = pages;
    return MNOS_OK;
}

mnos_status_t aspace_unmap(struct process *process, uaddr_t address, uint64_t count,
                           uint64_t *progress, bool *again, struct tlb_batch *batch)
{
    struct aspace *aspace = &process->aspace;
    mnos_status_t status = MNOS_OK;
    uint64_t unmapped = 0;
    uaddr_t end;

    *again = false;
    if (!range_valid(address, count) || *progress >= count)
        return MNOS_ERR_ADDRESS;
    end = address + (count - *progress) * PAGE_BYTES;
    spin_lock(&aspace->lock);
    if (!covered_locked(aspace, address, end))
        status = MNOS_ERR_NOT_MAPPED;
    else
        status = unmap_tail_locked(process, address, end, &unmapped, batch);
    spin_unlock(&aspace->lock);
    *progress += unmapped;
    *again = status == MNOS_OK && *progress < count;
    return status;
}

bool aspace_unmap_page(struct process *process, uaddr_t address)
{
    struct aspace *aspace = &process->aspace;
    struct mapping *mapping;

    spin_lock(&aspace->lock);
    mapping = mapping_of(tree_at_or_below(&aspace->mappings, address));
    if (mapping == NULL || mapping->node.key != address || mapping->page_count != 1) {
        spin_unlock(&aspace->lock);
        return false;
    }
    if (arch_aspace_unmap(&aspace->arch, &process->quota, address, 1) != MNOS_OK)
        assert(!"a mapping of one page is in no large page");
    this_core()->tlb_pending = true; /* before its memory loses sight of it */
    mapping_free_locked(mapping);
    spin_unlock(&aspace->lock);
    arch_aspace_flush(&aspace->arch, address, 1);
    this_core()->tlb_pending = false;
    return true;
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
            mapping_free_locked(mapping); /* of a sys_mem_map that has not got far */
        else
            status = unmap_tail_locked(process, mapping->node.key, mapping_end(mapping), &unmapped,
                                       batch);
    }
    spin_unlock(&process->aspace.lock);
    assert(status == MNOS_OK); /* the end of a whole mapping: no large page is split */
    return status == MNOS_OK;
}
