// SPDX-License-Identifier: MIT
/* device.h - labels and records of the device protocol; what they mean is in device.def. */
#pragma once

#include <stdint.h>

#include "abi/types.h"

enum device_request {
#define REQUEST(label, name, class, request, reply, text) DEVICE_##name = (label),
#include "protocols/device.def"
#undef REQUEST
};

#define DEVICE_BARS 6
#define DEVICE_VECTORS_MAX 16u /* that one driver is given */
#define DEVICE_TEXT_BYTES 80

enum device_state {
    DEVICE_ABSENT = 0,
    DEVICE_FREE = 1,      /* nobody has claimed it */
    DEVICE_CLAIMED = 2,   /* a driver has it */
    DEVICE_QUIESCING = 3, /* its driver died; what was in flight is waited for */
    DEVICE_FAILED = 4,    /* `reason` of struct device_entry says why */
};

enum device_flags {
    DEVICE_MSI = 1u << 0,
    DEVICE_MSIX = 1u << 1,
    DEVICE_PCIE = 1u << 2,
    DEVICE_BRIDGE = 1u << 3,
    DEVICE_RESET = 1u << 4, /* function-level reset */
    DEVICE_MASTER_ON = 1u << 5,
};

enum device_bar_flags {
    DEVICE_BAR_MEMORY = 1u << 0,
    DEVICE_BAR_PORTS = 1u << 1,
    DEVICE_BAR_64_BIT = 1u << 2,
    DEVICE_BAR_PREFETCHABLE = 1u << 3,
};

struct device_index {
    uint64_t index;
};

static inline uint64_t device_bar_index(uint32_t bar, uint32_t part)
{
    return bar | (uint64_t)part << 8;
}

struct device_switch {
    uint64_t on; /* 0 or 1 */
};

/* Where a function is: bits 0 to 2 function, 3 to 7 device, 8 to 15 bus, 16 to 31 segment. */
typedef uint32_t device_address_t;

struct device_ids {
    device_address_t address;
    uint16_t vendor;
    uint16_t device;
    uint16_t subsystem_vendor;
    uint16_t subsystem;
    uint32_t class_code; /* 0xCCSSII: class, subclass, interface */
    uint32_t revision;
};
_Static_assert(sizeof(struct device_ids) == 20, "shared between programs");

struct device_window {
    uint64_t bytes; /* 0: there is none */
    uint32_t flags; /* enum device_bar_flags */
    uint32_t parts; /* that BAR hands out */
};

struct device_info {
    struct device_ids ids;
    uint32_t flags;   /* enum device_flags */
    uint32_t vectors; /* that VECTOR hands out, at most DEVICE_VECTORS_MAX */
    uint32_t reserved;
    struct device_window bars[DEVICE_BARS];
};
_Static_assert(sizeof(struct device_info) == 128, "shared between programs");

/* A part of a window: the capability's pages hold bytes [offset, offset + bytes) of the window, of
 * which the first lies `page_offset` bytes into the first page. */
struct device_bar_part {
    uint64_t offset;
    uint64_t bytes;
    uint32_t page_offset;
    uint32_t page_count;
    uint32_t flags; /* enum device_bar_flags */
    uint32_t reserved;
};
_Static_assert(sizeof(struct device_bar_part) == 32, "it fits the registers");

struct device_capability {
    uint32_t id;    /* 0x09: vendor specific, 0x10: PCI Express */
    uint32_t index; /* 0: the first with this identifier */
};

/* `block_count` numbers of 64 bits follow. */
struct device_dma {
    uint64_t block_bytes;
    uint64_t block_count;
};

struct device_entry {
    struct device_ids ids;
    uint32_t state;         /* enum device_state */
    uint32_t flags;         /* enum device_flags */
    uint32_t vectors;       /* that the device can send */
    uint32_t vectors_set;   /* that have been asked for */
    uint32_t secondary_bus; /* of a bridge */
    uint32_t reserved;
    char service[MNOS_NAME_BYTES];  /* whose it is by the manifest; empty: nobody's */
    char name[DEVICE_TEXT_BYTES];   /* by pci.ids; empty: not known */
    char reason[DEVICE_TEXT_BYTES]; /* why it is FAILED, or FREE without a driver */
};
_Static_assert(sizeof(struct device_entry) == 228, "shared between programs");
