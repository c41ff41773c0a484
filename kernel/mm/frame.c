// SPDX-License-Identifier: MIT
/*
 * frame.c - zones of the frame bitmap (frame_bits.h), and the magazines of single frames above it.
 *
 * The bitmap is divided in two zones at 4 GiB: where there is memory above, ordinary requests take it first,
 * so that memory below stays for devices that cannot address more. Each zone is searched from where the last
 * search ended.
 *
 *   F1  zone.free is the number of clear bits in the zone
 *   F2  a frame in a magazine has its bit set and is in no other magazine
 *   F3  frames in magazine.zeroed contain zeros
 */
#include "mm/frame.h"

#include "assert.h"

#include "boot/bootinfo.h"
#include "boot/boot_code.h"
#include "core.h"
#include "lib/base/string.h"
#include "base/panic.h"
#include "mm/frame_bits.h"
#include "base/spinlock.h"

enum {
    MAGAZINE_FRAMES = 64,
    MAGAZINE_BATCH = 32, /* moved at once between a magazine and the bitmap */
    WORD_BITS = FRAME_WORD_BITS,
    LOOK_WORDS = 32, /* of the bitmap, in one search; a step's run is less than half of that */
};
_Static_assert(FRAME_STEP <= LOOK_WORDS * WORD_BITS / 2);

#define FRAMES_BELOW_4G (FRAME_LIMIT_4G >> PAGE_SHIFT)

enum zone_name { ZONE_LOW, ZONE_HIGH, ZONE_COUNT };

/* Frame numbers; [begin, end) are multiples of WORD_BITS. */
struct zone {
    uint64_t begin;
    uint64_t end;
    uint64_t hint; /* where to go on searching */
    uint64_t free; /* others read it without the lock */
};

/* Touched only by its core; others read the counts. */
struct magazine {
    _Atomic uint32_t count;
    _Atomic uint32_t zeroed_count;
    paddr_t frames[MAGAZINE_FRAMES];
    paddr_t zeroed[FRAME_ZEROED]; /* the tables and the IPC buffer of a small process */
};

/* Guards bitmap and zones. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_FRAME);
static struct zone zones[ZONE_COUNT];

static struct magazine magazines[MNOS_CORES_MAX] __attribute__((aligned(64)));
static uint64_t frames_total; /* constant after frame_init() */
static paddr_t bitmap_frame;
static uint64_t direct_offset; /* of the map that memory is reached through */

/* ---- zones ---- */

static struct zone *zone_of(uint64_t frame)
{
    return &zones[frame >= FRAMES_BELOW_4G ? ZONE_HIGH : ZONE_LOW];
}

/* Frames [first, end), which lie within one zone. */
static void mark_locked(uint64_t first, uint64_t end, bool used)
{
    struct zone *zone = zone_of(first);

    frame_bits_mark(first, end, used);
    if (used)
        zone->free -= end - first;
    else
        zone->free += end - first;
}

/* Takes up to `wanted` single frames out of a zone. */
static uint32_t take_singles_locked(struct zone *zone, paddr_t *frames, uint32_t wanted)
{
    uint32_t taken = 0;

    if (wanted > zone->free)
        wanted = (uint32_t)zone->free;
    while (taken < wanted) {
        uint64_t at = frame_bits_find_free(zone->hint, zone->end), bits, left;

        if (at == zone->end) {
            zone->hint = zone->begin; /* zone->free says that there are more */
            continue;
        }
        at &= ~(uint64_t)(WORD_BITS - 1);
        bits = ~frame_bits_word(at);
        for (left = bits; left != 0 && taken < wanted; left &= left - 1)
            frames[taken++] = (at + (uint64_t)__builtin_ctzll(left)) << PAGE_SHIFT;
        frame_bits_take(at, bits & ~left);
        zone->hint = at;
    }
    zone->free -= taken;
    return taken;
}

static void take_locked(uint64_t first, uint64_t count)
{
    struct zone *zone = zone_of(first);

    mark_locked(first, first + count, true);
    zone->hint = (first + count) & ~(uint64_t)(WORD_BITS - 1);
    if (zone->hint >= zone->end)
        zone->hint = zone->begin;
}

