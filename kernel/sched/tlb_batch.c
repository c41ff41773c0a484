// SPDX-License-Identifier: MIT
/* tlb_batch.c - see tlb_batch.h. */
#include "sched/tlb_batch.h"

#include <stdatomic.h>
#include <stddef.h>

#include "core.h"
#include "sched/sched.h"

/* Forgets which address space it is, and keeps which cores it concerns. */
static void tlb_batch_detach(struct tlb_batch *batch)
{
    if (batch->single != NULL) {
        batch->cores |= batch->single->loaded_on;
        batch->several = true;
    }
    batch->single = NULL;
}

bool tlb_batch_preempt_point(struct tlb_batch *batch)
{
    tlb_batch_detach(batch);
    return sched_preempt_point();
}

/* A core that loads the address space later reads the entries cleared, one that did so earlier is seen here. */
void tlb_batch_add(struct tlb_batch *batch, struct arch_aspace *aspace, uaddr_t address,
                   uint64_t page_count)
{
    this_core()->tlb_pending = true;
    atomic_thread_fence(memory_order_seq_cst); /* pairs with arch_aspace_load() */
    if (batch->single == NULL && !batch->several) {
        batch->single = aspace;
        batch->address = address;
        batch->page_count = page_count;
        batch->cores = aspace->loaded_on;
        return;
    }
    if (batch->single == aspace && batch->address == address + page_count * PAGE_BYTES) {
        batch->address = address; /* unmapping goes from the end */
        batch->page_count += page_count;
        return;
    }
    tlb_batch_detach(batch);
    batch->cores |= aspace->loaded_on;
}

void tlb_batch_finish(struct tlb_batch *batch)
{
    if (batch->several)
        arch_tlb_flush_cores(batch->cores);
    else if (batch->single != NULL)
        arch_aspace_flush(batch->single, batch->address, batch->page_count);
    if (batch->ports)
        arch_ports_changed();
    *batch = (struct tlb_batch){0};
    this_core()->tlb_pending = this_core()->tlb_owed != 0 || this_core()->ports_owed;
}

void tlb_batch_finish_all(struct tlb_batch *batch)
{
    tlb_batch_finish(batch);
    for (uint32_t i = 0; i < core_count; i++) {
        if (!__atomic_load_n(&cores[i].tlb_pending, __ATOMIC_ACQUIRE))
            continue;
        arch_tlb_flush_cores(sched_online_cores());
        arch_ports_changed();
        return;
    }
}

void tlb_batch_defer(struct tlb_batch *batch)
{
    struct core *core = this_core();

    tlb_batch_detach(batch);
    core->tlb_owed |= batch->cores;
    core->ports_owed |= batch->ports;
    if (core->tlb_owed != 0 || core->ports_owed)
        core->need_resched = true; /* so that the long way out is taken */
    *batch = (struct tlb_batch){0};
}

void tlb_batch_leave_kernel(void)
{
    struct core *core = this_core();

    if (core->tlb_owed != 0)
        arch_tlb_flush_cores(core->tlb_owed);
    if (core->ports_owed)
        arch_ports_changed();
    core->tlb_owed = 0;
    core->ports_owed = false;
    core->tlb_pending = false;
}
