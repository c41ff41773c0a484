// SPDX-License-Identifier: MIT
/* work.c - see work.h. */
#include "sched/work.h"

#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "core.h"
#include "lockdep.h"
#include "sched/sched.h"

void work_list_init(struct work_list *list)
{
    spin_init(&list->lock, LOCK_WORK);
    for (unsigned i = 0; i < MNOS_PRIORITY_COUNT; i++)
        list_init(&list->entries[i]);
}

void work_init(struct work *work, void (*run)(struct work *work))
{
    list_init(&work->link);
    work->run = run;
    atomic_store_explicit(&work->core, WORK_NOWHERE, memory_order_relaxed);
    atomic_store_explicit(&work->priority, 0, memory_order_relaxed);
    work->entered = false;
}

/* The list of `core` is locked. True: the core should look. */
static bool insert_locked(struct core *core, struct work *work, uint8_t priority)
{
    work->at = priority;
    work->entered = true;
    list_append(&core->work.entries[priority], &work->link);
    return runqueue_work_begins(&core->runqueue, priority);
}

static void remove_locked(struct core *core, struct work *work)
{
    list_remove(&work->link);
    work->entered = false;
    if (list_empty(&core->work.entries[work->at]))
        runqueue_work_ends(&core->runqueue, work->at);
}

void work_enter(struct work *work, uint8_t least)
{
    uint32_t owner = atomic_load_explicit(&work->core, memory_order_relaxed);
    struct core *core = owner == WORK_NOWHERE ? this_core() : &cores[owner];
    bool better = false;
    uint8_t priority;

    atomic_store_explicit(&work->core, core->index, memory_order_relaxed);
    /* Taking the lock is a full barrier: who asks for a priority meanwhile sees the core, or is
     * seen here. */
    spin_lock(&core->work.lock);
    priority = atomic_load_explicit(&work->priority, memory_order_relaxed);
    if (!work->entered)
        better = insert_locked(core, work, priority > least ? priority : least);
    spin_unlock(&core->work.lock);
    if (better)
        sched_tell(core);
}

void work_move(struct work *work, uint8_t priority)
{
    struct core *core;
    bool better = false;
    uint32_t owner;

    if (atomic_load_explicit(&work->priority, memory_order_relaxed) == priority)
        return;
    atomic_store_explicit(&work->priority, priority, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* work_enter() */
    owner = atomic_load_explicit(&work->core, memory_order_relaxed);
    if (owner == WORK_NOWHERE)
        return;
    core = &cores[owner];
    spin_lock(&core->work.lock);
    if (work->entered && work->at != priority) {
        remove_locked(core, work);
        better = insert_locked(core, work, priority);
    }
    spin_unlock(&core->work.lock);
    if (better)
        sched_tell(core);
}

void work_run(struct core *core)
{
    struct work *work = NULL;
    int best;

    lockdep_assert_none();
    assert(core == this_core() && core->current == NULL && core->next == NULL); /* J3 */
    spin_lock(&core->work.lock);
    best = runqueue_best_work(&core->runqueue);
    if (best >= 0) {
        work = list_first(&core->work.entries[best], struct work, link);
        remove_locked(core, work);
    }
    spin_unlock(&core->work.lock);
    if (work != NULL)
        work->run(work);
}
