// SPDX-License-Identifier: MIT
/* arch_types.h - the host's parts of threads and cores, and the inline part of arch.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct core;

/* Memory of the simulated machine; where the sanitizers have neither code, heap nor shadow. */
#define HHDM_BASE 0x200000000000ull

struct thread_arch {
    uint64_t fs_base;
    uint64_t gs_base;
    void *vector_area; /* arch_vector_bytes(), never used */
};

struct core_arch {
    uint32_t apic_id;
};

uint64_t arch_cycles(void); /* the simulated time */

/* The core that runs at this moment: host_core_select(). */
extern struct core *host_core;

static inline struct core *arch_this_core(void)
{
    return host_core;
}
