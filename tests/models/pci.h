// SPDX-License-Identifier: MIT
/*
 * pci.h - a model of a machine with functions of PCI: configuration space in the place of
 * services/devices/config.c and, behind lib/driver/mmio.h, MSI-X tables and the registers of an
 * NVMe controller. Resets forget what the specifications say they forget. A test includes it once.
 */
#pragma once

#include <string.h>

#include "lib/driver/virtio/registers.h"
#include "lib/format/pci/config.h"
#include "services/devices/config.h"
#include "services/devices/registers.h"
#include "tests/models/mmio.h"
#include "tests/unit/unit.h"

#define MODEL_FUNCTIONS 300
#define MODEL_ECAM 0xE0000000ull
#define MODEL_ECAM_BYTES 0x10000000ull

struct model_function {
    struct mmio_model memory; /* of window 0; first */
    device_address_t address;
    uint8_t config[PCI_CONFIG_BYTES];
    uint32_t bar_writable[DEVICE_BARS];
    uint8_t registers[0x10000]; /* of window 0 */
    unsigned resets, power_ups;
    bool deaf;        /* does not answer to configuration */
    bool never_quiet; /* neither its status nor its controller stops */
    uint8_t virtio_status;
    bool
        cut_off; /* it was to reach no memory any more while it worked: some virtio devices never end then */
    uint32_t nvme_ready_delay; /* reads of its status until it has stopped */
};

static struct model_function machine[MODEL_FUNCTIONS];
static unsigned machine_count;
static unsigned machine_last_bus = 255;
static unsigned probes; /* BARs that all ones were written to */

static inline uint32_t model_get(const struct model_function *function, unsigned at, unsigned bytes)
{
    uint32_t value = 0;

    memcpy(&value, function->config + at, bytes);
    return value;
}

static inline void model_set(struct model_function *function, unsigned at, unsigned bytes,
                             uint32_t value)
{
    memcpy(function->config + at, &value, bytes);
}

static inline struct model_function *model_at(device_address_t address)
{
    for (unsigned i = 0; i < machine_count; i++)
        if (machine[i].address == address && !machine[i].deaf)
            return &machine[i];
    return NULL;
}

static inline uint64_t model_bar(const struct model_function *function, unsigned bar)
{
    return model_get(function, PCI_BAR + 4 * bar, 4) & ~15u;
}

/* ---- registers in memory ---- */

static inline uint64_t model_memory_read(struct mmio_model *memory, uint64_t offset, unsigned width)
{
    struct model_function *function = (struct model_function *)memory;
    uint64_t value = 0;

    memcpy(&value, function->registers + offset, width);
    if (model_get(function, PCI_REVISION, 4) >> 8 == 0x010802 && offset == 0x1C) {
        if (function->never_quiet || function->nvme_ready_delay != 0)
            value |= 1;
        if (function->nvme_ready_delay != 0)
            function->nvme_ready_delay--;
    }
    return value;
}

static inline void model_memory_write(struct mmio_model *memory, uint64_t offset, unsigned width,
                                      uint64_t value)
{
    memcpy(((struct model_function *)memory)->registers + offset, &value, width);
}

bool registers_map(struct registers *registers, uint64_t address, uint64_t bytes)
{
    registers->window = (struct mmio){(void *)(uintptr_t)address, bytes};
    return true;
}

void registers_unmap(struct registers *registers)
{
    registers->window = (struct mmio){0};
}

/* ---- making functions ---- */

/* With one window of memory, of 64 KiB, at `bar`. */
static inline struct model_function *model_add(device_address_t address, uint32_t ids,
                                               uint32_t class_code, uint32_t bar)
{
    struct model_function *function = &machine[machine_count++];

    *function = (struct model_function){
        .memory = {.base = bar,
                   .bytes = sizeof function->registers,
                   .read = model_memory_read,
                   .write = model_memory_write},
        .address = address,
    };
    model_set(function, PCI_VENDOR, 4, ids);
    model_set(function, PCI_REVISION, 4, class_code << 8);
    model_set(function, PCI_STATUS, 2, 0x10);
    if (bar != 0) {
        function->bar_writable[0] = 0xFFFF0000;
        model_set(function, PCI_BAR, 4, bar);
        mmio_model_add(&function->memory);
    }
    return function;
}

/* Adds a capability at `at` to the front of the list. */
static inline void model_capability(struct model_function *function, uint8_t at, uint8_t id)
{
    function->config[at] = id;
    function->config[at + 1] = function->config[PCI_CAPABILITIES];
    function->config[PCI_CAPABILITIES] = at;
}

