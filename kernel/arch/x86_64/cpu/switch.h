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
#include "tcb.h"

/* With FSGSBASE user code may have changed the bases; without it what the kernel set last is right. The
 * user's GS base is the one that SWAPGS brings; an NMI in between finds its own (interrupt.S). */
static inline void switch_save_bases(struct thread_arch *arch)
{
    if (__builtin_expect(cpu_facts.fsgsbase, true))
        __asm__ volatile("rdfsbase %0\n\tswapgs\n\trdgsbase %1\n\tswapgs"
                         : "=&r"(arch->fs_base), "=&r"(arch->gs_base)::"memory");
}

static inline void switch_load_bases(const struct thread_arch *arch)
{
    if (__builtin_expect(cpu_facts.fsgsbase, true)) {
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

/* The same for a thread that keeps its vector registers. */
static inline void arch_switch_out_whole(struct thread *thread)
{
    switch_save_bases(&thread->arch);
    vector_save(&thread->arch);
}

/* Both at once: what `from` leaves and what `to` finds. Only with FSGSBASE. */
static inline void switch_exchange_bases(struct thread_arch *from, const struct thread_arch *to)
{
    uint64_t fs_base, gs_base;

    __asm__ volatile("rdfsbase %0\n\twrfsbase %2\n\tswapgs\n\trdgsbase %1\n\twrgsbase %3\n\tswapgs"
                     : "=&r"(fs_base), "=&r"(gs_base)
                     : "r"(to->fs_base), "r"(to->gs_base)
                     : "memory");
    from->fs_base = fs_base;
    from->gs_base = gs_base;
}

/* The address space of `thread` and its I/O ports, when it takes more than writing CR3. */
void switch_to_process_of(struct thread *thread);
/* The same for assembly, which loads vector state afterwards. */
void switch_to_process_first(struct thread *thread);
/* That, and the switch is recorded if events are. */
void switch_the_long_way(struct thread *thread);

/* Sets the stack for entries from user mode; with page-table isolation they land on the entry stack, and go on to
 * core->current. */
static inline void switch_set_entry_stack(const struct core *core, struct thread *thread)
{
    if (!paging_isolation)
        core->tss->rsp[0] = (uint64_t)(uintptr_t)(&thread->frame + 1);
}

/* Puts the saved state of `thread` (not its general registers) into the processor, sets the stack for
 * entries from user mode, loads its address space when another one is loaded, and its I/O ports. Records the
 * switch. */
static inline void arch_switch_in(struct core *core, struct thread *thread)
{
    struct arch_aspace *aspace = thread->aspace;

    switch_set_entry_stack(core, thread);
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

/* What arch_switch_out() or, with `whole`, arch_switch_out_whole() of `from` and the first half of arch_switch_in() of
 * `to` do, when events are not traced and neither is SLOW_PROCESSOR. Until `from` is published. */
static inline void arch_exchange_out(struct thread *from, const struct thread *to, bool whole)
{
    switch_exchange_bases(&from->arch, &to->arch);
    if (whole)
        vector_save_fast(&from->arch);
    else
        vector_save_control(&from->arch);
}

/* The second half. */
static inline void arch_exchange_in(struct core *core, struct thread *to)
{
    struct arch_aspace *aspace = to->aspace;

    switch_set_entry_stack(core, to);
    if (core->aspace != aspace) {
        if (__builtin_expect((core->switch_bit &
                              atomic_load_explicit(&aspace->plain_on, memory_order_relaxed)) == 0,
                             false)) {
            switch_to_process_first(to);
        } else {
            core->aspace = aspace;
            write_cr3(aspace->root);
        }
    }
    vector_load_fast(&to->arch);
}
