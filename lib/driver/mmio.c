// SPDX-License-Identifier: MIT
/* mmio - see mmio.h. The inline assembly fixes the width and that it is one access, also between
 * compilers. */
#include "lib/driver/mmio.h"

#define READ(bits, instruction, constraint)                                                        \
    uint##bits##_t mmio_read##bits(const struct mmio *window, uint64_t offset)                     \
    {                                                                                              \
        volatile uint##bits##_t *at =                                                              \
            (volatile void *)((volatile uint8_t *)window->base + offset);                          \
        uint##bits##_t value;                                                                      \
                                                                                                   \
        __asm__ volatile(instruction " %1, %0" : constraint(value) : "m"(*at) : "memory");         \
        return value;                                                                              \
    }

#define WRITE(bits, instruction, constraint)                                                       \
    void mmio_write##bits(const struct mmio *window, uint64_t offset, uint##bits##_t value)        \
    {                                                                                              \
        volatile uint##bits##_t *at =                                                              \
            (volatile void *)((volatile uint8_t *)window->base + offset);                          \
                                                                                                   \
        __asm__ volatile(instruction " %1, %0" : "=m"(*at) : constraint(value) : "memory");        \
    }

READ(8, "movb", "=q")
READ(16, "movw", "=r")
READ(32, "movl", "=r")
READ(64, "movq", "=r")
WRITE(8, "movb", "q")
WRITE(16, "movw", "r")
WRITE(32, "movl", "r")
WRITE(64, "movq", "r")
