// SPDX-License-Identifier: MIT
/*
 * config.h - configuration space of a PCI function: readers of its first 256 bytes, which the
 * device wrote.
 *
 * "PCI Local Bus Specification" 3.0, chapter 6; "PCI Express Base Specification" 4.0, section 7.5;
 * "PCI-to-PCI Bridge Architecture Specification" 1.2, chapter 3; "Advanced Capabilities for
 * Conventional PCI" (AF).
 *
 * Whatever the bytes are, nothing outside them is read, every list ends, and what is returned lies
 * inside the 256 bytes. What could not be used is left out, never guessed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_BYTES 256u
#define PCI_BARS 6u

enum pci_register {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08, /* class code in the three bytes behind */
    PCI_HEADER_TYPE = 0x0E,
    PCI_BAR = 0x10,
    PCI_PRIMARY_BUS = 0x18,
    PCI_SECONDARY_BUS = 0x19,
    PCI_SUBORDINATE_BUS = 0x1A,
    PCI_SUBSYSTEM_VENDOR = 0x2C,
    PCI_SUBSYSTEM = 0x2E,
    PCI_CAPABILITIES = 0x34,
    PCI_CAPABILITIES_FIRST = 0x40, /* no capability lies below */
};

enum pci_command {
    PCI_COMMAND_PORTS = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_NO_PIN = 1 << 10,
};

enum pci_capability_id {
    PCI_CAP_POWER = 0x01,
    PCI_CAP_MSI = 0x05,
    PCI_CAP_VENDOR = 0x09,
    PCI_CAP_EXPRESS = 0x10,
    PCI_CAP_MSIX = 0x11,
    PCI_CAP_AF = 0x13,
};

struct pci_header {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code; /* 0xCCSSII */
    uint8_t revision;
    uint8_t type; /* 0: function, 1: bridge, others are not used today */
    bool many_functions, has_capabilities;
    uint8_t bar_count;
    uint8_t secondary, subordinate; /* of a bridge */
};

/* False: there is no function. */
bool pci_header_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_header *header);

/* ---- BARs ---- */

struct pci_bar {
    uint64_t address, bytes;        /* bytes 0: there is none, or what it says cannot be */
    bool ports, wide, prefetchable; /* wide: it takes two registers */
};

/* `value` is what the register holds, `mask` what it reads after all ones were written; the high
 * halves count for a wide one, which needs a register behind it (`has_next`). */
void pci_bar_read(uint32_t value, uint32_t mask, uint32_t high_value, uint32_t high_mask,
                  bool has_next, struct pci_bar *bar);

/* ---- capabilities ---- */

/* The place of capability number `index` with this identifier; 0: there is none. */
uint8_t pci_capability_find(const uint8_t config[PCI_CONFIG_BYTES], uint8_t id, unsigned index);
/* From `at` to where the next capability begins, or the space ends. */
size_t pci_capability_bytes(const uint8_t config[PCI_CONFIG_BYTES], uint8_t at);

/* Message Control and what follows. */
enum {
    PCI_MSI_CONTROL = 2,
    PCI_MSI_ADDRESS = 4,
    PCI_MSI_ENABLE = 1 << 0,
    PCI_MSI_MULTIPLE_SHIFT = 4, /* log2 of the vectors that are used, 3 bits */

    PCI_MSIX_CONTROL = 2,
    PCI_MSIX_ENABLE = 1 << 15,
    PCI_MSIX_MASK_ALL = 1 << 14,
    PCI_MSIX_ENTRY_BYTES = 16, /* address, high address, data, control */
    PCI_MSIX_ENTRY_DATA = 8,
    PCI_MSIX_ENTRY_CONTROL = 12,
    PCI_MSIX_ENTRY_MASKED = 1,
};

struct pci_msi {
    uint8_t at; /* 0: there is none */
    bool wide;
    uint8_t data, mask; /* places of registers; mask 0: it has none */
    uint16_t vectors;   /* 1 to 32 */
};
struct pci_msix {
    uint8_t at; /* 0: there is none */
    uint8_t table_bar, pending_bar;
    uint32_t table_offset, pending_offset;
    uint16_t vectors; /* 1 to 2048 */
};
void pci_msi_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_msi *msi);
void pci_msix_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_msix *msix);

/* ---- ways to stop a function ---- */

enum {
    PCI_EXPRESS_CONTROL = 8, /* Device Control, 16 bits */
    PCI_EXPRESS_START_RESET = 1 << 15,
    PCI_EXPRESS_STATUS = 10,
    PCI_EXPRESS_PENDING = 1 << 5,
    PCI_AF_CONTROL = 4, /* 8 bits */
    PCI_AF_START_RESET = 1 << 0,
    PCI_AF_STATUS = 5,
    PCI_AF_PENDING = 1 << 0,
    PCI_POWER_CONTROL = 4, /* 16 bits */
    PCI_POWER_STATE_MASK = 3,
    PCI_POWER_D3 = 3,
    PCI_POWER_KEEPS_STATE = 1 << 3, /* D3 to D0 resets nothing */
};

struct pci_stop {
    uint8_t express_reset; /* place of the PCI Express capability, if it offers the reset; else 0 */
    uint8_t af_reset;      /* place of the AF capability, likewise */
    uint8_t power;         /* place of the power management capability, if D3 and back resets */
};
void pci_stop_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_stop *stop);
