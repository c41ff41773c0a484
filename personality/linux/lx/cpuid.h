// SPDX-License-Identifier: MIT
/* cpuid.h - what the processor says of itself: Intel SDM vol 2A, "CPUID". */
#pragma once

#include <stdint.h>

/* EAX, EBX, ECX, EDX of a leaf; of one that has subleaves, of the first. */
static inline void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}
