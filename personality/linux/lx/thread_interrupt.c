// SPDX-License-Identifier: MIT
/*
 * thread_interrupt - a thread that runs the program is made to look at its signals: see T2 and T3 of threads.h.
 *
 * As lxhost does with a process (lxhost/interrupt.c): the thread is stopped for a moment and goes on where nothing is mapped, so
 * that it comes into lx by a fault. The calling thread has the lock, so the other one does not.
 */
#include "abi/inspect.h"
#include "abi/process.h"
#include "lib/base/string.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/wait.h"
#include "protocols/lxhost.h"

/* How often a thread that is a few instructions away from lx or the program is looked at. */
#define LOOKS_MAX 1000u

/* The thread is stopped. True: it will look, or there is nothing to be done. */
static bool redirect(struct lx_thread *thread)
{
    struct mnos_registers registers;
    uint64_t size;

    if (sys_cap_inspect(thread->native, MNOS_VIEW_REGISTERS, 0, &size) != MNOS_OK)
        return true; /* it waits, in lx */
    memcpy(&registers, ipc_buffer()->data, sizeof registers);
    if (registers.rip < LX_PAGE)
        return true; /* somebody else has done it */
    if (registers.rip >= LX_BASE)
        return atomic_load_explicit(&thread->in_lx, memory_order_relaxed);
    atomic_store_explicit(&thread->interrupted_at, registers.rip, memory_order_release);
    registers.rip = LXHOST_INTERRUPT_AT;
    memcpy(ipc_buffer()->data, &registers, sizeof registers);
    if (sys_thread_control(thread->native, MNOS_THREAD_REGISTERS, 0) == MNOS_OK)
        return true;
    atomic_store_explicit(&thread->interrupted_at, 0, memory_order_relaxed);
    return false;
}

static void interrupt(struct lx_thread *thread)
{
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        uint64_t now;
        bool done;

        if (atomic_load_explicit(&thread->in_lx, memory_order_relaxed) ||
            sys_thread_block(thread->native, 0, &now) != MNOS_OK)
            return;
        done = redirect(thread);
        (void)!sys_thread_wake(thread->native);
        if (done)
            return;
        (void)!sys_thread_yield();
    }
}

void thread_prod(struct lx_thread *thread)
{
    if (thread->waits)
        wait_wake(thread);
    else if (thread != thread_self())
        interrupt(thread);
}
