// SPDX-License-Identifier: MIT
/*
 * process_end.c - the end of a process: one owner, one word of progress, bounded steps. See
 * ending.h and docs/ending.md.
 *
 * A step is done by the core that owns the end, without a current thread and without a lock; in
 * between it may wait for other cores in arch_ipi_round(), which serves what they ask meanwhile.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "assert.h"
#include "cap/derive.h"
#include "core.h"
#include "ipc/wait.h"
#include "base/panic.h"
#include "vm/ports.h"
#include "object/endpoint.h"
#include "object/inspect.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/sched.h"
#include "sched/deferred.h"
#include "base/trace.h"

/* What one step does at most: about 4,000 instructions. */
#define KILLED_STEP 32
#define EVICTED_STEP 10
#define SLOTS_UNITS 48 /* one for a slot that is looked at, and these for one that is in use */
#define SLOT_USED 3
#define SLOT_MEMORY 15             /* a mapping may go with it */
#define OBJECTS_STEP DEFERRED_STEP /* as many as are freed on each way out */

/* ---- beginning ---- */

/* DYING, and work of this core, in one critical section. */
static bool mark_locked(struct process *process, enum mnos_exit_reason reason, uint64_t exit_code,
                        uint8_t priority)
{
    struct ending *end = &process->end;

    if (!process_is_open(process))
        return false;
    process->exit_reason = (uint8_t)reason;
    process->exit_code = exit_code;
    end->marked = priority;
    end->progress = END_CHILDREN;
    process->cursor = NULL; /* nobody suspends it or lets it go on any more */
    __atomic_store_n(&process->state, MNOS_PROCESS_DYING, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_seq_cst); /* ending_thread_changed() */
    ending_again_locked(end);
    return true;
}

bool process_mark(struct process *process, enum mnos_exit_reason reason, uint64_t exit_code,
                  uint8_t priority)
{
    bool first;

    spin_lock(&process->lock);
    first = mark_locked(process, reason, exit_code, priority);
    spin_unlock(&process->lock);
    if (first)
        trace(MNOS_TRACE_PROCESS_DESTROY, process->obj.id, exit_code);
    return first;
}

void process_exit(struct thread *current, enum mnos_exit_reason reason, uint64_t exit_code)
{
    (void)process_mark(current->process, reason, exit_code, current->effective);
    thread_kill(current);
    this_core()->need_resched = true;
}

void process_abandon(struct process *process, uint8_t priority)
{
    cap_delete_kernel(&process->exit_cap);
    (void)process_mark(process, MNOS_EXIT_DESTROYED, 0, priority);
}

bool process_await(struct process *process, struct thread *current)
{
    bool waits;

    spin_lock(&process->lock);
    waits = process->state != MNOS_PROCESS_DEAD;
    if (waits)
        wait_for_end_locked(&process->end, current);
    spin_unlock(&process->lock);
    if (waits)
        sched_current_blocked();
    return waits;
}

/* ---- what ends before it: children, threads ---- */

/* Sees to it that `child`, whose parent's lock is held as well, ends at the parent's priority. */
static void urge_child_locked(struct process *child, uint8_t priority)
{
    if (!mark_locked(child, MNOS_EXIT_DESTROYED, 0, priority)) {
        child->end.handed = priority;
        ending_changed_locked(&child->end);
        return;
    }
    trace(MNOS_TRACE_PROCESS_DESTROY, child->obj.id, 0);
}

/* The first child ends first; when it is all over it puts us back. */
static bool end_children(struct process *process)
{
    struct ending *end = &process->end;
    bool away = false;

    spin_lock(&process->lock);
    ending_changed_locked(end);
    if (list_empty(&process->children)) {
        end->progress = END_KILL;
        process_first_thread_locked(process);
    } else {
        struct process *child = list_first(&process->children, struct process, sibling_link);

        spin_lock(&child->lock);
        urge_child_locked(child, end->work.priority);
        spin_unlock(&child->lock);
        end->away = away = true;
    }
    spin_unlock(&process->lock);
    return !away;
}

static bool kill_threads(struct process *process)
{
    struct thread *thread = NULL;

    spin_lock(&process->lock);
    for (unsigned i = 0; i < KILLED_STEP && (thread = process_next_thread_locked(process)) != NULL;
         i++)
        thread_kill(thread);
    spin_unlock(&process->lock);
    if (thread != NULL)
        return true;
    sched_quiesce(); /* T9: whoever puts one of them into a wait has seen STOP_KILL */
    spin_lock(&process->lock);
    process_first_thread_locked(process);
    process->end.progress = END_EVICT;
    spin_unlock(&process->lock);
    return true;
}

static bool evict_threads(struct process *process)
{
    for (unsigned i = 0; i < EVICTED_STEP; i++) {
        struct thread *thread;

        spin_lock(&process->lock);
        thread = process_next_thread_locked(process);
        if (thread == NULL)
            process->end.progress = END_THREADS;
        spin_unlock(&process->lock);
        if (thread == NULL)
            break;
        thread_evict(thread); /* no quiescent point has been passed: it is not freed */
    }
    return true;
}

/* The first thread is to be buried at our priority; when it has been, we are put back. */
static bool end_threads(struct process *process)
{
    struct ending *end = &process->end;
    bool away = false;

    spin_lock(&process->lock);
    ending_changed_locked(end);
    if (list_empty(&process->threads)) {
        end->progress = END_QUIET;
    } else {
        struct thread *thread = list_first(&process->threads, struct thread, process_link);

        thread->end.handed = end->work.priority;
        ending_changed_locked(&thread->end);
        end->away = away = true;
    }
    spin_unlock(&process->lock);
    return !away;
}

