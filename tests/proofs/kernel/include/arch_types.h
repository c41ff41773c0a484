// SPDX-License-Identifier: MIT
/* arch_types.h - for proofs: threads and cores have nothing of a machine. */
#pragma once

#include <stdint.h>

struct core;

/* A proof that follows physical addresses has a direct map of its own: direct_map.h. */
#define HHDM_BASE 0xFFFF800000000000ull

struct thread_arch {
    void *vector_area;
};

struct core_arch {
    uint32_t apic_id;
};

/* The core that runs. */
extern struct core *proof_core;

static inline struct core *arch_this_core(void)
{
    return proof_core;
}
