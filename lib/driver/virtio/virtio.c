// SPDX-License-Identifier: MIT
/* virtio - see virtio.h. */
#include "lib/driver/virtio/virtio.h"

#include "lib/client/device.h"
#include "lib/mnos/time.h"

#define CAPABILITIES_MAX 32u /* of virtio, that one device has; a list in 192 bytes holds fewer */
#define RESET_NS 1000000000ull
#define RESET_LOOK_NS 100000ull

/* The first usable place of each type counts: a device may offer the same registers in several
 * ways. */
static mnos_status_t use_place(struct virtio *virtio, mnos_cap_t devices,
                               const struct virtio_place *place)
{
    struct virtio_transport *transport = &virtio->transport;
    struct mmio *const targets[] = {
        [VIRTIO_PLACE_COMMON] = &transport->common,
        [VIRTIO_PLACE_NOTIFY] = &transport->notify,
        [VIRTIO_PLACE_ISR] = &transport->isr,
        [VIRTIO_PLACE_DEVICE] = &transport->device,
    };
    mnos_status_t status;

    if (place->type < VIRTIO_PLACE_COMMON || place->type > VIRTIO_PLACE_DEVICE ||
        targets[place->type]->bytes != 0)
        return MNOS_OK;
    status = device_window_map(&virtio->windows, devices, place->bar);
    if (status == MNOS_ERR_END || status == MNOS_ERR_DENIED)
        return MNOS_OK; /* the same registers may be elsewhere, too */
    if (status == MNOS_OK &&
        device_window_part(&virtio->windows, place->bar, place->offset, place->bytes,
                           targets[place->type]) &&
        place->type == VIRTIO_PLACE_NOTIFY)
        transport->notify_multiplier = place->multiplier;
    return status;
}

static mnos_status_t find_places(struct virtio *virtio, mnos_cap_t devices)
{
    for (uint32_t i = 0; i < CAPABILITIES_MAX; i++) {
        uint8_t bytes[256];
        struct virtio_place place;
        size_t length;
        mnos_status_t status =
            device_capability(devices, VIRTIO_PCI_CAPABILITY_ID, i, bytes, sizeof bytes, &length);

        if (status == MNOS_ERR_END)
            return MNOS_OK;
        if (status == MNOS_OK && length <= sizeof bytes &&
            virtio_place_parse(bytes, length, &place))
            status = use_place(virtio, devices, &place);
        if (status != MNOS_OK)
            return status;
    }
    return MNOS_OK;
}

mnos_status_t virtio_open(struct virtio *virtio, mnos_cap_t devices)
{
    const struct virtio_transport *transport = &virtio->transport;
    mnos_status_t status;

    *virtio = (struct virtio){0};
    status = find_places(virtio, devices);
    if (status != MNOS_OK)
        return status;
    if (transport->common.bytes < COMMON_BYTES || transport->notify.bytes < 2)
        return MNOS_ERR_FORMAT;
    return virtio_reset(virtio);
}

mnos_status_t virtio_reset(const struct virtio *virtio)
{
    uint64_t deadline = deadline_after_ns(RESET_NS);

    transport_reset(&virtio->transport);
    while (!transport_is_reset(&virtio->transport)) {
        if (kinfo_time_ns() >= deadline)
            return MNOS_ERR_DEVICE;
        sleep_until(deadline_after_ns(RESET_LOOK_NS));
    }
    return MNOS_OK;
}