/* ---- single frames, through the core's magazine ---- */

/* Relaxed: only statistics to the other cores. */
static uint32_t count_of(const _Atomic uint32_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void set_count(_Atomic uint32_t *count, uint32_t value)
{
    atomic_store_explicit(count, value, memory_order_relaxed);
}

static bool refill(struct magazine *magazine)
{
    uint32_t taken;

    spin_lock(&lock);
    taken = take_singles_locked(&zones[ZONE_HIGH], magazine->frames, MAGAZINE_BATCH);
    if (taken == 0)
        taken = take_singles_locked(&zones[ZONE_LOW], magazine->frames, MAGAZINE_BATCH);
    spin_unlock(&lock);
    /* Taken from the end of the array: turned round, frames come out in ascending order. */
    for (uint32_t i = 0; i < taken / 2; i++) {
        paddr_t other = magazine->frames[i];
        magazine->frames[i] = magazine->frames[taken - 1 - i];
        magazine->frames[taken - 1 - i] = other;
    }
    set_count(&magazine->count, taken);
    return taken > 0;
}

/* Gives `count` frames, the ones least recently freed, back to the bitmap. */
static void drain(struct magazine *magazine, uint32_t count)
{
    uint32_t left = count_of(&magazine->count) - count;

    spin_lock(&lock);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t frame = magazine->frames[i] >> PAGE_SHIFT;
        frame_bits_give(frame);
        zone_of(frame)->free++;
    }
    spin_unlock(&lock);
    memmove(magazine->frames, magazine->frames + count, left * sizeof(magazine->frames[0]));
    set_count(&magazine->count, left);
}

static void zero(paddr_t frame)
{
    memset((void *)(uintptr_t)(frame + direct_offset), 0, PAGE_BYTES);
}

static paddr_t take_zeroed(struct magazine *magazine)
{
    uint32_t count = count_of(&magazine->zeroed_count);

    if (count == 0)
        return PADDR_NONE;
    set_count(&magazine->zeroed_count, count - 1);
    return magazine->zeroed[count - 1];
}

paddr_t frame_alloc(void)
{
    struct magazine *magazine = &magazines[this_core()->index];
    uint32_t count = count_of(&magazine->count);

    if (count == 0) {
        if (!refill(magazine))
            return take_zeroed(magazine);
        count = count_of(&magazine->count);
    }
    set_count(&magazine->count, count - 1);
    return magazine->frames[count - 1];
}

paddr_t frame_alloc_zeroed(void)
{
    paddr_t frame = take_zeroed(&magazines[this_core()->index]);

    if (frame != PADDR_NONE)
        return frame;
    frame = frame_alloc();
    if (frame != PADDR_NONE)
        zero(frame);
    return frame;
}

void frame_free(paddr_t frame)
{
    struct magazine *magazine = &magazines[this_core()->index];
    uint32_t count = count_of(&magazine->count);

    assert(frame != PADDR_NONE && frame % PAGE_BYTES == 0 && frame_bits_used(frame >> PAGE_SHIFT));
    if (count == MAGAZINE_FRAMES) {
        drain(magazine, MAGAZINE_BATCH);
        count = MAGAZINE_FRAMES - MAGAZINE_BATCH;
    }
    magazine->frames[count] = frame;
    set_count(&magazine->count, count + 1);
}

void frame_free_zeroing(paddr_t frame)
{
    struct magazine *magazine = &magazines[this_core()->index];
    uint32_t count = count_of(&magazine->zeroed_count);

    if (count == FRAME_ZEROED) {
        frame_free(frame);
        return;
    }
    assert(frame != PADDR_NONE && frame % PAGE_BYTES == 0 && frame_bits_used(frame >> PAGE_SHIFT));
    zero(frame);
    magazine->zeroed[count] = frame;
    set_count(&magazine->zeroed_count, count + 1);
}

