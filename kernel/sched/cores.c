// SPDX-License-Identifier: MIT
/* cores.c - the cores, and how each begins to take part. */
#include <stdatomic.h>

#include "boot/boot_code.h"
#include "sched/info.h"
#include "sched/internal.h"
#include "sched/deferred.h"

struct core cores[MNOS_CORES_MAX];
uint32_t core_count = 1;

/* Bit n: core n. A core sets its own idle bit before it looks at its run queue for the last time; who
 * inserts looks at the bit afterwards. */
_Atomic uint32_t online_cores = 1;
_Atomic uint32_t idle_cores;

BOOT_CODE static void core_init(struct core *core, uint32_t index)
{
    core->index = index;
    core->timer_armed_ns = UINT64_MAX;
    core->hold_end_ns = UINT64_MAX;
    runqueue_init(&core->runqueue);
    timer_queue_init(&core->timer_queue);
    work_list_init(&core->work);
    deferred_list_init(&core->deferred);
}

BOOT_CODE void sched_init(void)
{
    info_statistics_create();
    for (uint32_t i = 0; i < MNOS_CORES_MAX; i++)
        core_init(&cores[i], i);
    cores[0].online = true;
}

/* Not boot code, which is gone when it leaves. */
void sched_boot_core_start(void)
{
    arch_leave_boot();
    info_update_memory();
    sched_leave_kernel();
    arch_enter_user();
}

void sched_core_start(void)
{
    struct core *core = this_core();

    core->online = true;
    atomic_fetch_or(&online_cores, 1u << core->index);
    core->need_resched = true;
    sched_leave_kernel();
    arch_enter_user();
}
