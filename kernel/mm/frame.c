// SPDX-License-Identifier: MIT
/*
 * frame.c - the frame bitmap and the magazines of single frames above it.
 *
 * A set bit is a frame that is in use, reserved or no RAM. The bitmap is divided in two zones at
 * 4 GiB: where there is memory above, ordinary requests take it first, so that memory below stays
 * for devices that cannot address more. Each zone is searched from where the last search ended.
 *
 *   F1  zone.free is the number of clear bits in the zone
 *   F2  a frame in a magazine has its bit set and is in no other magazine
 *   F3  frames in magazine.zeroed contain zeros
 */
#include "mm/frame.h"

#include "assert.h"

#include "boot/bootinfo.h"
#include "boot_code.h"
#include "core.h"
#include "lib/string.h"
#include "log/panic.h"
#include "sync/spinlock.h"

enum {
    MAGAZINE_FRAMES = 64,
    MAGAZINE_BATCH = 32, /* moved at once between a magazine and the bitmap */
    ZEROED_FRAMES = 16,  /* the tables and the IPC buffer of a small process */
    WORD_BITS = 64,
};

#define FRAMES_BELOW_4G (FRAME_LIMIT_4G >> PAGE_SHIFT)
#define ALL_USED UINT64_MAX

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
    paddr_t zeroed[ZEROED_FRAMES];
};

/* Guards bitmap and zones. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_FRAME);
static uint64_t *bitmap;
static struct zone zones[ZONE_COUNT];

static struct magazine magazines[MNOS_CORES_MAX] __attribute__((aligned(64)));
static uint64_t frames_total; /* constant after frame_init() */
static paddr_t bitmap_frame;
static uint64_t direct_offset; /* of the map that memory is reached through */

/* ---- bits ---- */

static struct zone *zone_of(uint64_t frame)
{
    return &zones[frame >= FRAMES_BELOW_4G ? ZONE_HIGH : ZONE_LOW];
}

/* Bits [from, to) of one word, to at most 64. */
static uint64_t word_mask(unsigned from, unsigned to)
{
    return (ALL_USED << from) & (ALL_USED >> (WORD_BITS - to));
}

/* Sets or clears the bits of [first, end), which lies within one zone, a word at a time. */
static void mark_locked(uint64_t first, uint64_t end, bool used)
{
    struct zone *zone = zone_of(first);

    for (uint64_t at = first; at < end;) {
        uint64_t next = (at | (WORD_BITS - 1)) + 1;
        uint64_t mask = word_mask(at % WORD_BITS, next <= end ? WORD_BITS : end % WORD_BITS);
        uint64_t *word = &bitmap[at / WORD_BITS];
        assert(used ? (*word & mask) == 0 : (*word & mask) == mask); /* F1; double free */
        *word = used ? *word | mask : *word & ~mask;
        at = next;
    }
    if (used)
        zone->free -= end - first;
    else
        zone->free += end - first;
}

[[maybe_unused]] static bool is_used(uint64_t frame)
{
    return bitmap[frame / WORD_BITS] >> (frame % WORD_BITS) & 1;
}

/* The first clear bit in [from, end), or `end`. */
static uint64_t find_free_locked(uint64_t from, uint64_t end)
{
    while (from < end) {
        uint64_t free = ~bitmap[from / WORD_BITS] & (ALL_USED << (from % WORD_BITS));
        if (free) {
            uint64_t found = (from & ~(uint64_t)(WORD_BITS - 1)) + (uint64_t)__builtin_ctzll(free);
            return found < end ? found : end;
        }
        from = (from | (WORD_BITS - 1)) + 1;
    }
    return end;
}

/* The first set bit in [from, end), or `end`. */
static uint64_t find_used_locked(uint64_t from, uint64_t end)
{
    while (from < end) {
        uint64_t used = bitmap[from / WORD_BITS] & (ALL_USED << (from % WORD_BITS));
        if (used) {
            uint64_t found = (from & ~(uint64_t)(WORD_BITS - 1)) + (uint64_t)__builtin_ctzll(used);
            return found < end ? found : end;
        }
        from = (from | (WORD_BITS - 1)) + 1;
    }
    return end;
}

/* ---- searching ---- */

/* Takes up to `wanted` single frames out of a zone. */
static uint32_t take_singles_locked(struct zone *zone, paddr_t *frames, uint32_t wanted)
{
    uint32_t taken = 0;

    if (wanted > zone->free)
        wanted = (uint32_t)zone->free;
    while (taken < wanted) {
        uint64_t at = find_free_locked(zone->hint, zone->end);
        if (at == zone->end) {
            zone->hint = zone->begin; /* zone->free says that there are more */
            continue;
        }
        uint64_t *word = &bitmap[at / WORD_BITS];
        uint64_t free = ~*word & (ALL_USED << (at % WORD_BITS));
        uint64_t base = at & ~(uint64_t)(WORD_BITS - 1);
        for (; free && taken < wanted; free &= free - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(free);
            *word |= 1ull << bit;
            frames[taken++] = (base + bit) << PAGE_SHIFT;
        }
        zone->hint = base;
    }
    zone->free -= taken;
    return taken;
}

