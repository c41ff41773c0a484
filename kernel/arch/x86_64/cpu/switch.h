// SPDX-License-Identifier: MIT
/*
 * switch.h - changing the thread that a core runs, inline: the part of thread_arch.c that every message
 * between programs passes through. Ports, address spaces and vector state have files of their own and
 * are called only when there is something to do.
 */
#pragma once

#include <stdatomic.h>

#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/entry/cpu_entry.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/cpu/port_bitmap.h"
#include "arch/x86_64/cpu/fpu.h"
#include "core.h"
#include "object/process.h"
#include "object/thread.h"

/* With FSGSBASE user code may have changed the bases; without it what the kernel set last is right. The
 * user's GS base is the one that SWAPGS brings; an NMI in between finds its own (interrupt.S). */
static inline void switch_save_bases(struct thread_arch *arch)
{
    if (cpu_facts.fsgsbase)
        __asm__ volatile("rdfsbase %0\n\tswapgs\n\trdgsbase %1\n\tswapgs"
                         : "=&r"(arch->fs_base), "=&r"(arch->gs_base)::"memory");
}

static inline void switch_load_bases(const struct thread_arch *arch)
{
    if (cpu_facts.fsgsbase) {
        __asm__ volatile("wrfsbase %0\n\tswapgs\n\twrgsbase %1\n\tswapgs" ::"r"(arch->fs_base),
                         "r"(arch->gs_base)
                         : "memory");
        return;
    }
    /* Always, even when the value is the same: loading a selector clears the base. */
    wrmsr(MSR_FS_BASE, arch->fs_base);
    wrmsr(MSR_KERNEL_GS, arch->gs_base);
}

/* arch_thread_save() for a thread in an IPC system call. */
static inline void arch_switch_out(struct thread *thread)
{
    switch_save_bases(&thread->arch);
    vector_save_control(&thread->arch);
}

/* The address space of `thread` and its I/O ports, when it takes more than writing CR3. */
void switch_to_process_of(struct thread *thread);
/* That, and the switch is recorded if events are. */
void switch_the_long_way(struct thread *thread);

/* Puts the saved state of `thread` (not its general registers) into the processor, sets the stack for
 * entries from user mode, loads its address space when another one is loaded, and its I/O ports. Records the
 * switch. */
static inline void arch_switch_in(struct core *core, struct thread *thread)
{
    struct arch_aspace *aspace = thread->aspace;

    if (!paging_isolation) /* else entries land on the entry stack, and go on to core->current */
        core->tss->rsp[0] = (uint64_t)(uintptr_t)(&thread->frame + 1);
    switch_load_bases(&thread->arch);
    vector_load(&thread->arch);
    /* As in ipc_fast.inc. Whatever calls another function comes last, so that nothing need be saved for it. */
    if (core->tracing ||
        (core->switch_bit & atomic_load_explicit(&aspace->plain_on, memory_order_relaxed)) == 0) {
        switch_the_long_way(thread);
        return;
    }
    if (core->aspace != aspace)
        write_cr3(aspace->root);
    core->aspace = aspace;
}
