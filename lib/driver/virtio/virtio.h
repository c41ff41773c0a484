// SPDX-License-Identifier: MIT
/*
 * virtio.h - from a claimed device to a transport: reads the virtio capabilities by CAPABILITY,
 * maps the windows that they name, and resets the device. The steps that follow are in transport.h
 * and queue.h:
 *
 *   virtio_open(&virtio, devices);
 *   transport_features(&virtio.transport, wanted, needed);
 *   dma_open(&memory, devices, bootstrap_cap("dma"));        the region of the manifest: of queue_bytes() and the buffers
 *   interrupt_open(devices, 0, endpoint, event, &line);
 *   queue_create(&queue, &memory, size, segments, virtio.transport.features);
 *   transport_queue(&virtio.transport, 0, &queue, 0, &bell);
 *   device_master(devices, true);
 *   transport_go(&virtio.transport);
 *   queue_arm(&queue);                                       else it never interrupts
 */
#pragma once

#include "lib/driver/virtio/transport.h"
#include "lib/driver/window.h"

struct virtio {
    struct device_windows windows;
    struct virtio_transport transport;
};

/* Of the device that this service has claimed. MNOS_ERR_FORMAT: its capabilities lead to no usable
 * registers; MNOS_ERR_DEVICE: it is not reset after a second. */
mnos_status_t virtio_open(struct virtio *virtio, mnos_cap_t devices);

/* Resets it and waits, at most a second; queues and features are to be set up anew. */
mnos_status_t virtio_reset(const struct virtio *virtio);
