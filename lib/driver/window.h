// SPDX-License-Identifier: MIT
/*
 * window.h - the register windows (BARs) of a device that is claimed, mapped. A window whose middle
 * is the MSI-X table has two parts with a gap between them.
 */
#pragma once

#include "lib/driver/mmio.h"
#include "protocols/device.h"

#define WINDOW_PARTS_MAX 2u

struct window_part {
    uint64_t offset; /* in the window */
    struct mmio registers;
};

struct device_windows {
    struct {
        uint32_t part_count; /* 0: not mapped */
        struct window_part parts[WINDOW_PARTS_MAX];
    } bars[DEVICE_BARS];
};

/* Maps window `bar`, once. MNOS_ERR_END: the device has no such window. */
mnos_status_t device_window_map(struct device_windows *windows, mnos_cap_t devices, uint32_t bar);

/* Maps the registers of a device whose window `bar` is one piece of them from its beginning on; once.
 * MNOS_ERR_FORMAT: the MSI-X table lies there; MNOS_ERR_END: the device has no such window. */
mnos_status_t device_registers_map(mnos_cap_t devices, uint32_t bar, struct mmio *registers);

/* Bytes [offset, offset + bytes) of a window that is mapped; false: they are not in one part of
 * it. */
bool device_window_part(const struct device_windows *windows, uint32_t bar, uint64_t offset,
                        uint64_t bytes, struct mmio *part);
