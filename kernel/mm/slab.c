// SPDX-License-Identifier: MIT
/*
 * slab.c - caches of equal objects. A slab is a run of frames aligned to its size, so that the slab of
 * an object is found from its address; a header at its start, then objects. Above the slabs each core
 * has a magazine of free objects.
 *
 *   S1  a slab is in cache->partial exactly when it has a free object
 *   S2  slab->used counts the objects that are neither in slab->free nor beyond slab->fresh
 *       (so those in magazines are counted)
 *   S3  at most one slab of a cache has used == 0; others are given back at once
 */
#include "mm/slab.h"

#include "assert.h"
#include "boot/boot_code.h"
#include "base/panic.h"
#include "mm/addr.h"
#include "mm/frame.h"

enum {
    CACHES_MAX = 16,
    MAGAZINE_BATCH = 8,
    OBJECT_MIN_BYTES = 16, /* a link and the debug build's mark */
    ALIGN_MAX = 64,
    SLAB_FRAMES_MAX = 8,
    /* A slab may leave one part in this many of its memory unused. */
    WASTE_PART = 8,
};

struct free_object {
    struct free_object *next;
};

struct slab {
    struct list link; /* in cache->partial, or alone */
    struct slab_cache *cache;
    struct free_object *free;
    uint32_t fresh; /* objects from this one on were never handed out */
    uint32_t used;
} __attribute__((aligned(ALIGN_MAX)));

/* Caches are made at boot by one core and live for ever. */
static struct slab_cache caches[CACHES_MAX];
static uint32_t cache_count;

/* ---- slabs ---- */

static size_t slab_bytes(const struct slab_cache *cache)
{
    return (size_t)cache->slab_frames * PAGE_BYTES;
}

static struct slab *slab_of(const struct slab_cache *cache, const void *object)
{
    return (struct slab *)((uintptr_t)object & ~(uintptr_t)(slab_bytes(cache) - 1));
}

bool slab_is_of(const struct slab_cache *cache, const void *object)
{
    return slab_of(cache, object)->cache == cache;
}

static struct slab *slab_create_locked(struct slab_cache *cache)
{
    paddr_t frame = frame_alloc_group(cache->slab_frames, cache->slab_frames);
    struct slab *slab;

    if (frame == PADDR_NONE)
        return NULL;
    slab = phys_to_virt(frame);
    *slab = (struct slab){.cache = cache};
    list_append(&cache->partial, &slab->link);
    cache->empty_count++;
    return slab;
}

static void slab_destroy_locked(struct slab_cache *cache, struct slab *slab)
{
    list_remove(&slab->link);
    cache->empty_count--;
    if (cache->slab_frames == 1)
        frame_free(virt_to_phys(slab));
    else
        frame_free_run(virt_to_phys(slab), cache->slab_frames);
}

static void *slab_take_locked(struct slab_cache *cache, struct slab *slab)
{
    void *object = slab->free;

    if (object) {
        slab->free = slab->free->next;
    } else {
        object = (char *)(slab + 1) + slab->fresh++ * cache->object_bytes;
        poison_first(object);
    }
    if (slab->used++ == 0)
        cache->empty_count--;
    if (!slab->free && slab->fresh == cache->slab_objects)
        list_remove(&slab->link); /* S1 */
    return object;
}

static void slab_put_locked(struct slab_cache *cache, void *object)
{
    struct slab *slab = slab_of(cache, object);
    struct free_object *link = object;

    if (!slab->free && slab->fresh == cache->slab_objects)
        list_prepend(&cache->partial, &slab->link); /* S1 */
    link->next = slab->free;
    slab->free = link;
    slab->used--;
    if (slab->used == 0 && cache->empty_count++ > 0)
        slab_destroy_locked(cache, slab); /* S3 */
}

/* ---- magazines ---- */

/* Free objects carry the debug build's mark from slab_free() to slab_alloc(), whichever way they take
 * between magazine and slab. */
bool slab_refill(struct slab_cache *cache, struct slab_magazine *magazine)
{
    spin_lock(&cache->lock);
    while (magazine->count < MAGAZINE_BATCH) {
        struct slab *slab = list_empty(&cache->partial)
                                ? slab_create_locked(cache)
                                : list_first(&cache->partial, struct slab, link);
        if (!slab)
            break;
        void *object = slab_take_locked(cache, slab);
        magazine->objects[magazine->count++] = object;
    }
    spin_unlock(&cache->lock);
    return magazine->count > 0;
}

static void drain(struct slab_cache *cache, struct slab_magazine *magazine, uint32_t left)
{
    spin_lock(&cache->lock);
    while (magazine->count > left)
        slab_put_locked(cache, magazine->objects[--magazine->count]);
    spin_unlock(&cache->lock);
}

void slab_drain(struct slab_cache *cache, struct slab_magazine *magazine)
{
    drain(cache, magazine, SLAB_MAGAZINE_OBJECTS - MAGAZINE_BATCH);
}

/* ---- caches ---- */

/* The smallest slab that does not waste much. */
BOOT_CODE static void choose_slab(struct slab_cache *cache)
{
    for (cache->slab_frames = 1;; cache->slab_frames *= 2) {
        size_t room = slab_bytes(cache) - sizeof(struct slab);
        size_t waste = room % cache->object_bytes;
        cache->slab_objects = (uint32_t)(room / cache->object_bytes);
        if (cache->slab_frames == SLAB_FRAMES_MAX)
            return;
        if (cache->slab_objects > 0 && waste * WASTE_PART <= slab_bytes(cache))
            return;
    }
}

BOOT_CODE struct slab_cache *slab_cache_create(const char *name, size_t object_bytes,
                                               size_t align_bytes)
{
    struct slab_cache *cache = &caches[cache_count];

    if (cache_count == CACHES_MAX)
        panic("no slab cache left for %s", name);
    assert(align_bytes > 0 && align_bytes <= ALIGN_MAX && (align_bytes & (align_bytes - 1)) == 0);
    if (align_bytes < sizeof(uint64_t))
        align_bytes = sizeof(uint64_t);
    if (object_bytes < OBJECT_MIN_BYTES)
        object_bytes = OBJECT_MIN_BYTES;
    cache->name = name;
    cache->object_bytes = (object_bytes + align_bytes - 1) & ~(align_bytes - 1);
    choose_slab(cache);
    if (cache->slab_objects == 0)
        panic("objects of %lu bytes are too large for a slab cache", object_bytes);
    spin_init(&cache->lock, LOCK_SLAB);
    list_init(&cache->partial);
    cache_count++;
    return cache;
}
