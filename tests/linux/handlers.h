// SPDX-License-Identifier: MIT
/* handlers.h - what the static programs of these tests that take signals share: rt_sigaction() with the way back. */
#pragma once

#include "tests/linux/program.h"

#define RESTORER 0x04000000u
#define RESTART 0x10000000u

struct action { /* as the kernel has it */
    uint64_t handler, flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* Where a handler returns to: rt_sigreturn(). */
void restorer(void);
__asm__("restorer: movl $15, %eax\n syscall\n");

/* The handler is the address of one, or SIG_IGN's 1; what rt_sigaction() answers. */
static inline int64_t set_handler(int signal, uint64_t handler, uint64_t flags, uint64_t mask)
{
    const struct action action = {handler, flags | RESTORER, restorer, mask};

    return call(SIGACTION, signal, &action, 0, 8);
}
