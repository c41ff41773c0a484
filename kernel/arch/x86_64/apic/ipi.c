// SPDX-License-Identifier: MIT
/*
 * ipi.c - one core asks others for something and waits. The kernel runs with interrupts off, so a
 * request is served at a quiescent point: from user mode, from idle, in a poll, or while the other core
 * itself waits here. Two cores that ask each other therefore cannot hang.
 */
#include "arch/x86_64/apic/ipi.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/x86_64/apic/lapic.h"
#include "arch/x86_64/cpu/port_bitmap.h"
#include "arch/x86_64/mmu/tlb.h"
#include "arch/x86_64/apic/vectors.h"
#include "core.h"
#include "lockdep.h"

static atomic_bool stopping;

bool ipi_stopping(void)
{
    return atomic_load_explicit(&stopping, memory_order_acquire);
}

static void work_do(struct core *core, unsigned work)
{
    if (work & IPI_FLUSH_ALL)
        tlb_flush_all();
    else if (work & IPI_FLUSH_TLB)
        tlb_flush_user();
    if (core->aspace != NULL && atomic_load_explicit(&core->aspace->dying, memory_order_acquire))
        arch_aspace_load(NULL);
    ports_refresh(core);
}

void ipi_serve(void)
{
    struct core *core = this_core();
    /* Who asks sets the work before it counts the request: reading in the other order finds the work
     * of every request counted. */
    uint64_t asked = atomic_load_explicit(&core->arch.ipi_asked, memory_order_acquire);

    if (asked == atomic_load_explicit(&core->arch.ipi_done, memory_order_relaxed))
        return;
    core->quiescent_points++;
    work_do(core, atomic_exchange_explicit(&core->arch.ipi_work, 0, memory_order_acq_rel));
    atomic_store_explicit(&core->arch.ipi_done, asked, memory_order_release);
}

static uint64_t ask(struct core *target, unsigned work)
{
    uint64_t number;

    atomic_fetch_or_explicit(&target->arch.ipi_work, work, memory_order_relaxed);
    number = atomic_fetch_add_explicit(&target->arch.ipi_asked, 1, memory_order_acq_rel) + 1;
    lapic_send(target->arch.apic_id, VECTOR_IPI);
    return number;
}

void arch_ipi_round(uint32_t core_mask, unsigned work)
{
    uint64_t numbers[MNOS_CORES_MAX];
    uint32_t waiting = 0;

    lockdep_assert_none();
    core_mask &= ~(1u << this_core()->index);
    for (uint32_t rest = core_mask; rest != 0; rest &= rest - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(rest);

        if (!__atomic_load_n(&cores[i].online, __ATOMIC_ACQUIRE))
            continue;
        numbers[i] = ask(&cores[i], work);
        waiting |= 1u << i;
    }
    for (uint32_t rest = waiting; rest != 0; rest &= rest - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(rest);

        while (atomic_load_explicit(&cores[i].arch.ipi_done, memory_order_acquire) < numbers[i]) {
            ipi_serve();
            arch_relax();
        }
    }
}

void arch_ipi_reschedule(struct core *target)
{
    lapic_send(target->arch.apic_id, VECTOR_RESCHEDULE);
}

/* One by one, since a core that still waits in the loader's code has nothing to catch an NMI with. */
void arch_stop_others(void)
{
    const struct core *self = this_core();

    if (atomic_exchange(&stopping, true))
        return;
    for (uint32_t i = 0; i < core_count; i++)
        if (&cores[i] != self && __atomic_load_n(&cores[i].online, __ATOMIC_ACQUIRE))
            lapic_send_nmi(cores[i].arch.apic_id);
}

void arch_halt(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