static inline void model_msix(struct model_function *function, unsigned vectors, uint32_t table)
{
    model_capability(function, 0xB0, PCI_CAP_MSIX);
    model_set(function, 0xB2, 2, vectors - 1);
    model_set(function, 0xB4, 4, table);
    model_set(function, 0xB8, 4, table + 0x1000);
}

static inline void model_bridge(device_address_t address, unsigned secondary, unsigned subordinate)
{
    struct model_function *function = model_add(address, 0x00011B36, 0x060400, 0);

    function->config[PCI_HEADER_TYPE] = 1;
    function->config[PCI_SECONDARY_BUS] = (uint8_t)secondary;
    function->config[PCI_SUBORDINATE_BUS] = (uint8_t)subordinate;
}

/* ---- configuration space ---- */

static inline void model_reset(struct model_function *function)
{
    uint8_t msi = pci_capability_find(function->config, PCI_CAP_MSI, 0);
    uint8_t msix = pci_capability_find(function->config, PCI_CAP_MSIX, 0);

    model_set(function, PCI_COMMAND, 2, 0);
    for (unsigned i = 0; i < DEVICE_BARS; i++)
        model_set(function, PCI_BAR + 4 * i, 4,
                  model_get(function, PCI_BAR + 4 * i, 4) & ~function->bar_writable[i]);
    if (msi != 0)
        function->config[msi + 2] &= 0xFE;
    if (msix != 0)
        function->config[msix + 3] &= 0x3F;
    function->virtio_status = 0;
}

/* What writing to the last byte of something sets off. */
static inline void model_effects(struct model_function *function, unsigned offset, uint32_t before)
{
    uint8_t express = pci_capability_find(function->config, PCI_CAP_EXPRESS, 0);
    uint8_t af = pci_capability_find(function->config, PCI_CAP_AF, 0);
    uint8_t power = pci_capability_find(function->config, PCI_CAP_POWER, 0);

    if (express != 0 && offset == express + 8u && (model_get(function, offset, 2) & 1u << 15)) {
        model_set(function, offset, 2, 0);
        function->resets++;
        model_reset(function);
    }
    if (af != 0 && offset == af + 4u && (function->config[offset] & 1)) {
        function->config[offset] = 0;
        function->resets++;
        model_reset(function);
    }
    if (power != 0 && offset == power + 4u && (before & 3) == 3 &&
        (function->config[offset] & 3) == 0) {
        function->power_ups++;
        model_reset(function);
    }
}

/* The data of PCI_CFG at 0x90 are the device's status when it is aimed there. */
static inline bool model_is_virtio_status(const struct model_function *function, unsigned offset)
{
    return offset == 0x90 + 16 && function->config[0x90 + 3] == VIRTIO_PLACE_PCI &&
           model_get(function, 0x90 + 8, 4) == COMMON_STATUS &&
           model_get(function, 0x90 + 12, 4) == 1;
}

uint32_t config_read(device_address_t address, unsigned offset, unsigned bytes)
{
    const struct model_function *function = model_at(address);

    CHECK(offset % bytes == 0 && offset + bytes <= PCI_CONFIG_BYTES);
    if (function == NULL)
        return UINT32_MAX >> (32 - 8 * bytes);
    if (model_is_virtio_status(function, offset))
        return function->virtio_status;
    return model_get(function, offset, bytes);
}

void config_write(device_address_t address, unsigned offset, unsigned bytes, uint32_t value)
{
    struct model_function *function = model_at(address);
    uint32_t before;

    CHECK(offset % bytes == 0 && offset + bytes <= PCI_CONFIG_BYTES);
    if (function == NULL)
        return;
    before = model_get(function, offset, bytes);
    if (model_is_virtio_status(function, offset)) {
        if (!function->never_quiet)
            function->virtio_status = (uint8_t)value;
        return;
    }
    if (offset >= PCI_BAR && offset < PCI_BAR + 4 * DEVICE_BARS) {
        uint32_t writable = function->bar_writable[(offset - PCI_BAR) / 4];

        probes += value == UINT32_MAX;
        value = (before & ~writable) | (value & writable);
    }
    if (offset == PCI_COMMAND && (before & ~value & PCI_COMMAND_MASTER) != 0 &&
        function->virtio_status != 0)
        function->cut_off = true;
    model_set(function, offset, bytes, value);
    model_effects(function, offset, before);
}

bool config_segment(unsigned index, struct config_segment *segment)
{
    *segment = (struct config_segment){.last_bus = (uint8_t)machine_last_bus};
    return index == 0;
}

bool config_bus(device_address_t address)
{
    return ADDRESS_SEGMENT(address) == 0 && ADDRESS_BUS(address) <= machine_last_bus;
}

bool config_overlaps(uint64_t address, uint64_t bytes)
{
    return address < MODEL_ECAM + MODEL_ECAM_BYTES && MODEL_ECAM < address + bytes;
}