bool frame_zero_ahead(uint32_t count)
{
    paddr_t frame = PADDR_NONE;

    if (count_of(&magazines[this_core()->index].zeroed_count) < count)
        frame = frame_alloc();
    if (frame != PADDR_NONE)
        frame_free_zeroing(frame);
    return frame != PADDR_NONE;
}

/* ---- runs ---- */

bool frame_part(unsigned number, paddr_t limit, struct frame_range *range)
{
    const struct zone *zone = &zones[number < 2 ? ZONE_HIGH : ZONE_LOW];
    uint64_t limit_frame = limit >> PAGE_SHIFT, from;

    if (number >= FRAME_PARTS)
        return false;
    from = number % 2 == 0 ? __atomic_load_n(&zone->hint, __ATOMIC_RELAXED) : zone->begin;
    range->end = zone->end < limit_frame ? zone->end : limit_frame;
    range->from = from < range->end ? from : range->end;
    return true;
}

paddr_t frame_claim_run(struct frame_range *range, uint64_t count, uint64_t align)
{
    uint64_t words = LOOK_WORDS, found;

    spin_lock(&lock);
    found = frame_bits_find_run(&range->from, range->end, count, align, &words);
    if (found != range->end) {
        take_locked(found, count);
        range->from = found + count;
    }
    spin_unlock(&lock);
    return found == range->end ? PADDR_NONE : found << PAGE_SHIFT;
}

paddr_t frame_claim_next(struct frame_range *range, uint64_t *count)
{
    uint64_t first, end;

    if (*count > FRAME_STEP)
        *count = FRAME_STEP;
    spin_lock(&lock);
    first = frame_bits_find_free(range->from, range->end);
    end = *count < range->end - first ? first + *count : range->end;
    end = frame_bits_find_used(first, end);
    if (first != end)
        take_locked(first, end - first);
    spin_unlock(&lock);
    range->from = end;
    *count = end - first;
    return first == end ? PADDR_NONE : first << PAGE_SHIFT;
}

paddr_t frame_alloc_run(uint64_t count, uint64_t align, paddr_t limit)
{
    struct frame_range range;
    uint64_t found, words = UINT64_MAX;

    if (count == 1 && align == 1 && limit == FRAME_LIMIT_NONE)
        return frame_alloc();
    if (count == 0 || count > frames_total)
        return PADDR_NONE;
    for (unsigned part = 0; frame_part(part, limit, &range); part++) {
        spin_lock(&lock);
        found = frame_bits_find_run(&range.from, range.end, count, align, &words);
        if (found != range.end)
            take_locked(found, count);
        spin_unlock(&lock);
        if (found != range.end)
            return found << PAGE_SHIFT;
    }
    return PADDR_NONE;
}

paddr_t frame_alloc_group(uint64_t count, uint64_t align)
{
    static uint64_t from; /* where the last search gave up; under the lock */
    struct core *core = this_core();
    uint64_t words = LOOK_WORDS, found = 0;

    assert(count <= FRAME_STEP);
    if (count == 1 && align == 1)
        return frame_alloc();
    spin_lock(&lock);
    for (unsigned i = 0; i < 2 * ZONE_COUNT && words > 0 && found == 0; i++) {
        struct zone *zone = zone_of(from);
        struct frame_range range = {from < zone->begin ? zone->begin : from, zone->end};

        found = frame_bits_find_run(&range.from, range.end, count, align, &words);
        from = range.from;
        if (found != range.end)
            break;
        found = 0;
        if (range.from == range.end) /* on to the other zone */
            from = zone == &zones[ZONE_LOW] ? FRAMES_BELOW_4G : 0;
    }
    if (found != 0)
        mark_locked(found, found + count, true);
    core->frames_unseen = found == 0 && words == 0;
    spin_unlock(&lock);
    return found << PAGE_SHIFT;
}

bool frame_worth_another_look(uint32_t *looks)
{
    struct core *core = this_core();
    bool unseen = core->frames_unseen;

    core->frames_unseen = false;
    return unseen && ++*looks <= 2 * frames_total / (LOOK_WORDS * WORD_BITS) + 2;
}

