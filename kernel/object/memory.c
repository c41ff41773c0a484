// SPDX-License-Identifier: MIT
/* memory.c - see memory.h. */
#include "object/memory.h"

#include <stddef.h>

#include "assert.h"
#include "boot_code.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/ports.h"
#include "mm/slab.h"
#include "object/process.h"
#include "sched/sched.h"

#define EXTENTS_PER_FRAME (PAGE_BYTES / sizeof(struct extent))
/* A table of extents is one contiguous run of at most this many frames: 65,536 extents. */
#define TABLE_FRAMES_MAX 256u
#define HUGE_FRAMES 512
/* Pages zeroed between two looks for something more urgent. */
#define ZERO_CHUNK 32

static struct slab_cache *memory_cache;

BOOT_CODE void memory_caches_create(void)
{
    memory_cache = slab_cache_create("memory", sizeof(struct memory), 64);
}

static mnos_status_t object_alloc(struct process *payer, struct memory **memory)
{
    void *object;
    mnos_status_t status =
        quota_slab_alloc(payer == NULL ? NULL : &payer->quota, memory_cache, &object);

    if (status != MNOS_OK)
        return status;
    *memory = object;
    (*memory)->extents = &(*memory)->single;
    spin_init(&(*memory)->mappings_lock, LOCK_MAPPINGS);
    return MNOS_OK;
}

static paddr_t limit_of(unsigned alloc_flags)
{
    return (alloc_flags & MNOS_ALLOC_BELOW_4G) != 0 ? FRAME_LIMIT_4G : FRAME_LIMIT_NONE;
}

/* The longest contiguous run of at most `count` frames that can be had, by halving. What was too long
 * once is not tried again for the same object: *count only falls. */
static paddr_t alloc_some(uint64_t *count, paddr_t limit)
{
    for (;;) {
        uint64_t align = *count >= HUGE_FRAMES ? HUGE_FRAMES : 1;
        paddr_t frame = frame_alloc_run(*count, align, limit);

        if (frame == PADDR_NONE && align != 1)
            frame = frame_alloc_run(*count, 1, limit);
        if (frame != PADDR_NONE || *count == 1)
            return frame;
        *count /= 2;
    }
}

static void frames_release(struct memory *memory, uint64_t page_count)
{
    for (uint32_t i = 0; i < memory->extent_count; i++) {
        uint64_t end =
            i + 1 < memory->extent_count ? memory->extents[i + 1].first_page : page_count;

        frame_free_run(memory->extents[i].frame, end - memory->extents[i].first_page);
    }
    if (memory->extents != &memory->single)
        frame_free_run(virt_to_phys(memory->extents), memory->table_frames);
}

/* Room for one more extent: the table doubles. Its frames are charged as bytes. */
static mnos_status_t extents_grow(struct memory *memory, struct quota *quota)
{
    uint32_t frames = memory->table_frames == 0 ? 1 : memory->table_frames * 2;
    mnos_status_t status;
    struct extent *table;
    paddr_t run;

    if (frames > TABLE_FRAMES_MAX)
        return MNOS_ERR_MEMORY;
    status = quota_charge_bytes(quota, (frames - memory->table_frames) * PAGE_BYTES);
    if (status != MNOS_OK)
        return status;
    run = frame_alloc_run(frames, 1, FRAME_LIMIT_NONE);
    if (run == PADDR_NONE) {
        quota_return_bytes(quota, (frames - memory->table_frames) * PAGE_BYTES);
        return MNOS_ERR_MEMORY;
    }
    table = phys_to_virt(run);
    memcpy(table, memory->extents, memory->extent_count * sizeof(struct extent));
    if (memory->table_frames != 0)
        frame_free_run(virt_to_phys(memory->extents), memory->table_frames);
    memory->extents = table;
    memory->table_frames = frames;
    return MNOS_OK;
}

static mnos_status_t frames_alloc(struct memory *memory, struct quota *quota, paddr_t limit,
                                  uint64_t *allocated)
{
    uint64_t longest = memory->page_count;

    while (*allocated < memory->page_count) {
        uint32_t room =
            memory->table_frames == 0 ? 1 : memory->table_frames * (uint32_t)EXTENTS_PER_FRAME;
        uint64_t rest = memory->page_count - *allocated;
        uint64_t count = rest < longest ? rest : longest;
        mnos_status_t status;
        paddr_t frame;

        if (memory->extent_count == room) {
            status = extents_grow(memory, quota);
            if (status != MNOS_OK)
                return status;
        }
        frame = alloc_some(&count, limit);
        if (frame == PADDR_NONE)
            return MNOS_ERR_MEMORY;
        longest = count;
        memory->extents[memory->extent_count++] =
            (struct extent){.first_page = *allocated, .frame = frame};
        *allocated += count;
    }
    return MNOS_OK;
}

