// SPDX-License-Identifier: MIT
/* memory.c - see memory.h. */
#include "object/memory.h"

#include <stddef.h>

#include "abi/inspect.h"
#include "assert.h"
#include "boot/boot_code.h"
#include "lib/base/string.h"
#include "mm/frame.h"
#include "vm/ports.h"
#include "mm/slab.h"
#include "object/process.h"
#include "sched/sched.h"

/* A table of extents has at most this many, 65,536. */
#define EXTENTS_PER_FRAME (PAGE_BYTES / sizeof(struct extent))
#define LEAVES_MAX 256u
_Static_assert(LEAVES_MAX * sizeof(struct extent *) <= PAGE_BYTES);

#define LARGE_FRAMES 512u
/* What is done between two looks for something more urgent. */
#define ZERO_PAGES 5
#define FILL_RUNS 8
#define FREE_EXTENTS 2

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
    spin_init(&(*memory)->mappings_lock, LOCK_MAPPINGS);
    return MNOS_OK;
}

static struct quota *payer_of(const struct memory *memory)
{
    return memory->obj.payer == NULL ? NULL : &memory->obj.payer->quota;
}

/* ---- extents ---- */

struct extent *memory_extent(const struct memory *memory, uint32_t index)
{
    if (memory->table == NULL)
        return (struct extent *)&memory->single;
    return &memory->table[index / EXTENTS_PER_FRAME][index % EXTENTS_PER_FRAME];
}

static void table_frame_free(struct memory *memory, void *frame)
{
    frame_free(virt_to_phys(frame));
    memory->table_frames--;
    quota_return_bytes(payer_of(memory), PAGE_BYTES);
}

/* A frame for the table, charged as bytes. */
static mnos_status_t table_frame_alloc(struct memory *memory, void **allocated)
{
    mnos_status_t status = quota_charge_bytes(payer_of(memory), PAGE_BYTES);
    paddr_t frame;

    if (status != MNOS_OK)
        return status;
    frame = frame_alloc();
    if (frame == PADDR_NONE) {
        quota_return_bytes(payer_of(memory), PAGE_BYTES);
        return MNOS_ERR_MEMORY;
    }
    memory->table_frames++;
    *allocated = phys_to_virt(frame);
    return MNOS_OK;
}

/* The second extent needs a table, which the first one moves to. */
static mnos_status_t table_create(struct memory *memory)
{
    void *addresses, *leaf;
    mnos_status_t status = table_frame_alloc(memory, &addresses);

    if (status != MNOS_OK)
        return status;
    status = table_frame_alloc(memory, &leaf);
    if (status != MNOS_OK) {
        table_frame_free(memory, addresses);
        return status;
    }
    memory->table = addresses;
    memory->table[0] = leaf;
    memory->table[0][0] = memory->single;
    return MNOS_OK;
}

/* Room for one more extent. */
static mnos_status_t extent_reserve(struct memory *memory)
{
    uint32_t leaf = (uint32_t)(memory->extent_count / EXTENTS_PER_FRAME);
    mnos_status_t status;
    void *frame;

    if (memory->extent_count == 0)
        return MNOS_OK; /* `single` */
    if (memory->table == NULL)
        return table_create(memory);
    if (memory->extent_count % EXTENTS_PER_FRAME != 0)
        return MNOS_OK;
    if (leaf == LEAVES_MAX)
        return MNOS_ERR_MEMORY;
    status = table_frame_alloc(memory, &frame);
    if (status == MNOS_OK)
        memory->table[leaf] = frame;
    return status;
}

/* Adds `count` frames: to the last extent, when they lie behind it. When there is no room they are freed. */
static mnos_status_t extent_add(struct memory *memory, paddr_t frame, uint64_t count)
{
    const struct extent *last;
    mnos_status_t status;

    if (memory->extent_count != 0) {
        last = memory_extent(memory, memory->extent_count - 1);
        if (last->frame + (memory->frames - last->first_page) * PAGE_BYTES == frame) {
            memory->frames += count;
            return MNOS_OK;
        }
    }
    status = extent_reserve(memory);
    if (status != MNOS_OK) {
        frame_free_run(frame, count);
        return status;
    }
    *memory_extent(memory, memory->extent_count++) =
        (struct extent){.first_page = memory->frames, .frame = frame};
    memory->frames += count;
    return MNOS_OK;
}

