// SPDX-License-Identifier: MIT
/* queue - see queue.h. Host tests compile this file as it is. */
#include "lib/driver/virtio/queue_internal.h"

#include <stddef.h>

#include "lib/base/string.h"

#define QUEUE_ALIGNMENT 4096u

static uint64_t round_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

/* Where the parts lie: descriptors, available ring (with used_event), used ring (with
 * available_event), tables. Virtio 1.1, section 2.6: aligned to 16, 2 and 4. */
static uint64_t available_offset(uint16_t size)
{
    return size * sizeof(struct virtio_descriptor);
}

static uint64_t used_offset(uint16_t size)
{
    return round_up(available_offset(size) + 6 + 2ull * size, 64);
}

static uint64_t tables_offset(uint16_t size)
{
    return round_up(used_offset(size) + 6 + sizeof(struct virtio_used_entry) * size, 64);
}

uint64_t queue_bytes(uint16_t size, uint16_t segments, bool indirect)
{
    uint64_t bytes = tables_offset(size);

    if (indirect)
        bytes += sizeof(struct virtio_descriptor) * size * segments;
    return round_up(bytes, QUEUE_ALIGNMENT);
}

bool queue_create(struct virtio_queue *queue, struct dma_memory *memory, uint16_t size,
                  uint16_t segments, uint64_t features)
{
    bool indirect = (features & VIRTIO_F_INDIRECT) != 0;
    uint8_t *place;
    uint64_t bus;

    if (size == 0 || (size & (size - 1)) != 0 || size > QUEUE_SIZE_MAX || segments == 0 ||
        segments > QUEUE_SEGMENTS_MAX || (!indirect && segments > size))
        return false;
    place = dma_take(memory, queue_bytes(size, segments, indirect), QUEUE_ALIGNMENT);
    if (place == NULL)
        return false;
    bus = dma_bus(memory, place);
    queue->size = size;
    queue->segments = segments;
    queue->indirect = indirect;
    queue->event_index = (features & VIRTIO_F_EVENT_INDEX) != 0;
    queue->packed = (features & VIRTIO_F_PACKED) != 0;
    queue->descriptors = (void *)place;
    queue->descriptors_bus = bus;
    queue->available = (void *)(place + available_offset(size));
    queue->available_bus = bus + available_offset(size);
    queue->used = (void *)(place + used_offset(size));
    queue->used_bus = bus + used_offset(size);
    queue->tables = indirect ? (void *)(place + tables_offset(size)) : NULL;
    queue->tables_bus = indirect ? bus + tables_offset(size) : 0;
    queue_begin(queue);
    return true;
}

/* The words behind the rings. */
static volatile uint16_t *used_event(const struct virtio_queue *queue)
{
    return &queue->available->ring[queue->size];
}

static volatile uint16_t *available_event(const struct virtio_queue *queue)
{
    return (volatile uint16_t *)&queue->used->ring[queue->size];
}

void queue_begin(struct virtio_queue *queue)
{
    /* The device is reset, or does not know the queue yet: nobody else looks at it. */
    memset((void *)(uintptr_t)queue->descriptors, 0, tables_offset(queue->size));
    for (uint16_t i = 0; i < queue->size; i++)
        queue->slots[i] = (struct queue_slot){.next = (uint16_t)(i + 1)};
    queue->free_first = 0;
    queue->free_count = queue->size;
    queue->added = queue->published = queue->taken = 0;
    queue->broken = false;
    packed_begin(queue);
    queue_disarm(queue);
}

bool queue_room(const struct virtio_queue *queue, uint32_t count)
{
    return !queue->broken && count != 0 && count <= queue->segments &&
           (queue->indirect ? 1 : count) <= queue->free_count;
}

static void slot_free(struct virtio_queue *queue, uint16_t slot)
{
    queue->slots[slot] = (struct queue_slot){.next = queue->free_first};
    queue->free_first = slot;
    queue->free_count++;
}

static void describe(volatile struct virtio_descriptor *descriptor,
                     const struct queue_segment *segment, bool last, uint16_t next)
{
    descriptor->address = segment->bus;
    descriptor->bytes = segment->bytes;
    descriptor->flags =
        (uint16_t)((segment->device_writes ? DESCRIPTOR_WRITE : 0) | (last ? 0 : DESCRIPTOR_NEXT));
    descriptor->next = last ? 0 : next;
}

/* All segments in the slot's own table. */
static uint16_t add_indirect(struct virtio_queue *queue, const struct queue_segment *segments,
                             uint32_t count)
{
    uint16_t slot = queue_slot_take(queue);
    uint32_t first = (uint32_t)slot * queue->segments;
    volatile struct virtio_descriptor *descriptor = &queue->descriptors[slot];

    for (uint32_t i = 0; i < count; i++)
        describe(&queue->tables[first + i], &segments[i], i + 1 == count, (uint16_t)(i + 1));
    descriptor->address = queue->tables_bus + first * sizeof(struct virtio_descriptor);
    descriptor->bytes = (uint32_t)(count * sizeof(struct virtio_descriptor));
    descriptor->flags = DESCRIPTOR_INDIRECT;
    descriptor->next = 0;
    queue->slots[slot].length = 1;
    return slot;
}

/* A slot for each segment. Their order is kept in `next` of the slots, where the device cannot
 * reach it. */
static uint16_t add_chain(struct virtio_queue *queue, const struct queue_segment *segments,
                          uint32_t count)
{
    uint16_t first = queue->free_first;

    for (uint32_t i = 0; i < count; i++) {
        uint16_t slot = queue_slot_take(queue);

        describe(&queue->descriptors[slot], &segments[i], i + 1 == count, queue->free_first);
    }
    queue->slots[first].length = (uint16_t)count;
    return first;
}

