// SPDX-License-Identifier: MIT
/* process.c - creation, suspension and destruction of processes; see process.h. */
#include "object/process.h"

#include <stddef.h>

#include "assert.h"
#include "boot_code.h"
#include "cap/derive.h"
#include "info.h"
#include "ipc/wait.h"
#include "lib/string.h"
#include "log/log.h"
#include "log/panic.h"
#include "mm/ports.h"
#include "mm/slab.h"
#include "object/endpoint.h"
#include "object/fault.h"
#include "object/name.h"
#include "object/thread.h"
#include "sched/sched.h"
#include "sync/deferred.h"
#include "trace.h"

/* Capability slots emptied between two looks for something more urgent. */
#define SLOTS_STEP 32

static struct slab_cache *process_cache;

BOOT_CODE void process_caches_create(void)
{
    process_cache = slab_cache_create("process", sizeof(struct process), 64);
}

/* ---- creation ---- */

static void process_init(struct process *process, struct process *parent,
                         const struct mnos_process_params *params)
{
    process->parent = parent;
    process->priority_ceiling = (uint8_t)params->priority_ceiling;
    process->quota.frames_limit = params->frames_quota;
    process->quota.bytes_limit = params->bytes_quota;
    name_copy(process->name, params->name);
    spin_init(&process->lock, LOCK_PROCESS);
    list_init(&process->threads);
    list_init(&process->objects);
    list_init(&process->children);
    list_init(&process->sibling_link);
}

/* Takes the limits out of the parent's account (P2). */
static mnos_status_t quota_carve(struct process *parent, const struct mnos_process_params *params)
{
    struct quota *quota = parent == NULL ? NULL : &parent->quota;
    mnos_status_t status = quota_charge_frames(quota, params->frames_quota);

    if (status != MNOS_OK)
        return status;
    status = quota_charge_bytes(quota, params->bytes_quota);
    if (status != MNOS_OK)
        quota_return_frames(quota, params->frames_quota);
    return status;
}

static void quota_give_back(struct process *process)
{
    if (process->parent == NULL)
        return;
    quota_return_frames(&process->parent->quota, process->quota.frames_limit);
    quota_return_bytes(&process->parent->quota, process->quota.bytes_limit);
}

/* The page that tells the time, at its fixed address. */
static mnos_status_t kinfo_map(struct process *process)
{
    return arch_aspace_map(&process->aspace.arch, &process->quota, MNOS_KINFO_ADDRESS,
                           kinfo_frame(), 1, MAP_READ);
}

static mnos_status_t join_parent(struct process *process)
{
    struct process *parent = process->parent;
    mnos_status_t status = MNOS_OK;

    if (parent == NULL)
        return MNOS_OK;
    spin_lock(&parent->lock);
    if (parent->state == MNOS_PROCESS_DYING || parent->state == MNOS_PROCESS_DEAD)
        status = MNOS_ERR_STATE;
    else
        list_append(&parent->children, &process->sibling_link);
    spin_unlock(&parent->lock);
    return status;
}

mnos_status_t process_create(struct process *parent, const struct mnos_process_params *params,
                             struct process **created)
{
    struct quota *payer = parent == NULL ? NULL : &parent->quota;
    struct process *process;
    void *object;
    mnos_status_t status;

    if (params->frames_quota == 0 || params->bytes_quota == 0)
        return MNOS_ERR_ARGUMENT;
    if (params->priority_ceiling >= MNOS_PRIORITY_COUNT ||
        (parent != NULL && params->priority_ceiling > parent->priority_ceiling))
        return MNOS_ERR_CEILING;
    status = quota_slab_alloc(payer, process_cache, &object);
    if (status != MNOS_OK)
        return status;
    process = object;
    process_init(process, parent, params);
    status = quota_carve(parent, params);
    if (status != MNOS_OK)
        goto out_object;
    captable_init(&process->captable);
    status = aspace_create(process);
    if (status != MNOS_OK)
        goto out_quota;
    status = kinfo_map(process);
    if (status != MNOS_OK)
        goto out_aspace;
    kobject_init(&process->obj, MNOS_TYPE_PROCESS, parent);
    status = join_parent(process);
    if (status != MNOS_OK)
        goto out_kobject;
    trace(MNOS_TRACE_PROCESS_CREATE, process->obj.id, parent == NULL ? 0 : parent->obj.id);
    *created = process;
    return MNOS_OK;

out_kobject:
    (void)kobject_detach(&process->obj);
out_aspace:
    while (!aspace_destroy(process))
        arch_relax(); /* a handful of tables */
out_quota:
    quota_give_back(process);
out_object:
    quota_slab_free(payer, process_cache, process);
    return status;
}

void process_free(struct process *process)
{
    quota_slab_free(process->parent == NULL ? NULL : &process->parent->quota, process_cache,
                    process);
}

/* ---- suspension ---- */