void frame_free_run(paddr_t first, uint64_t count)
{
    uint64_t frame = first >> PAGE_SHIFT;

    if (count == 1) {
        frame_free(first);
        return;
    }
    assert(first != PADDR_NONE && first % PAGE_BYTES == 0);
    spin_lock(&lock);
    mark_locked(frame, frame + count, false);
    spin_unlock(&lock);
}

/* ---- counts ---- */

uint64_t frame_count_total(void)
{
    return frames_total;
}

uint64_t frame_count_free(void)
{
    uint64_t count = __atomic_load_n(&zones[ZONE_LOW].free, __ATOMIC_RELAXED) +
                     __atomic_load_n(&zones[ZONE_HIGH].free, __ATOMIC_RELAXED);

    for (uint32_t i = 0; i < core_count; i++)
        count += count_of(&magazines[i].count) + count_of(&magazines[i].zeroed_count);
    return count;
}

/* ---- boot ---- */

/* Clears the bits of [base, end); it may cross from one zone to the other. Never of frame 0: that
 * address means "none". */
BOOT_CODE static void release_range(paddr_t base, paddr_t end)
{
    uint64_t first = base >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

    if (first == 0)
        first = 1;
    if (first < FRAMES_BELOW_4G && last > FRAMES_BELOW_4G) {
        mark_locked(first, FRAMES_BELOW_4G, false);
        first = FRAMES_BELOW_4G;
    }
    if (first < last)
        mark_locked(first, last, false);
}

/* Reserves room for the bitmap inside the usable ranges: the last that is large enough, since what is
 * below 4 GiB is the scarcer kind. */
BOOT_CODE static void place_bitmap(uint64_t bytes)
{
    for (uint32_t i = boot_info.range_count; i > 0; i--) {
        const struct boot_range *range = &boot_info.ranges[i - 1];
        if (range->type == BOOT_RANGE_USABLE && range->end - range->base > bytes) {
            bitmap_frame = range->end - bytes;
            return;
        }
    }
    panic("no room for the frame bitmap of %lu KiB: the machine has too little memory",
          bytes / 1024);
}

BOOT_CODE void frame_init(void)
{
    uint64_t frame_end = frame_map_count(&frames_total), bytes;

    direct_offset = boot_info.hhdm_offset;
    frame_end = (frame_end + WORD_BITS - 1) & ~(uint64_t)(WORD_BITS - 1);
    bytes = (frame_bits_bytes(frame_end) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    place_bitmap(bytes);
    frame_bits_init(boot_phys_to_virt(bitmap_frame), frame_end);

    uint64_t low_end = frame_end < FRAMES_BELOW_4G ? frame_end : FRAMES_BELOW_4G;
    zones[ZONE_LOW] = (struct zone){.end = low_end};
    zones[ZONE_HIGH] = (struct zone){FRAMES_BELOW_4G, FRAMES_BELOW_4G, FRAMES_BELOW_4G, 0};
    if (frame_end > FRAMES_BELOW_4G)
        zones[ZONE_HIGH].end = frame_end;

    spin_lock(&lock);
    for (uint32_t i = 0; i < boot_info.range_count; i++)
        if (boot_info.ranges[i].type == BOOT_RANGE_USABLE)
            release_range(boot_info.ranges[i].base, boot_info.ranges[i].end);
    mark_locked(bitmap_frame >> PAGE_SHIFT, (bitmap_frame + bytes) >> PAGE_SHIFT, true);
    spin_unlock(&lock);
}

BOOT_CODE void frame_use_direct_map(void)
{
    direct_offset = HHDM_BASE;
    frame_bits_move(phys_to_virt(bitmap_frame));
}

BOOT_CODE void frame_reclaim_boot_memory(void)
{
    spin_lock(&lock);
    for (uint32_t i = 0; i < boot_info.range_count; i++)
        if (boot_info.ranges[i].type == BOOT_RANGE_RECLAIMABLE)
            release_range(boot_info.ranges[i].base, boot_info.ranges[i].end);
    spin_unlock(&lock);
}
