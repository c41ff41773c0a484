// SPDX-License-Identifier: MIT
/* wait_stub.h - of lx: a call that may park the thread keeps the program's vector registers, as ipc_stub.h. */
#pragma once

#include "lib/mnos/syscall_raw.h"
#include "personality/linux/lx/native_wait.h"

static inline struct syscall_result syscall_raw_waits(uint64_t number, uint64_t a1, uint64_t a2)
{
    struct ipc_registers regs = {.rdi = a1, .rsi = a2};
    uint64_t rax = lx_wait(number, &regs);

    return (struct syscall_result){rax, regs.rdx};
}
