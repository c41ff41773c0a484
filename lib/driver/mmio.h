// SPDX-License-Identifier: MIT
/*
 * mmio.h - registers in device memory. The accesses are functions of mmio.c, which host tests leave
 * out: there a model of the device has functions of the same names.
 *
 * Each access is one instruction of its width, in the order of the program among themselves: device
 * memory is mapped uncached (Intel SDM volume 3, "Methods of Caching Available", UC). What lies in
 * ordinary memory is ordered against them by the barriers of dma.h.
 *
 * An offset is the caller's to keep below `bytes`: whoever takes one from a device checks it once,
 * by mmio_part().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mmio {
    volatile void *base;
    uint64_t bytes;
};

/* Bytes [offset, offset + bytes) of a window, as a window of its own; false: they are not
 * inside. */
static inline bool mmio_part(const struct mmio *window, uint64_t offset, uint64_t bytes,
                             struct mmio *part)
{
    if (offset > window->bytes || bytes > window->bytes - offset)
        return false;
    *part = (struct mmio){(volatile uint8_t *)window->base + offset, bytes};
    return true;
}

uint8_t mmio_read8(const struct mmio *window, uint64_t offset);
uint16_t mmio_read16(const struct mmio *window, uint64_t offset);
uint32_t mmio_read32(const struct mmio *window, uint64_t offset);
uint64_t mmio_read64(const struct mmio *window, uint64_t offset);
void mmio_write8(const struct mmio *window, uint64_t offset, uint8_t value);
void mmio_write16(const struct mmio *window, uint64_t offset, uint16_t value);
void mmio_write32(const struct mmio *window, uint64_t offset, uint32_t value);
void mmio_write64(const struct mmio *window, uint64_t offset, uint64_t value);
