// SPDX-License-Identifier: MIT
/*
 * transport.h - a modern virtio device on PCI (Virtio 1.1, section 4.1): places of its registers,
 * features, queues, status. Reaches registers by mmio.h, so a host test has a model of the device
 * instead, and asks for no capability: virtio.h does.
 *
 *   reset --transport_features--> features agreed --transport_queue for each--> transport_go -->
 *   working
 *   any --needs reset, or queue_take() says QUEUE_BROKEN--> reset
 *
 * Nothing here waits: what takes time is a question that the driver asks again, with a deadline of
 * its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/driver/mmio.h"
#include "lib/driver/virtio/queue.h"

/* One virtio capability: which window holds what. */
struct virtio_place {
    uint32_t type; /* enum virtio_place_type */
    uint32_t bar;
    uint32_t offset, bytes;
    uint32_t multiplier; /* of notify */
};

/* From the bytes of a vendor specific capability; false: too short, or a window that cannot be. */
bool virtio_place_parse(const uint8_t *capability, size_t size, struct virtio_place *place);

struct virtio_transport {
    struct mmio common, notify, isr;
    struct mmio device; /* bytes 0: there is none */
    uint32_t notify_multiplier;
    uint64_t offered, features;
};

/* Writes the reset; transport_is_reset() says when it is done. */
void transport_reset(const struct virtio_transport *transport);
bool transport_is_reset(const struct virtio_transport *transport);

/* After a reset: agrees on what the device offers of `wanted`, and VERSION_1, which must be among
 * them. False: the device lacks what is `needed`, or does not take the choice. */
bool transport_features(struct virtio_transport *transport, uint64_t wanted, uint64_t needed);

uint32_t transport_queue_count(const struct virtio_transport *transport);
/* The size that the device allows for a queue: a power of two, or 0: there is no such queue. */
uint32_t transport_queue_size(const struct virtio_transport *transport, uint16_t index);

/* Where the driver tells the device about one queue. */
struct virtio_bell {
    struct mmio place;
    uint16_t queue;
};

/* Hands the queue to the device, with message interrupt `vector` (VIRTIO_NO_VECTOR: none). False:
 * the device does not take the vector, or its notification is outside its window. */
bool transport_queue(const struct virtio_transport *transport, uint16_t index,
                     const struct virtio_queue *queue, uint16_t vector, struct virtio_bell *bell);
/* The interrupt for changes of the configuration. */
bool transport_config_vector(const struct virtio_transport *transport, uint16_t vector);

/* From here on the device works. */
void transport_go(const struct virtio_transport *transport);
/* The driver gives up. */
void transport_fail(const struct virtio_transport *transport);
bool transport_needs_reset(const struct virtio_transport *transport);

static inline void transport_notify(const struct virtio_bell *bell)
{
    dma_write_barrier();
    mmio_write16(&bell->place, 0, bell->queue);
}

/* Bytes of the device's own configuration, all from one moment. False: outside, or it never stood
 * still. */
bool transport_config(const struct virtio_transport *transport, uint32_t offset, void *out,
                      uint32_t bytes);