/* One segment, of which most that are added consist, takes one slot and no table. */
static void add_one(struct virtio_queue *queue, const struct queue_segment *segment, uint64_t token)
{
    uint16_t slot = queue_slot_take(queue);

    describe(&queue->descriptors[slot], segment, true, 0);
    queue->slots[slot].length = 1;
    queue->slots[slot].token = token;
    queue->slots[slot].writable = segment->device_writes ? segment->bytes : 0;
    queue->available->ring[queue->added++ & (queue->size - 1)] = slot;
}

bool queue_add(struct virtio_queue *queue, const struct queue_segment *segments, uint32_t count,
               uint64_t token)
{
    uint64_t writable = 0;
    uint16_t slot;

    if (!queue_room(queue, count))
        return false;
    if (count == 1 && !queue->packed) {
        add_one(queue, segments, token);
        return true;
    }
    for (uint32_t i = 0; i < count; i++)
        writable += segments[i].device_writes ? segments[i].bytes : 0;
    /* One segment needs no table. */
    if (queue->packed)
        slot = packed_add(queue, segments, count);
    else if (queue->indirect && count > 1)
        slot = add_indirect(queue, segments, count);
    else
        slot = add_chain(queue, segments, count);
    queue->slots[slot].token = token;
    queue->slots[slot].writable = writable > UINT32_MAX ? UINT32_MAX : (uint32_t)writable;
    if (!queue->packed)
        queue->available->ring[queue->added & (queue->size - 1)] = slot;
    queue->added++;
    return true;
}

bool queue_publish(struct virtio_queue *queue)
{
    uint16_t old = queue->published;

    if (queue->packed)
        return packed_publish(queue);
    if (queue->added == old)
        return false;
    dma_write_barrier(); /* descriptors and ring before the index */
    queue->available->index = queue->added;
    queue->published = queue->added;
    dma_full_barrier(); /* the index before what the device last said: it does the reverse */
    if (queue->event_index)
        return queue_passes(*available_event(queue), queue->added, old);
    return (queue->used->flags & USED_NO_NOTIFY) == 0;
}

void queue_chain_free(struct virtio_queue *queue, uint16_t first)
{
    uint16_t slot = first, count = queue->slots[first].length;

    while (count-- != 0) {
        uint16_t next = queue->slots[slot].next;

        slot_free(queue, slot);
        slot = next;
    }
}

enum queue_result queue_break(struct virtio_queue *queue)
{
    queue->broken = true;
    return QUEUE_BROKEN;
}

enum queue_result queue_take(struct virtio_queue *queue, uint64_t *token, uint32_t *bytes)
{
    volatile struct virtio_used_entry *entry;
    uint32_t id, written;
    uint16_t index;

    if (queue->broken)
        return QUEUE_BROKEN;
    if (queue->packed)
        return packed_take(queue, token, bytes);
    index = queue->used->index;
    if (index == queue->taken)
        return QUEUE_NOTHING;
    if ((uint16_t)(index - queue->taken) > (uint16_t)(queue->published - queue->taken))
        return queue_break(queue);
    dma_read_barrier(); /* the entry is no older than the index */
    entry = &queue->used->ring[queue->taken & (queue->size - 1)];
    id = entry->id;
    written = entry->bytes;
    if (id >= queue->size || queue->slots[id].length == 0 || written > queue->slots[id].writable)
        return queue_break(queue);
    *token = queue->slots[id].token;
    *bytes = written;
    queue_chain_free(queue, (uint16_t)id);
    queue->taken++;
    return QUEUE_TAKEN;
}

bool queue_arm(struct virtio_queue *queue)
{
    if (queue->packed)
        return packed_arm(queue);
    queue->available->flags = 0;
    if (queue->event_index)
        *used_event(queue) = queue->taken;
    dma_full_barrier(); /* the device sees it before we look for the last time */
    return queue->broken || queue->used->index != queue->taken;
}

void queue_disarm(struct virtio_queue *queue)
{
    /* With event indexes the flag counts for nothing: an index just behind is reached last of
     * all. */
    if (queue->packed)
        packed_disarm(queue);
    else if (queue->event_index)
        *used_event(queue) = (uint16_t)(queue->taken - 1);
    else
        queue->available->flags = AVAILABLE_NO_INTERRUPT;
}

uint32_t queue_in_flight(const struct virtio_queue *queue)
{
    return (uint16_t)(queue->added - queue->taken);
}

const char *queue_check(const struct virtio_queue *queue)
{
    uint32_t in_chains = 0, chains = 0, free = 0;

    for (uint16_t i = 0; i < queue->size; i++) {
        in_chains += queue->slots[i].length;
        chains += queue->slots[i].length != 0;
    }
    for (uint16_t i = queue->free_first; free < queue->free_count; i = queue->slots[i].next) {
        if (i >= queue->size || queue->slots[i].length != 0)
            return "Q2: a free slot is in flight, or is none";
        free++;
    }
    if (in_chains + queue->free_count != queue->size)
        return "Q2: a slot is neither free nor in flight";
    if ((uint16_t)(queue->published - queue->taken) > (uint16_t)(queue->added - queue->taken) ||
        queue_in_flight(queue) != chains || chains > queue->size)
        return "Q3: the counts are out of order";
    if (queue->packed && !packed_is_sound(queue, in_chains))
        return "Q4: the places do not agree with what is in flight";
    return NULL;
}
