// SPDX-License-Identifier: MIT
/*
 * fpu.c - vector and floating-point state. The kernel uses none itself, so a thread's stays in the
 * registers until another thread runs. Intel SDM vol 1, "Managing State Using the XSAVE Feature Set".
 */
#include "arch/x86_64/cpu/fpu.h"

#include <stddef.h>

#include "arch/arch.h"
#include "arch/x86_64/cpu/cpu.h"
#include "lib/base/string.h"

#define MXCSR_INITIAL 0x1F80u
#define X87_CONTROL_INITIAL 0x037Fu

struct [[gnu::aligned(64)]] vector_initial_state
{
    uint16_t x87_control;
    uint8_t unused[22];
    uint32_t mxcsr;
    uint8_t registers[512 - 28];
    uint64_t header[8];
};
_Static_assert(offsetof(struct vector_initial_state, mxcsr) == 24, "FXSAVE layout");
_Static_assert(offsetof(struct vector_initial_state, header) == 512, "XSAVE layout");

const struct vector_initial_state vector_initial_state = {
    .x87_control = X87_CONTROL_INITIAL,
    .mxcsr = MXCSR_INITIAL,
};

size_t arch_vector_bytes(void)
{
    return cpu_facts.vector_bytes;
}

void arch_vector_init(void *area)
{
    memcpy(area, &vector_initial_state, offsetof(struct vector_initial_state, registers));
    if (cpu_facts.xsave)
        memset((char *)area + offsetof(struct vector_initial_state, header), 0,
               sizeof(vector_initial_state.header));
}

void vector_save_to(void *area)
{
    uint32_t low = (uint32_t)cpu_facts.xcr0, high = (uint32_t)(cpu_facts.xcr0 >> 32);

    if (cpu_facts.xsave)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(low), "d"(high) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void vector_restore(const void *area)
{
    if (cpu_facts.x87_pointers_stay)
        vector_forget_x87_pointers();
    if (cpu_facts.xsave)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void vector_reset(struct thread_arch *arch)
{
    arch->vector_live = false;
    arch->mxcsr = MXCSR_INITIAL;
    arch->x87_control = X87_CONTROL_INITIAL;
}
