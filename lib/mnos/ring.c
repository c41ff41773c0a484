// SPDX-License-Identifier: MIT
/* ring - see ring.h. Host tests compile this file as it is. */
#include "lib/mnos/ring.h"

#include "lib/base/string.h"

uint64_t ring_capacity(size_t size_bytes)
{
    uint64_t capacity = 1;

    if (size_bytes <= sizeof(struct ring_shared))
        return 0;
    size_bytes -= sizeof(struct ring_shared);
    while (capacity <= size_bytes / 2)
        capacity *= 2;
    return capacity;
}

void ring_init(struct ring *ring, void *memory, uint64_t capacity)
{
    *ring = (struct ring){.shared = memory, .capacity = capacity};
}

static size_t smaller(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

mnos_status_t ring_put(struct ring *ring, const void *bytes, size_t count, size_t *put)
{
    /* Acquire pairs with the release in ring_take(): the consumer has read what we overwrite. */
    uint64_t taken = atomic_load_explicit(&ring->shared->taken, memory_order_acquire);
    uint64_t used = ring->own - taken, offset = ring->own & (ring->capacity - 1);
    size_t total, first;

    if (used > ring->capacity)
        return MNOS_ERR_FORMAT;
    total = smaller(count, ring->capacity - used);
    first = smaller(total, ring->capacity - offset);
    memcpy(ring->shared->data + offset, bytes, first);
    memcpy(ring->shared->data, (const uint8_t *)bytes + first, total - first);
    ring->own += total;
    atomic_store_explicit(&ring->shared->written, ring->own, memory_order_release);
    *put = total;
    return MNOS_OK;
}

mnos_status_t ring_room(const struct ring *ring, size_t *room)
{
    /* Acquire as in ring_put(). */
    uint64_t used = ring->own - atomic_load_explicit(&ring->shared->taken, memory_order_acquire);

    if (used > ring->capacity)
        return MNOS_ERR_FORMAT;
    *room = ring->capacity - used;
    return MNOS_OK;
}

void ring_put_behind(struct ring *ring, size_t skip, const void *bytes, size_t count)
{
    uint64_t offset = (ring->own + skip) & (ring->capacity - 1);
    size_t first = smaller(count, ring->capacity - offset);

    memcpy(ring->shared->data + offset, bytes, first);
    memcpy(ring->shared->data, (const uint8_t *)bytes + first, count - first);
}

void ring_publish(struct ring *ring, size_t count)
{
    ring->own += count;
    atomic_store_explicit(&ring->shared->written, ring->own, memory_order_release);
}

mnos_status_t ring_peek(const struct ring *ring, void *bytes, size_t count, size_t *found)
{
    /* Acquire pairs with the release in ring_put(): the bytes are there before the index says so. */
    uint64_t written = atomic_load_explicit(&ring->shared->written, memory_order_acquire);
    uint64_t used = written - ring->own, offset = ring->own & (ring->capacity - 1);
    size_t total, first;

    if (used > ring->capacity)
        return MNOS_ERR_FORMAT;
    total = smaller(count, used);
    first = smaller(total, ring->capacity - offset);
    memcpy(bytes, ring->shared->data + offset, first);
    memcpy((uint8_t *)bytes + first, ring->shared->data, total - first);
    *found = total;
    return MNOS_OK;
}

void ring_drop(struct ring *ring, size_t count)
{
    ring->own += count;
    atomic_store_explicit(&ring->shared->taken, ring->own, memory_order_release);
}

mnos_status_t ring_take(struct ring *ring, void *bytes, size_t count, size_t *taken)
{
    mnos_status_t status = ring_peek(ring, bytes, count, taken);

    if (status == MNOS_OK)
        ring_drop(ring, *taken);
    return status;
}

void ring_resume_producer(struct ring *ring, void *memory, uint64_t capacity)
{
    ring_init(ring, memory, capacity);
    ring->own = atomic_load_explicit(&ring->shared->written, memory_order_acquire);
}

void ring_resume_consumer(struct ring *ring, void *memory, uint64_t capacity)
{
    ring_init(ring, memory, capacity);
    ring->own = atomic_load_explicit(&ring->shared->taken, memory_order_acquire);
}
