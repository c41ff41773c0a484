// SPDX-License-Identifier: MIT
/* smp.h - what smp_entry.S and smp.c share. */
#pragma once

#include "mm/addr.h"

struct core;

/* Where the loader sends a parked core. */
extern const char smp_entry[];
/* The kernel's top page table. */
extern paddr_t smp_kernel_root;
/* On the core's own stack and the kernel's page tables. */
[[gnu::noreturn]] void smp_core_main(struct core *core);