/* Frees some of the last extent. */
static void extent_release(struct memory *memory)
{
    const struct extent *last = memory_extent(memory, memory->extent_count - 1);
    uint64_t count = memory->frames - last->first_page;

    if (count > FRAME_STEP)
        count = FRAME_STEP;
    memory->frames -= count;
    frame_free_run(last->frame + (memory->frames - last->first_page) * PAGE_BYTES, count);
    if (memory->frames != last->first_page)
        return;
    memory->extent_count--;
    if (memory->table != NULL && memory->extent_count % EXTENTS_PER_FRAME == 0)
        table_frame_free(memory, memory->table[memory->extent_count / EXTENTS_PER_FRAME]);
}

bool memory_empty(struct memory *memory)
{
    for (unsigned i = 0; i < FREE_EXTENTS && memory->extent_count != 0; i++) {
        bool long_one =
            memory->frames - memory_extent(memory, memory->extent_count - 1)->first_page >
            FREE_EXTENTS;

        extent_release(memory);
        if (long_one)
            break;
    }
    return memory->extent_count == 0;
}

/* ---- finding frames ---- */

static paddr_t limit_of(const struct memory *memory)
{
    return (memory->alloc_flags & MNOS_ALLOC_BELOW_4G) != 0 ? FRAME_LIMIT_4G : FRAME_LIMIT_NONE;
}

static bool is_contiguous(const struct memory *memory)
{
    return (memory->alloc_flags & (MNOS_ALLOC_CONTIGUOUS | MNOS_ALLOC_ALIGN_2M)) != 0;
}

/* Sees to it that there is a range to look at; false: all parts have been. */
static bool range_open(const struct memory *memory, struct memory_search *search)
{
    while (!search->begun || search->range.from >= search->range.end) {
        if (!frame_part(search->part, limit_of(memory), &search->range))
            return false;
        search->part++;
        search->begun = true;
    }
    return true;
}

/* All in one piece: takes the beginning, then what lies behind it; when that is not free, gives back what it has
 * taken and looks further. True: finished. */
static bool fill_contiguous(struct memory *memory, struct memory_search *search,
                            mnos_status_t *status)
{
    uint64_t rest = memory->page_count - memory->frames;
    uint64_t align = (memory->alloc_flags & MNOS_ALLOC_ALIGN_2M) != 0 ? LARGE_FRAMES : 1;
    paddr_t frame, next = memory->single.frame + memory->frames * PAGE_BYTES;

    if (search->blocked) {
        search->blocked = !memory_empty(memory);
        return false;
    }
    if (memory->frames == 0) {
        if (!range_open(memory, search)) {
            *status = MNOS_ERR_MEMORY;
            return true;
        }
        frame = frame_claim_run(&search->range, rest < FRAME_STEP ? rest : FRAME_STEP, align);
        if (frame != PADDR_NONE)
            *status = extent_add(memory, frame, rest < FRAME_STEP ? rest : FRAME_STEP);
    } else {
        struct frame_range behind = search->range;

        if (behind.end - behind.from > rest)
            behind.end = behind.from + rest;
        frame = frame_claim_next(&behind, &rest);
        if (frame == next)
            *status = extent_add(memory, frame, rest);
        else if (frame != PADDR_NONE)
            frame_free_run(frame, rest);
        search->blocked = frame != next;
        search->range.from = behind.from;
    }
    return *status != MNOS_OK || memory->frames == memory->page_count;
}

/* What is looked for, one after the other: runs that large pages can map; the rest in one piece; whatever comes. */
enum { SIZE_LARGE, SIZE_REST, SIZE_ANY };
_Static_assert(FRAME_STEP >= LARGE_FRAMES);

static bool size_applies(unsigned size, uint64_t rest)
{
    return size == SIZE_ANY || (size == SIZE_LARGE) == (rest >= LARGE_FRAMES);
}

/* One run. True: nothing was taken, and nothing more is there of the size that is looked for. */
static bool fill_run(struct memory *memory, struct memory_search *search, mnos_status_t *status)
{
    uint64_t count = memory->page_count - memory->frames;
    paddr_t frame;

    if (!size_applies(search->size, count) || !range_open(memory, search))
        return true;
    if (search->size == SIZE_ANY) {
        frame = frame_claim_next(&search->range, &count);
    } else {
        if (search->size == SIZE_LARGE)
            count = LARGE_FRAMES;
        frame =
            frame_claim_run(&search->range, count, search->size == SIZE_LARGE ? LARGE_FRAMES : 1);
    }
    if (frame != PADDR_NONE)
        *status = extent_add(memory, frame, count);
    return false;
}

