// SPDX-License-Identifier: MIT
/*
 * ports.h - I/O ports. A process may use the ports of a capability once that is mapped; an access to any other port is a
 * fault of the program. Each access is one instruction of its width, in the order of the program (Intel SDM volume 1,
 * "Ordering I/O").
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"

/* Opens all ports of the capability to this process, and says where they begin and how many they are; what is open already
 * stays so. Needs Read and Write. Uses the IPC buffer; does not wait. An error is the kernel's, and nothing is opened then. */
mnos_status_t ports_open(mnos_cap_t ports, uint64_t *first, uint64_t *count);

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t port_read16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %w1, %w0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
}

static inline void port_write16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %w0, %w1" : : "a"(value), "Nd"(port));
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}
