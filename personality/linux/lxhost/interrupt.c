// SPDX-License-Identifier: MIT
/*
 * interrupt - a program that computes is made to look at its signals. See host.h.
 *
 * A signal is told by an event, which who waits sees at once, and by a word that the way out of each call looks at. Who has
 * not asked for its signals after PATIENCE_NS is stopped for a moment. If it is in the program then, it goes on at an
 * address where nothing is mapped; lx has the fault, finds in the window where the program was, and delivers. If it is in lx,
 * which cannot be interrupted, it is looked at again later.
 */
#include "personality/linux/lxhost/host.h"

#include <stdatomic.h>

#include "abi/inspect.h"
#include "abi/process.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/layout.h"

#define PATIENCE_NS 10000000ull

static uint64_t due; /* 0: no signal is waited for to be taken */

void interrupt_soon(void)
{
    if (due == 0)
        due = deadline_after_ns(PATIENCE_NS);
}

uint64_t interrupt_deadline(void)
{
    return due == 0 ? MNOS_DEADLINE_NEVER : due;
}

/* The process is stopped: where is it? What it runs, and where, is its own affair, so that it can only harm itself. */
static void redirect(const struct process *process)
{
    struct lxhost_notice *notice = process_notice(process);
    mnos_cap_t thread = process->native.thread;
    struct mnos_registers registers;
    uint64_t size;

    if (sys_cap_inspect(thread, MNOS_VIEW_REGISTERS, 0, &size) != MNOS_OK)
        return; /* it waits in lx, or has ended */
    memcpy(&registers, ipc_buffer()->data, sizeof registers);
    if (registers.rip < MNOS_PAGE_BYTES || registers.rip >= LX_BASE)
        return; /* it is there already, or in lx */
    atomic_store_explicit(&notice->interrupted_at, registers.rip, memory_order_release);
    registers.rip = LXHOST_INTERRUPT_AT;
    memcpy(ipc_buffer()->data, &registers, sizeof registers);
    if (sys_thread_control(thread, MNOS_THREAD_REGISTERS, 0) != MNOS_OK)
        atomic_store_explicit(&notice->interrupted_at, 0, memory_order_release);
}

void interrupt_look(void)
{
    uint64_t now;

    if (due == 0 || kinfo_time_ns() < due)
        return;
    due = 0;
    EACH_PROCESS(process)
    {
        if (process->state != PROCESS_RUN || process->pending == 0)
            continue;
        if (sys_thread_block(process->native.thread, 0, &now) != MNOS_OK)
            continue;
        redirect(process);
        (void)!sys_thread_wake(process->native.thread);
        interrupt_soon();
    }
}