/* In as many pieces as it takes. */
static bool fill_pieces(struct memory *memory, struct memory_search *search, mnos_status_t *status)
{
    for (unsigned i = 0; i < FILL_RUNS && memory->frames < memory->page_count; i++) {
        if (!fill_run(memory, search, status)) {
            if (*status != MNOS_OK)
                return true;
            if (search->size != SIZE_ANY)
                break; /* may have looked at much */
            continue;
        }
        if (search->size == SIZE_ANY) {
            *status = MNOS_ERR_MEMORY;
            return true;
        }
        *search = (struct memory_search){.size = search->size + 1};
    }
    return memory->frames == memory->page_count;
}

bool memory_fill(struct memory *memory, struct memory_search *search, mnos_status_t *status)
{
    paddr_t frame;

    *status = MNOS_OK;
    if (memory->page_count == 1 && memory->alloc_flags == 0) { /* out of the core's magazine */
        frame = frame_alloc();
        if (frame == PADDR_NONE)
            *status = MNOS_ERR_MEMORY;
        else
            *status = extent_add(memory, frame, 1);
        return true;
    }
    if (is_contiguous(memory))
        return fill_contiguous(memory, search, status);
    return fill_pieces(memory, search, status);
}

/* ---- objects ---- */

mnos_status_t memory_create(struct process *process, uint64_t page_count, unsigned alloc_flags,
                            struct memory **created)
{
    struct quota *quota = &process->quota;
    struct memory *memory;
    mnos_status_t status = quota_charge_frames(quota, page_count);

    if (status != MNOS_OK)
        return status;
    status = object_alloc(process, &memory);
    if (status != MNOS_OK) {
        quota_return_frames(quota, page_count);
        return status;
    }
    memory->flavour = MNOS_MEMORY_RAM;
    memory->owns_frames = true;
    memory->alloc_flags = (uint8_t)alloc_flags;
    memory->for_dma = alloc_flags != 0;
    memory->page_count = page_count;
    kobject_init(&memory->obj, MNOS_TYPE_MEMORY, process);
    *created = memory;
    return MNOS_OK;
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
    memory->frames = page_count;
    kobject_init(&memory->obj, MNOS_TYPE_MEMORY, NULL);
    *created = memory;
    return MNOS_OK;
}

bool memory_zero(struct memory *memory, uint64_t *progress)
{
    uint64_t end = *progress + ZERO_PAGES, run;

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

bool memory_free(struct kobject *object)
{
    struct memory *memory = memory_of(object);
    struct quota *quota = payer_of(memory);

    if (memory->owns_frames) {
        if (!memory_empty(memory))
            return false;
        if (memory->table != NULL)
            table_frame_free(memory, memory->table);
        quota_return_frames(quota, memory->page_count);
    }
    quota_slab_free(quota, memory_cache, memory);
    return true;
}

paddr_t memory_frame_of_table(const struct memory *memory, uint64_t page, uint64_t *run)
{
    uint32_t low = 0;
    uint32_t high = memory->extent_count;
    const struct extent *extent;
    uint64_t end;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (memory_extent(memory, middle)->first_page <= page)
            low = middle;
        else
            high = middle;
    }
    extent = memory_extent(memory, low);
    end = low + 1 < memory->extent_count ? memory_extent(memory, low + 1)->first_page
                                         : memory->page_count;
    *run = end - page;
    return extent->frame + (page - extent->first_page) * PAGE_BYTES;
}

bool memory_drain_locked(struct kobject *object, struct capability *cap, struct tlb_batch *batch,
                         void **rest)
{
    struct memory *memory = memory_of(object);

    (void)rest;
    if (memory->flavour == MNOS_MEMORY_PORTS)
        return ports_close_one_of(memory, cap, batch);
    return aspace_unmap_one_of(memory, cap, batch);
}

void memory_describe(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info)
{
    const struct memory *memory = memory_of(view->object);
    uint64_t run;
    paddr_t address;

    info->flavour = memory->flavour;
    info->physical_address = UINT64_MAX;
    if (!is_holder || !memory->for_dma || (view->rights & MNOS_RIGHT_READ) == 0)
        return;
    address = memory_frame(memory, view->first, &run);
    if (run >= view->count && run != 0)
        info->physical_address = address;
}
