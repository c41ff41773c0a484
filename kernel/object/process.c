// SPDX-License-Identifier: MIT
/* process.c - creation and suspension of processes; see process.h. Their end is process_end.c. */
#include "object/process.h"

#include <stdatomic.h>
#include <stddef.h>

#include "boot/boot_code.h"
#include "sched/info.h"
#include "lib/base/string.h"
#include "mm/slab.h"
#include "object/name.h"
#include "object/thread.h"
#include "sched/sched.h"
#include "base/trace.h"

/* Threads stopped, or let go on, between two looks for something more urgent. */
#define THREADS_STEP 16

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
    process->depth = parent == NULL ? 0 : (uint8_t)(parent->depth + 1);
    process->priority_ceiling = (uint8_t)params->priority_ceiling;
    quota_init(&process->quota, params->frames_quota, params->bytes_quota);
    name_copy(process->name, params->name);
    spin_init(&process->lock, LOCK_PROCESS);
    ending_init(&process->end, process, process_end_step);
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

void process_quota_give_back(struct process *process)
{
    if (process->parent == NULL)
        return;
    quota_return_frames(&process->parent->quota, process->quota.frames.limit);
    quota_return_bytes(&process->parent->quota, process->quota.bytes.limit);
}

mnos_status_t process_move_quota(struct process *process, int64_t frames, int64_t bytes,
                                 enum mnos_quota_kind *failed)
{
    mnos_status_t status = MNOS_ERR_STATE;

    spin_lock(&process->lock);
    if (process_is_open(process))
        status = quota_move(&process->parent->quota, &process->quota, frames, bytes, failed);
    spin_unlock(&process->lock);
    return status;
}

/* The page that tells the time, at its fixed address. */
static mnos_status_t kinfo_map(struct process *process)
{
    return arch_aspace_map_page(&process->aspace.arch, &process->quota, MNOS_KINFO_ADDRESS,
                                kinfo_frame(), MAP_READ);
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
    if (parent != NULL && parent->depth == PROCESS_DEPTH_MAX)
        return MNOS_ERR_STATE; /* P4 */
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
        arch_poll_interrupts(); /* a handful of tables; nobody else knows them */
out_quota:
    process_quota_give_back(process);
out_object:
    quota_slab_free(payer, process_cache, process);
    return status;
}

bool process_free(struct kobject *object)
{
    struct process *process = process_of(object);

    quota_slab_free(process->parent == NULL ? NULL : &process->parent->quota, process_cache,
                    process);
    return true;
}

/* ---- its threads ---- */

uint8_t process_threads_priority(const struct process *process)
{
    uint64_t rest = atomic_load_explicit(&process->threads_ever_at, memory_order_relaxed);

    while (rest != 0) {
        unsigned p = 63 - (unsigned)__builtin_clzll(rest);

        if (atomic_load_explicit(&process->threads_at[p], memory_order_relaxed) != 0)
            return (uint8_t)p;
        rest &= ~(1ull << p);
    }
    return 0;
}

struct thread *process_next_thread_locked(struct process *process)
{
    struct thread *thread = process->cursor;

    if (thread != NULL)
        process->cursor =
            thread->process_link.next == &process->threads
                ? NULL
                : container_of(thread->process_link.next, struct thread, process_link);
    return thread;
}

void process_first_thread_locked(struct process *process)
{
    process->cursor = list_empty(&process->threads)
                          ? NULL
                          : list_first(&process->threads, struct thread, process_link);
}

/* Does with the next thread what the state asks for. The one that asks for it is stopped last, or it would not
 * get to the others. */
static bool apply_locked(struct process *process)
{
    struct thread *thread = process_next_thread_locked(process);

    if (thread == NULL)
        return false;
    if (process->state == MNOS_PROCESS_SUSPENDED && thread != this_core()->current)
        atomic_fetch_or(&thread->stop, STOP_PROCESS);
    else if (process->state == MNOS_PROCESS_ALIVE)
        thread_resume(thread, STOP_PROCESS);
    return true;
}

static void stop_current_locked(struct process *process)
{
    struct thread *current = this_core()->current;

    if (current != NULL && current->process == process)
        atomic_fetch_or(&current->stop, STOP_PROCESS);
}

/* Whether the current thread has been stopped by another that suspends the process as well. It does not go on, or the
 * two could stop each other, and nobody would stop the rest. */
static bool has_been_stopped_locked(const struct process *process)
{
    const struct thread *current = this_core()->current;

    return process->state == MNOS_PROCESS_SUSPENDED && current != NULL &&
           current->process == process && (current->stop & STOP_PROCESS) != 0;
}

/* Some steps on the way to `state`. When somebody else has asked for another meanwhile, that is
 * done instead. Who asks for what is being done already goes on with that: so what was cut off, because who did it has
 * died, is finished, and however many ask, none begins anew what others have done. */
static mnos_status_t change_state(struct process *process, enum mnos_process_state state,
                                  bool begun, bool *again)
{
    mnos_status_t status = MNOS_OK;

    *again = false;
    spin_lock(&process->lock);
    if (!process_is_open(process)) {
        status = MNOS_ERR_STATE;
    } else {
        if (!begun && process->state != state) {
            process->state = (uint8_t)state;
            process_first_thread_locked(process);
        }
        for (unsigned i = 0; i < THREADS_STEP && process->state == state &&
                             !has_been_stopped_locked(process) && apply_locked(process);
             i++)
            ;
        *again = process->state == state && process->cursor != NULL;
        if (!*again && process->state == MNOS_PROCESS_SUSPENDED)
            stop_current_locked(process);
    }
    spin_unlock(&process->lock);
    return status;
}

mnos_status_t process_suspend(struct process *process, bool begun, bool *again)
{
    mnos_status_t status = change_state(process, MNOS_PROCESS_SUSPENDED, begun, again);

    if (status == MNOS_OK && !*again) {
        this_core()->need_resched = true; /* it may be the caller's own */
        sched_quiesce();
    }
    return status;
}

mnos_status_t process_resume(struct process *process, bool begun, bool *again)
{
    return change_state(process, MNOS_PROCESS_ALIVE, begun, again);
}
