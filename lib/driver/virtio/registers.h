// SPDX-License-Identifier: MIT
/*
 * registers.h - a virtio device on PCI: numbers of "Virtual I/O Device (VIRTIO) Version 1.1",
 * sections 2.1 (status), 2.6 (split virtqueues), 2.7 (packed virtqueues), 4.1.4 (PCI capabilities) and 6 (feature bits).
 */
#pragma once

#include <stdint.h>

#define VIRTIO_PCI_CAPABILITY_ID 0x09 /* vendor specific */

/* struct virtio_pci_cap. */
enum {
    VIRTIO_CAP_LENGTH = 2,
    VIRTIO_CAP_TYPE = 3,
    VIRTIO_CAP_BAR = 4,
    VIRTIO_CAP_OFFSET = 8,
    VIRTIO_CAP_BYTES = 12,
    VIRTIO_CAP_SIZE = 16,
    VIRTIO_CAP_MULTIPLIER = 16, /* of the notify type only */
    VIRTIO_CAP_NOTIFY_SIZE = 20,
};

enum virtio_place_type {
    VIRTIO_PLACE_COMMON = 1,
    VIRTIO_PLACE_NOTIFY = 2,
    VIRTIO_PLACE_ISR = 3,
    VIRTIO_PLACE_DEVICE = 4,
    VIRTIO_PLACE_PCI = 5,
};

/* struct virtio_pci_common_cfg. Fields of 64 bits are written in two halves. */
enum {
    COMMON_DEVICE_FEATURE_SELECT = 0,
    COMMON_DEVICE_FEATURE = 4,
    COMMON_DRIVER_FEATURE_SELECT = 8,
    COMMON_DRIVER_FEATURE = 12,
    COMMON_CONFIG_VECTOR = 16,
    COMMON_QUEUE_COUNT = 18,
    COMMON_STATUS = 20,
    COMMON_GENERATION = 21,
    COMMON_QUEUE_SELECT = 22,
    COMMON_QUEUE_SIZE = 24,
    COMMON_QUEUE_VECTOR = 26,
    COMMON_QUEUE_ENABLE = 28,
    COMMON_QUEUE_NOTIFY_OFFSET = 30,
    COMMON_QUEUE_DESCRIPTORS = 32,
    COMMON_QUEUE_DRIVER = 40,
    COMMON_QUEUE_DEVICE = 48,
    COMMON_BYTES = 56,
};

#define VIRTIO_NO_VECTOR 0xFFFFu

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

#define VIRTIO_F_INDIRECT (1ull << 28)
#define VIRTIO_F_EVENT_INDEX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_F_PACKED (1ull << 34)

enum {
    DESCRIPTOR_NEXT = 1,
    DESCRIPTOR_WRITE = 2, /* the device writes it */
    DESCRIPTOR_INDIRECT = 4,
    AVAILABLE_NO_INTERRUPT = 1,
    USED_NO_NOTIFY = 1,
};

struct virtio_descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags;
    uint16_t next;
};
_Static_assert(sizeof(struct virtio_descriptor) == 16, "the device reads it");

/* flags, index, ring[size], used_event: 16 bits each. */
struct virtio_available {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[];
};

struct virtio_used_entry {
    uint32_t id;
    uint32_t bytes;
};

/* flags, index, ring[size], available_event. */
struct virtio_used {
    uint16_t flags;
    uint16_t index;
    struct virtio_used_entry ring[];
};

/* ---- The packed ring ---- */

struct virtio_packed {
    uint64_t address;
    uint32_t bytes;
    uint16_t id;
    uint16_t flags; /* as those of virtio_descriptor, and: */
};
_Static_assert(sizeof(struct virtio_packed) == 16, "the device reads it");

enum { PACKED_AVAILABLE = 1 << 7, PACKED_USED = 1 << 15 };

/* Which events one side wants. */
struct virtio_packed_event {
    uint16_t place; /* bits 0 to 14: of a descriptor; PACKED_PLACE_WRAP: the lap's wrap counter */
    uint16_t flags; /* PACKED_EVENT_... */
};

#define PACKED_PLACE_MASK 0x7FFFu
#define PACKED_PLACE_WRAP 15
enum { PACKED_EVENT_ALL = 0, PACKED_EVENT_NONE = 1, PACKED_EVENT_PLACE = 2 };
