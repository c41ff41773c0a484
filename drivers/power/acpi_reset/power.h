// SPDX-License-Identifier: MIT
/* power.h - what the files of this driver share: ports by name, and the region of the ACPI tables. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

/* ---- power_ports.c ---- */

static inline void port_write(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
}

static inline void port_write16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %w0, %w1" : : "a"(value), "Nd"(port));
}

static inline uint16_t port_read16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %w1, %w0" : "=a"(value) : "Nd"(port));
    return value;
}

/* Opens the ports of a capability by name; `first` and `count` say which they are. */
bool open_ports(const char *name, uint64_t *first, uint64_t *count);

struct tables {
    const uint8_t *region;
    size_t size; /* 0: they are not open */
};

/* False: the machine has none, or this driver was not given them. */
bool tables_open(struct tables *tables);
void tables_close(struct tables *tables);

/* ---- power_off.c ---- */

/* Returns only when it could not be done. */
mnos_status_t power_off(void);
