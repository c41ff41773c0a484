// SPDX-License-Identifier: MIT
/*
 * main - faults on purpose, to show that a broken program harms nobody else and what the system
 * says about it.
 */
#include <stdint.h>

#include "lib/mnos/log.h"

int main(void)
{
    /* Not address 0, which the compiler knows to be wrong; but as little mapped. */
    volatile uint32_t *nowhere = (volatile uint32_t *)(uintptr_t)0x1000;

    log_line("about to write to address %p, where nothing is", (void *)(uintptr_t)nowhere);
    *nowhere = 1;
    return 0;
}
