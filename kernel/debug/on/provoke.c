// SPDX-License-Identifier: MIT
/* provoke.c - see provoke.h. */
#include "provoke.h"

#include <stdint.h>

#include "boot/bootinfo.h"

/* Nothing is ever mapped in the first page of the lower half while the kernel boots. Volatile, or the
 * compiler would see through it. */
static volatile uintptr_t unmapped = 0x10;

void debug_provoke_fault(unsigned phase)
{
    char word[] = "fault=N";

    word[sizeof(word) - 2] = (char)('0' + phase);
    if (boot_cmdline_has(word))
        *(volatile uint32_t *)unmapped = phase;
}
