// SPDX-License-Identifier: MIT
/*
 * registers.h - a virtio network device: numbers of "Virtual I/O Device (VIRTIO) Version 1.1", section 5.1 (Network
 * Device).
 */
#pragma once

#include <stdint.h>

/* Section 5.1.2, "Virtqueues". */
enum { VIRTIO_NET_RECEIVE = 0, VIRTIO_NET_SEND = 1 };

/* Section 5.1.3, "Feature bits". */
#define VIRTIO_NET_F_CSUM (1ull << 0)
#define VIRTIO_NET_F_GUEST_CSUM (1ull << 1)
#define VIRTIO_NET_F_MTU (1ull << 3)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_MRG_RXBUF (1ull << 15)
#define VIRTIO_NET_F_STATUS (1ull << 16)

/* Section 5.1.4, "Device configuration layout". */
enum {
    VIRTIO_NET_MAC = 0,    /* 6 bytes */
    VIRTIO_NET_STATUS = 6, /* 16 bits: VIRTIO_NET_F_STATUS */
    VIRTIO_NET_MTU = 10,   /* 16 bits: VIRTIO_NET_F_MTU */
};
#define VIRTIO_NET_S_LINK_UP 1u

/* Section 5.1.6, "Device Operation". */
enum {
    VIRTIO_NET_HDR_F_NEEDS_CSUM = 1,
    VIRTIO_NET_HDR_F_DATA_VALID = 2,
    VIRTIO_NET_HDR_GSO_NONE = 0,
};

/* Before every frame; a device of version 1 has all of it, whatever the features. */
struct virtio_net_header {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t header_bytes;
    uint16_t gso_bytes;
    uint16_t checksum_start;
    uint16_t checksum_offset; /* from there */
    uint16_t buffers;         /* received: that the frame lies in */
};
_Static_assert(sizeof(struct virtio_net_header) == 12, "the device reads and writes it");