/* First frame of a free aligned run in [from, end), or `end`. */
static uint64_t find_run_locked(uint64_t from, uint64_t end, uint64_t count, uint64_t align)
{
    for (;;) {
        from = find_free_locked(from, end);
        from = (from + align - 1) & ~(align - 1);
        if (from >= end || count > end - from)
            return end;
        uint64_t used = find_used_locked(from, from + count);
        if (used == from + count)
            return from;
        from = used + 1;
    }
}

static paddr_t take_run_locked(struct zone *zone, uint64_t count, uint64_t align, uint64_t limit)
{
    uint64_t end = limit < zone->end ? limit : zone->end;
    uint64_t found;

    if (zone->free < count || zone->begin >= end)
        return PADDR_NONE;
    found = zone->hint < end ? find_run_locked(zone->hint, end, count, align) : end;
    if (found == end)
        found = find_run_locked(zone->begin, end, count, align);
    if (found == end)
        return PADDR_NONE;
    mark_locked(found, found + count, true);
    zone->hint = (found + count) & ~(uint64_t)(WORD_BITS - 1);
    if (zone->hint >= zone->end)
        zone->hint = zone->begin;
    return found << PAGE_SHIFT;
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
        mark_locked(frame, frame + 1, false);
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

    assert(frame != PADDR_NONE && frame % PAGE_BYTES == 0 && is_used(frame >> PAGE_SHIFT));
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

    if (count == ZEROED_FRAMES) {
        frame_free(frame);
        return;
    }
    assert(frame != PADDR_NONE && frame % PAGE_BYTES == 0 && is_used(frame >> PAGE_SHIFT));
    zero(frame);
    magazine->zeroed[count] = frame;
    set_count(&magazine->zeroed_count, count + 1);
}

/* ---- runs ---- */

paddr_t frame_alloc_run(uint64_t count, uint64_t align, paddr_t limit)
{
    uint64_t limit_frame = limit >> PAGE_SHIFT;
    paddr_t first = PADDR_NONE;

    if (count == 1 && align == 1 && limit == FRAME_LIMIT_NONE)
        return frame_alloc();
    if (count == 0 || count > frames_total)
        return PADDR_NONE;
    spin_lock(&lock);
    if (limit_frame > FRAMES_BELOW_4G)
        first = take_run_locked(&zones[ZONE_HIGH], count, align, limit_frame);
    if (first == PADDR_NONE)
        first = take_run_locked(&zones[ZONE_LOW], count, align, limit_frame);
    spin_unlock(&lock);
    return first;
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

    for (unsigned i = 0; i < MNOS_CORES_MAX; i++)
        count += count_of(&magazines[i].count) + count_of(&magazines[i].zeroed_count);
    return count;
}

static bool is_ram(const struct boot_range *range)
{
    return range->type == BOOT_RANGE_USABLE || range->type == BOOT_RANGE_RECLAIMABLE ||
           range->type == BOOT_RANGE_KERNEL;
}

bool frame_overlaps_ram(paddr_t first, uint64_t count)
{
    paddr_t end = first + (count << PAGE_SHIFT);

    if (count > (UINT64_MAX - first) >> PAGE_SHIFT)
        return true; /* wraps around: never a device */
    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        if (is_ram(range) && range->base < end && first < range->end)
            return true;
    }
    return false;
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
            bitmap = boot_phys_to_virt(bitmap_frame);
            return;
        }
    }
    panic("no room for the frame bitmap of %lu KiB: the machine has too little memory",
          bytes / 1024);
}

BOOT_CODE void frame_init(void)
{
    uint64_t frame_end = 0, bytes;

    frames_total = 0;
    direct_offset = boot_info.hhdm_offset;
    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        if (is_ram(range))
            frames_total += (range->end - range->base) >> PAGE_SHIFT;
        if (range->type == BOOT_RANGE_USABLE || range->type == BOOT_RANGE_RECLAIMABLE)
            frame_end = range->end >> PAGE_SHIFT;
    }
    frame_end = (frame_end + WORD_BITS - 1) & ~(uint64_t)(WORD_BITS - 1);
    bytes = (frame_end / 8 + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    place_bitmap(bytes);
    memset(bitmap, 0xFF, bytes);

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
    bitmap = phys_to_virt(bitmap_frame);
}

BOOT_CODE void frame_reclaim_boot_memory(void)
{
    spin_lock(&lock);
    for (uint32_t i = 0; i < boot_info.range_count; i++)
        if (boot_info.ranges[i].type == BOOT_RANGE_RECLAIMABLE)
            release_range(boot_info.ranges[i].base, boot_info.ranges[i].end);
    spin_unlock(&lock);
}
