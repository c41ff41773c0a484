// SPDX-License-Identifier: MIT
/*
 * ipc_stub.h - the four IPC calls as instructions: the only place that knows which register carries what
 * (abi/message.h). Programs use ipc.h.
 *
 * The vector registers are lost in each call, which concerns no code built like this library (general
 * registers only); code that uses them sees a function call, before which it has saved what it needs.
 */
#pragma once

#include <stdint.h>

#include "lib/mnos/syscall.h"

/* What the kernel takes and gives. R13 goes in only. */
struct ipc_registers {
    uint64_t rdi, rsi, rdx, r10, r8, r9, r12, r13;
};

/* Returns RAX. Without R13, which the call does not look at. */
static inline uint64_t ipc_stub(uint64_t number, struct ipc_registers *regs)
{
    register uint64_t r10 __asm__("r10") = regs->r10;
    register uint64_t r8 __asm__("r8") = regs->r8;
    register uint64_t r9 __asm__("r9") = regs->r9;
    register uint64_t r12 __asm__("r12") = regs->r12;
    uint64_t rax = number;

    __asm__ volatile("syscall"
                     : "+a"(rax), "+D"(regs->rdi), "+S"(regs->rsi), "+d"(regs->rdx), "+r"(r10),
                       "+r"(r8), "+r"(r9), "+r"(r12)
                     :
                     : "rcx", "r11", "memory");
    regs->r10 = r10;
    regs->r8 = r8;
    regs->r9 = r9;
    regs->r12 = r12;
    return rax;
}

static inline uint64_t ipc_stub_send(struct ipc_registers *regs)
{
    return ipc_stub(MNOS_SYS_ipc_send, regs);
}

static inline uint64_t ipc_stub_call(struct ipc_registers *regs)
{
    return ipc_stub(MNOS_SYS_ipc_call, regs);
}

static inline uint64_t ipc_stub_receive(struct ipc_registers *regs)
{
    return ipc_stub(MNOS_SYS_ipc_recv, regs);
}

/* R13 is preserved: the endpoint of a server's loop stays there. */
static inline uint64_t ipc_stub_reply(struct ipc_registers *regs)
{
    register uint64_t r10 __asm__("r10") = regs->r10;
    register uint64_t r8 __asm__("r8") = regs->r8;
    register uint64_t r9 __asm__("r9") = regs->r9;
    register uint64_t r12 __asm__("r12") = regs->r12;
    register uint64_t r13 __asm__("r13") = regs->r13;
    uint64_t rax = MNOS_SYS_ipc_reply;

    __asm__ volatile("syscall"
                     : "+a"(rax), "+D"(regs->rdi), "+S"(regs->rsi), "+d"(regs->rdx), "+r"(r10),
                       "+r"(r8), "+r"(r9), "+r"(r12)
                     : "r"(r13)
                     : "rcx", "r11", "memory");
    regs->r10 = r10;
    regs->r8 = r8;
    regs->r9 = r9;
    regs->r12 = r12;
    return rax;
}
