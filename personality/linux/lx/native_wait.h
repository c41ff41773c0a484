// SPDX-License-Identifier: MIT
/* native_wait.h - the calls of the kernel in which the vector registers are lost, which in lx are the program's. */
#pragma once

#include <stdint.h>

/* What the kernel takes and gives; entry.S knows the order. */
struct ipc_registers {
    uint64_t rdi, rsi, rdx, r10, r8, r9, r12, r13;
};

/* One of these calls, which may wait for what never comes: without the lock of lx (threads.h) if the thread has said so. Returns RAX. */
uint64_t lx_wait(uint64_t number, struct ipc_registers *regs);
/* entry.S: saves and restores them around the call. Returns RAX. */
uint64_t lx_native_wait(uint64_t number, struct ipc_registers *regs);
