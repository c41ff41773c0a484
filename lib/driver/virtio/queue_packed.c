// SPDX-License-Identifier: MIT
/*
 * queue_packed - the packed ring (Virtio 1.1, section 2.7): one ring of descriptors, which both sides write. A lap of the
 * ring is told from the next by a wrap counter of one bit, in flags AVAILABLE and USED. What is added is shown to the
 * device by the flags of its first descriptor, written last.
 */
#include "lib/driver/virtio/queue_internal.h"

static volatile struct virtio_packed *ring_of(const struct virtio_queue *queue)
{
    return (volatile struct virtio_packed *)queue->descriptors;
}

/* What the driver says about interrupts, and the device about notifications. */
static volatile struct virtio_packed_event *driver_event(const struct virtio_queue *queue)
{
    return (volatile struct virtio_packed_event *)queue->available;
}

static volatile struct virtio_packed_event *device_event(const struct virtio_queue *queue)
{
    return (volatile struct virtio_packed_event *)queue->used;
}

void packed_begin(struct virtio_queue *queue)
{
    queue->add_at = queue->take_at = queue->unpublished = 0;
    queue->add_wrap = queue->take_wrap = true;
}

static void advance(const struct virtio_queue *queue, uint16_t *at, bool *wrap, uint16_t by)
{
    *at = (uint16_t)(*at + by);
    if (*at >= queue->size) {
        *at = (uint16_t)(*at - queue->size);
        *wrap = !*wrap;
    }
}

static void put(struct virtio_queue *queue, uint64_t bus, uint32_t bytes, uint16_t id,
                unsigned flags)
{
    volatile struct virtio_packed *descriptor = &ring_of(queue)[queue->add_at];

    flags |= queue->add_wrap ? PACKED_AVAILABLE : PACKED_USED;
    descriptor->address = bus;
    descriptor->bytes = bytes;
    descriptor->id = id;
    if (queue->unpublished == 0) {
        queue->held_at = queue->add_at;
        queue->held_flags = (uint16_t)flags;
    } else {
        descriptor->flags = (uint16_t)flags;
    }
    queue->unpublished++;
    advance(queue, &queue->add_at, &queue->add_wrap, 1);
}

/* All segments in the slot's own table, in their order; returns where the device finds it. */
static uint64_t fill_table(struct virtio_queue *queue, uint16_t slot,
                           const struct queue_segment *segments, uint32_t count)
{
    uint32_t first = (uint32_t)slot * queue->segments;
    volatile struct virtio_packed *table = (volatile struct virtio_packed *)queue->tables + first;

    for (uint32_t i = 0; i < count; i++) {
        table[i].address = segments[i].bus;
        table[i].bytes = segments[i].bytes;
        table[i].id = 0;
        table[i].flags = segments[i].device_writes ? DESCRIPTOR_WRITE : 0;
    }
    return queue->tables_bus + first * sizeof *table;
}

uint16_t packed_add(struct virtio_queue *queue, const struct queue_segment *segments,
                    uint32_t count)
{
    uint16_t id = queue->free_first;

    if (queue->indirect && count > 1) {
        (void)queue_slot_take(queue);
        put(queue, fill_table(queue, id, segments, count),
            (uint32_t)(count * sizeof(struct virtio_descriptor)), id, DESCRIPTOR_INDIRECT);
        queue->slots[id].length = 1;
        return id;
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)queue_slot_take(queue);
        put(queue, segments[i].bus, segments[i].bytes, id,
            (segments[i].device_writes ? DESCRIPTOR_WRITE : 0u) |
                (i + 1 < count ? DESCRIPTOR_NEXT : 0u));
    }
    queue->slots[id].length = (uint16_t)count;
    return id;
}

bool packed_publish(struct virtio_queue *queue)
{
    uint16_t count = queue->unpublished, place, event;
    unsigned flags;

    if (count == 0)
        return false;
    dma_write_barrier(); /* all else before the flags of the first */
    ring_of(queue)[queue->held_at].flags = queue->held_flags;
    queue->unpublished = 0;
    queue->published = queue->added;
    dma_full_barrier(); /* the flags before what the device last said: it does the reverse */
    flags = device_event(queue)->flags;
    place = device_event(queue)->place;
    if (!queue->event_index || flags != PACKED_EVENT_PLACE)
        return flags != PACKED_EVENT_NONE;
    /* In the lap of what is added next; a place of the lap before lies behind it. */
    event = place & PACKED_PLACE_MASK;
    if ((place >> PACKED_PLACE_WRAP & 1) != queue->add_wrap)
        event = (uint16_t)(event - queue->size);
    return queue_passes(event, queue->add_at, (uint16_t)(queue->add_at - count));
}

static bool is_used(const struct virtio_queue *queue)
{
    uint16_t flags = ring_of(queue)[queue->take_at].flags;
    bool available = (flags & PACKED_AVAILABLE) != 0, used = (flags & PACKED_USED) != 0;

    return available == used && used == queue->take_wrap;
}

enum queue_result packed_take(struct virtio_queue *queue, uint64_t *token, uint32_t *bytes)
{
    const volatile struct virtio_packed *descriptor = &ring_of(queue)[queue->take_at];
    uint32_t written;
    uint16_t id;

    if (!is_used(queue))
        return QUEUE_NOTHING;
    if (queue->taken == queue->published)
        return queue_break(queue);
    dma_read_barrier(); /* the rest is no older than the flags */
    id = descriptor->id;
    written = descriptor->bytes;
    if (id >= queue->size || queue->slots[id].length == 0 || written > queue->slots[id].writable)
        return queue_break(queue);
    *token = queue->slots[id].token;
    *bytes = written;
    advance(queue, &queue->take_at, &queue->take_wrap, queue->slots[id].length);
    queue_chain_free(queue, id);
    queue->taken++;
    return QUEUE_TAKEN;
}

bool packed_arm(struct virtio_queue *queue)
{
    if (queue->event_index) {
        driver_event(queue)->place =
            (uint16_t)(queue->take_at | (unsigned)queue->take_wrap << PACKED_PLACE_WRAP);
        dma_write_barrier(); /* the place before the flags that make it count */
        driver_event(queue)->flags = PACKED_EVENT_PLACE;
    } else {
        driver_event(queue)->flags = PACKED_EVENT_ALL;
    }
    dma_full_barrier(); /* the device sees it before we look for the last time */
    return queue->broken || is_used(queue);
}

void packed_disarm(struct virtio_queue *queue)
{
    driver_event(queue)->flags = PACKED_EVENT_NONE;
}

bool packed_is_sound(const struct virtio_queue *queue, uint32_t in_chains)
{
    uint32_t distance = queue->add_at - queue->take_at +
                        (queue->add_wrap != queue->take_wrap ? (uint32_t)queue->size : 0);

    return queue->add_at < queue->size && queue->take_at < queue->size && distance == in_chains &&
           queue->unpublished <= in_chains;
}
