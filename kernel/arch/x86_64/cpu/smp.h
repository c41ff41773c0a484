// SPDX-License-Identifier: MIT
/* smp.h - starting the other cores; what it shares with entry/smp_entry.S, where they begin. */
#pragma once

#include <stdint.h>

#include "mm/addr.h"

struct core;

/* Starts the other cores, which the loader has parked, at `entry`, and waits until they are in the scheduler. */
void smp_start_cores(uint64_t entry);
/* The kernel's top page table. */
extern paddr_t smp_kernel_root;
/* On the core's own stack and the kernel's page tables; the scheduler is next. */
void smp_core_main(struct core *core);