mnos_status_t process_suspend(struct process *process)
{
    mnos_status_t status = MNOS_ERR_STATE;

    spin_lock(&process->lock);
    if (process->state == MNOS_PROCESS_ALIVE || process->state == MNOS_PROCESS_SUSPENDED) {
        process->state = MNOS_PROCESS_SUSPENDED;
        for (struct list *l = process->threads.next; l != &process->threads; l = l->next)
            atomic_fetch_or(&container_of(l, struct thread, process_link)->stop, STOP_PROCESS);
        status = MNOS_OK;
    }
    spin_unlock(&process->lock);
    if (status == MNOS_OK) {
        this_core()->need_resched = true; /* it may be the caller's own */
        sched_quiesce();
    }
    return status;
}

mnos_status_t process_resume(struct process *process)
{
    mnos_status_t status = MNOS_ERR_STATE;

    spin_lock(&process->lock);
    if (process->state == MNOS_PROCESS_ALIVE || process->state == MNOS_PROCESS_SUSPENDED) {
        process->state = MNOS_PROCESS_ALIVE;
        for (struct list *l = process->threads.next; l != &process->threads; l = l->next)
            thread_resume(container_of(l, struct thread, process_link), STOP_PROCESS);
        status = MNOS_OK;
    }
    spin_unlock(&process->lock);
    return status;
}

/* ---- destruction ---- */

bool process_begin_destruction(struct process *process, enum mnos_exit_reason reason,
                               uint64_t exit_code)
{
    bool first = false;

    spin_lock(&process->lock);
    if (process->state == MNOS_PROCESS_ALIVE || process->state == MNOS_PROCESS_SUSPENDED) {
        process->state = MNOS_PROCESS_DYING;
        process->exit_reason = (uint8_t)reason;
        process->exit_code = exit_code;
        first = true;
    }
    spin_unlock(&process->lock);
    if (first)
        trace(MNOS_TRACE_PROCESS_DESTROY, process->obj.id, exit_code);
    return first;
}

/* The first descendant without children, or `process` itself. */
static struct process *deepest(struct process *process)
{
    for (;;) {
        struct process *child = NULL;

        spin_lock(&process->lock);
        if (!list_empty(&process->children))
            child = list_first(&process->children, struct process, sibling_link);
        spin_unlock(&process->lock);
        if (child == NULL)
            return process;
        process = child;
    }
}

/* A thread of `process` other than `except`; NULL: none is left. */
static struct thread *other_thread(struct process *process, const struct thread *except)
{
    struct thread *found = NULL;

    spin_lock(&process->lock);
    for (struct list *l = process->threads.next; l != &process->threads && found == NULL;
         l = l->next)
        if (container_of(l, struct thread, process_link) != except)
            found = container_of(l, struct thread, process_link);
    spin_unlock(&process->lock);
    return found;
}

static bool destroy_threads(struct process *process, const struct thread *except)
{
    struct thread *thread = other_thread(process, except);

    if (thread == NULL)
        return true;
    if (!thread_bury_begin(thread)) {
        sched_quiesce();
        return false; /* sys_thread_destroy on another core is at it, and will be done soon */
    }
    thread_kill(thread);
    thread_wait_dead(thread);
    thread_bury(thread);
    return false;
}

static bool destroy_caps(struct process *process, struct tlb_batch *batch)
{
    uint32_t end = process->captable.page_count * CAPTABLE_PAGE_SLOTS;

    for (unsigned i = 0; i < SLOTS_STEP && process->teardown_slot < end; i++) {
        if (cap_slot_clear(captable_slot(&process->captable, process->teardown_slot), batch) ==
            CAP_AGAIN)
            return false;
        process->teardown_slot++;
    }
    return process->teardown_slot == end;
}

/* All but `self`, the thread that does it: that one is still needed. */
static bool destroy_objects(struct process *process, const struct thread *self,
                            struct tlb_batch *batch)
{
    struct kobject *object = NULL;

    spin_lock(&process->lock);
    for (struct list *l = process->objects.next; l != &process->objects && object == NULL;
         l = l->next)
        if (self == NULL || l != &self->obj.payer_link)
            object = container_of(l, struct kobject, payer_link);
    spin_unlock(&process->lock);
    if (object == NULL)
        return true;
    if (cap_destroy_all(object, batch) == CAP_DONE)
        kobject_unreferenced(object); /* if removing the last capability has not done it */
    return false;
}

/* The account is empty but for what the captable itself takes, which goes last. What other cores still
 * have on their lists of things to free, they are asked to free now. */
static bool account_settled(struct process *process)
{
    uint64_t table = captable_bytes(&process->captable);

    deferred_flush();
    if (process->quota.bytes_used == table && process->quota.frames_used == 0 &&
        process->captable.used == 0)
        return true;
    deferred_urge();
    return false;
}

