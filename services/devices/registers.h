// SPDX-License-Identifier: MIT
/*
 * registers.h - registers of a device that this service itself has to touch: the MSI-X table, and
 * what stops an NVMe controller. Mapped for the moment only. Host tests have a model instead of
 * registers.c.
 */
#pragma once

#include "lib/driver/mmio.h"

struct registers {
    struct mmio window;
    void *mapped;
    uint64_t page_count;
};

/* False: it cannot be mapped; what failed is in the log. */
bool registers_map(struct registers *registers, uint64_t address, uint64_t bytes);
void registers_unmap(struct registers *registers);
