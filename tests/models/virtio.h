// SPDX-License-Identifier: MIT
/*
 * virtio.h - a model of a modern virtio device on PCI: its registers behind mmio.h, and its side of
 * the queues in the driver's memory. Written from "Virtual I/O Device (VIRTIO) Version 1.1", not
 * from the driver. What a request does is the test's: virtio_model_next() gives it,
 * virtio_model_done() ends it, in any order.
 *
 * Windows, at made-up addresses: common, notify, isr and device, each of a page.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "lib/driver/virtio/transport.h"
#include "tests/models/mmio.h"
#include "tests/unit/unit.h"

#define VIRTIO_MODEL_BASE 0x7E0000000000ull
#define VIRTIO_MODEL_WINDOW 0x1000ull
#define VIRTIO_MODEL_QUEUES 4u
#define VIRTIO_MODEL_MULTIPLIER 4u

struct virtio_model_queue {
    uint16_t size_max, size, vector, enabled;
    uint64_t descriptors, available, used;
    uint16_t taken, done; /* requests taken from the available ring, and put into the used ring */
    unsigned notified;
    /* Of a packed ring: where the next is taken and put, with their wrap counters; the descriptors of each id. */
    uint16_t take_at, put_at, lengths[QUEUE_SIZE_MAX];
    bool take_wrap, put_wrap;
};

struct virtio_model {
    struct mmio_model registers; /* first */
    uint64_t offered, accepted;
    bool refuse_features, refuse_vectors, slow_reset, needs_reset;
    uint8_t status, generation;
    uint32_t feature_select, driver_select;
    uint16_t config_vector, select;
    struct virtio_model_queue queues[VIRTIO_MODEL_QUEUES];
    uint8_t config[256];
    unsigned config_changes; /* so many reads of the configuration find it changing */
    /* The driver's memory and where the device sees it. */
    uint8_t *memory;
    uint64_t memory_bus, memory_bytes;
};

/* One request as the device finds it. */
struct virtio_model_request {
    uint16_t head;
    uint32_t count;
    struct virtio_descriptor segments[QUEUE_SEGMENTS_MAX];
};

static inline void *virtio_model_at(struct virtio_model *model, uint64_t bus, uint64_t bytes)
{
    CHECK(bus >= model->memory_bus && bus - model->memory_bus <= model->memory_bytes &&
          bytes <= model->memory_bytes - (bus - model->memory_bus));
    return model->memory + (bus - model->memory_bus);
}

static inline void virtio_model_status(struct virtio_model *model, uint8_t value)
{
    if (value == 0) {
        model->status = 0;
        model->accepted = 0;
        model->needs_reset = false;
        for (unsigned i = 0; i < VIRTIO_MODEL_QUEUES; i++)
            model->queues[i] = (struct virtio_model_queue){.size_max = model->queues[i].size_max,
                                                           .size = model->queues[i].size_max,
                                                           .vector = VIRTIO_NO_VECTOR,
                                                           .take_wrap = true,
                                                           .put_wrap = true};
        return;
    }
    if (model->refuse_features)
        value &= (uint8_t)~VIRTIO_FEATURES_OK;
    model->status = value;
}

static inline void virtio_model_half(uint64_t *to, uint64_t offset, uint64_t value)
{
    unsigned shift = offset % 8 != 0 ? 32 : 0;

    *to = (*to & ~(0xFFFFFFFFull << shift)) | value << shift;
}

