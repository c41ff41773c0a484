// SPDX-License-Identifier: MIT
/* arch_types.h - the x86_64 parts of threads and cores, and the inline part of arch.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct core;
struct cpu_entry;
struct arch_ports;
struct arch_aspace;

/* Kernel half of every address space; docs/memory-layout.md has the whole map. */
#define HHDM_BASE 0xFFFF800000000000ull
#define KERNEL_BASE 0xFFFFFFFF80000000ull

struct thread_arch {
    uint64_t fs_base; /* valid while the thread is not on a core */
    uint64_t gs_base;
    void *vector_area; /* XSAVE or FXSAVE area, arch_vector_bytes() */
    uint32_t mxcsr;    /* kept across voluntary switches, with x87_control */
    uint16_t x87_control;
    bool
        vector_live; /* vector_area holds the state; else it is the initial state, or in the registers */
    bool started; /* mxcsr and x87_control are valid */
};

#define PCID_COUNT 64 /* the processor has 4096; a collision only costs a flush */

struct core_arch {
    void *panic_stack_top; /* for machine checks and double faults; known to assembly */
    uint32_t apic_id;
    uint32_t acpi_uid;
    struct cpu_entry *entry; /* descriptor table, TSS and exception stacks: cpu_entry.h */
    /* Requests from other cores: each asks by setting bits in `ipi_work` and incrementing
     * `ipi_asked`; this core answers by copying it to `ipi_done` after doing the work. */
    _Atomic uint32_t ipi_work;
    _Atomic uint64_t ipi_asked;
    _Atomic uint64_t ipi_done;
    /* What the port bitmap of the TSS is a copy of, and the words that differ from all closed. */
    const struct arch_ports *ports;
    uint64_t ports_generation;
    uint32_t ports_first_word, ports_end_word;
    /* Process-context identifiers: whose translations each stands for on this core. */
    const struct arch_aspace *pcid_owner[PCID_COUNT];
    const struct arch_aspace *last_process; /* what ran before, for prediction barriers */
};

static inline uint64_t arch_cycles(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline struct core *arch_this_core(void)
{
    struct core *core;

    __asm__("mov %%gs:0, %0" : "=r"(core));
    return core;
}
