// SPDX-License-Identifier: MIT
/* transport - see transport.h. */
#include "lib/driver/virtio/transport.h"

#include "lib/format/bytes.h"

#define BARS 6
#define CONFIG_TRIES 16

bool virtio_place_parse(const uint8_t *capability, size_t size, struct virtio_place *place)
{
    size_t length;

    *place = (struct virtio_place){0};
    if (size < VIRTIO_CAP_SIZE)
        return false;
    length = capability[VIRTIO_CAP_LENGTH];
    place->type = capability[VIRTIO_CAP_TYPE];
    place->bar = capability[VIRTIO_CAP_BAR];
    place->offset = (uint32_t)bytes_get(capability + VIRTIO_CAP_OFFSET, 4);
    place->bytes = (uint32_t)bytes_get(capability + VIRTIO_CAP_BYTES, 4);
    if (length < VIRTIO_CAP_SIZE || length > size || place->bar >= BARS)
        return false;
    if (place->type != VIRTIO_PLACE_NOTIFY)
        return true;
    if (length < VIRTIO_CAP_NOTIFY_SIZE)
        return false;
    place->multiplier = (uint32_t)bytes_get(capability + VIRTIO_CAP_MULTIPLIER, 4);
    return true;
}

static uint8_t status_of(const struct virtio_transport *transport)
{
    return mmio_read8(&transport->common, COMMON_STATUS);
}

static void status_add(const struct virtio_transport *transport, uint8_t bits)
{
    mmio_write8(&transport->common, COMMON_STATUS, status_of(transport) | bits);
}

void transport_reset(const struct virtio_transport *transport)
{
    mmio_write8(&transport->common, COMMON_STATUS, 0);
}

bool transport_is_reset(const struct virtio_transport *transport)
{
    return status_of(transport) == 0;
}

static uint64_t read_offered(const struct virtio_transport *transport)
{
    uint64_t features = 0;

    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(&transport->common, COMMON_DEVICE_FEATURE_SELECT, half);
        features |= (uint64_t)mmio_read32(&transport->common, COMMON_DEVICE_FEATURE) << (32 * half);
    }
    return features;
}

bool transport_features(struct virtio_transport *transport, uint64_t wanted, uint64_t needed)
{
    needed |= VIRTIO_F_VERSION_1;
    status_add(transport, VIRTIO_ACKNOWLEDGE);
    status_add(transport, VIRTIO_DRIVER);
    transport->offered = read_offered(transport);
    transport->features = transport->offered & (wanted | needed);
    if ((transport->features & needed) != needed)
        return false;
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(&transport->common, COMMON_DRIVER_FEATURE_SELECT, half);
        mmio_write32(&transport->common, COMMON_DRIVER_FEATURE,
                     (uint32_t)(transport->features >> (32 * half)));
    }
    status_add(transport, VIRTIO_FEATURES_OK);
    return (status_of(transport) & VIRTIO_FEATURES_OK) != 0;
}

uint32_t transport_queue_count(const struct virtio_transport *transport)
{
    return mmio_read16(&transport->common, COMMON_QUEUE_COUNT);
}

uint32_t transport_queue_size(const struct virtio_transport *transport, uint16_t index)
{
    uint32_t size;

    mmio_write16(&transport->common, COMMON_QUEUE_SELECT, index);
    size = mmio_read16(&transport->common, COMMON_QUEUE_SIZE);
    return (size & (size - 1)) == 0 ? size : 0;
}

static void write_address(const struct virtio_transport *transport, uint64_t offset, uint64_t bus)
{
    mmio_write32(&transport->common, offset, (uint32_t)bus);
    mmio_write32(&transport->common, offset + 4, (uint32_t)(bus >> 32));
}

bool transport_queue(const struct virtio_transport *transport, uint16_t index,
                     const struct virtio_queue *queue, uint16_t vector, struct virtio_bell *bell)
{
    const struct mmio *common = &transport->common;
    uint64_t offset;

    mmio_write16(common, COMMON_QUEUE_SELECT, index);
    mmio_write16(common, COMMON_QUEUE_SIZE, queue->size);
    mmio_write16(common, COMMON_QUEUE_VECTOR, vector);
    if (mmio_read16(common, COMMON_QUEUE_VECTOR) != vector)
        return false; /* it has no room for one more */
    write_address(transport, COMMON_QUEUE_DESCRIPTORS, queue->descriptors_bus);
    write_address(transport, COMMON_QUEUE_DRIVER, queue->available_bus);
    write_address(transport, COMMON_QUEUE_DEVICE, queue->used_bus);
    offset =
        (uint64_t)mmio_read16(common, COMMON_QUEUE_NOTIFY_OFFSET) * transport->notify_multiplier;
    if (!mmio_part(&transport->notify, offset, 2, &bell->place) || offset % 2 != 0)
        return false;
    bell->queue = index;
    mmio_write16(common, COMMON_QUEUE_ENABLE, 1);
    return true;
}

bool transport_config_vector(const struct virtio_transport *transport, uint16_t vector)
{
    mmio_write16(&transport->common, COMMON_CONFIG_VECTOR, vector);
    return mmio_read16(&transport->common, COMMON_CONFIG_VECTOR) == vector;
}

void transport_go(const struct virtio_transport *transport)
{
    status_add(transport, VIRTIO_DRIVER_OK);
}

void transport_fail(const struct virtio_transport *transport)
{
    status_add(transport, VIRTIO_FAILED);
}

bool transport_needs_reset(const struct virtio_transport *transport)
{
    return (status_of(transport) & VIRTIO_NEEDS_RESET) != 0;
}

bool transport_config(const struct virtio_transport *transport, uint32_t offset, void *out,
                      uint32_t bytes)
{
    uint8_t *to = out;
    struct mmio part;

    if (!mmio_part(&transport->device, offset, bytes, &part))
        return false;
    for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
        uint8_t before = mmio_read8(&transport->common, COMMON_GENERATION);

        for (uint32_t i = 0; i < bytes; i++)
            to[i] = mmio_read8(&part, i);
        if (mmio_read8(&transport->common, COMMON_GENERATION) == before)
            return true;
    }
    return false;
}
