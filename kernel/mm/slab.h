// SPDX-License-Identifier: MIT
/*
 * slab.h - the kernel heap: caches of objects of one size over the frame allocator, with a magazine
 * per core so that the common allocation takes no lock. Objects are charged by who allocates them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct slab_cache;

/* Creates a cache for objects of `object_bytes`, each aligned to `align_bytes` (a power of two, at
 * most 64). `name` must live for ever. Panics when memory is spent: caches are made at boot. */
struct slab_cache *slab_cache_create(const char *name, size_t object_bytes, size_t align_bytes);

/* An object filled with zeros, or NULL when RAM is spent. Never blocks. */
void *slab_alloc(struct slab_cache *cache);
void slab_free(struct slab_cache *cache, void *object);

/* Bytes one object really takes: what to charge. */
size_t slab_object_bytes(const struct slab_cache *cache);

/* Returns this core's magazines and every empty slab of all caches to the frame allocator. */
void slab_trim(void);

/* Asserts that every cache's free lists and counts agree; for tests and debug builds. */
void slab_check(void);
