// SPDX-License-Identifier: MIT
/* deferred.c - see deferred.h. */
#include "sync/deferred.h"

#include <stddef.h>

#include "core.h"
#include "mm/aspace.h"
#include "sched/sched.h"

void deferred_add(struct deferred *deferred, void (*release)(struct deferred *))
{
    struct core *core = this_core();

    deferred->release = release;
    deferred->next = core->deferred;
    core->deferred = deferred;
    core->deferred_count++;
    core->need_resched = true; /* so that deferred_leave_kernel() is reached */
}

void deferred_flush(void)
{
    struct core *core = this_core();
    struct deferred *list, *next;

    core->deferred_urged = false;
    while (core->deferred != NULL) { /* releasing may add to it */
        /* A page of it may still be in a TLB: who unmapped it has not flushed yet. */
        tlb_batch_finish_all(&(struct tlb_batch){0});
        sched_quiesce();
        list = core->deferred;
        core->deferred = NULL;
        core->deferred_count = 0;
        for (; list != NULL; list = next) {
            next = list->next;
            list->release(list);
        }
    }
}

void deferred_urge(void)
{
    for (uint32_t i = 0; i < core_count; i++) {
        if (&cores[i] == this_core() || !cores[i].online || cores[i].deferred == NULL)
            continue;
        cores[i].deferred_urged = true;
        arch_ipi_reschedule(&cores[i]);
    }
}

void deferred_leave_kernel(void)
{
    const struct core *core = this_core();

    if (core->deferred_count >= DEFERRED_MAX || core->deferred_urged || sched_single_core())
        deferred_flush();
}