static inline uint64_t virtio_model_common_read(struct virtio_model *model, uint64_t offset)
{
    struct virtio_model_queue none = {0};
    struct virtio_model_queue *queue =
        model->select < VIRTIO_MODEL_QUEUES ? &model->queues[model->select] : &none;

    switch (offset) {
    case COMMON_DEVICE_FEATURE:
        return model->feature_select > 1
                   ? 0
                   : (uint32_t)(model->offered >> (32 * model->feature_select));
    case COMMON_CONFIG_VECTOR: return model->config_vector;
    case COMMON_QUEUE_COUNT: return VIRTIO_MODEL_QUEUES;
    case COMMON_STATUS:
        if (model->slow_reset && model->status == 0) {
            model->slow_reset = false;
            return VIRTIO_ACKNOWLEDGE;
        }
        return model->status | (model->needs_reset ? VIRTIO_NEEDS_RESET : 0);
    case COMMON_GENERATION: return model->generation;
    case COMMON_QUEUE_SIZE: return queue->size;
    case COMMON_QUEUE_VECTOR: return queue->vector;
    case COMMON_QUEUE_ENABLE: return queue->enabled;
    case COMMON_QUEUE_NOTIFY_OFFSET: return model->select;
    default: return 0;
    }
}

static inline void virtio_model_queue_write(struct virtio_model *model, uint64_t offset,
                                            uint64_t value)
{
    struct virtio_model_queue *queue = &model->queues[model->select];

    if (model->select >= VIRTIO_MODEL_QUEUES)
        return;
    if (offset == COMMON_QUEUE_SIZE)
        queue->size = (uint16_t)value;
    else if (offset == COMMON_QUEUE_VECTOR)
        queue->vector = model->refuse_vectors ? VIRTIO_NO_VECTOR : (uint16_t)value;
    else if (offset == COMMON_QUEUE_ENABLE)
        queue->enabled = (uint16_t)value;
    else if (offset >= COMMON_QUEUE_DEVICE)
        virtio_model_half(&queue->used, offset, value);
    else if (offset >= COMMON_QUEUE_DRIVER)
        virtio_model_half(&queue->available, offset, value);
    else if (offset >= COMMON_QUEUE_DESCRIPTORS)
        virtio_model_half(&queue->descriptors, offset, value);
}

static inline void virtio_model_common_write(struct virtio_model *model, uint64_t offset,
                                             uint64_t value)
{
    switch (offset) {
    case COMMON_DEVICE_FEATURE_SELECT: model->feature_select = (uint32_t)value; break;
    case COMMON_DRIVER_FEATURE_SELECT: model->driver_select = (uint32_t)value; break;
    case COMMON_DRIVER_FEATURE:
        virtio_model_half(&model->accepted, model->driver_select * 4, value);
        break;
    case COMMON_CONFIG_VECTOR:
        model->config_vector = model->refuse_vectors ? VIRTIO_NO_VECTOR : (uint16_t)value;
        break;
    case COMMON_STATUS: virtio_model_status(model, (uint8_t)value); break;
    case COMMON_QUEUE_SELECT: model->select = (uint16_t)value; break;
    default: virtio_model_queue_write(model, offset, value); break;
    }
}

static inline uint64_t virtio_model_read(struct mmio_model *registers, uint64_t offset,
                                         unsigned width)
{
    struct virtio_model *model = (struct virtio_model *)registers;
    uint64_t value = 0;

    if (offset < VIRTIO_MODEL_WINDOW)
        return virtio_model_common_read(model, offset);
    if (offset < 3 * VIRTIO_MODEL_WINDOW)
        return 0;
    offset -= 3 * VIRTIO_MODEL_WINDOW;
    if (offset + width <= sizeof model->config)
        memcpy(&value, model->config + offset, width);
    if (model->config_changes != 0) {
        model->config_changes--;
        model->generation++;
    }
    return value;
}

static inline void virtio_model_write(struct mmio_model *registers, uint64_t offset, unsigned width,
                                      uint64_t value)
{
    struct virtio_model *model = (struct virtio_model *)registers;

    if (offset < VIRTIO_MODEL_WINDOW) {
        virtio_model_common_write(model, offset, value);
    } else if (offset < 2 * VIRTIO_MODEL_WINDOW) {
        CHECK_EQ(width, 2);
        CHECK_EQ((offset - VIRTIO_MODEL_WINDOW) / VIRTIO_MODEL_MULTIPLIER, value);
        if (value < VIRTIO_MODEL_QUEUES)
            model->queues[value].notified++;
    }
}