static void finish(struct process *process)
{
    struct process *parent = process->parent;

    captable_destroy(&process->captable, &process->quota);
    assert(process->quota.frames_used == 0 && process->quota.bytes_used == 0); /* P1 */
    quota_give_back(process);
    if (parent == NULL)
        panic("init has ended: reason %u, code 0x%llx", process->exit_reason,
              (unsigned long long)process->exit_code);
    spin_lock(&parent->lock);
    list_remove(&process->sibling_link);
    spin_unlock(&parent->lock);
    process->state = MNOS_PROCESS_DEAD;
    endpoint_notify_cap(&process->exit_cap, process->exit_events);
    cap_delete_kernel(&process->exit_cap);
    cap_delete_kernel(&process->fault_cap);
    if (process->obj.caps == 0)
        kobject_unreferenced(&process->obj);
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

/* The part that a thread of the process can do itself; false: not finished. */
static bool destroy_contents(struct process *process, const struct thread *self)
{
    struct tlb_batch batch = {0};
    bool done;

    if (!destroy_threads(process, self))
        return false;
    if (!process->closed) { /* others may have found it open just before it began to die */
        sched_quiesce();
        process->closed = true;
    }
    done = destroy_caps(process, &batch) && destroy_objects(process, self, &batch);
    cap_removal_finish(&batch);
    return done;
}

static bool destroy_step(struct process *process)
{
    if (!destroy_contents(process, NULL))
        return false;
    leave_aspace(process);
    ports_destroy(process);
    if (!aspace_destroy(process) || !account_settled(process))
        return false;
    finish(process);
    return true;
}

/* Somebody else, a core that reaps, is at it: makes it hurry. */
static void reaper_hurry(struct process *process)
{
    uint32_t core = process->reaper;

    process->reap_priority = MNOS_PRIORITY_COUNT;
    cores[core].need_resched = true;
    if (core != this_core()->index)
        arch_ipi_reschedule(&cores[core]);
}

static bool teardown_try(struct process *process)
{
    return !atomic_exchange(&process->teardown, true);
}

static void teardown_leave(struct process *process)
{
    atomic_store(&process->teardown, false);
}

/* After any waiting for other cores `process` may have been freed by one of them, unless it is kept
 * by its teardown flag: so what was looked up is used no more, and the caller looks it up again. */
bool process_destroy(struct process *process)
{
    struct process *victim = deepest(process);
    bool done = false;

    if (victim->state == MNOS_PROCESS_DEAD)
        return victim == process;
    if (victim != process)
        (void)process_begin_destruction(victim, MNOS_EXIT_DESTROYED, 0);
    if (victim->reaped) {
        reaper_hurry(victim);
        return false;
    }
    if (!teardown_try(victim))
        return false;
    /* Another core may have left it to a reaper, or have finished it, just before we came. */
    if (!victim->reaped && victim->state != MNOS_PROCESS_DEAD)
        do
            done = destroy_step(victim);
        while (!done && !sched_preempt_point());
    teardown_leave(victim);
    return done && victim == process;
}

/* ---- from within ---- */

void process_exit(struct thread *current, enum mnos_exit_reason reason, uint64_t exit_code)
{
    (void)process_begin_destruction(current->process, reason, exit_code);
    atomic_fetch_or(&current->stop, STOP_DOOMED);
    this_core()->need_resched = true;
}

/* Its teardown flag is ours: who has it next sees `reaped`. */
static void leave_to_reaper(struct process *process, uint8_t priority)
{
    struct core *core = this_core();

    process->reap_priority = priority;
    process->reaper = core->index;
    process->reaped = true;
    process->reap_next = core->reaping;
    core->reaping = process;
    core->need_resched = true;
}

void process_take_over(struct process *process, uint8_t priority)
{
    if (process_is_open(process) || !teardown_try(process))
        return; /* it goes on without the thread, or somebody is at it already */
    if (!process->reaped && process->state != MNOS_PROCESS_DEAD)
        leave_to_reaper(process, priority);
    teardown_leave(process);
}

/* Its last thread leaves it to this core, which goes on at the thread's priority. */
static void leave(struct process *process, struct thread *self)
{
    leave_to_reaper(process, self->effective);
    leave_aspace(process);
    sched_block_prepare(self);
    self->state = THREAD_DEAD;
    sched_current_blocked();
}

void process_destroy_self(struct thread *current)
{
    struct process *process = current->process; /* not freed while its thread runs here */
    struct process *victim = deepest(process);

    if (process_is_open(process)) {
        fault_end(current); /* F2 */
    } else if (victim != process) {
        (void)process_begin_destruction(victim, MNOS_EXIT_DESTROYED, 0);
        (void)process_destroy(victim);
    } else if (teardown_try(process)) {
        if (destroy_contents(process, current))
            leave(process, current); /* before another core can be at it */
        teardown_leave(process);
    }
    (void)sched_preempt_point();
}

bool process_reap_step(struct process *process)
{
    bool done;

    if (!teardown_try(process))
        return false;
    done = destroy_step(process);
    teardown_leave(process);
    return done;
}
