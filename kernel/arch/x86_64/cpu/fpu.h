// SPDX-License-Identifier: MIT
/* fpu.h - x87, SSE, AVX and AVX-512 registers of the thread that leaves or enters this core. */
#pragma once

#include <stdbool.h>

#include "arch/x86_64/cpu/cpu.h"
#include "arch_types.h"

/* Keeps everything in arch->vector_area, on a processor without XSAVEOPT too. */
void vector_save_to(void *area);
/* An area whose header says that every component is in its initial state. */
extern const struct vector_initial_state vector_initial_state;
/* State a thread starts with. */
void vector_reset(struct thread_arch *arch);

/* Keeps everything in arch->vector_area. The mask stands for all components that are enabled. */
static inline void vector_save_fast(struct thread_arch *arch)
{
    arch->vector_live = true;
    __asm__ volatile("xsaveopt64 (%0)" ::"r"(arch->vector_area), "a"(-1), "d"(-1) : "memory");
}

static inline void vector_save(struct thread_arch *arch)
{
    if (__builtin_expect(cpu_facts.xsaveopt, true)) {
        vector_save_fast(arch);
        return;
    }
    arch->vector_live = true;
    vector_save_to(arch->vector_area);
}

/* For a thread whose registers are lost by definition, MXCSR and the x87 control word are all. */
static inline void vector_save_control(struct thread_arch *arch)
{
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(arch->mxcsr), "=m"(arch->x87_control));
}

static inline void vector_load_control(const struct thread_arch *arch)
{
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(arch->mxcsr), "m"(arch->x87_control));
}

/* What x87 last did in the thread before must not show: an instruction of ours is the last one. As in Linux,
 * restore_fpregs_from_fpstate(): FNCLEX, since no exception may be pending; EMMS, since FILD needs a free register. The
 * word is the same for all threads, so that its address says nothing. */
static inline void vector_forget_x87_pointers(void)
{
    __asm__ volatile("fnclex\n\temms\n\tfildl vector_initial_state(%rip)");
}

/* On a processor where it takes more than XRSTOR. */
void vector_restore(const void *area);

/* Nothing of the thread before remains visible. */
static inline void vector_load(struct thread_arch *arch)
{
    bool live = arch->vector_live;
    const void *area = live ? arch->vector_area : (const void *)&vector_initial_state;

    if (live && cpu_facts.x87_pointers_stay)
        vector_forget_x87_pointers();
    if (cpu_facts.plain_vectors)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else
        vector_restore(area);
    arch->vector_live = false;
    if (!live)
        vector_load_control(arch);
}

/* The same where XRSTOR is all it takes to load the initial state, or the pointers are forgotten already. */
static inline void vector_load_fast(struct thread_arch *arch)
{
    if (__builtin_expect(arch->vector_live, false)) {
        vector_load(arch);
        return;
    }
    __asm__ volatile("xrstor64 vector_initial_state(%%rip)" ::"a"(-1), "d"(-1) : "memory");
    vector_load_control(arch);
}