/* The device, and the transport that leads to it. `memory` is the driver's, as dma_memory has
 * it. */
static inline void virtio_model_begin(struct virtio_model *model,
                                      struct virtio_transport *transport,
                                      const struct dma_memory *memory, uint16_t queue_size)
{
    *model = (struct virtio_model){
        .registers = {.base = VIRTIO_MODEL_BASE,
                      .bytes = 4 * VIRTIO_MODEL_WINDOW,
                      .read = virtio_model_read,
                      .write = virtio_model_write},
        .offered = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | VIRTIO_F_PACKED,
        .memory = memory->address,
        .memory_bus = memory->table[0],
        .memory_bytes = memory->bytes,
    };
    for (unsigned i = 0; i < VIRTIO_MODEL_QUEUES; i++)
        model->queues[i].size_max = queue_size;
    virtio_model_status(model, 0);
    mmio_model_add(&model->registers);
    *transport = (struct virtio_transport){.notify_multiplier = VIRTIO_MODEL_MULTIPLIER};
    for (unsigned i = 0; i < 4; i++) {
        struct mmio window = {(void *)(uintptr_t)(VIRTIO_MODEL_BASE + i * VIRTIO_MODEL_WINDOW),
                              VIRTIO_MODEL_WINDOW};

        *(struct mmio *[]){&transport->common, &transport->notify, &transport->isr,
                           &transport->device}[i] = window;
    }
}

static inline struct virtio_available *virtio_model_available(struct virtio_model *model,
                                                              unsigned index)
{
    struct virtio_model_queue *queue = &model->queues[index];

    return virtio_model_at(model, queue->available, 6 + 2ull * queue->size);
}

static inline struct virtio_used *virtio_model_used(struct virtio_model *model, unsigned index)
{
    struct virtio_model_queue *queue = &model->queues[index];

    return virtio_model_at(model, queue->used, 6 + 8ull * queue->size);
}

/* ---- The packed ring ---- */

static inline void virtio_model_advance(const struct virtio_model_queue *queue, uint16_t *at,
                                        bool *wrap, uint16_t by)
{
    for (; by != 0; by--) {
        *wrap ^= ++*at == queue->size;
        *at %= queue->size;
    }
}

/* It wants to be told of the next that is made available. */
static inline void virtio_model_want(struct virtio_model *model, struct virtio_model_queue *queue)
{
    struct virtio_packed_event *event = virtio_model_at(model, queue->used, sizeof *event);

    if ((model->accepted & VIRTIO_F_EVENT_INDEX) != 0)
        *event = (struct virtio_packed_event){
            (uint16_t)(queue->take_at | queue->take_wrap << PACKED_PLACE_WRAP), PACKED_EVENT_PLACE};
}

static inline bool virtio_model_next_packed(struct virtio_model *model,
                                            struct virtio_model_queue *queue,
                                            struct virtio_model_request *request)
{
    struct virtio_packed *ring = virtio_model_at(model, queue->descriptors, 16ull * queue->size);
    struct virtio_packed *at = &ring[queue->take_at], *table;
    uint16_t length = 0, flags = at->flags;

    if (((flags & PACKED_AVAILABLE) != 0) != queue->take_wrap ||
        ((flags & PACKED_USED) != 0) == queue->take_wrap)
        return false;
    request->count = 0;
    if (flags & DESCRIPTOR_INDIRECT) {
        table = virtio_model_at(model, at->address, at->bytes);
        request->head = at->id;
        for (uint32_t i = 0; i < at->bytes / 16; i++) {
            request->segments[request->count++] = (struct virtio_descriptor){
                table[i].address, table[i].bytes, table[i].flags & DESCRIPTOR_WRITE, 0};
        }
        length = 1;
        virtio_model_advance(queue, &queue->take_at, &queue->take_wrap, 1);
    } else {
        do {
            at = &ring[queue->take_at];
            flags = at->flags;
            CHECK_EQ((flags & PACKED_AVAILABLE) != 0, queue->take_wrap);
            request->segments[request->count++] = (struct virtio_descriptor){
                at->address, at->bytes, flags & (DESCRIPTOR_WRITE | DESCRIPTOR_NEXT), 0};
            request->head = at->id; /* that of the last counts */
            length++;
            virtio_model_advance(queue, &queue->take_at, &queue->take_wrap, 1);
        } while (flags & DESCRIPTOR_NEXT);
    }
    CHECK(request->head < queue->size);
    queue->lengths[request->head] = length;
    return true;
}

