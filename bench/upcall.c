// SPDX-License-Identifier: MIT
/*
 * upcall.c - a foreign system call and a page fault of a thread that takes them itself: until the first
 * instruction of its upcall.
 */
#include "abi/fault.h"
#include "bench/bench.h"
#include "lib/mnos/thread.h"

/* Nothing is mapped there. */
#define HOLE (ARENA + 0x200000)

static uint64_t by_call(void *)
{
    return upcall_by_call(&ipc_buffer()->upcall_state) - READINGS_COST_FAULT - 1;
}

static uint64_t by_fault(void *)
{
    return upcall_by_fault(&ipc_buffer()->upcall_state, HOLE) - READINGS_COST_FAULT;
}

BENCH(upcall, "upcall-syscall upcall-fault")
{
    if (!CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL,
                                     (uint64_t)upcall_arrival | MNOS_UPCALL_SYSCALLS |
                                         MNOS_UPCALL_FAULTS)))
        return;
    measure("upcall-syscall", by_call, NULL);
    measure("upcall-fault", by_fault, NULL);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, 0));
}
