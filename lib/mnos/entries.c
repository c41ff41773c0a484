// SPDX-License-Identifier: MIT
/* entries - see entries.h. Host tests compile this file as it is. */
#include "lib/mnos/entries.h"

#include "lib/base/string.h"

void entries_init(struct entries *ring, _Atomic uint32_t *written, _Atomic uint32_t *taken,
                  void *slots, uint32_t size)
{
    *ring = (struct entries){.written = written, .taken = taken, .slots = slots, .size = size};
}

/* `used`: how many records lie between the two indexes. */
static bool believed(struct entries *ring, uint32_t used)
{
    ring->broken |= used > ring->size;
    return !ring->broken;
}

uint32_t entries_room(struct entries *ring)
{
    /* Acquire pairs with the release in entries_drop(): the consumer has copied what we overwrite. */
    uint32_t used = ring->own - atomic_load_explicit(ring->taken, memory_order_acquire);

    return believed(ring, used) ? ring->size - used : 0;
}

void entries_put(struct entries *ring, const void *record)
{
    memcpy(&ring->slots[ring->own++ & (ring->size - 1)], record, sizeof(struct entry));
}

void entries_publish(struct entries *ring)
{
    atomic_store_explicit(ring->written, ring->own, memory_order_release);
}

uint32_t entries_ready(struct entries *ring)
{
    /* Acquire pairs with the release in entries_publish(): the records are there before the index says so. */
    uint32_t used = atomic_load_explicit(ring->written, memory_order_acquire) - ring->own;

    return believed(ring, used) ? used : 0;
}

void entries_look(const struct entries *ring, uint32_t ahead, void *record)
{
    memcpy(record, &ring->slots[(ring->own + ahead) & (ring->size - 1)], sizeof(struct entry));
}

void entries_drop(struct entries *ring, uint32_t count)
{
    ring->own += count;
    atomic_store_explicit(ring->taken, ring->own, memory_order_release);
}