static mnos_status_t frames_alloc_contiguous(struct memory *memory, unsigned alloc_flags)
{
    uint64_t align = (alloc_flags & MNOS_ALLOC_ALIGN_2M) != 0 ? HUGE_FRAMES : 1;

    memory->single.frame = frame_alloc_run(memory->page_count, align, limit_of(alloc_flags));
    if (memory->single.frame == PADDR_NONE)
        return MNOS_ERR_MEMORY;
    memory->extent_count = 1;
    return MNOS_OK;
}

mnos_status_t memory_create(struct process *process, uint64_t page_count, unsigned alloc_flags,
                            struct memory **created)
{
    struct quota *quota = &process->quota;
    struct memory *memory;
    uint64_t allocated = 0;
    mnos_status_t status = quota_charge_frames(quota, page_count);

    if (status != MNOS_OK)
        return status;
    status = object_alloc(process, &memory);
    if (status != MNOS_OK)
        goto out_frames;
    memory->flavour = MNOS_MEMORY_RAM;
    memory->owns_frames = true;
    memory->for_dma = alloc_flags != 0;
    memory->page_count = page_count;
    if ((alloc_flags & (MNOS_ALLOC_CONTIGUOUS | MNOS_ALLOC_ALIGN_2M)) != 0)
        status = frames_alloc_contiguous(memory, alloc_flags);
    else
        status = frames_alloc(memory, quota, limit_of(alloc_flags), &allocated);
    if (status != MNOS_OK)
        goto out_object;
    kobject_init(&memory->obj, MNOS_TYPE_MEMORY, process);
    *created = memory;
    return MNOS_OK;

out_object:
    frames_release(memory, allocated);
    quota_return_bytes(quota, memory->table_frames * PAGE_BYTES);
    quota_slab_free(quota, memory_cache, memory);
out_frames:
    quota_return_frames(quota, page_count);
    return status;
}

BOOT_CODE mnos_status_t memory_create_fixed(enum mnos_memory_flavour flavour, paddr_t frame,
                                            uint64_t page_count, bool read_only,
                                            struct memory **created)
{
    struct memory *memory;
    mnos_status_t status = object_alloc(NULL, &memory);

    if (status != MNOS_OK)
        return status;
    memory->flavour = (uint8_t)flavour;
    memory->for_dma = flavour == MNOS_MEMORY_DEVICE;
    memory->read_only = read_only;
    memory->watched = flavour != MNOS_MEMORY_RAM;
    memory->page_count = page_count;
    memory->single.frame = frame;
    memory->extent_count = 1;
    kobject_init(&memory->obj, MNOS_TYPE_MEMORY, NULL);
    *created = memory;
    return MNOS_OK;
}

bool memory_zero(struct memory *memory, uint64_t *progress)
{
    uint64_t end = *progress + ZERO_CHUNK, run;

    if (end > memory->page_count)
        end = memory->page_count;
    for (; *progress < end; *progress += run) {
        paddr_t frame = memory_frame(memory, *progress, &run);

        if (run > end - *progress)
            run = end - *progress;
        memset(phys_to_virt(frame), 0, run * PAGE_BYTES);
    }
    return *progress == memory->page_count;
}

void memory_free(struct memory *memory)
{
    struct process *payer = memory->obj.payer;
    struct quota *quota = payer == NULL ? NULL : &payer->quota;

    if (memory->owns_frames) {
        frames_release(memory, memory->page_count);
        quota_return_frames(quota, memory->page_count);
        quota_return_bytes(quota, memory->table_frames * PAGE_BYTES);
    }
    quota_slab_free(quota, memory_cache, memory);
}

paddr_t memory_frame_of_table(const struct memory *memory, uint64_t page, uint64_t *run)
{
    uint32_t low = 0;
    uint32_t high = memory->extent_count;
    uint64_t end;

    assert(page < memory->page_count);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (memory->extents[middle].first_page <= page)
            low = middle;
        else
            high = middle;
    }
    end = low + 1 < memory->extent_count ? memory->extents[low + 1].first_page : memory->page_count;
    *run = end - page;
    return memory->extents[low].frame + (page - memory->extents[low].first_page) * PAGE_BYTES;
}

bool memory_unmap_one(struct memory *memory, struct capability *cap, struct tlb_batch *batch)
{
    if (memory->flavour == MNOS_MEMORY_PORTS)
        return ports_close_one_of(memory, cap, batch);
    return aspace_unmap_one_of(memory, cap, batch);
}
