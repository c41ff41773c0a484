// SPDX-License-Identifier: MIT
/* vector.h - x87, SSE, AVX and AVX-512 registers of the thread that leaves or enters this core. */
#pragma once

#include <stdbool.h>

#include "arch/x86_64/cpu.h"
#include "arch_types.h"

/* Keeps everything in arch->vector_area. */
void vector_save(struct thread_arch *arch);
/* Nothing of the thread before remains visible. */
void vector_load(struct thread_arch *arch);
/* An area whose header says that every component is in its initial state. */
extern const struct vector_initial_state vector_initial_state;
/* State a thread starts with. */
void vector_reset(struct thread_arch *arch);

/* For a thread whose registers are lost by definition, MXCSR and the x87 control word are all. */
static inline void vector_save_control(struct thread_arch *arch)
{
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(arch->mxcsr), "=m"(arch->x87_control));
}

static inline void vector_load_control(const struct thread_arch *arch)
{
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(arch->mxcsr), "m"(arch->x87_control));
}

/* False when the processor knows that all registers hold initial values: nothing could leak. */
static inline bool vector_in_use(void)
{
    uint32_t low, high;

    if (!cpu_facts.xgetbv1)
        return true;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
    return (low & (uint32_t)cpu_facts.xcr0) != 0; /* all components in use are below bit 32 */
}
