// SPDX-License-Identifier: MIT
/*
 * cpuid.h - what CPUID says, as far as it can be believed. A leaf above the maximum of its range answers
 * with the contents of another one (Intel SDM vol 2A, "CPUID"), and sizes are only numbers until they
 * have been compared with what can be; the instruction is used nowhere else.
 */
#pragma once

#include <stdint.h>

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Zeros when the processor does not have this leaf. */
struct cpuid cpuid_leaf(uint32_t leaf, uint32_t subleaf);

/* Of the TSC, in Hz; 0: unknown. Crystal times ratio, else the base frequency, else a hypervisor's word. */
uint64_t cpuid_tsc_hz(void);
/* Of a physical address. */
unsigned cpuid_physical_bits(void);
/* The largest set of state components, out of `wanted`, that can be saved, and what a record of it takes; 0:
 * XSAVE cannot be used. AVX, and all of AVX-512, are dropped when what is said of them cannot be. */
uint64_t cpuid_vector_components(uint64_t wanted, uint32_t *record_bytes);