static inline bool virtio_model_done_packed(struct virtio_model *model,
                                            struct virtio_model_queue *queue, uint32_t id,
                                            uint32_t bytes)
{
    struct virtio_packed *ring = virtio_model_at(model, queue->descriptors, 16ull * queue->size);
    struct virtio_packed_event *event = virtio_model_at(model, queue->available, sizeof *event);
    uint16_t place = (uint16_t)(queue->put_at | queue->put_wrap << PACKED_PLACE_WRAP);

    ring[queue->put_at].id = (uint16_t)id;
    ring[queue->put_at].bytes = bytes;
    ring[queue->put_at].flags = queue->put_wrap ? PACKED_AVAILABLE | PACKED_USED : 0;
    virtio_model_advance(queue, &queue->put_at, &queue->put_wrap,
                         id < queue->size && queue->lengths[id] != 0 ? queue->lengths[id] : 1);
    virtio_model_want(model, queue);
    return event->flags == PACKED_EVENT_PLACE ? event->place == place
                                              : event->flags == PACKED_EVENT_ALL;
}

/* ---- Requests ---- */

/* The next request of the queue; false: there is none. */
static inline bool virtio_model_next(struct virtio_model *model, unsigned index,
                                     struct virtio_model_request *request)
{
    struct virtio_model_queue *queue = &model->queues[index];
    struct virtio_available *available = virtio_model_available(model, index);
    struct virtio_descriptor *table =
        virtio_model_at(model, queue->descriptors, 16ull * queue->size);
    uint32_t limit = queue->size;
    uint16_t at;

    CHECK(queue->enabled && (model->status & VIRTIO_DRIVER_OK));
    if (model->accepted & VIRTIO_F_PACKED)
        return virtio_model_next_packed(model, queue, request);
    if (available->index == queue->taken)
        return false;
    at = available->ring[queue->taken++ % queue->size];
    request->head = at;
    request->count = 0;
    if (table[at].flags & DESCRIPTOR_INDIRECT) {
        limit = table[at].bytes / 16;
        table = virtio_model_at(model, table[at].address, table[at].bytes);
        at = 0;
    }
    for (;;) {
        CHECK(at < limit && request->count < QUEUE_SEGMENTS_MAX);
        request->segments[request->count++] = table[at];
        if ((table[at].flags & DESCRIPTOR_NEXT) == 0)
            return true;
        at = table[at].next;
    }
}

/* Ends a request; true: the driver is to get an interrupt. */
static inline bool virtio_model_done(struct virtio_model *model, unsigned index, uint32_t head,
                                     uint32_t bytes)
{
    struct virtio_model_queue *queue = &model->queues[index];
    struct virtio_available *available = virtio_model_available(model, index);
    struct virtio_used *used = virtio_model_used(model, index);
    uint16_t old = queue->done;

    if (model->accepted & VIRTIO_F_PACKED)
        return virtio_model_done_packed(model, queue, head, bytes);
    used->ring[old % queue->size] = (struct virtio_used_entry){head, bytes};
    used->index = ++queue->done;
    if (model->accepted & VIRTIO_F_EVENT_INDEX) {
        /* It wants to hear of the request behind available->ring[size], used_event. */
        ((uint16_t *)&used->ring[queue->size])[0] = queue->taken;
        return available->ring[queue->size] == old;
    }
    return (available->flags & AVAILABLE_NO_INTERRUPT) == 0;
}
