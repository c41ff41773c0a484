// SPDX-License-Identifier: MIT
/*
 * ipc_stub.h - of lx: the four IPC calls, in the place of the header of this name in lib/mnos.
 *
 * The kernel gives the vector registers up in these calls, and in lx they are the program's. So all of them go through
 * one function, which saves and restores them: nothing else in lx may make such a call.
 */
#pragma once

#include <stdint.h>

#include "lib/mnos/syscall.h"
#include "personality/linux/lx/native_wait.h"

static inline uint64_t ipc_stub_send(struct ipc_registers *regs)
{
    return lx_native_wait(MNOS_SYS_ipc_send, regs);
}

static inline uint64_t ipc_stub_call(struct ipc_registers *regs)
{
    return lx_native_wait(MNOS_SYS_ipc_call, regs);
}

static inline uint64_t ipc_stub_receive(struct ipc_registers *regs)
{
    return lx_wait(MNOS_SYS_ipc_recv, regs);
}

static inline uint64_t ipc_stub_reply(struct ipc_registers *regs)
{
    return lx_wait(MNOS_SYS_ipc_reply, regs);
}
