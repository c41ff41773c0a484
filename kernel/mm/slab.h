// SPDX-License-Identifier: MIT
/*
 * slab.h - the kernel heap: caches of objects of one size over the frame allocator, with a magazine
 * per core so that the common allocation takes no lock. Objects are charged by who allocates them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assert.h"
#include "core.h"
#include "lib/base/list.h"
#include "lib/base/string.h"
#include "poison.h"
#include "base/spinlock.h"

#define SLAB_MAGAZINE_OBJECTS 16

/* Touched only by its core. */
struct slab_magazine {
    uint32_t count;
    void *objects[SLAB_MAGAZINE_OBJECTS];
};

struct slab_cache {
    /* Constant. */
    const char *name;
    size_t object_bytes;  /* one object really takes: what to charge */
    uint32_t slab_frames; /* a power of two */
    uint32_t slab_objects;

    struct spinlock lock; /* rank LOCK_SLAB; guards the slabs */
    struct list partial;
    uint32_t empty_count;

    struct slab_magazine magazines[MNOS_CORES_MAX];
};

/* Creates a cache for objects of `object_bytes`, each aligned to `align_bytes` (a power of two, at
 * most 64). `name` must live for ever. Panics when memory is spent: caches are made at boot. */
struct slab_cache *slab_cache_create(const char *name, size_t object_bytes, size_t align_bytes);

/* Fills this core's magazine, or empties part of it; false: RAM is spent. */
bool slab_refill(struct slab_cache *cache, struct slab_magazine *magazine);
void slab_drain(struct slab_cache *cache, struct slab_magazine *magazine);

/* True when `object` is of this cache. */
bool slab_is_of(const struct slab_cache *cache, const void *object);

/* An object with undefined contents, or NULL when RAM is spent. Never blocks. */
static inline void *slab_take(struct slab_cache *cache)
{
    struct slab_magazine *magazine = &cache->magazines[this_core()->index];
    void *object;

    if (magazine->count == 0 && !slab_refill(cache, magazine))
        return NULL;
    object = magazine->objects[--magazine->count];
    poison_clear(object);
    return object;
}

/* The same, filled with zeros. */
static inline void *slab_alloc(struct slab_cache *cache)
{
    void *object = slab_take(cache);

    return object == NULL ? NULL : memset(object, 0, cache->object_bytes);
}

static inline void slab_free(struct slab_cache *cache, void *object)
{
    struct slab_magazine *magazine = &cache->magazines[this_core()->index];

    assert(slab_is_of(cache, object));
    poison_set(object);
    if (magazine->count == SLAB_MAGAZINE_OBJECTS)
        slab_drain(cache, magazine);
    magazine->objects[magazine->count++] = object;
}