void process_thread_leaves_locked(struct process *process, struct thread *thread)
{
    if (process->cursor == thread)
        (void)process_next_thread_locked(process);
    inspect_thread_leaves_locked(process, thread);
    list_remove(&thread->process_link);
    process->past_cpu_cycles += thread->cpu_cycles;
    if (process->end.progress == END_THREADS)
        ending_put_back_locked(&process->end);
}

/* ---- what it has ---- */

static bool end_table(struct process *process)
{
    uint32_t table_end = process->captable.page_count * CAPTABLE_PAGE_SLOTS;
    struct tlb_batch batch = {0};

    for (unsigned units = 0; units < SLOTS_UNITS && process->table_emptied < table_end; units++) {
        struct capability *slot = captable_slot(&process->captable, process->table_emptied);

        if (__atomic_load_n(&slot->object, __ATOMIC_RELAXED) != NULL)
            units += slot->type == MNOS_TYPE_MEMORY ? SLOT_MEMORY : SLOT_USED;
        if (cap_slot_clear(slot, &batch) == CAP_AGAIN)
            break;
        process->table_emptied++;
    }
    cap_removal_finish(&batch);
    if (process->table_emptied == table_end)
        process->end.progress = END_OBJECTS;
    return true;
}

static struct kobject *first_object(struct process *process)
{
    struct kobject *object = NULL;

    spin_lock(&process->lock);
    if (!list_empty(&process->objects))
        object = list_first(&process->objects, struct kobject, payer_link);
    spin_unlock(&process->lock);
    return object;
}

static bool end_objects(struct process *process)
{
    struct kobject *object = NULL;
    struct tlb_batch batch = {0};

    for (unsigned i = 0; i < OBJECTS_STEP && (object = first_object(process)) != NULL; i++) {
        if (cap_destroy_all(object, &batch) == CAP_AGAIN)
            break;
        kobject_unreferenced(object); /* if removing the last capability has not done it */
    }
    cap_removal_finish(&batch);
    if (object == NULL)
        process->end.progress = END_ASPACE;
    return true;
}

/* The address space is on its way out: no core may keep it loaded. */
static void leave_aspace(struct process *process)
{
    if (process->aspace.arch.dying)
        return;
    process->aspace.arch.dying = true;
    if (this_core()->aspace == &process->aspace.arch)
        arch_aspace_load(NULL);
    arch_ipi_round(sched_online_cores(), IPI_QUIESCE | IPI_FLUSH_TLB);
}

static bool end_aspace(struct process *process)
{
    leave_aspace(process);
    ports_destroy(process);
    if (aspace_destroy(process))
        process->end.progress = END_ACCOUNT;
    return true;
}

/* ---- the account, and telling ---- */

/* Nothing is charged but what the table itself takes, which goes last. */
static bool account_settled(const struct process *process)
{
    return quota_used(&process->quota.bytes) == captable_bytes(&process->captable) &&
           quota_used(&process->quota.frames) == 0 && process->captable.used == 0;
}

/* What any core still has to free is freed here. What a core is just freeing is charged until the
 * next step. */
static bool end_account(struct process *process)
{
    if (!account_settled(process)) {
        deferred_take_over();
        (void)deferred_step();
        return true;
    }
    if (!captable_destroy(&process->captable, &process->quota))
        return true;
    assert(quota_used(&process->quota.frames) == 0 &&
           quota_used(&process->quota.bytes) == 0); /* P1 */
    if (process->parent == NULL)
        panic("init has ended: reason %u, code 0x%llx", process->exit_reason,
              (unsigned long long)process->exit_code);
    process_quota_give_back(process);
    spin_lock(&process->lock);
    process->end.progress = END_DEAD;
    __atomic_store_n(&process->state, MNOS_PROCESS_DEAD, __ATOMIC_RELAXED);
    spin_unlock(&process->lock);
    endpoint_notify_cap(&process->exit_cap, process->exit_events);
    cap_delete_kernel(&process->exit_cap);
    cap_delete_kernel(&process->fault_cap);
    return true;
}

/* It is all over: off its parent, which may be waiting for that; afterwards the record may be freed
 * at any time. */
static bool end_telling(struct process *process)
{
    struct process *parent = process->parent;
    bool told, unreferenced = false;

    spin_lock(&parent->lock);
    spin_lock(&process->lock);
    told = ending_tell_locked(&process->end);
    if (told) {
        list_remove(&process->sibling_link);
        unreferenced = kobject_over(&process->obj);
        if (parent->end.progress == END_CHILDREN)
            ending_put_back_locked(&parent->end);
    }
    spin_unlock(&process->lock);
    spin_unlock(&parent->lock);
    if (unreferenced)
        kobject_unreferenced(&process->obj);
    return !told;
}

void process_end_step(struct work *work)
{
    struct process *process = container_of(work, struct process, end.work);
    bool again = true;

    switch ((enum ending_progress)process->end.progress) {
    case END_CHILDREN: again = end_children(process); break;
    case END_KILL: again = kill_threads(process); break;
    case END_EVICT: again = evict_threads(process); break;
    case END_THREADS: again = end_threads(process); break;
    case END_QUIET:
        sched_quiesce(); /* who found it open just before it began to die has finished */
        process->end.progress = END_TABLE;
        break;
    case END_TABLE: again = end_table(process); break;
    case END_OBJECTS: again = end_objects(process); break;
    case END_ASPACE: again = end_aspace(process); break;
    case END_ACCOUNT: again = end_account(process); break;
    default: again = end_telling(process); break;
    }
    if (!again)
        return;
    spin_lock(&process->lock);
    ending_again_locked(&process->end);
    spin_unlock(&process->lock);
}
