// SPDX-License-Identifier: MIT
/* slab.c - the kernel's, and what tests do with what it keeps to itself. */
#include "kernel/mm/slab.c"

#include "tests/unit/invariants.h"

void slab_trim(void)
{
    for (uint32_t i = 0; i < cache_count; i++) {
        struct slab_cache *cache = &caches[i];
        drain(cache, &cache->magazines[this_core()->index], 0);
        spin_lock(&cache->lock);
        for (struct list *at = cache->partial.next; at != &cache->partial;) {
            struct slab *slab = container_of(at, struct slab, link);
            at = at->next;
            if (slab->used == 0)
                slab_destroy_locked(cache, slab);
        }
        spin_unlock(&cache->lock);
    }
}

void slab_check(void)
{
    for (uint32_t i = 0; i < cache_count; i++) {
        struct slab_cache *cache = &caches[i];
        uint32_t empty = 0;
        spin_lock(&cache->lock);
        for (struct list *at = cache->partial.next; at != &cache->partial; at = at->next) {
            struct slab *slab = container_of(at, struct slab, link);
            uint32_t free = 0;
            for (struct free_object *o = slab->free; o; o = o->next)
                free++;
            assert(slab->cache == cache);
            assert(slab->used + free == slab->fresh);              /* S2 */
            assert(free > 0 || slab->fresh < cache->slab_objects); /* S1 */
            empty += slab->used == 0;
        }
        assert(empty == cache->empty_count && empty <= 1); /* S3 */
        spin_unlock(&cache->lock);
    }
}
